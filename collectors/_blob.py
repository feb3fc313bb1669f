"""A stream of bytes from outside, bounded and checked on its way: chunks, digest, gzip and zstd.

Each class is a stream over another one. Blocking: for threads.
"""

import gzip
import hashlib
import io
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Final

import zstandard

from detector.errors import UnseenError

#: Bytes that are read from below at one time.
PIECE: Final = 256 * 1024
#: Inflated bytes of one image at most.
MOST_BYTES: Final = 16 * 1024**3
#: Inflated may be so many times what was sent, after the first part. Layers are below 20.
_MOST_INFLATED: Final = 100
_INFLATED_FREELY: Final = 1024 * 1024
_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_LARGEST_WINDOW: Final = 128 * 1024 * 1024


class Chunks(io.RawIOBase):
    """Chunks of any size as a stream; ``check`` is called before each and may raise to end it."""

    def __init__(self, chunks: Iterator[bytes], check: Callable[[], None] = lambda: None) -> None:
        self._chunks = chunks
        self._check = check
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        while not self._rest:
            self._check()
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        taken = self._rest[: len(buffer)]
        buffer[: len(taken)] = taken
        self._rest = self._rest[len(taken) :]
        return len(taken)


class Blob(io.RawIOBase):
    """What came of a blob so far: how many bytes, and their digest."""

    def __init__(self, below: Any) -> None:
        self._below = below
        self._hash = hashlib.sha256()
        self.size = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        # Filled to the end, so that the first look at it sees enough to tell the format.
        view = memoryview(buffer)
        at = 0
        while at < len(view):
            taken = self._below.readinto(view[at:])
            if not taken:
                break
            at += taken
        self._hash.update(view[:at])
        self.size += at
        return at

    @property
    def digest(self) -> str:
        """Digest of what was read."""
        return f"sha256:{self._hash.hexdigest()}"


class _Inflating(io.RawIOBase):
    """Inflates within bounds, in our words."""

    def __init__(self, inflater: Any, blob: Blob) -> None:
        self._inflater = inflater
        self._blob = blob
        self._size = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        try:
            taken: int = self._inflater.readinto(buffer)
        except (EOFError, gzip.BadGzipFile, zlib.error, zstandard.ZstdError):
            raise UnseenError("malformed", "a compressed part is broken or cut short") from None
        self._size += taken
        if self._size > max(_INFLATED_FREELY, _MOST_INFLATED * self._blob.size) or self._size > MOST_BYTES:
            raise UnseenError("too_large", f"a part inflates to more than {_MOST_INFLATED} times its size")
        return taken


def inflated(blob: Blob) -> tuple[io.BufferedReader, bool]:
    """Return the content of a blob, inflated where its first bytes say that it is compressed, and whether."""
    below: io.BufferedReader = io.BufferedReader(blob, PIECE)
    start = below.peek(4)[:4]
    if start.startswith(_GZIP):
        return io.BufferedReader(_Inflating(gzip.GzipFile(fileobj=below), blob), PIECE), True
    if start == _ZSTD:
        inflater = zstandard.ZstdDecompressor(max_window_size=_LARGEST_WINDOW)
        opened = inflater.stream_reader(below, read_across_frames=True)
        return io.BufferedReader(_Inflating(opened, blob), PIECE), True
    return below, False
