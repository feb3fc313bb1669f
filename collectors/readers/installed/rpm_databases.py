"""Reads the headers out of rpm's databases: SQLite (Fedora, RHEL 9 and later) and ndb (SUSE).

Formats: rpm's `lib/backend/sqlite.c` and `lib/backend/ndb/rpmpkg.c`. The older Berkeley DB is told as such.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from collectors.readers.installed import rpm
from collectors.readers.installed.inventory import MOST_PACKAGES, Inventory, Want
from collectors.readers.installed.tree import Tree, head, shown, whole
from detector.errors import UnseenError

if TYPE_CHECKING:
    import sqlite3

_FOLDERS: Final = ("/var/lib/rpm", "/usr/lib/sysimage/rpm", "/usr/share/rpm")
_SQLITE, _NDB, _BERKELEY = "rpmdb.sqlite", "Packages.db", "Packages"
#: What was written and is not in the database yet: there while rpm writes.
_JOURNAL: Final = "rpmdb.sqlite-wal"
_LARGEST: Final = 256 * 1024 * 1024
_LARGEST_HEADER: Final = 80 * 1024 * 1024

WANTS: Final = tuple(
    Want(f"{folder}/{name}", keep)
    for folder in _FOLDERS
    for name, keep in (
        (_SQLITE, whole(_LARGEST)),
        (_NDB, whole(_LARGEST)),
        (_BERKELEY, head(1)),
        (_JOURNAL, head(1)),
    )
)


def add(tree: Tree, namespace: str, inventory: Inventory) -> None:
    """Add the packages of the first database that is there. Raises UnseenError."""
    for folder in dict.fromkeys(real for path in _FOLDERS if (real := tree.real(path)) is not None):
        for name, headers in ((_SQLITE, _from_sqlite), (_NDB, _from_ndb)):
            path = f"{folder}/{name}"
            if (data := tree.read(path)) is None:
                continue
            if tree.read(f"{folder}/{_JOURNAL}"):
                raise UnseenError("malformed", f"{shown(path)} is being written: look again when rpm is done")
            inventory.cover(rpm.COVERS)
            try:
                rpm.add(headers(data), namespace, inventory)
            except UnseenError as error:
                raise UnseenError(error.reason, f"{shown(path)}: {error.detail}") from None
            return
        if tree.read(f"{folder}/{_BERKELEY}") is not None:
            detail = f"{shown(folder)}/{_BERKELEY} is a Berkeley DB, which is not read"
            remedy = "`rpmdb --rebuilddb` of rpm 4.16 or later makes one that is"
            raise UnseenError("unsupported", f"{detail}: {remedy}")


# --- SQLite -------------------------------------------------------------------------------------------

_HEADER_OF_SQLITE: Final = b"SQLite format 3\0"
#: Steps of its machine that SQLite may take: a header takes some ten.
_MOST_STEPS: Final = 100 * MOST_PACKAGES
_STEPS_BETWEEN: Final = 100_000


def _from_sqlite(data: bytes) -> Iterator[bytes]:
    import sqlite3  # noqa: PLC0415 - only where there is such a database

    if len(data) < 100 or not data.startswith(_HEADER_OF_SQLITE):
        raise UnseenError("malformed", "not a database of SQLite")
    size, pages = int.from_bytes(data[16:18], "big"), int.from_bytes(data[28:32], "big")
    if pages * (65536 if size == 1 else size) > len(data):
        raise UnseenError("malformed", "cut off: it is shorter than it says")
    connection = sqlite3.connect(":memory:")
    try:
        # In memory there is no journal beside it: versions of reading and writing are the plain ones.
        connection.deserialize(data[:18] + b"\x01\x01" + data[20:])
        yield from _rows(connection)
    except (sqlite3.Error, UnicodeDecodeError):  # the latter where SQLite complains of a text that is none
        raise UnseenError("malformed", "its pages do not hang together") from None
    finally:
        connection.close()


def _rows(connection: "sqlite3.Connection") -> Iterator[bytes]:
    import sqlite3  # noqa: PLC0415

    steps = iter(range(_MOST_STEPS // _STEPS_BETWEEN))
    connection.set_progress_handler(lambda: next(steps, None) is None, _STEPS_BETWEEN)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LARGEST_HEADER)
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    # A view of this name could compute without end.
    (kind,) = connection.execute("SELECT type FROM sqlite_master WHERE name = 'Packages'").fetchone() or ("",)
    if kind != "table":
        raise UnseenError("malformed", "no table of packages in it")
    rows = connection.execute("SELECT blob FROM Packages LIMIT ?", (MOST_PACKAGES,))
    yield from (blob if isinstance(blob, bytes) else b"" for (blob,) in rows)


# --- ndb ----------------------------------------------------------------------------------------------

_PAGE: Final = 4096
_BLOCK: Final = 16
_FOUR: Final = struct.Struct("<4sIII")
_TAIL: Final = struct.Struct("<II4s")
_SMALLEST: Final = 2 * _BLOCK


def _from_ndb(data: bytes) -> Iterator[bytes]:
    if len(data) < _PAGE or len(data) % _BLOCK or not data.startswith(b"RpmP\0\0\0\0"):
        raise UnseenError("malformed", "not a database of rpm, or cut off")
    pages = int.from_bytes(data[12:16], "little")
    if not 0 < pages * _PAGE <= len(data):
        raise UnseenError("malformed", "cut off: it is shorter than it says")
    # Two entries take the place of the file's own header.
    slots = [
        slot for slot in _FOUR.iter_unpack(data[2 * _BLOCK : pages * _PAGE]) if slot[0] != b"Slot" or slot[2]
    ]
    if sum(count for _, _, _, count in slots) * _BLOCK > len(data):
        raise UnseenError("malformed", "its packages overlap")
    for magic, index, start, count in slots:
        yield _blob(data, index, start * _BLOCK, count * _BLOCK) if magic == b"Slot" else b""


def _blob(data: bytes, index: int, start: int, size: int) -> bytes:
    """Return a header, or nothing where its place does not hold what its slot says."""
    if size < _SMALLEST or start + size > len(data):
        return b""
    magic, own, _, length = _FOUR.unpack_from(data, start)
    tail = start + size - _TAIL.size
    checksum, again, end = _TAIL.unpack_from(data, tail)
    whole_one = magic == b"BlbS" and end == b"BlbE" and own == index and length == again
    fits = -(-(_FOUR.size + length + _TAIL.size) // _BLOCK) * _BLOCK == size
    if not whole_one or not fits or zlib.adler32(memoryview(data)[start:tail]) != checksum:
        return b""
    return data[start + _FOUR.size : start + _FOUR.size + length]
