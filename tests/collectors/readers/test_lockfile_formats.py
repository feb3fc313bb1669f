"""Every format of lockfiles: what its tool lists is what is read, and what broke is never read as less.

A format is held to this by a file below ``lockfiles/`` whose name it knows. Beside a file that a tool wrote
stands what the tool itself lists, as ``listing.txt``: an item and a version a line. ``make.py`` made both;
the others were written after the documentation of their format.
"""

import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

import pytest

from collectors.readers.lockfile import FORMATS, LockfileReader
from detector.errors import UnseenError
from detector.model.canonical import section_document
from detector.model.facts import Section
from detector.model.fingerprints import Fingerprinter
from tests.collectors.readers.cuts import OF_A_HUNDRED_OR_ALL, SOME_FLIPS_OR_MANY, Cuts, Record

FINGERPRINTER = Fingerprinter(b"k" * 32)
FILES = Path(__file__).parent / "lockfiles"
FIXTURES: Final = sorted(
    path.relative_to(FILES).as_posix() for path in FILES.rglob("*") if LockfileReader().matches(path.name)
)
LISTED: Final = [name for name in FIXTURES if (FILES / name).with_name("listing.txt").exists()]
#: Formats that have neither an end nor references from a project: a cut between two entries leaves what could
#: be whole. For Yarn 1 the package.json beside it tells.
WITHOUT_END: Final = ("pylock*.toml", "*.txt", "pdm.lock", "go.mod", "conda-lock.yml", "yarn-1/*")
#: What is left of a file of these when it is cut may be a project that depends on nothing.
MAY_BE_EMPTY: Final = ("uv.lock", "Cargo.lock")


def dependencies(data: bytes, name: str) -> Section:
    return LockfileReader().read(data, name, FINGERPRINTER).parts[0].sections["dependencies"]


def written(name: str) -> Section:
    return dependencies((FILES / name).read_bytes(), name)


def pins(section: Section) -> dict[str, Any]:
    return {item: value for item, value in section.facts.items() if item.startswith("pkg:")}


def versions(section: Section) -> set[tuple[str, str]]:
    """Return (item, version) of all pins, several of an item with several versions."""
    return {
        (item, version)
        for item, value in pins(section).items()
        for version in (value if isinstance(value, list) else [value])
    }


def is_of(name: str, globs: tuple[str, ...]) -> bool:
    return any(fnmatchcase(part, glob) for glob in globs for part in (name, name.rpartition("/")[2]))


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.names[0])
def test_each_format_has_a_file_here(form: Any) -> None:
    assert any(
        fnmatchcase(name.rpartition("/")[2], glob) or fnmatchcase(name, f"*/{glob}")
        for name in FIXTURES
        for glob in form.names
    )


@pytest.mark.parametrize("name", LISTED)
def test_what_the_tool_lists_is_what_is_read(name: str) -> None:
    section = written(name)
    listed: dict[str, list[str]] = {}
    for line in (FILES / name).with_name("listing.txt").read_text().splitlines():
        item, _, version = line.partition(" ")
        listed.setdefault(item, []).append(version)
    read = {item: value if isinstance(value, list) else [value] for item, value in pins(section).items()}
    assert read == {item: sorted(versions) for item, versions in listed.items()}
    assert (section.basis, section.status, section.unseen) == ("declared", "complete", ())


@pytest.mark.parametrize("name", FIXTURES)
def test_a_copy_under_another_name_is_known_by_its_content(name: str) -> None:
    assert pins(dependencies((FILES / name).read_bytes(), "staging.copy")) == pins(written(name))


@pytest.mark.parametrize("name", FIXTURES)
def test_ends_of_lines_of_another_system_change_nothing(name: str) -> None:
    data = (FILES / name).read_bytes().replace(b"\n", b"\r\n")
    assert pins(dependencies(data, name)) == pins(written(name))


@pytest.mark.parametrize("name", FIXTURES)
def test_credentials_in_addresses_change_nothing_and_never_come_out(name: str) -> None:
    data = (FILES / name).read_bytes().replace(b"https://", b"https://C4n4ry:C4n4ry@")
    found = LockfileReader().read(data, name, FINGERPRINTER)
    assert pins(found.parts[0].sections["dependencies"]) == pins(written(name))
    assert "C4n4ry" not in str(found)


@pytest.mark.parametrize("cuts", OF_A_HUNDRED_OR_ALL)
@pytest.mark.parametrize("name", FIXTURES)
def test_a_lockfile_that_was_cut_never_removes_a_package_in_silence(
    name: str, cuts: Cuts, record_property: Record
) -> None:
    whole = versions(written(name))
    for data in cuts((FILES / name).read_bytes(), record_property):
        section = read_or_told(data, name)
        if section is None or section.status == "partial":
            continue
        assert versions(section) <= whole, len(data)
        if versions(section) != whole:
            assert is_of(name, WITHOUT_END) or (is_of(name, MAY_BE_EMPTY) and not pins(section)), len(data)
            assert data.endswith(b"\n"), len(data)


@pytest.mark.parametrize("flips", SOME_FLIPS_OR_MANY)
@pytest.mark.parametrize("name", FIXTURES)
def test_a_lockfile_with_a_flipped_bit_is_told_or_off_by_one_entry(
    name: str, flips: Cuts, record_property: Record
) -> None:
    whole = pins(written(name))
    for data in flips((FILES / name).read_bytes(), record_property):
        section = read_or_told(data, name)
        if section is not None and section.status == "complete":
            lost = [item for item in whole if item not in section.facts]
            assert len(lost) <= 1, data


def read_or_told(data: bytes, name: str) -> Section | None:
    """Return what is read, or None for a file that is unseen with its place."""
    section: Section | None
    try:
        section = dependencies(data, name)
    except UnseenError as error:
        detail, section = error.detail, None
    else:
        section_document(section)
        detail = section.unseen[0].detail if section.unseen else name
    assert name in detail
    return section


def test_a_mark_of_an_unmerged_conflict_is_named_with_its_line() -> None:
    for name in FIXTURES:
        lines = (FILES / name).read_bytes().splitlines(keepends=True)
        lines.insert(2, b"<<<<<<< HEAD\n")
        with pytest.raises(UnseenError, match=re.escape(f"{name}:3: marks of a merge conflict")):
            dependencies(b"".join(lines), name)
