"""Trees of tables: path -> content, or ``Link``; and the same files as a folder."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from collectors.readers.installed import Entry, Tree, wanted


class Link(NamedTuple):
    """Where a symbolic link leads."""

    target: str


class Program(bytes):
    """The content of a file that may be run."""


Files = Mapping[str, bytes | str | Link]


def content_of(value: bytes | str) -> bytes:
    return value.encode() if isinstance(value, str) else value


def tree_of(files: Files) -> Tree:
    """Return a tree as it is filled in passing from an archive."""
    tree = Tree(wanted)
    for path, value in files.items():
        if isinstance(value, Link):
            tree.put(path, Entry("link", target=value.target))
        elif path.endswith("/"):
            tree.put(path, Entry("folder"))
        else:
            content = content_of(value)
            entry = Entry("file", size=len(content), executable=isinstance(value, Program))
            tree.put(path, entry, io.BytesIO(content))
    return tree


def folder_of(root: Path, files: Files) -> Path:
    """Write the files below a root, and return it."""
    for path, value in files.items():
        place = root / path.strip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(value, Link):
            place.symlink_to(value.target)
        elif path.endswith("/"):
            place.mkdir(exist_ok=True)
        else:
            place.write_bytes(content_of(value))
            place.chmod(0o755 if isinstance(value, Program) else 0o644)
    return root
