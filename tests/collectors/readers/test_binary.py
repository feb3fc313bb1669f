"""Programs of Go: what they were built of is what `go version -m` prints, whatever their headers claim."""

import random
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from collectors.readers.binary import BinaryReader
from detector.errors import UnseenError
from detector.model.facts import Section, failed_section
from detector.reader import MAX_BYTES
from tests.collectors.readers.pinned import COMMIT, pins, section
from tests.collectors.readers.programs import KINDS, elf, fat, inline, mach_o, pe, pointed
from tests.collectors.readers.projects import CANARY, go, run

MODULES = f"""path\texample.org/acme/shop
mod\texample.org/acme/shop\t(devel)\t
dep\texample.com/Log\tv1.3.0\th1:Ji7ezaXFaAo3snhpim1IXblTFz5QF2ymG9R+qgXSPMA=
dep\texample.com/forked\tv1.0.0
=>\texample.org/fork/of\tv1.0.1\th1:CAqHWQSP6w0iuhTJfHzpCBmqpYieBkZyr2Lvhirjvkc=
dep\texample.com/pinned\tv1.1.0
=>\texample.com/pinned\tv1.0.0\th1:CAqHWQSP6w0iuhTJfHzpCBmqpYieBkZyr2Lvhirjvkc=
dep\texample.com/beside\tv1.0.0
=>\t./beside\t(devel)\t
build\t-ldflags="-X main.password=C4n4ry"
build\tGOARCH=arm64
build\tGOOS=linux
build\tvcs=git
build\tvcs.revision={COMMIT}
build\tvcs.time=2026-11-22T12:00:00Z
build\tvcs.modified=true
"""
BUILT_OF = {
    "pkg:golang/example.com/beside": "file:beside",
    "pkg:golang/example.com/forked": "git+example.org/fork/of@v1.0.1",
    "pkg:golang/example.com/log": "v1.3.0",
    "pkg:golang/example.com/pinned": "v1.0.0",
}


def sections(data: bytes, name: str = "shop") -> Any:
    return BinaryReader().read_file(BytesIO(data), name).parts[0].sections


def dependencies(version: str, modules: str) -> Section:
    found: Section = sections(elf(inline(version, modules)))["dependencies"]
    return found


def test_a_real_program_says_what_go_says_of_it(tmp_path: Path) -> None:
    shop, env = go.tidy(tmp_path)
    run(shop, "git", "init", "-q")
    run(shop, "git", "add", "-A")
    run(shop, "git", "-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-q", "-m", "First")
    program = go.build(shop, env)
    said = run(shop, "go", "version", "-m", str(program), env=env)
    assert CANARY in said
    with program.open("rb") as file:
        found = BinaryReader().read_file(file, "shop").parts[0].sections
    assert found["dependencies"].status == "complete"
    assert pins(found["dependencies"]) == pins(section((shop / "go.mod").read_bytes(), "go.mod"))
    version = found["dependencies"].facts["runtime#go"]
    assert said.startswith(f"{program}: go{version}\n")
    assert found["dependencies"].facts["os#arch"] == "amd64"
    assert found["codebase"].facts == {
        "repo#commit": run(shop, "git", "rev-parse", "HEAD").strip(),
        "repo#dirty": False,
    }
    assert CANARY not in str(found)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_program_is_read_as_go_reads_it(kind: str, tmp_path: Path) -> None:
    program = tmp_path / "shop"
    program.write_bytes(KINDS[kind]("go1.22.1", MODULES))
    program.chmod(0o755)
    said = run(tmp_path, "go", "version", "-m", "shop")
    lines = [line.strip() for line in said.splitlines()]
    assert [line for line in lines if line] == ["shop: go1.22.1", *map(str.strip, MODULES.splitlines())]
    found = sections(program.read_bytes())
    assert found["dependencies"].facts == {**BUILT_OF, "runtime#go": "1.22.1", "os#arch": "arm64"}
    assert found["codebase"].facts == {"repo#commit": COMMIT, "repo#dirty": True}
    assert CANARY not in str(found)


def test_of_programs_for_several_processors_the_first_is_read() -> None:
    found = sections(fat(mach_o(inline("go1.22.1", MODULES))))
    assert found["dependencies"].facts["runtime#go"] == "1.22.1"


@pytest.mark.parametrize(
    ("version", "runtime"),
    [
        ("go1.22", "1.22"),
        ("go1.22rc1", "1.22rc1"),
        ("go1.22.1 X:boringcrypto", "1.22.1"),
        ("devel go1.23-1a2b3c4 Mon May 13 2024", None),
        ("C4n4ry", None),
        ("", None),
    ],
)
def test_the_version_of_go_is_that_of_a_release(version: str, runtime: str | None) -> None:
    found = dependencies(version, MODULES)
    assert found.facts.get("runtime#go") == runtime
    assert [one.item for one in found.unseen] == ([] if runtime else ["runtime#go"])
    assert CANARY not in str(found)


