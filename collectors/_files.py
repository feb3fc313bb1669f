"""What the collectors of files share: finding a file, reading it whole and bounded, layering several."""

import os
import stat
from pathlib import Path
from typing import BinaryIO, Final, Self

from pydantic import Field, model_validator

from detector.collector import CollectorOptions
from detector.errors import UnseenError
from detector.model.words import MAIN
from detector.reader import MAX_BYTES, Beside

#: Reads of one file until two in a row saw the same.
_TRIES: Final = 2


class PathOptions(CollectorOptions):
    """Which files."""

    path: Path | None = Field(
        None, description="The file; relative paths start at the folder of the configuration."
    )
    paths: tuple[Path, ...] = Field((), description="Several files in place of `path`; later ones win.")

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.path is None) == (not self.paths):
            raise ValueError("give `path`, or several files as `paths`")
        return self

    @property
    def files(self) -> tuple[Path, ...]:
        """The files in their order."""
        return self.paths if self.path is None else (self.path,)


class FileOptions(PathOptions):
    """Which files, and whose they are."""

    component: str = Field(MAIN, description="Component of the service that the files belong to.")


def read_file(folder: Path, path: Path) -> bytes:
    """Return the bytes of a regular file.

    A link is followed as long as it stays in the folder (or, for a path that leads elsewhere, beside where
    the path leads). Raises UnseenError: `unreachable` for a missing file, `denied`, `unsupported` for what is
    no regular file, `too_large`, and `malformed` for one that changes while it is read.
    """
    found = _resolved(folder, path)
    for _ in range(_TRIES):
        data, stable = _read(found, path)
        if stable:
            return data
    raise UnseenError("malformed", f"{path} changed each time while it was read")


def beside(folder: Path, path: Path) -> Beside:
    """Return what hands out files that ``path`` names, by their paths from its folder.

    They must lie in ``folder``, or, for a ``path`` that leads elsewhere, beside it.
    """
    home = Path(os.path.normpath(folder / path)).parent
    root = Path(os.path.normpath(folder))
    root = root if home.is_relative_to(root) else home

    def read(named: str) -> bytes:
        target = Path(os.path.normpath(home / named))
        if not target.is_relative_to(root):
            raise UnseenError("denied", f"it leads out of {root.name or '/'}")
        return read_file(root, target.relative_to(root))

    return read


def opened_file(folder: Path, path: Path) -> BinaryIO:
    """Open a regular file of any size, found as `read_file` finds it. Raises UnseenError."""
    return _opened_regular(_resolved(folder, path), path)


def _resolved(folder: Path, path: Path) -> Path:
    folder = folder.absolute()
    target = Path(os.path.normpath(folder / path))
    root = folder if target.is_relative_to(os.path.normpath(folder)) else target.parent
    try:
        found, home = target.resolve(strict=True), root.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise _not_opened(error, path) from None
    if not found.is_relative_to(home):
        raise UnseenError("denied", f"{path} is a link that leads out of {root.name or '/'}; name its target")
    return found


def _read(found: Path, path: Path) -> tuple[bytes, bool]:
    """Return the bytes, and whether the file was the same before and after."""
    with _opened_regular(found, path) as file:
        try:
            before = os.fstat(file.fileno())
            if before.st_size > MAX_BYTES:
                raise UnseenError("too_large", f"{path} has more than {MAX_BYTES // 1024 // 1024} MB")
            data = file.read(MAX_BYTES + 1)
            after = os.fstat(file.fileno())
        except OSError as error:
            raise _not_opened(error, path) from None
    unchanged = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    return data, unchanged and len(data) == after.st_size


def _opened_regular(found: Path, path: Path) -> BinaryIO:
    try:
        file = open(found, "rb", opener=_opened)  # noqa: SIM115 - the caller closes it
    except OSError as error:
        raise _not_opened(error, path) from None
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise UnseenError("unsupported", f"{path} is no regular file")
    return file


def _opened(path: str, flags: int) -> int:
    # Not blocking: a named pipe would wait for its writer for ever.
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _not_opened(error: OSError | RuntimeError, path: Path) -> UnseenError:
    if isinstance(error, FileNotFoundError):
        return UnseenError("unreachable", f"{path} does not exist")
    if isinstance(error, PermissionError):
        return UnseenError("denied", f"{path} may not be read by this user")
    if isinstance(error, (NotADirectoryError, IsADirectoryError)):
        return UnseenError("unsupported", f"{path} is no regular file")
    return UnseenError("unreachable", f"{path} cannot be read")
