"""Modules of the Go programs below a root, where programs stand."""

import io
from pathlib import Path

import pytest

from collectors.readers.installed import installed, programs
from collectors.readers.installed.reader import InstalledReader
from detector.errors import UnseenError
from detector.model.facts import Section
from tests.collectors.readers.installed.trees import Files, Program, folder_of, tree_of
from tests.collectors.readers.programs import elf, inline

MODULES = """path\texample.org/acme/shop
mod\texample.org/acme/shop\t(devel)\t
dep\texample.com/log\tv1.3.0\th1:x
build\t-ldflags="-X main.password=C4n4ry"
build\tGOARCH=arm64
"""
LARGE_ENOUGH = b"\0" * programs._SMALLEST
SHOP = Program(elf(inline("go1.22.1", MODULES)) + LARGE_ENOUGH)
FACTS = {"pkg:golang/example.com/log": "v1.3.0", "runtime#go": "1.22.1"}


def read(files: Files) -> Section:
    return installed(tree_of(files), "built")


@pytest.mark.parametrize(
    "path", ["/shop", "/app/shop", "/opt/shop/shop", "/usr/local/bin/shop", "/a/b/c/d/bin/x.exe"]
)
def test_a_program_is_read_where_programs_stand(path: str) -> None:
    section = read({path: SHOP})
    assert (section.facts, section.status) == (FACTS, "complete")
    assert section.covers == ("pkg:golang/*", "runtime#go")
    assert "C4n4ry" not in repr(section)


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/app/shop", bytes(SHOP)),  # it may not be run
        ("/a/b/c/d/shop", SHOP),  # data of something
        ("/usr/lib/x/bin/libshop.so.1", SHOP),
        ("/app/node_modules/esbuild/bin/esbuild", SHOP),  # told by the package that brought it
        ("/app/shop", Program(SHOP[:-10_000])),  # smaller than any
        ("/app/run", Program(b"#!/bin/sh\n" + LARGE_ENOUGH)),
        ("/app/native", Program(elf(b"") + LARGE_ENOUGH)),
    ],
)
def test_other_files_are_no_programs_of_go(path: str, content: bytes) -> None:
    assert not [item for item in read({path: content}).facts if item.startswith("pkg:golang")]


def test_a_program_of_a_folder_reads_the_same(tmp_path: Path) -> None:
    found = InstalledReader().installed(folder_of(tmp_path, {"/app/shop": SHOP}))
    assert found.parts[0].sections["dependencies"].facts == FACTS


def test_several_programs_are_united() -> None:
    other = Program(elf(inline("go1.23.4", MODULES.replace("v1.3.0", "v1.4.0"))) + LARGE_ENOUGH)
    facts = read({"/app/shop": SHOP, "/app/worker": other}).facts
    assert facts == {"pkg:golang/example.com/log": ["v1.3.0", "v1.4.0"], "runtime#go": ["1.22.1", "1.23.4"]}


STATUS = "Package: shop\nStatus: install ok installed\nVersion: 1.0-1\n"
APK = "P:shop\nV:1.0-r1\nF:usr/bin\nR:shop\n"


@pytest.mark.parametrize(
    "database",
    [
        {"/var/lib/dpkg/status": STATUS, "/var/lib/dpkg/info/shop.list": "/.\n/usr\n/usr/bin/shop\n"},
        {
            "/var/lib/dpkg/status": STATUS,
            "/var/lib/dpkg/info/shop:arm64.list": "/bin/shop\n",
        },  # before /usr was merged
        {"/lib/apk/db/installed": APK},
    ],
)
def test_a_program_that_a_package_of_the_system_brought_is_told_by_it(database: dict[str, str]) -> None:
    facts = read({**database, "/usr/bin/shop": SHOP, "/usr/local/bin/kit": SHOP}).facts
    assert {item: value for item, value in facts.items() if not item.endswith("/shop")} == FACTS
    assert read({**database, "/usr/bin/shop": SHOP}).facts.keys() == {
        item for item in facts if item.endswith("/shop")
    }


def test_a_program_without_the_end_of_its_information_is_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "_SMALLEST", 1)
    section = read({"/app/shop": Program(elf(inline("go1.22.1", MODULES))[:-60])})
    assert [(part.item, part.reason) for part in section.unseen] == [("pkg:golang/*", "malformed")]
    assert section.unseen[0].detail.startswith("/app/shop")


def test_a_program_beyond_memory_is_not_kept_from_a_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stream(io.BytesIO):
        def seekable(self) -> bool:
            return False

    assert programs._keep(Stream(SHOP), "/app/shop")
    monkeypatch.setattr(programs, "_LARGEST", 100)
    with pytest.raises(UnseenError, match="too_large: /app/shop"):
        programs._keep(Stream(SHOP), "/app/shop")
