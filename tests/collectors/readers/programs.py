"""Small programs of every kind that Go builds: headers and its build information, and nothing that runs."""

import struct
from collections.abc import Callable

_ADDRESS = 0x40_0000
_OFFSET = 0x400


def _counted(text: bytes) -> bytes:
    size, counted = len(text), b""
    while size >= 0x80:
        counted += bytes([size & 0x7F | 0x80])
        size >>= 7
    return counted + bytes([size]) + text


def _framed(modules: str) -> bytes:
    return b"\x30" * 16 + modules.encode() + b"\xf9" * 16 if modules else b""


def inline(version: str, modules: str) -> bytes:
    """Build information as Go writes it since 1.18."""
    head = b"\xff Go buildinf:\x08\x02".ljust(32, b"\0")
    return head + _counted(version.encode()) + _counted(_framed(modules)) + b"\0" * 16


def pointed(version: str, modules: str, *, width: int = 8, order: str = "<") -> bytes:
    """Build information as Go wrote it before: addresses of texts, each with its length."""
    word = "Q" if width == 8 else "I"
    flags = b"\x01" if order == ">" else b"\0"
    first, framed = version.encode(), _framed(modules)
    texts = _ADDRESS + 32 + 4 * width
    pointers = struct.pack(f"{order}2{word}", _ADDRESS + 32, _ADDRESS + 32 + 2 * width if modules else 0)
    head = (b"\xff Go buildinf:" + bytes([width]) + flags + pointers).ljust(32, b"\0")
    lengths = struct.pack(f"{order}4{word}", texts, len(first), texts + len(first), len(framed))
    return head + lengths + first + framed


def elf(info: bytes, *, width: int = 8, order: str = "<", named: bool = True) -> bytes:
    """A program of ELF; ``named`` ones have a table of sections."""
    word = "Q" if width == 8 else "I"
    names = b"\0.go.buildinfo\0.shstrtab\0"
    code = {8: 2, 4: 1}[width]
    machine = {(8, "<"): 62, (4, "<"): 3, (4, ">"): 8, (8, ">"): 22}[width, order]
    ident = b"\x7fELF" + bytes([code, 1 if order == "<" else 2, 1]) + b"\0" * 9
    header, segment, section = (64, 56, 64) if width == 8 else (52, 32, 40)
    tail = _OFFSET + len(info)
    sections = tail + len(names) if named else 0
    top = ident + struct.pack(f"{order}HHI3{word}I", 2, machine, 1, _ADDRESS, header, sections, 0)
    top += struct.pack(f"{order}6H", header, segment, 1, section, 3 if named else 0, 2 if named else 0)
    if width == 8:
        row = struct.pack(f"{order}II6Q", 1, 6, _OFFSET, _ADDRESS, _ADDRESS, len(info), len(info), 16)
    else:
        row = struct.pack(f"{order}8I", 1, _OFFSET, _ADDRESS, _ADDRESS, len(info), len(info), 6, 16)
    data = (top + row).ljust(_OFFSET, b"\0") + info
    if not named:
        return data
    form = f"{order}II4{word}II2{word}"
    rows = (
        (0,) * 10,
        (1, 1, 3, _ADDRESS, _OFFSET, len(info), 0, 0, 16, 0),
        (15, 3, 0, 0, tail, len(names), 0, 0, 1, 0),
    )
    return data + names + b"".join(struct.pack(form, *row) for row in rows)


def pe(info: bytes, *, width: int = 8) -> bytes:
    """A program of Windows."""
    wide = width == 8
    optional = 240 if wide else 224
    top = b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 0x40)
    top += struct.pack("<4sHHIIIHH", b"PE\0\0", 0x8664 if wide else 0x14C, 2, 0, 0, 0, optional, 0x22)
    magic = struct.pack("<H", 0x20B if wide else 0x10B)
    base = struct.pack("<Q", _ADDRESS - 0x1000) if wide else struct.pack("<I", _ADDRESS - 0x1000)
    head = magic.ljust(24 if wide else 28, b"\0") + base
    head = head.ljust(108 if wide else 92, b"\0") + struct.pack("<I", 16)
    top += head.ljust(optional, b"\0")
    rows = ((b".text", 0x800, 0, 0x6000_0020), (b".data", 0x1000, len(info), 0xC000_0040))
    for name, address, size, flags in rows:
        offset = _OFFSET if size else 0
        top += struct.pack("<8sIIIIIIHHI", name, size, address, size, offset, 0, 0, 0, 0, flags)
    return top.ljust(_OFFSET, b"\0") + info


def mach_o(info: bytes, *, width: int = 8, named: bool = True) -> bytes:
    """A program of macOS."""
    wide = width == 8
    word = "Q" if wide else "I"
    processor = 0x0100_0007 if wide else 7
    size = (72 + 80) if wide else (56 + 68)
    magic = 0xFEED_FACF if wide else 0xFEED_FACE
    top = struct.pack("<7I", magic, processor, 3, 2, 1, size, 0) + (b"\0" * 4 if wide else b"")
    top += struct.pack("<II16s", 0x19 if wide else 0x1, size, b"__DATA")
    top += struct.pack(f"<4{word}", _ADDRESS, len(info), _OFFSET, len(info)) + struct.pack("<4I", 3, 3, 1, 0)
    section = b"__go_buildinfo" if named else b"__data"
    top += struct.pack(f"<16s16s2{word}", section, b"__DATA", _ADDRESS, len(info))
    top += struct.pack("<7I" if not wide else "<8I", _OFFSET, 4, 0, 0, 0, 0, 0, *((0,) if wide else ()))
    return top.ljust(_OFFSET, b"\0") + info


def fat(program: bytes) -> bytes:
    """A file of macOS with programs for several processors; here with one."""
    return (
        struct.pack(">7I", 0xCAFE_BABE, 1, 0x0100_0007, 3, 0x1000, len(program), 12).ljust(0x1000, b"\0")
        + program
    )


Kind = Callable[[str, str], bytes]
#: Every kind, by what it is called in a failing test.
KINDS: dict[str, Kind] = {
    "ELF": lambda version, modules: elf(inline(version, modules)),
    "ELF without sections": lambda version, modules: elf(inline(version, modules), named=False),
    "ELF of 32 bits": lambda version, modules: elf(inline(version, modules), width=4),
    "ELF, big-endian": lambda version, modules: elf(inline(version, modules), order=">"),
    "ELF of 32 bits, big-endian": lambda version, modules: elf(inline(version, modules), width=4, order=">"),
    "ELF before 1.18": lambda version, modules: elf(pointed(version, modules)),
    "ELF of 32 bits before 1.18": lambda version, modules: elf(pointed(version, modules, width=4), width=4),
    "ELF, big-endian, before 1.18": lambda version, modules: elf(
        pointed(version, modules, width=4, order=">"), width=4, order=">", named=False
    ),
    "PE": lambda version, modules: pe(inline(version, modules)),
    "PE of 32 bits before 1.18": lambda version, modules: pe(pointed(version, modules, width=4), width=4),
    "PE before 1.18": lambda version, modules: pe(pointed(version, modules)),
    "Mach-O": lambda version, modules: mach_o(inline(version, modules)),
    "Mach-O without a section of the name": lambda version, modules: mach_o(
        inline(version, modules), named=False
    ),
    "Mach-O of 32 bits": lambda version, modules: mach_o(inline(version, modules), width=4),
    "Mach-O before 1.18": lambda version, modules: mach_o(pointed(version, modules)),
}
