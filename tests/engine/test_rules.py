"""Rules: all that match merge from top to bottom, and the last word on each outcome wins."""

from datetime import timedelta
from typing import Any

import pytest

from detector.engine.pack import PACK
from detector.engine.rules import Allowance, Decision, Match, Outcome, Rule, Subject, decide, severity_matches

SUBJECT = Subject(
    section="dependencies", item="pkg:pypi/django", service="shop", owner="team-a", comparison="staging..prod"
)


def rules(*pairs: tuple[Match, Outcome]) -> list[Rule]:
    return [
        Rule(name=f"r{number}", match=match, outcome=outcome) for number, (match, outcome) in enumerate(pairs)
    ]


def test_the_last_word_on_each_outcome_wins_and_the_others_stay() -> None:
    decision = decide(
        rules(
            (Match(), Outcome(expect="equal", severity={"*": "info"})),
            (Match(section=("dependencies",)), Outcome(severity={"*": "high"})),
            (Match(section=("config",)), Outcome(severity={"*": "critical"})),
            (Match(item=("pkg:pypi/*",)), Outcome(expect="any")),
        ),
        SUBJECT,
    )
    assert (decision.severity("patch"), decision.outcome.expect) == ("high", "any")
    assert (decision.rule, decision.matched) == ("r3", ("r0", "r1", "r3"))


def test_a_rule_that_says_nothing_decides_nothing() -> None:
    decision = decide(rules((Match(), Outcome(expect="any")), (Match(), Outcome())), SUBJECT)
    assert (decision.rule, decision.matched) == ("r0", ("r0", "r1"))


def test_a_table_of_severities_merges_and_one_severity_replaces() -> None:
    shipped = (Match(), Outcome(severity={"major": "high", "minor": "medium", "*": "low"}))
    merged = decide(rules(shipped, (Match(), Outcome(severity={"major": "critical"}))), SUBJECT)
    assert [merged.severity(one) for one in ("major", "minor", "patch")] == ["critical", "medium", "low"]
    replaced = decide(rules(shipped, (Match(), Outcome(severity={"*": "info"}))), SUBJECT)
    assert [replaced.severity(one) for one in ("major", "minor", "patch")] == ["info"] * 3


@pytest.mark.parametrize(
    ("table", "distance", "severity"),
    [
        ({"minor": "medium", "*": "low"}, "unordered", "medium"),  # without order: as minor
        ({"minor": "medium", "unordered": "info", "*": "low"}, "unordered", "info"),
        ({"minor": "medium", "*": "low"}, "", "low"),  # one-sided: no change at all
        ({"minor": "medium"}, "major", "info"),
        ({"*": "high"}, "unordered", "high"),
        ({}, "major", "info"),
    ],
)
def test_severity_by_distance(table: Any, distance: str, severity: str) -> None:
    assert decide(rules((Match(), Outcome(severity=table))), SUBJECT).severity(distance) == severity


@pytest.mark.parametrize(
    ("match", "accepts"),
    [
        (Match(), True),
        (Match(section=("config", "dependencies")), True),
        (Match(item=("pkg:npm/*", "pkg:pypi/dj*")), True),
        (Match(item=("pkg:pypi/Django",)), False),
        (Match(service=("shop",), owner=("team-b",)), False),  # every field must agree
        (Match(comparison=("staging..*",)), True),
        (Match(comparison=("dev..*",)), False),
        (Match(kind=("difference",), status=("changed",)), True),
        (Match(status=("left_only", "right_only")), False),
        (Match(scope=("dev",)), False),
        (Match(managed=False), True),
        (Match(managed=True), False),
        (Match(product=("postgresql",)), False),
        (Match(component=("main",)), True),
    ],
)
def test_each_field_that_says_something_must_agree(match: Match, *, accepts: bool) -> None:
    assert match.accepts(SUBJECT) is accepts


@pytest.mark.parametrize(
    ("wanted", "severity", "matches"),
    [
        (">=high", "critical", True), (">=high", "high", True), (">=high", "medium", False),
        ("high", "critical", False), ("high", "high", True), (">=odd", "high", False), ("high", "", False),
    ],
)  # fmt: skip
def test_severities_match_by_name_or_from_one_on(wanted: str, severity: str, *, matches: bool) -> None:
    assert severity_matches(wanted, severity) is matches


def test_a_match_on_severity_sees_what_earlier_rules_decided() -> None:
    quiet = Rule(name="quiet", match=Match(severity=">=high"), outcome=Outcome(note="loud"))
    graver = Rule(name="graver", match=Match(), outcome=Outcome(severity={"*": "high"}))
    assert decide([quiet, graver], SUBJECT).outcome.note is None
    assert decide([graver, quiet], SUBJECT).outcome.note == "loud"


def test_a_rule_of_the_pack_is_overruled_by_a_later_one() -> None:
    mine = Rule(
        name="parity.yml:41",
        match=Match(section=("dependencies",)),
        outcome=Outcome(allow_ahead=Allowance(span=timedelta(days=3))),
    )
    decision = decide([*PACK, mine], SUBJECT)
    assert decision.rule == "parity.yml:41"
    assert str(decision.outcome.allow_ahead) == "3d"
    assert decision.severity("major") == "high"  # of the pack, and still so


def test_rules_of_the_pack_have_names_of_their_own_and_print_like_any_other() -> None:
    names = [rule.name for rule in PACK]
    assert len(set(names)) == len(names)
    assert all(name.startswith("default/") for name in names)
    assert Match(section=("config",), managed=True, severity=">=high").document() == {
        "section": "config",
        "severity": ">=high",
        "managed": True,
    }


def test_without_rules_everything_is_info() -> None:
    decision = decide([], SUBJECT)
    assert decision == Decision(outcome=Outcome(), rule="default", matched=())
    assert decision.severity("major") == "info"
