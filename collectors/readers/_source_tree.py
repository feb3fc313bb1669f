"""The files of a folder of code: bounded, in one order, inside the folder, nothing that others wrote."""

import os
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from collectors.readers._regular import regular_file
from detector.errors import UnseenError
from detector.model.items import matches

LARGEST_FILE: Final = 1024 * 1024
MOST_FILES: Final = 20_000
_DEEPEST: Final = 64
#: Folders of what others wrote, of what tools made, and of tests: none of it is the code that runs.
_SKIPPED: Final = frozenset(
    (
        *("node_modules", "bower_components", "site-packages", "vendor", "vendored", "third_party"),
        *(
            ".venv",
            "venv",
            ".git",
            ".hg",
            ".svn",
            ".tox",
            ".nox",
            "__pycache__",
            ".mypy_cache",
            ".pytest_cache",
        ),
        *("dist", "build", "out", "target", "coverage", ".next", ".nuxt", ".output", ".svelte-kit"),
        *("tests", "test", "__tests__", "spec", "e2e", "fixtures", "testdata"),
    )
)


class SourceFile(NamedTuple):
    """One file: its path inside the folder, and where to open it."""

    path: str
    place: Path


def files_below(
    folder: Path, exclude: Collection[str] = (), *, unlisted: Callable[[str], None]
) -> Iterator[SourceFile]:
    """Yield the files of a folder in the order of their paths, links left out.

    ``exclude`` are globs of paths inside the folder; ``unlisted`` is told the path of each folder inside it
    that cannot be listed. Raises UnseenError where the folder itself cannot be read.
    """
    stack: list[tuple[str, Path, int]] = [("", folder, 0)]
    while stack:
        prefix, here, depth = stack.pop()
        try:
            entries = sorted(os.scandir(here), key=lambda entry: entry.name)
        except OSError as error:
            if depth == 0:
                raise _not_listed(error, folder) from None
            unlisted(prefix.removesuffix("/"))
            continue
        folders = []
        for entry in entries:
            path = f"{prefix}{entry.name}"
            if any(matches(glob, path) for glob in exclude):
                continue
            if entry.is_dir(follow_symlinks=False):
                if entry.name in _SKIPPED:
                    continue
                if depth == _DEEPEST:
                    unlisted(path)
                else:
                    folders.append((f"{path}/", here / entry.name, depth + 1))
            elif entry.is_file(follow_symlinks=False):
                yield SourceFile(path, here / entry.name)
        stack.extend(reversed(folders))


def bytes_of(file: SourceFile) -> bytes:
    """Return a file whole. Raises UnseenError for one that is too large, no regular file or out of reach."""
    return regular_file(file.place, file.path, LARGEST_FILE)


def _not_listed(error: OSError, folder: Path) -> UnseenError:
    if isinstance(error, FileNotFoundError):
        return UnseenError("unreachable", f"{folder.name} does not exist")
    if isinstance(error, PermissionError):
        return UnseenError("denied", f"{folder.name} may not be read by this user")
    if isinstance(error, NotADirectoryError):
        return UnseenError("unsupported", f"{folder.name} is no folder; name the folder of the code")
    return UnseenError("unreachable", f"{folder.name} cannot be read")
