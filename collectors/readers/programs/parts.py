"""The parts of a program file: sections and segments of ELF, PE and Mach-O.

Sources: System V ABI (ELF), Microsoft PE format, Mach-O file format. Only headers are read, a few kilobytes
of whatever size the file has; every number in them may lie.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

from detector.errors import UnseenError

_ELF: Final = b"\x7fELF"
_PE: Final = b"MZ"
#: Magic of Mach-O -> (byte order, words of 64 bits).
_MACH_O: Final = {
    b"\xfe\xed\xfa\xce": (">", False),
    b"\xfe\xed\xfa\xcf": (">", True),
    b"\xce\xfa\xed\xfe": ("<", False),
    b"\xcf\xfa\xed\xfe": ("<", True),
}
#: Several programs in one file; a class of Java begins the same, with a version where these have a count.
_FAT: Final = b"\xca\xfe\xba\xbe"
_MOST_PROGRAMS: Final = 16
_MOST_PARTS: Final = 4_096
_MOST_NAMES: Final = 1024 * 1024

_LONGEST_ROW: Final = 256

_ELF_64, _ELF_BIG_ENDIAN = 2, 2
_ELF_LOAD, _ELF_WRITABLE, _ELF_NO_BITS = 1, 2, 8
#: Where the addresses of both tables stand, and these, a row of segments and one of sections. A segment has
#: its flags second among 64 bits and last among 32.
_ELF_WIDE: Final = (32, "QQ4x", "IIQQ8xQ", "II8xQQQ")
_ELF_NARROW: Final = (28, "II4x", "III4xI4xI", "II4xIII")
_PE_WRITABLE, _PE_INITIALIZED = 0x8000_0000, 0x40
_PE_PLUS: Final = 0x20B
_MACH_SEGMENTS: Final = {0x1: False, 0x19: True}
_MACH_READ_WRITE: Final = 3


class Part(NamedTuple):
    """A run of bytes in the file, and where it is in memory. A segment has no name."""

    name: str
    address: int
    offset: int
    size: int
    writable: bool = False


def is_program(head: bytes) -> bool:
    """Tell whether a file that begins like this, with eight bytes at least, may be a program."""
    several = head.startswith(_FAT) and 0 < int.from_bytes(head[4:8], "big") <= _MOST_PROGRAMS
    return several or head.startswith((_ELF, _PE, *_MACH_O))


class Program:
    """A program file through a window. Blocking; what is not what the headers say raises UnseenError."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self.name = name
        try:
            self.parts = self._parts()
        except (struct.error, OverflowError):
            raise self.broken() from None

    def broken(self) -> UnseenError:
        """Return the error of a file whose headers do not hold together."""
        return UnseenError("malformed", f"{self.name}: its headers do not hold together; is it cut off?")

    def at(self, offset: int, size: int) -> bytes:
        """Return so many bytes at a place of the file. Raises UnseenError where there are fewer."""
        try:
            self._file.seek(offset)
            data = self._file.read(size)
        except (ValueError, OverflowError):
            raise self.broken() from None
        except OSError:
            raise UnseenError("unreachable", f"{self.name}: it cannot be read to its end") from None
        if len(data) < size:
            raise self.broken()
        return data

    def in_memory(self, address: int, size: int) -> bytes:
        """Return so many bytes at an address of the loaded program. Raises UnseenError where none are."""
        for part in self.parts:
            if part.address <= address and address + size <= part.address + part.size:
                return self.at(part.offset + address - part.address, size)
        raise self.broken()

    def _parts(self) -> list[Part]:
        head = self._file.read(8)
        if not is_program(head):
            raise UnseenError("unsupported", f"{self.name}: no program of ELF, PE or Mach-O")
        if head.startswith(_ELF):
            return list(self._of_elf())
        if head.startswith(_PE):
            return list(self._of_pe())
        if head.startswith(_FAT):
            (first,) = struct.unpack(">8xI", self.at(8, 12))
            return list(self._of_mach_o(first))
        return list(self._of_mach_o(0))

    def _rows(self, offset: int, size: int, count: int) -> Iterator[bytes]:
        if count > _MOST_PARTS or size > _LONGEST_ROW:
            raise self.broken()
        table = self.at(offset, size * count)
        return (table[index * size : (index + 1) * size] for index in range(count))

    def _of_elf(self) -> Iterator[Part]:
        wide, order = self.at(4, 2)
        end = ">" if order == _ELF_BIG_ENDIAN else "<"
        start, tables, segment, section = _ELF_WIDE if wide == _ELF_64 else _ELF_NARROW
        header = end + tables + "2xHHHHH"
        segments, sections, *sizes = struct.unpack(header, self.at(start, struct.calcsize(header)))
        segment_size, segment_count, section_size, section_count, names = sizes
        rows = [
            struct.unpack_from(end + section, row)
            for row in self._rows(sections, section_size, section_count)
        ]
        texts = b""
        if names < len(rows):
            *_, offset, size = rows[names]
            texts = self.at(offset, min(size, _MOST_NAMES))
        for name, kind, address, offset, size in rows:
            if kind != _ELF_NO_BITS:
                yield Part(_text(texts[name : name + 64]), address, offset, size)
        for row in self._rows(segments, segment_size, segment_count):
            kind, *numbers = struct.unpack_from(end + segment, row)
            flags = numbers.pop(0 if wide == _ELF_64 else -1)
            if kind == _ELF_LOAD:
                offset, address, size = numbers
                yield Part("", address, offset, size, bool(flags & _ELF_WRITABLE))

    def _of_pe(self) -> Iterator[Part]:
        (start,) = struct.unpack("<I", self.at(0x3C, 4))
        signature, count, optional = struct.unpack("<4s2xH12xH2x", self.at(start, 24))
        if signature != b"PE\0\0":
            raise UnseenError("unsupported", f"{self.name}: no program of ELF, PE or Mach-O")
        (magic,) = struct.unpack("<H", self.at(start + 24, 2))
        base_format, base_at = ("<Q", 24) if magic == _PE_PLUS else ("<I", 28)
        (base,) = struct.unpack(base_format, self.at(start + 24 + base_at, struct.calcsize(base_format)))
        for row in self._rows(start + 24 + optional, 40, count):
            name, address, size, offset, flags = struct.unpack("<8s4xIII12xI", row)
            writable = bool(flags & _PE_WRITABLE and flags & _PE_INITIALIZED)
            yield Part(_text(name), base + address, offset, size, writable)

    def _of_mach_o(self, start: int) -> Iterator[Part]:
        magic = self.at(start, 4)
        if magic not in _MACH_O:
            raise self.broken()
        end, wide = _MACH_O[magic]
        count, size = struct.unpack(end + "II", self.at(start + 16, 8))
        if count > _MOST_PARTS or size > _MOST_NAMES:
            raise self.broken()
        commands = self.at(start + (32 if wide else 28), size)
        at = 0
        for _ in range(count):
            kind, length = struct.unpack_from(end + "II", commands, at)
            if _MACH_SEGMENTS.get(kind) == wide:
                yield from self._of_mach_o_segment(commands[at : at + length], end, start)
            at += max(length, 8)

    def _of_mach_o_segment(self, command: bytes, end: str, start: int) -> Iterator[Part]:
        wide = command[:4] == struct.pack(end + "I", 0x19)
        segment, section = ("QQQQ", "16s16xQQI") if wide else ("IIII", "16s16xIII")
        form = f"{end}24x{segment}iiII"
        address, _, offset, size, most, protection, count, _ = struct.unpack_from(form, command)
        if count > _MOST_PARTS:
            raise self.broken()
        row_size = 80 if wide else 68
        for index in range(count):
            name, own, own_size, own_offset = struct.unpack_from(
                end + section, command, struct.calcsize(form) + index * row_size
            )
            yield Part(_text(name), own, start + own_offset, own_size)
        yield Part("", address, start + offset, size, most == protection == _MACH_READ_WRITE)


def _text(name: bytes) -> str:
    return name.partition(b"\0")[0].decode("latin-1")
