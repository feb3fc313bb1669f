"""Reads the artefacts of every Java archive below a root."""

from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO, Final

import orjson

from collectors.readers.installed.inventory import Inventory, Want
from collectors.readers.installed.jars import ENDINGS, archive_of
from collectors.readers.installed.tree import Tree
from detector.errors import UnseenError

COVERS: Final = "pkg:maven/*"


def _keep(content: BinaryIO, path: str) -> bytes:
    """Keep the artefacts in place of the archive, which may be a hundred times larger."""
    archive = archive_of(content, path)
    unseen = [(error.reason, error.detail) for error in archive.unseen]
    return orjson.dumps({"artefacts": [tuple(one) for one in archive.artefacts], "unseen": unseen})


WANTS: Final = tuple(Want(f"*.{ending}", _keep) for ending in ENDINGS)


def read(tree: Tree, inventory: Inventory) -> None:
    """Add every artefact but those of Java runtimes and of packages of the system."""
    homes = list(_homes(tree))
    for path in tree.files():
        if path.rpartition(".")[2] not in ENDINGS or not inventory.is_own(path) or inventory.is_owned(path):
            continue
        if any(path.startswith((f"{home}lib/", f"{home}jmods/")) for home in homes):
            continue
        inventory.cover(COVERS)
        try:
            found = orjson.loads(tree.read(path) or b"{}")
        except UnseenError as error:
            inventory.miss(COVERS, error)
            continue
        for group, name, version in found.get("artefacts", ()):
            inventory.add("maven", name, version, group)
        for reason, detail in found.get("unseen", ()):
            inventory.miss(COVERS, UnseenError(reason, detail))


def _homes(tree: Tree) -> Iterator[str]:
    """Yield the folders of Java runtimes, whose own archives are no artefacts."""
    for path in tree.files():
        if path.endswith("/release"):
            with suppress(UnseenError):
                if b"JAVA_VERSION=" in (tree.read(path) or b""):
                    yield path.removesuffix("release")
