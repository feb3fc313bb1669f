"""Packages of rpm, with rpm as judge."""

import sqlite3
import struct
from collections.abc import Callable, Sequence

import pytest

from collectors.readers.installed import installed
from collectors.readers.installed.rpm import header_of
from detector.model.facts import Section
from tests.collectors.readers.cuts import OF_A_HUNDRED_OR_ALL, SOME_FLIPS_OR_MANY, Cuts, Record
from tests.collectors.readers.installed.rpm_files import header, made_by_rpm, ndb, package
from tests.collectors.readers.installed.trees import Files, Link, tree_of

ROCKY: Files = {"/etc/os-release": 'ID="rocky"\nVERSION_ID="9.4"\n'}
SQLITE = "/var/lib/rpm/rpmdb.sqlite"
NDB = "/usr/lib/sysimage/rpm/Packages.db"


def read(files: Files) -> Section:
    return installed(tree_of({**ROCKY, **files}), "built")


def sqlite(
    headers: Sequence[bytes], statement: str = "CREATE TABLE Packages (hnum INTEGER, blob BLOB)"
) -> bytes:
    connection = sqlite3.connect(":memory:")
    connection.execute(statement)
    if headers:
        connection.executemany("INSERT INTO Packages VALUES (?, ?)", enumerate(headers))
    connection.commit()
    return bytes(connection.serialize())


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, list[str]]:
    return made_by_rpm(tmp_path_factory.mktemp("rpm"))


def _packages(section: Section) -> set[str]:
    return {
        f"{item.removeprefix('pkg:rpm/rocky/')} {value}"
        for item, value in section.facts.items()
        if "#" not in item
    }


def test_a_real_database_is_what_rpm_lists(real: tuple[bytes, list[str]]) -> None:
    data, listed = real
    section = read({SQLITE: data, "/var/lib/rpm/rpmdb.sqlite-wal": b""})
    # An epoch of zero is none: rpm compares them so.
    assert _packages(section) == {line.replace(" 0:", " ") for line in listed}
    assert len(listed) == 2
    assert section.facts["pkg:rpm/rocky/shop-kit"] == "2:1.2.0-3.el9"
    assert (section.status, section.covers) == ("complete", ("pkg:rpm/*",))


def test_what_a_package_of_rpm_brought_is_told_once(real: tuple[bytes, list[str]]) -> None:
    site = "/usr/lib/python3.9/site-packages"
    section = read(
        {
            SQLITE: real[0],
            f"{site}/kit-1.0.dist-info/METADATA": "Name: kit\nVersion: 1.0\n",
            f"{site}/old-2.egg-info": "Name: old\nVersion: 2\n",
            f"{site}/rq-2.0.dist-info/METADATA": "Name: rq\nVersion: 2.0\n",
        }
    )
    assert [item for item in section.facts if item.startswith("pkg:pypi/")] == ["pkg:pypi/rq"]


KERNELS = [package("kernel", "5.14.0", "427.el9"), package("kernel", "5.14.0", "503.el9")]
HEADERS = [
    *KERNELS,
    package("bash", "5.2.26", "3.el9", epoch=1),
    package("gpg-pubkey", "5a6340b3", "6229229e"),
]


@pytest.mark.parametrize(
    "files",
    [
        {SQLITE: sqlite(HEADERS)},
        {NDB: ndb(HEADERS)},
        {"/var/lib/rpm": Link("../../usr/lib/sysimage/rpm"), NDB: ndb(HEADERS)},
        {SQLITE: sqlite(HEADERS), "/var/lib/rpm/Packages": b"left over"},
    ],
)
def test_both_databases_are_read_where_they_are(files: Files) -> None:
    section = read(files)
    assert section.facts == {
        "os#release": "rocky 9.4",
        "pkg:rpm/rocky/kernel": ["5.14.0-427.el9", "5.14.0-503.el9"],
        "pkg:rpm/rocky/bash": "1:5.2.26-3.el9",
    }
    assert (section.status, section.covers) == ("complete", ("pkg:rpm/*",))


def test_the_headers_of_rpm_itself_are_read_from_ndb_too(real: tuple[bytes, list[str]]) -> None:
    connection = sqlite3.connect(":memory:")
    connection.deserialize(real[0][:18] + b"\1\1" + real[0][20:])
    blobs = [blob for (blob,) in connection.execute("SELECT blob FROM Packages")]
    assert _packages(read({NDB: ndb(blobs)})) == _packages(read({SQLITE: real[0]}))


