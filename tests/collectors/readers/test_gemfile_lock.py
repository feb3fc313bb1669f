"""Gemfile.lock: its gems are those that `bundle list` lists."""

from pathlib import Path

import pytest

from detector.errors import UnseenError
from tests.collectors.readers.pinned import COMMIT, FILES, grouped, pins, section, written
from tests.collectors.readers.projects import CANARY, bundler

NAME = "Gemfile.lock"
WRITTEN = "bundler/Gemfile.lock"


def test_the_gems_are_those_that_bundler_lists(tmp_path: Path) -> None:
    lock, listed = bundler.locked(tmp_path)
    found = section(lock.read_bytes(), NAME)
    assert found.status == "complete"
    assert pins(found) == grouped(listed)
    assert CANARY in lock.read_text()
    assert CANARY not in str(found)


def test_a_gem_for_several_platforms_is_one_gem() -> None:
    found = written(WRITTEN)
    assert found.facts["pkg:gem/native"] == "1.16.0"
    assert found.hints["pkg:gem/native"] == {"direct": False}


GEMS = "GEM\n  remote: https://user:C4n4ry@registry.example/\n  specs:\n"
END = "\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n  a\n\nBUNDLED WITH\n   2.5.6\n"


@pytest.mark.parametrize(
    ("specs", "facts", "hints"),
    [
        ("    a (1.0)\n", {"a": "1.0"}, {"direct": True}),
        ("    a (1.0-java)\n", {"a": "1.0"}, {"direct": True, "platform": "java"}),
        ("    a (1.0-x86_64-linux-musl)\n", {"a": "1.0"}, {"direct": True, "platform": "x86_64-linux-musl"}),
        ("    a (1.0)\n    a (1.0-java)\n", {"a": "1.0"}, {"direct": True}),
        ("    a (1.0)\n    a (1.1-java)\n", {"a": ["1.0", "1.1"]}, {"direct": True}),
        (
            "    a (1.0.0.rc1)\n      b (>= 1, < 3)\n    b (2)\n",
            {"a": "1.0.0.rc1", "b": "2"},
            {"direct": True},
        ),
        ("    a (1.0)\n      bundler (>= 2)\n", {"a": "1.0"}, {"direct": True}),
    ],
)
def test_a_gem_is_its_name_version_and_platform(
    specs: str, facts: dict[str, object], hints: dict[str, object]
) -> None:
    for text in (GEMS + specs + END, (GEMS + specs + END).replace("\n", "\r\n")):
        found = section(text, NAME)
        expected = {f"pkg:gem/{name}": version for name, version in facts.items()}
        assert pins(found) == {**expected, "pkg:gem/bundler": "2.5.6"}
        assert (found.hints["pkg:gem/a"], found.status) == (hints, "complete")
        assert CANARY not in str(found)


def test_gems_of_git_and_of_folders_are_told_from_those_of_a_registry() -> None:
    text = (
        f"GIT\n  remote: git@github.com:Acme/A.git\n  revision: {COMMIT}\n  branch: C4n4ry\n"
        "  specs:\n    a (1.0)\n\n"
        "PATH\n  remote: engines/billing?C4n4ry\n  glob: *.gemspec\n  specs:\n    b (0.1.0)\n\n"
        f"{GEMS}    c (1)\n{END}"
    )
    more = "  a!\n\nCHECKSUMS\n  c (1) sha256=00\n\nRUBY VERSION\n   ruby 3.3.1p55\n\n"
    found = section(text.replace("  a\n\n", more), NAME)
    assert pins(found) == {
        "pkg:gem/a": f"git+github.com/acme/a@{COMMIT}",
        "pkg:gem/b": "file:engines/billing",
        "pkg:gem/bundler": "2.5.6",
        "pkg:gem/c": "1",
    }
    assert CANARY not in str(found)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"{GEMS}   a (1.0)\n{END}", 4),  # three blanks
        (f"{GEMS}\ta (1.0)\n{END}", 4),
        (f"{GEMS}    a\n{END}", 4),  # a gem without version
        (f"{GEMS}    a (1.0) C4n4ry\n{END}", 4),
        (f"{GEMS}C4n4ry\n{END}", 4),
        ("  a (1.0)\n", 1),  # below no heading
        (f"{GEMS}    a (1.0)\nGAM\n  specs:\n{END}", 5),  # no heading that Bundler knows
        (f"{GEMS}    a (1.0)\n{END.replace('  a', ' a')}", 10),
        (f"{GEMS}    a (1.0)\n<<<<<<< HEAD\n    b (1.0)\n{END}", 5),
    ],
)
def test_a_line_that_is_indented_as_nothing_is_refused(text: str, line: int) -> None:
    with pytest.raises(UnseenError) as caught:
        section(text, NAME)
    assert f"{NAME}:{line}: " in str(caught.value)
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "item", "detail"),
    [
        (f"{GEMS}    a (1.0)\n", "pkg:gem/*", "no DEPENDENCIES"),
        (f"{GEMS}    a (1.0)\n      b\n{END}", "pkg:gem/*", "refers to gems that are not in it"),
        (GEMS + END, "pkg:gem/*", "refers to gems that are not in it"),
        (f"{GEMS}    a (1.0)\n{END.partition('BUNDLED')[0]}", "pkg:gem/bundler", "no BUNDLED WITH"),
        (f"{GEMS}    a (1.0)\n{END}".rstrip(), "pkg:gem/*", "the last line has no end"),
    ],
)
def test_what_may_be_missing_is_unseen(text: str, item: str, detail: str) -> None:
    found = section(text, NAME)
    assert found.status == "partial"
    assert any(one.item == item and detail in one.detail for one in found.unseen)


@pytest.mark.parametrize("name", ["gems.locked", "gemfiles/rails_7.gemfile.lock"])
def test_it_is_known_by_other_names(name: str) -> None:
    assert section((FILES / WRITTEN).read_bytes(), name).facts == written(WRITTEN).facts
