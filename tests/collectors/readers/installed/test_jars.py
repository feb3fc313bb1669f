"""Artefacts of Java archives, in one another, and of hostile ones."""

import io
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from collectors.readers.installed import installed, jars
from collectors.readers.installed.reader import InstalledReader
from detector.errors import UnseenError
from detector.model.facts import Section
from tests.collectors.readers.cuts import OF_A_HUNDRED_OR_ALL, SOME_FLIPS_OR_MANY, Cuts, Record
from tests.collectors.readers.installed.trees import Files, folder_of, tree_of


def archive(members: Mapping[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as written:
        for name, content in members.items():
            written.writestr(zipfile.ZipInfo(name), content, method)
    return buffer.getvalue()


def pom(group: str, artifact: str, version: str) -> dict[str, bytes | str]:
    text = f"#Created by Maven\r\nversion={version}\r\ngroupId={group}\r\nartifactId={artifact}\r\n"
    return {f"META-INF/maven/{group}/{artifact}/pom.properties": text, "META-INF/MANIFEST.MF": ""}


def manifest(**headers: str) -> dict[str, bytes | str]:
    lines = [f"{key.replace('_', '-')}: {value}" for key, value in headers.items()]
    return {"META-INF/MANIFEST.MF": "\r\n".join(["Manifest-Version: 1.0", *lines, ""])}


def read(files: Files) -> Section:
    return installed(tree_of(files), "built")


JACKSON = archive(pom("com.fasterxml.jackson.core", "jackson-databind", "2.18.1"))
SPRING = archive(manifest(Implementation_Title="spring-core", Implementation_Version="6.1.14"))
#: As Spring Boot packs it: the libraries stored, not packed once more.
FAT = archive(
    {
        **pom("com.acme", "shop", "1.4.2"),
        "BOOT-INF/classes/com/acme/Shop.class": b"\xca\xfe\xba\xbe",
        "BOOT-INF/lib/jackson-databind-2.18.1.jar": JACKSON,
        "BOOT-INF/lib/spring-core-6.1.14.jar": SPRING,
    },
    zipfile.ZIP_STORED,
)
FACTS = {"pkg:maven/com.fasterxml.jackson.core/jackson-databind": "2.18.1", "pkg:maven/spring-core": "6.1.14"}


def test_a_fat_jar_is_what_is_in_it_and_the_application_is_own_code() -> None:
    section = read({"/app/shop.jar": FAT})
    assert section.facts == FACTS
    assert (section.status, section.covers) == ("complete", ("pkg:maven/*",))


def test_archives_are_read_two_deep() -> None:
    war = archive({"WEB-INF/lib/jackson-databind-2.18.1.jar": JACKSON})
    ear = archive({"shop.war": war, "lib/spring-core-6.1.14.jar": SPRING})
    assert read({"/opt/shop.ear": ear}).facts == FACTS
    deeper = read({"/opt/outer.ear": archive({"inner.ear": ear})})
    assert {part.reason for part in deeper.unseen} == {"unsupported"}
    assert deeper.facts == {"pkg:maven/spring-core": "6.1.14"}  # what could be read stays


def test_what_was_shaded_and_kept_its_properties_is_told() -> None:
    shaded = archive({**pom("com.acme", "all", "1.0"), **pom("org.slf4j", "slf4j-api", "2.0.16")})
    assert read({"/app/all.jar": shaded}).facts == {
        "pkg:maven/com.acme/all": "1.0",
        "pkg:maven/org.slf4j/slf4j-api": "2.0.16",
    }


@pytest.mark.parametrize(
    ("name", "headers", "expected"),
    [
        ("spring-core-6.1.14.jar", {}, {"pkg:maven/spring-core": "6.1.14"}),
        ("guava-33.3.1-jre.jar", {}, {"pkg:maven/guava": "33.3.1-jre"}),
        ("log4j-1.2-api-2.24.1.jar", {}, {"pkg:maven/log4j-1.2-api": "2.24.1"}),
        (
            "netty-epoll-4.1.115.Final-linux-x86_64.jar",
            {},
            {"pkg:maven/netty-epoll": "4.1.115.Final-linux-x86_64"},
        ),
        ("asm-9.jar", {}, {"pkg:maven/asm": "9"}),
        ("tools.jar", {"Implementation_Version": "3.1"}, {"pkg:maven/tools": "3.1"}),
        ("tools.jar", {"Bundle_Version": "3.1.0.GA"}, {"pkg:maven/tools": "3.1.0.GA"}),
        (
            "kit-1.0.jar",
            {"Implementation_Vendor_Id": "com.acme.a\r\n .b"},  # a folded line
            {"pkg:maven/com.acme.a.b/kit": "1.0"},
        ),
        ("wrapper.jar", {"Implementation_Title": "C4n4ry"}, {}),  # no version: no artefact
        ("wrapper.jar", {"Implementation_Version": "C4n4ry secret"}, {}),
    ],
)
def test_without_properties_the_name_and_the_manifest_tell(
    name: str, headers: dict[str, str], expected: dict[str, str]
) -> None:
    section = read({f"/app/lib/{name}": archive(manifest(**headers))})
    assert (section.facts, section.status) == (expected, "complete")
    assert "C4n4ry" not in repr(section)


def test_archives_of_a_runtime_of_java_are_no_artefacts() -> None:
    files: Files = {
        "/opt/jdk/release": 'JAVA_VERSION="21.0.5"\n',
        "/opt/jdk/lib/jrt-fs.jar": archive(manifest(Implementation_Version="21.0.5")),
        "/srv/release": "1.4.2\n",  # an application's own
        "/srv/lib/spring-core-6.1.14.jar": SPRING,
    }
    assert read(files).facts == {"runtime#java": "21.0.5", "pkg:maven/spring-core": "6.1.14"}


@pytest.mark.parametrize(
    "place",
    ["/usr/share/java/a-1.0.jar", "/usr/share/maven-repo/a/a-1.0.jar", "/u/.m2/repository/a/a-1.0.jar"],
)
def test_archives_of_the_distribution_and_caches_are_left_out(place: str) -> None:
    status = "Package: openssl\nStatus: install ok installed\nVersion: 3.0\n"
    section = read({"/var/lib/dpkg/status": status, place: SPRING})
    assert section.facts == {"pkg:deb/debian/openssl": "3.0"}


BAD_POM = {"META-INF/maven/a/b/pom.properties": "groupId=C4n4ry secret\nartifactId=$\n"}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "malformed"),
        (b"C4n4ry", "malformed"),
        (FAT[:-30], "malformed"),
        (archive(BAD_POM), "malformed"),
        (archive({"lib/a-1.jar": b"C4n4ry"}), "malformed"),
        (archive({**pom("a", "b", "1"), "lib/a.jar": b"\0" * 5_000_000}), "too_large"),  # swells 1000 : 1
        (b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 9, 9, 0x7FFFFFFF, 0, 0), "too_large"),
        (
            b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 9, 0xFFFF, 46, 0, 0),
            "malformed",
        ),  # ZIP64 without its end
    ],
)
def test_an_archive_that_cannot_be_read_leaves_nothing_absent(data: bytes, reason: str) -> None:
    section = read({"/app/x.jar": data})
    assert [(part.item, part.reason) for part in section.unseen] == [("pkg:maven/*", reason)]
    assert section.unseen[0].detail.startswith("/app/x.jar")
    assert section.covers == ("pkg:maven/*",)
    assert "C4n4ry" not in repr(section)


