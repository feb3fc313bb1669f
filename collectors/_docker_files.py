"""Files of a container, read in memory through the engine's archive route; nothing is ever extracted.

An archive comes from inside the container: its names, links and sizes are hostile. Read is the one regular
file that was asked for, up to a size; links are followed inside the container, at most 40 of them.
"""

import io
import posixpath
import tarfile
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Final

from detector.errors import UnseenError
from detector.reader import MAX_BYTES

#: Opens the tar stream of a path in the container; None where there is no such path.
Open = Callable[[str], "Generator[bytes, None, None] | None"]

_Members = Generator[tuple[tarfile.TarInfo, bytes | None], None, None]

_MOST_LINKS: Final = 40
#: Bytes that an archive's own headers may take beside the content.
_HEADERS: Final = 64 * 1024
#: Bytes of a folder that are streamed at most.
_MOST_FOLDER_BYTES: Final = 512 * 1024 * 1024


class _Stream(io.RawIOBase):
    """A generator of chunks as a file that refuses to give more than ``limit`` bytes."""

    def __init__(self, chunks: Iterator[bytes], path: str, limit: int) -> None:
        self._chunks = chunks
        self._path = path
        self._limit = self._left = limit
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._left -= len(chunk)
            if self._left < 0:
                raise _too_large(self._path, self._limit)
            self._rest = memoryview(chunk)
        taken = self._rest[: len(buffer)]
        buffer[: len(taken)] = taken
        self._rest = self._rest[len(taken) :]
        return len(taken)


@dataclass(frozen=True, slots=True)
class ContainerFiles:
    """The files of one container. Blocking; raises UnseenError for what is there and cannot be read."""

    open: Open = field(repr=False)

    def read(self, path: str, limit: int = MAX_BYTES) -> bytes | None:
        """Return the content of a regular file, or None where there is none."""
        for _ in range(_MOST_LINKS):
            with closing(self._members(path, limit)) as members:
                member, content = next(members, (None, None))
                if member is None:
                    return None
                if not member.issym():
                    return content
                path = _joined(path, member.linkname)
        raise UnseenError("malformed", f"{path}: more than {_MOST_LINKS} links")

    def folder(self, path: str, limit: int = MAX_BYTES) -> dict[str, bytes]:
        """Return the regular files that stand directly in a folder, by name."""
        with closing(self._members(path, limit)) as members:
            return {
                posixpath.basename(member.name): content
                for member, content in members
                if content is not None and member.name.count("/") == 1
            }

    def names(self, path: str) -> set[str] | None:
        """Return the names that stand directly in a folder, or None where there is none."""
        found: set[str] = set()
        there = False
        with closing(self._members(path, _MOST_FOLDER_BYTES, contents=False)) as members:
            for member, _content in members:
                there = there or member.isdir()
                _, slash, rest = member.name.strip("/").partition("/")
                if slash:
                    found.add(rest.partition("/")[0])
        return found if there else None

    def _members(self, path: str, limit: int, *, contents: bool = True) -> _Members:
        """Yield each member of a path's archive, with the content of regular files where asked for."""
        chunks = self.open(path)
        if chunks is None:
            return
        with closing(chunks):
            stream = io.BufferedReader(_Stream(chunks, path, limit + _HEADERS), 128 * 1024)
            try:
                with tarfile.open(fileobj=stream, mode="r|") as archive:
                    for member in archive:
                        wanted = contents and member.isreg()
                        if wanted and member.size > limit:  # a sparse one takes no bytes of the stream
                            raise _too_large(path, limit)
                        content = archive.extractfile(member) if wanted else None
                        yield member, content.read() if content else None
                        # A long stream must not be remembered member by member.
                        archive.members = []  # type: ignore[attr-defined]
            except tarfile.TarError:
                raise UnseenError("malformed", f"{path}: the engine's archive is broken") from None


def _too_large(path: str, limit: int) -> UnseenError:
    return UnseenError("too_large", f"{path}: more than {limit // 2**20} MiB")


def _joined(path: str, link: str) -> str:
    """Return where a link inside the container leads; ``..`` ends at the container's root."""
    return posixpath.normpath(posixpath.join("/", posixpath.dirname(path), link))
