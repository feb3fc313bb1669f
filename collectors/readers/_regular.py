"""A regular file of a folder that is looked through: read whole and bounded, whatever stands there."""

import os
import stat
from pathlib import Path

from detector.errors import UnseenError


def regular_file(place: Path, path: str, largest: int) -> bytes:
    """Return a file whole; ``path`` is its name for messages.

    Raises UnseenError: `unsupported` for what is no regular file, `denied`, `too_large` for more than
    ``largest`` bytes.
    """
    try:
        with open(place, "rb", opener=_as_it_is) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise UnseenError("unsupported", f"{path}: no regular file")
            data = file.read(largest + 1)
    except OSError:
        raise UnseenError("denied", f"{path}: it cannot be read") from None
    if len(data) > largest:
        raise UnseenError("too_large", f"{path}: more than {largest // 1024} KiB")
    return data


def _as_it_is(path: str, flags: int) -> int:
    # Not blocking: a named pipe would wait for its writer for ever.
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)