@pytest.mark.parametrize(
    ("lines", "facts"),
    [
        # A tool that was fetched by its version, as `go install TOOL@v1.2.0` does.
        ("mod\ta.example/tool\tv1.2.0\th1:0", {"pkg:golang/a.example/tool": "v1.2.0"}),
        # Stamped with its commit: own code, whatever version Go derives from it.
        (f"mod\ta.example/shop\tv1.2.1-0.2024+dirty\nbuild\tvcs.revision={COMMIT}", {}),
        ("mod\ta.example/shop\t(devel)", {}),
        ("dep\ta.example/of/workspace\t(devel)", {"pkg:golang/a.example/of/workspace": "local"}),
        ("=>\ta.example/b\tv1.0.0", {}),
        ("dep\ta.example/b\tv1.0.0\ndep\ta.example/b\tv1.0.0", {"pkg:golang/a.example/b": "v1.0.0"}),
    ],
)
def test_a_line_means_what_it_means_to_go(lines: str, facts: dict[str, str]) -> None:
    found = dependencies("go1.22.1", f"{lines}\n")
    assert (pins(found), found.status) == (facts, "complete")


@pytest.mark.parametrize("revision", ["C4n4ry", "", "abc", "0" * 65])
def test_what_is_no_commit_is_not_taken(revision: str) -> None:
    found = sections(elf(inline("go1.22.1", f"mod\ta.example/b\t\nbuild\tvcs.revision={revision}\n")))
    assert list(found) == ["dependencies"]


def test_what_is_no_module_is_unseen() -> None:
    found = dependencies("go1.22.1", "dep\t<C4n4ry>\tv1.0.0\ndep\ta.example/b\tC4n4ry C4n4ry\n")
    assert (found.unseen[0].item, found.unseen[0].reason) == ("pkg:golang/*", "malformed")
    assert CANARY not in str(found)


def test_a_program_without_modules_says_the_version_of_go_alone() -> None:
    for data in (elf(inline("go1.22.1", "")), elf(pointed("go1.15", ""))):
        found = sections(data)["dependencies"]
        assert list(found.facts) == ["runtime#go"]
        assert (found.unseen[0].item, found.unseen[0].reason) == ("pkg:golang/*", "not_in_view")


HUGE = b"\xff" * 8 + b"\x7f"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "unsupported"),
        (b"#!/bin/sh\n", "unsupported"),
        (b"\x7fELF", "malformed"),
        (b"MZ" + b"\0" * 100, "unsupported"),  # of DOS
        (b"\xca\xfe\xba\xbe\0\0\0\x41" + b"\0" * 100, "unsupported"),  # a class of Java
        (elf(b"\0" * 64), "unsupported"),  # a program, but not of Go
        (pe(b"\0" * 64), "unsupported"),
        (mach_o(b"\0" * 64), "unsupported"),
        (elf(inline("", "")[:32] + HUGE), "too_large"),
        (elf(inline("", "")[:32] + b"\xff" * 20), "too_large"),
        (elf(inline("", "")[:32] + b"\xff\xff\x7f"), "malformed"),  # 2 MB of a file that has 1 kB
        (elf(pointed("go1.15", "").replace(b"\x06" + b"\0" * 7, b"\xff" * 7 + b"\0")), "too_large"),
        (elf(b"\xff Go buildinf:\x10\0" + b"\xff" * 40), "malformed"),  # words of 16 bytes
        (elf(b"\xff Go buildinf:\x08\0" + b"\xff" * 40), "malformed"),  # pointers to nowhere
    ],
)
def test_a_file_that_is_no_program_of_go_or_lies_is_unseen(data: bytes, reason: str) -> None:
    with pytest.raises(UnseenError) as caught:
        sections(data)
    assert caught.value.reason == reason
    assert caught.value.detail.startswith("shop: ")


@pytest.mark.parametrize("kind", KINDS)
def test_a_cut_or_a_flipped_bit_is_told_or_off_by_one_entry(kind: str) -> None:
    whole = KINDS[kind]("go1.22.1", MODULES)
    chosen = random.Random(kind)
    broken = [whole[: len(whole) * percent // 100] for percent in range(100)]
    for _ in range(200):
        flipped = bytearray(whole)
        # Headers hold the numbers; most of the rest is empty.
        flipped[chosen.choice((chosen.randrange(0x200), chosen.randrange(len(whole))))] ^= (
            1 << chosen.randrange(8)
        )
        broken.append(bytes(flipped))
    for data in broken:
        found = read_or_told(data)
        assert found.status != "complete" or len(BUILT_OF.keys() - pins(found).keys()) <= 1


def read_or_told(data: bytes) -> Section:
    """What is read; of a file that is unseen with its name nothing."""
    try:
        found: Section = sections(data)["dependencies"]
    except UnseenError as error:
        found = failed_section("built", error.reason, error.detail)
    assert all(one.detail.startswith("shop: ") for one in found.unseen)
    return found


def test_little_of_a_large_program_is_read() -> None:
    class Counting(BytesIO):
        taken = 0

        def read(self, size: int | None = -1) -> bytes:
            data = super().read(size)
            Counting.taken += len(data)
            return data

    data = elf(inline("go1.22.1", MODULES)) + b"\0" * (MAX_BYTES * 2)
    found = BinaryReader().read_file(Counting(data), "shop").parts[0].sections
    assert pins(found["dependencies"]) == BUILT_OF
    assert Counting.taken < 10_000
