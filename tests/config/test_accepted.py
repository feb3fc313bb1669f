"""The files of accepted_drift: read with the configuration, every problem at once, never an exception."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from detector.config.load import load
from detector.config.policy import policy_of
from detector.config.records import Config
from detector.engine.acceptance import Acceptance
from detector.errors import ConfigError, Problem
from tests.config.conftest import CANARY, HEAD

FUTURE = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
ENTRY = f"""\
# why we live with it
- comparison: dev..prod
  section: dependencies
  item: pkg:pypi/django
  reason: waits for the LTS
  author: anna
  expires: {FUTURE}
"""
Write = Callable[..., Config]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Load a configuration beside files of acceptances."""

    def loaded(globs: str = "accepted.d/*.yml", **files: str) -> Config:
        folder = tmp_path / "accepted.d"
        folder.mkdir(exist_ok=True)
        for name, text in files.items():
            (folder / f"{name}.yml").write_text(text)
        path = tmp_path / "parity.yml"
        path.write_text(f"{HEAD}services: [{{name: shop}}]\naccepted_drift: [{globs}]\n")
        return load(path, {})

    return loaded


def refused(write: Write, **files: str) -> list[Problem]:
    with pytest.raises(ConfigError) as caught:
        write(**files)
    return list(caught.value.problems)


def one(config: Config) -> Acceptance:
    (found,) = policy_of(config).accepted
    return found


def test_an_entry_is_named_by_its_file_and_line_and_holds_through_its_last_day(write: Write) -> None:
    found = one(write(a=ENTRY))
    assert (found.name, found.author, found.until) == ("accepted.d/a.yml:2", "anna", None)
    assert found.match is not None
    assert found.match.document() == {
        "comparison": "dev..prod",
        "section": "dependencies",
        "item": "pkg:pypi/django",
    }
    assert found.expires_at == datetime.fromisoformat(f"{FUTURE}T00:00:00Z") + timedelta(days=1)


def test_an_entry_keeps_what_it_is_bound_to_when_it_moves_and_not_when_it_says_something_else(
    write: Write,
) -> None:
    before = one(write(a=ENTRY))
    moved = one(write(a=f"\n\n{ENTRY}"))
    assert (moved.id, moved.place) == (before.id, "accepted.d/a.yml:4")
    assert one(write(a=ENTRY.replace("LTS", "next LTS"))).id != before.id


@pytest.mark.parametrize("expires", ["soon", "2026-02-30", "05.12.2026", "'2026-12-05T10:00:00'", "[a]"])
def test_a_malformed_date_is_an_expired_one_and_reported(write: Write, expires: str) -> None:
    if expires == "[a]":
        (problem,) = refused(write, a=ENTRY.replace(FUTURE, expires))
        assert "must be text" in problem.message
        return
    config = write(a=ENTRY.replace(FUTURE, expires))
    assert one(config).expires_at is None
    (warning,) = config.warnings
    assert "accepted.d/a.yml:7:12: [0].expires: counts as expired" in warning


@pytest.mark.parametrize("name", ["reason: waits", "author: anna"])
def test_what_steers_a_terminal_is_no_text_of_a_person(write: Write, name: str) -> None:
    field, _, text = name.partition(": ")
    entry = ENTRY.replace("waits for the LTS", "waits").replace(name, f'{field}: "{text}\\e[2J"')
    (problem,) = refused(write, a=entry)
    assert (problem.path, problem.message) == (
        f"[0].{field}",
        "must be plain text, without control characters",
    )


def test_one_that_has_expired_is_reported_and_stops_nothing(write: Write) -> None:
    (warning,) = write(a=ENTRY.replace(FUTURE, "2025-01-01")).warnings
    assert "[0].expires: has expired" in warning


def test_every_problem_of_every_file_is_told_at_once_with_its_place(write: Write) -> None:
    problems = refused(
        write,
        a=ENTRY.replace("reason:", "raeson:"),
        b=ENTRY.replace("  author: anna\n", "").replace("dev..prod", "dev..porod"),
        c=ENTRY.replace(FUTURE, "2099-01-01"),
        d=f"- {{reason: a, author: b, expires: {FUTURE}}}\n",
        e="- [",
        f=f"just {CANARY}\n",
    )
    told = {(Path(each.file).name, each.path, each.code) for each in problems}
    assert told >= {
        ("a.yml", "[0].raeson", "config-unknown-key"),
        ("a.yml", "[0].reason", "config-semantics"),
        ("b.yml", "[0].author", "config-semantics"),
        ("c.yml", "[0].expires", "config-range"),
        ("d.yml", "[0]", "rule-too-broad"),
        ("e.yml", "document", "config-syntax"),
        ("f.yml", "document", "config-type"),
    }
    assert not any(CANARY in str(each) for each in problems)


def test_a_comparison_that_does_not_exist_is_one_too(write: Write) -> None:
    (problem,) = refused(write, a=ENTRY.replace("dev..prod", "dev..porod"))
    assert "did you mean dev..prod?" in problem.message


def test_globs_are_relative_to_the_configuration_and_a_file_counts_once(write: Write) -> None:
    config = write("accepted.d/*.yml, accepted.d/a.yml", a=ENTRY, b=ENTRY.replace("django", "flask"))
    assert [each.place for each in config.accepted] == ["accepted.d/a.yml:2", "accepted.d/b.yml:2"]


def test_an_empty_file_and_an_empty_folder_accept_nothing(write: Write) -> None:
    assert write(a="").accepted == ()
    assert write("nowhere/*.yml").accepted == ()


def test_a_named_file_that_is_not_there_is_a_problem(write: Write) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        write("accepted.d/nothing.yml")