def test_a_database_of_many_pages_is_read_whole() -> None:
    assert len(read({NDB: ndb([package(f"p{n}", "1") for n in range(600)])}).facts) == 601


VIEW = """CREATE VIEW Packages AS WITH RECURSIVE n(blob) AS (SELECT x'00' UNION ALL SELECT blob FROM n)
SELECT blob FROM n"""


@pytest.mark.parametrize(
    ("files", "reason", "said"),
    [
        ({"/var/lib/rpm/Packages": b"\0" * 16}, "unsupported", "Berkeley DB"),
        ({SQLITE: b"C4n4ry"}, "malformed", f"{SQLITE}: not a database of SQLite"),
        ({SQLITE: sqlite(HEADERS)[:-4096]}, "malformed", "cut off"),
        ({SQLITE: sqlite([], VIEW)}, "malformed", "no table of packages"),
        ({SQLITE: sqlite([], "CREATE TABLE Others (x)")}, "malformed", "no table of packages"),
        ({SQLITE: sqlite(HEADERS), f"{SQLITE}-wal": b"x"}, "malformed", "being written"),
        ({SQLITE: sqlite([*HEADERS, b"C4n4ry"])}, "malformed", "1 of 5 headers"),
        ({NDB: b"C4n4ry"}, "malformed", "not a database of rpm"),
        ({NDB: ndb(HEADERS)[:-16]}, "malformed", "1 of 4 headers"),
        ({NDB: ndb(HEADERS).replace(b"bash", b"dash")}, "malformed", "1 of 4 headers"),  # its checksum
        ({NDB: ndb(HEADERS * 3)[:4096]}, "malformed", "12 of 12 headers"),
        ({NDB: ndb(HEADERS)[:44] + b"\xff\xff\0\0" + ndb(HEADERS)[48:]}, "malformed", "overlap"),
    ],
)
def test_a_database_that_cannot_be_read_leaves_nothing_absent(files: Files, reason: str, said: str) -> None:
    section = read(files)
    assert [(part.item, part.reason) for part in section.unseen] == [("pkg:rpm/*", reason)]
    assert said in section.unseen[0].detail
    assert section.status == "partial"
    assert "C4n4ry" not in repr(section)


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        struct.pack(">II", 1, 0),
        struct.pack(">II", 0xFFFFFFFF, 0),
        struct.pack(">II", 0, 0xFFFFFFFF),
        package("a", "1")[:-1],
        package("a", "1") + b"\0",
        header({1000: "a", 1001: "1"}),  # no release
        header({1000: "a b", 1001: "1", 1002: "1"}),
        header({1000: "a", 1001: "1-2", 1002: "1"}),
        header({1000: "a", 1001: "1", 1002: "1", 1003: "2"}),  # an epoch is a number
        header({1000: "a"})[:24] + b"aaaa",  # without its end
    ],
)
def test_a_header_that_rpm_could_not_have_written_is_none(blob: bytes) -> None:
    assert header_of(blob) is None


def test_offsets_out_of_the_data_are_refused() -> None:
    blob = bytearray(package("a", "1"))
    struct.pack_into(">I", blob, 8 + 8, 10_000)
    assert header_of(bytes(blob)) is None
    lists = struct.pack(">IIII", 1118, 8, 0, 0xFFFFFFFF)  # folders without end
    texts = b"".join(struct.pack(">IIII", tag, 6, at, 1) for tag, at in ((1000, 0), (1001, 2), (1002, 4)))
    found = header_of(struct.pack(">II", 4, 8) + texts + lists + b"a\x001\x002\0\0\0")
    assert found is not None
    assert found.owned == ()


@pytest.mark.parametrize("broken", [*OF_A_HUNDRED_OR_ALL, *SOME_FLIPS_OR_MANY])
@pytest.mark.parametrize("make", [sqlite, ndb])
def test_a_broken_database_never_reads_as_removals(
    make: Callable[[Sequence[bytes]], bytes], broken: Cuts, record_property: Record
) -> None:
    whole = make(HEADERS)
    path = SQLITE if make is sqlite else NDB
    everything = read({path: whole})
    for data in broken(whole, record_property):
        section = read({path: data})
        if section.status == "complete":
            assert set(section.facts) >= set(everything.facts) - _renamed(section, everything)


def _renamed(section: Section, everything: Section) -> set[str]:
    """Return what one flipped bit in a name makes of it, where a format has no checksum."""
    lost = set(everything.facts) - set(section.facts)
    return lost if len(lost) <= 1 and len(section.facts) >= len(everything.facts) - 1 else set()
