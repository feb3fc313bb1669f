"""Files and folders beside parity.yml that it names by globs: found anew at each load, never above it."""

import glob
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from detector.config.draft import Draft, Piece
from detector.config.paths import why_refused

#: Files or folders that one glob may stand for.
_MOST: Final = 1_000


def named(draft: Draft, pieces: Iterable[Piece], *, folders: bool = False) -> Iterator[tuple[Path, str]]:
    """Yield the files, or the folders, that globs name, in order, each with how it is shown."""
    seen: set[Path] = set()
    for piece in pieces:
        if not piece.text:
            continue
        if why := why_refused(piece.text, draft.folder):
            draft.problems.add(piece.path, "config-path", why)
            continue
        names = matched(draft.folder, piece.text)
        if not names and "*" not in piece.text:
            what = "folder" if folders else "file"
            draft.problems.add(piece.path, "config-path", f"no such {what}")
        if len(names) > _MOST:
            draft.problems.add(piece.path, "config-path", f"names more than {_MOST:,}: take a narrower glob")
        for name in names[:_MOST]:
            path = draft.folder / name
            if path in seen or path.is_dir() != folders:
                continue
            seen.add(path)
            if why := why_refused(str(path), draft.folder):
                draft.problems.add(piece.path, "config-path", why)
            else:
                yield path, name


def matched(folder: Path, pattern: str) -> list[str]:
    """Return the paths that a glob names, sorted; only * is special in it."""
    pattern = pattern.replace("[", "[[]").replace("?", "[?]")
    return sorted(glob.glob(pattern, root_dir=folder))  # noqa: PTH207 - takes absolute ones too


def bytes_of(path: Path, most: int) -> bytes:
    """Return a regular file, or one byte more than ``most`` of it. Raises OSError."""
    # A pipe must not make the start wait for a writer.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError
        return file.read(most + 1)
