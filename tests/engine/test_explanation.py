"""Why an item has its verdict: every rule that matched, whose word was last, the clock, and who saw what."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from detector.engine.calendars import Calendar
from detector.engine.explanation import Explanation, explain_item
from detector.engine.pack import PACK
from detector.engine.policy import Pair, Service
from detector.engine.preview import effects_of, note_effects
from detector.engine.questions import Question
from detector.engine.rules import Allowance, Match, Outcome, Rule
from detector.engine.verdicts import Both
from detector.engine.view import Interner
from detector.errors import NotFoundError, UsageError
from detector.model.facts import Value
from detector.model.records import Drift, Interval, Key
from tests.builders import (
    NOW,
    PROD,
    STAGING,
    STAGING_TO_PROD,
    ago,
    interval,
    keys,
    section,
    stream,
    streams_of,
    view,
)

DJANGO = "pkg:pypi/django"


def explained(
    left: Any,
    right: Any,
    item: str,
    *,
    rules: Sequence[Rule] = (),
    histories: Mapping[Any, Sequence[Interval]] | None = None,
    rows: Mapping[tuple[str, Key], Drift] | None = None,
    pair: Pair = STAGING_TO_PROD,
    **which: str,
) -> Explanation:
    interner = Interner()
    both = Both(
        service=Service(name="shop"),
        left=view(*streams_of(left), environment=pair.left.name, interner=interner),
        right=view(*streams_of(right), environment=pair.right.name, interner=interner),
        histories=histories or {},
        rows=rows or {},
        first=False,
    )
    question = Question(item=item, **which)
    return explain_item(both, question, pair=pair, rules=[*PACK, *rules], now=NOW, interner=interner)


def packages(**versions: Value) -> Any:
    return {"dependencies": section({f"pkg:pypi/{name}": version for name, version in versions.items()})}


def rule(name: str, match: Match, **outcome: Any) -> Rule:
    return Rule(name=name, match=match, outcome=Outcome(**outcome))


def last_words(explanation: Explanation) -> dict[str, str]:
    return {outcome: step.rule.name for step in explanation.steps for outcome in step.last_on}


# -- rules ------------------------------------------------------------------------------------------------


def test_every_rule_that_matched_in_order_and_whose_word_was_the_last() -> None:
    mine = [
        rule("parity.yml:41", Match(item=(DJANGO,)), severity={"major": "critical"}, note="see the runbook"),
        rule("parity.yml:44", Match(section=("config",)), ignore=True),
    ]
    found = explained(packages(django="4.2"), packages(django="5.2"), "django", rules=mine)
    assert [step.rule.name for step in found.steps] == [
        "default/rest",
        "default/dependencies",
        "parity.yml:41",
    ]
    assert last_words(found) == {
        "expect": "default/rest",
        "allow_ahead": "default/dependencies",
        "severity": "parity.yml:41",
        "note": "parity.yml:41",
    }


@pytest.mark.parametrize(
    ("right", "name"),
    [("5.2", "parity.yml:41"), ("4.3", "default/dependencies")],  # major, minor
)
def test_of_a_table_of_severities_the_word_for_this_distance_counts(right: str, name: str) -> None:
    mine = rule("parity.yml:41", Match(item=(DJANGO,)), severity={"major": "critical"})
    found = explained(packages(django="4.2"), packages(django=right), DJANGO, rules=[mine])
    assert last_words(found)["severity"] == name


def test_two_rules_of_one_line_are_told_apart() -> None:
    mine = [
        rule("parity.yml:41", Match(section=("config",)), severity={"*": "info"}),
        rule("parity.yml:41:60", Match(item=(DJANGO,)), severity={"*": "low"}),
    ]
    found = explained(packages(django="4.2"), packages(django="5.2"), DJANGO, rules=mine)
    assert found.steps[-1].rule is mine[1]
    assert found.steps[-1].document() == {
        "rule": "parity.yml:41:60",
        "match": {"item": DJANGO},
        "says": {"severity": "low"},
        "last_word_on": ["severity"],
    }


def test_what_a_rule_says_prints_as_parity_yml_would() -> None:
    ahead = Allowance(span=timedelta(hours=36), versions=20)
    mine = rule("r", Match(), allow_ahead=ahead, expect=("prod",), ignore=False)
    found = explained(packages(django="4.2"), packages(django="5.2"), DJANGO, rules=[mine])
    assert found.steps[-1].document()["says"] == {
        "ignore": False,
        "expect": {"only": ["prod"]},
        "allow_ahead": {"for": "36h", "versions": 20},
    }


# -- answers ----------------------------------------------------------------------------------------------


def test_drift_says_what_is_grave_and_why_nothing_allows_it() -> None:
    found = explained(packages(django="4.2"), packages(django="5.2"), DJANGO)
    assert (found.answer, found.clock) == ("drift", None)
    assert found.because == (
        "default/dependencies makes a major difference high, "
        "and only a lead of staging is allowed: prod leads"
    )


def test_a_lead_has_a_clock_with_its_rule() -> None:
    since = {("staging", ("main", "dependencies", DJANGO)): [interval("5.2", ago(days=4))]}
    found = explained(packages(django="5.2"), packages(django="4.2"), DJANGO, histories=since)
    assert (found.answer, found.because) == ("expected", "staging may lead for 14d")
    assert found.clock is not None
    assert found.clock.document() == {
        "allowance": "allow_ahead",
        "rule": "default/dependencies",
        "span": "14d",
        "since": "2026-11-18T12:00:00Z",
        "ends": "2026-12-02T12:00:00Z",
        "spent": False,
        "frozen_until": None,
    }


def test_a_clock_that_stands_still_says_until_when_and_ends_later() -> None:
    freeze = Calendar(freeze=((date(2026, 11, 20), date(2026, 11, 30)),))
    pair = Pair(left=STAGING, right=replace(PROD, calendar=freeze))
    since = {("staging", ("main", "dependencies", DJANGO)): [interval("5.2", ago(days=4))]}
    found = explained(packages(django="5.2"), packages(django="4.2"), DJANGO, histories=since, pair=pair)
    assert found.clock is not None
    # Eleven days do not count.
    assert found.clock.ends == ago(days=4) + timedelta(days=14 + 11)
    assert found.clock.frozen_until == datetime(2026, 12, 1, tzinfo=UTC)


def test_a_spent_clock_says_when_it_ended() -> None:
    since = {("staging", ("main", "dependencies", DJANGO)): [interval("5.2", ago(days=20))]}
    found = explained(packages(django="5.2"), packages(django="4.2"), DJANGO, histories=since)
    assert found.answer == "drift"
    assert found.because == "staging might lead for 14d, and that is over"
    assert found.clock is not None
    assert found.clock.spent
    assert found.clock.ends == ago(days=6)


def test_what_both_have_alike_is_explained_too() -> None:
    found = explained(packages(django="5.2"), packages(django="5.2"), DJANGO)
    assert (found.answer, found.because, found.judged) == ("in_sync", "both sides have the same", None)
    assert last_words(found)["severity"] == "default/dependencies"


@pytest.mark.parametrize(
    "name", ["pkg:npm/%40tanstack/react-query", "@tanstack/react-query", "react-query", "pkg:npm/react-query"]
)
def test_a_package_is_found_by_the_name_of_its_successor_too(name: str) -> None:
    before, after = (
        {"dependencies": section({f"pkg:npm/{of}": version})}
        for of, version in (("react-query", "3.39.3"), ("%40tanstack/react-query", "5.59.0"))
    )
    for sides in ((before, after), (after, before)):
        found = explained(*sides, name)
        under = next(iter(sides[0]["dependencies"].facts))
        assert (found.subject.key.item, found.answer) == (
            under,
            "drift" if sides[0] is before else "expected",
        )


def test_what_a_rule_hides_names_the_rule() -> None:
    mine = rule("parity.yml:41", Match(item=("pkg:pypi/dj*",)), ignore=True)
    found = explained(packages(django="4.2"), packages(django="5.2"), DJANGO, rules=[mine])
    assert (found.answer, found.because) == ("hidden", "parity.yml:41 hides it")


def test_an_unknown_item_says_what_would_make_it_known() -> None:
    denied = stream(
        {"backing_services": section({}, status="partial", unseen=[("main#tls", "denied")])}, source="rds"
    )
    server: Any = {"backing_services": section({"main#tls": True})}
    found = explained(server, denied, "tls")
    assert (found.answer, found.because) == ("unknown", "it cannot be told of prod: denied")
    assert found.would_tell == ("give rds the right to read it, then: parity snapshot prod",)
    (witness,) = found.right
    assert (witness.worth, witness.present, witness.unknown) == ("blind", None, "denied")


def test_a_drift_out_of_sight_is_unknown_and_keeps_its_last_value() -> None:
    gone: Any = {"dependencies": section({DJANGO: "5.2"}, status="failed", unseen=[("*", "unreachable")])}
    found = explained(packages(django="4.2"), gone, DJANGO)
    assert found.answer == "unknown"
    assert (found.right[0].value, found.right[0].present) == ("5.2", None)
    assert "parity check --online" in found.would_tell[0]


@pytest.mark.parametrize(
    ("left", "right", "because"),
    [
        (
            {"dependencies": section({DJANGO: "5.2"}, basis="declared")},
            {"dependencies": section({})},
            "no source of prod could have seen what staging has here",
        ),
        (
            {"dependencies": section({DJANGO: "5.2"})},
            {"config": section({})},
            "nothing in prod looks at dependencies of this component",
        ),
    ],
)
def test_what_is_not_compared_says_who_cannot_see_it(left: Any, right: Any, because: str) -> None:
    found = explained(left, right, DJANGO)
    assert (found.answer, found.because) == ("not_compared", because)


def test_a_fact_of_one_environment_is_never_compared() -> None:
    sides: Any = [{"release": section({"release#id": name})} for name in ("checkout:57", "checkout:132")]
    found = explained(sides[0], sides[1], "release#id")
    assert found.answer == "not_compared"
    assert "history of one environment" in found.because


def test_an_item_that_went_is_explained_by_its_drift() -> None:
    key = Key("shop", "main", "dependencies", DJANGO)
    row = Drift(
        id="01JD9W3Z6M6C3Y9S5V2H3R7K1A",
        comparison="staging..prod",
        key=key,
        state="resolved",
        severity="high",
        owner=None,
        opened_at=ago(days=2),
        item={},
    )
    found = explained(packages(), packages(), DJANGO, rows={("staging..prod", key): row})
    assert (found.answer, found.because) == ("absent", "neither side has it now")
    document = found.document(row)
    assert document["drift"]["state"] == "resolved"


# -- evidence ---------------------------------------------------------------------------------------------


def test_the_nearest_source_decides_and_farther_ones_are_evidence() -> None:
    lock = stream({"dependencies": section({DJANGO: "5.0"}, basis="declared")}, source="lockfile")
    running = stream({"dependencies": section({DJANGO: "5.2"})}, source="docker")
    found = explained([lock, running], packages(django="5.2"), DJANGO, kind="difference")
    assert [(one.source, one.value, one.worth) for one in found.left] == [
        ("docker", "5.2", "decides"),
        ("lockfile", "5.0", "contradicts"),
    ]


def test_settings_of_a_file_are_evidence_and_no_contradiction() -> None:
    def server(basis: Any, source: str, value: int) -> Any:
        return stream({"backing_services": section({"main#setting/port": value}, basis=basis)}, source=source)

    found = explained(
        [server("declared", "compose", 1), server("running", "postgres", 2)], [], "setting/port"
    )
    assert [(one.source, one.worth) for one in found.left] == [
        ("postgres", "decides"),
        ("compose", "evidence"),
    ]


def test_a_source_that_does_not_look_there_is_said_to_be_silent() -> None:
    packages_only = stream({"dependencies": section({}, covers=("pkg:deb/*",))}, source="docker")
    found = explained([packages_only, *streams_of(packages(django="5.2"))], packages(django="5.2"), DJANGO)
    assert [one.worth for one in found.left] == ["decides", "silent"]


# -- cause ------------------------------------------------------------------------------------------------


def test_what_comes_with_a_leading_release_has_the_clock_of_the_release() -> None:
    def shop(tag: str, django: str, **more: str) -> Any:
        return {
            "release": section({"image#repository": "acme/shop", "image#tag": tag}),
            "dependencies": section({DJANGO: django}),
            "config": section(keys(more, A="some text")),
        }

    since = {("staging", ("main", "release", "image#tag")): [interval("1.5", ago(days=3))]}
    sides = (shop("1.5", "5.2", STRIPE_KEY="a secret"), shop("1.4", "5.1"))
    found = explained(*sides, "STRIPE_KEY", histories=since)
    assert found.answer == "expected"
    assert found.because == (
        "it comes with release 1.5, which leads 1.4: they share one verdict, "
        "and it must be there when that release arrives"
    )
    assert found.parent is not None
    assert found.parent.key.item == "image#tag"
    assert found.clock is not None
    assert (found.clock.rule, found.clock.since) == ("default/release/tag", ago(days=3))


# -- what is meant ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", [DJANGO, "django", "Django", "PKG:pypi/DJANGO"])
def test_an_item_is_found_by_what_people_call_it(asked: str) -> None:
    found = explained(packages(django="4.2"), packages(django="5.2"), asked)
    assert found.subject.key.item == DJANGO


def test_a_package_with_a_namespace_is_found_by_its_name_as_people_write_it() -> None:
    sides: Any = [{"dependencies": section({"pkg:npm/%40babel/core": "7.25.2"})} for _ in range(2)]
    assert explained(sides[0], sides[1], "@babel/core").subject.key.item == "pkg:npm/%40babel/core"


def test_a_name_of_several_items_is_refused_with_their_names() -> None:
    both: Any = {"dependencies": section({"pkg:pypi/redis": "5.0", "pkg:npm/redis": "4.7"})}
    with pytest.raises(UsageError, match=r"redis means 2 items of shop: .*pkg:npm/redis.*name one"):
        explained(both, both, "redis")
    assert explained(both, both, "pkg:npm/redis").answer == "in_sync"


def test_an_unknown_name_gets_a_hint() -> None:
    with pytest.raises(NotFoundError, match=r"shop has no item djnago \(did you mean django\?\)"):
        explained(packages(django="4.2"), packages(django="5.2"), "djnago")
    with pytest.raises(NotFoundError, match="django of shop is not of section config"):
        explained(packages(django="4.2"), packages(django="5.2"), "django", section="config")


def test_of_several_verdicts_on_one_item_the_worst_is_explained_and_the_others_are_named() -> None:
    def web(**values: str) -> Any:
        return [
            stream({"config": section(keys(API_TOKEN="the same"))}, component="web"),
            stream({"config": section(keys(values))}, component="worker"),
        ]

    found = explained(web(API_TOKEN="one of staging"), web(A="b"), "API_TOKEN")
    assert (found.subject.key.component, found.subject.key.kind) == ("web", "shared_secret")
    worker = [one for one in found.beside if one.key.component == "worker"]
    assert [one.verdict for one in worker] == ["drift"]
    asked = explained(web(API_TOKEN="one of staging"), web(A="b"), "API_TOKEN", component="worker")
    assert asked.subject.key.component == "worker"


def test_a_finding_of_one_environment_has_one_side() -> None:
    prod = {"config": section(keys(API_URL="http://localhost:8080/"))}
    found = explained({"config": section(keys(API_URL="http://api.example/"))}, prod, "API_URL")
    assert found.subject.comparison == "prod"
    assert found.subject.key.kind == "loopback_in_production"
    document = found.document(turned=True)
    assert (document["left"], document["evidence"]["left"]) == (None, [])
    assert document["because"] == "loopback in production is a finding: it needs no difference"


# -- the other way round ----------------------------------------------------------------------------------


def test_asked_the_other_way_round_only_the_sides_change_places() -> None:
    found = explained(packages(django="4.2"), packages(django="5.2"), DJANGO)
    straight, turned = found.document(), found.document(turned=True)
    assert turned["left"] == straight["right"]
    assert turned["evidence"]["left"] == straight["evidence"]["right"]
    assert turned["verdict"]["direction"] == "left_ahead"
    same = ("rules", "because", "answer", "clock", "comparison")
    assert {name: turned[name] for name in same} == {name: straight[name] for name in same}


def test_peers_have_the_allowance_of_peers() -> None:
    eu = replace(PROD, name="prod-eu", group="prod")
    us = replace(PROD, name="prod-us", group="prod")
    pair = Pair(left=eu, right=us, peers=True)
    found = explained(packages(django="4.2"), packages(django="5.2"), DJANGO, pair=pair)
    assert found.answer == "expected"
    assert found.clock is not None
    assert (found.clock.rule, found.clock.span) == ("peers", "1d")


CLIENT = "pkg:deb/debian/postgresql-client-15"
OLD_CLIENT: Mapping[Any, Any] = {
    "dependencies": section({CLIENT: "15.8-1"}),
    "backing_services": section({"main#product": "postgresql", "main#version": "16.3"}),
}


def test_a_client_older_than_its_server_is_explained_and_previewed_like_any_finding() -> None:
    """What is judged, what is explained and what a rule is said to hide are the same differences."""
    found = explained(OLD_CLIENT, OLD_CLIENT, CLIENT, kind="client_skew")
    assert found.answer == "drift"
    assert "default/client_skew" in last_words(found).values()
    hush = Rule(name="parity.yml:9", match=Match(kind=("client_skew",)), outcome=Outcome(ignore=True))
    effects = effects_of([*PACK, hush])
    interner = Interner()
    both = Both(
        service=Service(name="shop"),
        left=view(*streams_of(OLD_CLIENT), environment="staging", interner=interner),
        right=view(*streams_of(OLD_CLIENT), environment="prod", interner=interner),
    )
    note_effects(effects, both, pair=STAGING_TO_PROD, rules=[*PACK, hush], now=NOW, interner=interner)
    assert {comparison for comparison, _ in effects["parity.yml:9"].hidden} == {"staging", "prod"}
