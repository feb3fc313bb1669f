"""Reads the packages of rpm, from the headers that its database keeps.

Format of a header: rpm's `docs/manual/hregions.md` and `rpmtag.h`: two counts, entries of sixteen bytes (tag,
type, offset, count), and the data that they point into; all numbers big endian. Nothing is believed: every
offset is tested against the data.
"""

import re
import struct
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from collectors.readers.installed.inventory import PROGRAM_FOLDERS, Inventory
from detector.errors import UnseenError

COVERS: Final = "pkg:rpm/*"
#: Limits of rpm itself: entries of one header, and bytes of its data.
_MOST_ENTRIES: Final = 0xFFFF
_LARGEST_DATA: Final = 64 * 1024 * 1024
_COUNTS: Final = struct.Struct(">II")
_ENTRY: Final = struct.Struct(">IIII")
_INT32, _STRING, _STRINGS = 4, 6, 8
_NAME, _VERSION, _RELEASE, _EPOCH = 1000, 1001, 1002, 1003
_INDEXES, _FILES, _FOLDERS = 1116, 1117, 1118
_WANTED: Final = frozenset({_NAME, _VERSION, _RELEASE, _EPOCH, _INDEXES, _FILES, _FOLDERS})
#: Names, and versions without the dash that rpm puts before the release.
_TITLE: Final = re.compile(r"[A-Za-z0-9._+-]{1,128}")
_WORD: Final = re.compile(r"[A-Za-z0-9._+~^]{1,128}")
#: A key that rpm trusts is kept as a package, whose version is its fingerprint.
_KEYS: Final = "gpg-pubkey"
_FOLDERS_OF_PROJECTS: Final = (b"-packages/", b"node_modules/", b"/specifications/")
_FOLDERS_OF_PROGRAMS: Final = [[folder.encode()] for folder in sorted(PROGRAM_FOLDERS)]
_FILES_OF_PROJECTS: Final = (b".egg-info", b".gemspec", b".jar")


class Header(NamedTuple):
    """What a header tells of one package."""

    name: str
    #: ``epoch:version-release``; an epoch of zero is none.
    version: str
    #: Folders and files that name projects of languages.
    owned: tuple[str, ...]


def add(headers: Iterable[bytes], namespace: str, inventory: Inventory) -> None:
    """Add the packages of a database. Broken headers are one unseen part; UnseenError where all are."""
    broken = right = 0
    for blob in headers:
        header = header_of(blob)
        if header is None:
            broken += 1
            continue
        right += 1
        if header.name != _KEYS:
            inventory.add("rpm", header.name, header.version, namespace)
            inventory.own(header.owned)
    if broken:
        raise UnseenError(
            "malformed", f"{broken} of {broken + right} headers are none that rpm could have written"
        )


def header_of(blob: bytes) -> Header | None:
    """Return what a header tells, or None where it is none."""
    found = _entries(blob)
    if found is None:
        return None
    data, entries = found
    texts = {tag: _text(data, entries.get(tag)) for tag in (_NAME, _VERSION, _RELEASE)}
    if not all(texts.values()) or not _TITLE.fullmatch(texts[_NAME]):
        return None
    if not _WORD.fullmatch(texts[_VERSION]) or not _WORD.fullmatch(texts[_RELEASE]):
        return None
    version = f"{texts[_VERSION]}-{texts[_RELEASE]}"
    epoch = _numbers(data, entries.get(_EPOCH))
    if _EPOCH in entries and not epoch:
        return None
    if epoch and epoch[0]:
        version = f"{epoch[0]}:{version}"
    return Header(texts[_NAME], version, tuple(_owned(data, entries)))


_Entries = dict[int, tuple[int, int, int]]


def _entries(blob: bytes) -> tuple[bytes, _Entries] | None:
    """Return the data of a header, and of each wanted tag (type, offset, count)."""
    if len(blob) < _COUNTS.size:
        return None
    count, size = _COUNTS.unpack_from(blob)
    start = _COUNTS.size + count * _ENTRY.size
    if not 0 < count <= _MOST_ENTRIES or size > _LARGEST_DATA or start + size != len(blob):
        return None
    entries: _Entries = {}
    for tag, kind, offset, number in _ENTRY.iter_unpack(blob[_COUNTS.size : start]):
        if tag in _WANTED:
            if offset >= size or tag in entries:
                return None
            entries[tag] = (kind, offset, number)
    return blob[start:], entries


def _text(data: bytes, entry: tuple[int, int, int] | None) -> str:
    if entry is None or entry[0] != _STRING:
        return ""
    end = data.find(b"\0", entry[1])
    return data[entry[1] : end].decode("utf-8", "replace") if end >= 0 else ""


def _texts(data: bytes, entry: tuple[int, int, int] | None) -> list[bytes]:
    if entry is None or entry[0] != _STRINGS or entry[2] > len(data):
        return []
    texts = data[entry[1] :].split(b"\0", entry[2])
    return texts[: entry[2]] if len(texts) > entry[2] else []


def _numbers(data: bytes, entry: tuple[int, int, int] | None) -> tuple[int, ...]:
    if entry is None or entry[0] != _INT32 or entry[1] + 4 * entry[2] > len(data):
        return ()
    return struct.unpack_from(f">{entry[2]}I", data, entry[1])


def _owned(data: bytes, entries: _Entries) -> Iterator[str]:
    folders = _texts(data, entries.get(_FOLDERS))
    for folder in folders:
        if any(mark in folder for mark in _FOLDERS_OF_PROJECTS):
            yield folder.decode("utf-8", "replace").rstrip("/")
    of_programs = {
        index for index, folder in enumerate(folders) if folder.split(b"/")[-2:-1] in _FOLDERS_OF_PROGRAMS
    }
    if not of_programs and not any(ending in data for ending in _FILES_OF_PROJECTS):
        return
    indexes = _numbers(data, entries.get(_INDEXES))
    for name, index in zip(_texts(data, entries.get(_FILES)), indexes, strict=False):
        if index < len(folders) and (index in of_programs or name.endswith(_FILES_OF_PROJECTS)):
            yield (folders[index] + name).decode("utf-8", "replace")
