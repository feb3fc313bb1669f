"""Reads tar archives from a stream: names, links and sizes, each member's content only while it is there.

Formats: POSIX.1-2001 (ustar and pax), with the long names, base-256 sizes and sparse files of GNU tar.
Archives are hostile: what their headers claim is bounded before it is believed. Nothing is ever extracted.
"""

import io
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from detector.errors import UnseenError

MemberKind = Literal["file", "folder", "link", "hard_link", "other"]

_BLOCK: Final = 512
_ZEROS: Final = bytes(_BLOCK)
_SKIPPED_AT_ONCE: Final = 256 * 1024
#: Bytes of the headers before one member: Linux knows no path of more than 4,096, tar no reason for more.
_LONGEST_HEADERS: Final = 1024 * 1024
_KINDS: Final[dict[bytes, MemberKind]] = {
    b"0": "file", b"\0": "file", b"7": "file", b"S": "file",
    b"1": "hard_link", b"2": "link", b"5": "folder", b"D": "folder",
}  # fmt: skip


class Member(NamedTuple):
    """One member, as its headers say. ``odd`` says why its content is none that can be read, if it is not."""

    name: str
    kind: MemberKind
    size: int = 0
    target: str = ""
    executable: bool = False
    odd: str = ""


class Content(io.RawIOBase):
    """The content of a member. It ends where the next member begins to be read."""

    def __init__(self, stream: io.BufferedReader, size: int) -> None:
        self._stream = stream
        self.left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object, /) -> int:
        view = memoryview(buffer)[: self.left]  # type: ignore[arg-type]
        taken = self._stream.readinto(view)
        if not taken and len(view):
            raise _cut()
        self.left -= taken
        return taken


def members(stream: io.BufferedReader) -> Iterator[tuple[Member, Content]]:
    """Yield the members in their order, each with its content.

    Raises UnseenError: ``malformed`` for what is no archive or is cut, ``too_large`` for headers without end.
    """
    scratch = memoryview(bytearray(_SKIPPED_AT_ONCE))
    said: dict[str, str] = {}
    headers = 0
    while (block := _header(stream)) is not None:
        size = _number(block[124:136])
        kind = block[156:157]
        if kind in b"xLKgX":
            headers += _BLOCK + size
            if headers > _LONGEST_HEADERS:
                kib = _LONGEST_HEADERS // 1024
                raise UnseenError("too_large", f"headers of more than {kib} KiB before one member")
            said |= _extended(kind, stream, size)
            continue
        if kind == b"S":
            _skip_sparse_map(stream, block)
        if kind in b"12":  # links have no content, whatever a size says; other tools agree
            size = 0
        elif (text := said.get("size")) is not None:
            size = _decimal(text)
        content = Content(stream, size)
        yield _member(block, size, said), content
        said, headers = {}, 0
        _skip(stream, content.left + -size % _BLOCK, scratch)
    if headers:
        raise _cut()


def _header(stream: io.BufferedReader) -> bytes | None:
    """Return the next header, or None at the end, which is two blocks of zeros or where the stream ends."""
    block = stream.read(_BLOCK)
    if block == _ZEROS:
        block = stream.read(_BLOCK)
        if block not in (_ZEROS, b""):
            raise UnseenError("malformed", "the archive goes on after its end")
        return None
    if not block:
        return None
    if len(block) < _BLOCK:
        raise _cut()
    if _number(block[148:156]) != sum(block) - sum(block[148:156]) + 8 * 32:
        raise UnseenError("malformed", "no tar archive, or a broken one")
    return block


def _member(block: bytes, size: int, said: dict[str, str]) -> Member:
    name = said.get("path")
    if name is None:
        name = _text(block[:100])
        prefix = _text(block[345:500]) if block[257:263] == b"ustar\0" else ""
        name = f"{prefix}/{name}" if prefix else name
    kind = _KINDS.get(block[156:157], "other")
    if kind == "file" and name.endswith("/"):  # before ustar a folder was told so
        kind = "folder"
    sparse = block[156:157] == b"S" or any(key.startswith("GNU.sparse.") for key in said)
    return Member(
        name=said.get("GNU.sparse.name", name),
        kind=kind,
        size=size,
        target=said.get("linkpath") or _text(block[157:257]),
        executable=bool(_number(block[100:108]) & 0o111),
        odd="a sparse file" if sparse else "",
    )


def _extended(kind: bytes, stream: io.BufferedReader, size: int) -> dict[str, str]:
    """Return what a header says that goes before its member's own."""
    data = stream.read(size)
    if len(data) < size or len(stream.read(-size % _BLOCK)) < -size % _BLOCK:
        raise _cut()
    if kind == b"L":
        return {"path": _text(data)}
    if kind == b"K":
        return {"linkpath": _text(data)}
    # What a global header says (the commit of `git archive`) is of no member; engines ignore it too.
    return {} if kind == b"g" else _records(data)


def _records(data: bytes) -> dict[str, str]:
    """Return the records of a pax header, each ``LENGTH KEY=VALUE`` and a line feed."""
    said: dict[str, str] = {}
    at = 0
    while at < len(data) and data[at]:
        length, space, _ = data[at : at + 20].partition(b" ")
        end = at + (int(length) if length.isdigit() else 0)
        key, equals, value = data[at + len(length) + 1 : end - 1].partition(b"=")
        if not (space and equals and at < end <= len(data) and data[end - 1 : end] == b"\n"):
            raise UnseenError("malformed", "a broken header in the archive")
        said[key.decode("utf-8", "backslashreplace")] = value.decode("utf-8", "backslashreplace")
        at = end
    return said


def _skip_sparse_map(stream: io.BufferedReader, block: bytes) -> None:
    """Skip the blocks of an old GNU sparse map that did not fit into the header."""
    goes_on = block[482]
    while goes_on:
        more = stream.read(_BLOCK)
        if len(more) < _BLOCK:
            raise _cut()
        goes_on = more[504]


def _skip(stream: io.BufferedReader, size: int, scratch: memoryview) -> None:
    while size > 0:
        taken = stream.readinto(scratch[: min(size, len(scratch))])
        if not taken:
            raise _cut()
        size -= taken


def _number(field: bytes) -> int:
    """Return a number in octal, or in base 256 where its first bit says so."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    text = field.strip(b" \0")
    if not text.isdigit() and text:
        raise UnseenError("malformed", "no tar archive, or a broken one")
    try:
        return int(text or b"0", 8)
    except ValueError:
        raise UnseenError("malformed", "no tar archive, or a broken one") from None


def _decimal(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise UnseenError("malformed", "a broken header in the archive")
    return int(text)


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "backslashreplace")


def _cut() -> UnseenError:
    return UnseenError("malformed", "the archive is cut short")