@pytest.mark.parametrize("limit", ["_MOST_UNPACKED", "_MOST_MEMBERS", "_LARGEST_NESTED"])
def test_what_is_unpacked_is_bounded(monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    monkeypatch.setattr(jars, limit, 3)
    section = read({"/app/shop.jar": FAT})
    assert {part.reason for part in section.unseen} == {"too_large"}


def test_an_archive_beyond_memory_is_not_kept_from_a_stream(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(jars, "_LARGEST", 100)
    whole = InstalledReader().installed(folder_of(tmp_path, {"/app/shop.jar": FAT}))
    assert whole.parts[0].sections["dependencies"].facts == FACTS  # a file can be sought in

    class Stream(io.BytesIO):
        def seekable(self) -> bool:
            return False

    with pytest.raises(UnseenError, match="too_large: /app/shop"):
        jars.archive_of(Stream(FAT), "/app/shop.jar")


def test_an_archive_of_more_members_than_a_short_count_can_tell() -> None:
    small = archive(pom("a", "b", "1"))
    _, count, length, offset = struct.unpack("<4s6xHIIxx", small[-22:])
    end = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, count, count, length, offset)
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, len(small) - 22, 1)
    last = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    assert read({"/app/b.jar": small[:-22] + end + locator + last}).facts == {"pkg:maven/a/b": "1"}


@pytest.mark.parametrize("broken", [*OF_A_HUNDRED_OR_ALL, *SOME_FLIPS_OR_MANY])
def test_a_broken_archive_never_reads_as_removals(broken: Cuts, record_property: Record) -> None:
    for data in broken(FAT, record_property):
        section = read({"/app/shop.jar": data})
        # A bit in a name, which no checksum covers, may rename what it names, and hides nothing else.
        if section.status == "complete":
            assert len(section.facts) >= len(FACTS) - (len(data) == len(FAT))


def test_an_archive_may_stand_behind_the_script_that_runs_it() -> None:
    assert read({"/app/shop.jar": b"#!/bin/bash\nexec java -jar $0\n" + FAT}).facts == FACTS


def test_the_tool_named_jar_is_no_archive() -> None:
    assert read({"/opt/jdk/bin/jar": b"\x7fELF"}).unseen == ()
