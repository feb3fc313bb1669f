"""The lock file beside a database: one process owns it, and says who it is."""

import fcntl
import os
from pathlib import Path

from detector.errors import StoreBusyError, StoreError, StoreInUseError


class OwnerLock:
    """An exclusive lock on ``<database>.lock``, held until `release` or the end of the process.

    The file stays behind, which is harmless: the lock is the kernel's, not the file's. Raises StoreInUseError
    with the pid of the owner, StoreError where the file cannot be made.
    """

    def __init__(self, database: Path) -> None:
        self._database = database
        self._file: tuple[int, int] | None = None
        path = database.with_name(database.name + ".lock")
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(
                f"cannot make {path}: {error.strerror}. Give this user write access to the folder"
            ) from None
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(self._descriptor, 32, 0).decode("ascii", "replace").strip()
            os.close(self._descriptor)
            who = f"process {owner}" if owner.isdigit() else "another process"
            raise StoreInUseError(f"{database} is in use by {who}: stop it first") from None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    async def ensure(self) -> None:
        self.check()

    def check(self) -> None:
        """Raise StoreBusyError unless the file is the one that it was at the first call."""
        found = _identity(self._database)
        if self._file is None:
            self._file = found
        elif found != self._file:
            raise StoreBusyError(
                f"{self._database} was removed or replaced while in use: put it back, or start Parity again"
            )

    async def release(self) -> None:
        """Let another process own the database."""
        os.close(self._descriptor)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
