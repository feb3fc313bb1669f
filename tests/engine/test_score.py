"""The score: how close two environments are, and never better for not having looked."""

import pytest

from detector.engine.coverage import coverage_of, together
from detector.engine.score import comparison_score, service_score
from detector.model.records import Judged, Key, Side
from detector.model.words import SectionName, Severity
from tests.builders import NOW, ago, compare, failed, policy, section, stream, view, whole


def drift(section: SectionName, severity: Severity) -> tuple[Judged, Severity]:
    judged = Judged(
        key=Key("shop", "main", section, "an item"),
        comparison="staging..prod",
        status="changed",
        left=Side(),
        right=Side(),
        verdict="drift",
        severity=severity,
        rule="r",
    )
    return judged, severity


@pytest.mark.parametrize(
    ("severities", "score"),
    [
        ([], 1.0),
        (["critical"], 0.0),
        (["high"], 0.5),
        (["medium"], 0.8),
        (["low"], 0.95),
        (["info"], 1.0),
        (["high", "medium", "low"], 0.25),
        (["critical", "critical"], 0.0),  # never below nothing
    ],
)
def test_a_section_pays_for_each_drift_by_its_severity(severities: list[Severity], score: float) -> None:
    told = [drift("config", severity) for severity in severities]
    assert service_score(told, ["config"]) == pytest.approx(score)


def test_a_service_is_the_mean_of_its_measured_sections() -> None:
    assert service_score([drift("config", "high")], ["config", "dependencies"]) == pytest.approx(0.75)
    assert service_score([drift("config", "high")], []) == pytest.approx(
        0.5
    )  # a drift was measured somewhere
    assert service_score([], []) is None


def test_a_comparison_is_the_mean_of_its_services_and_held_down_by_something_critical() -> None:
    assert comparison_score([1.0, 0.5, None], critical=False) == 0.75
    assert comparison_score([1.0, 1.0, 0.9], critical=True) == 0.5
    assert comparison_score([0.2], critical=True) == 0.2
    assert comparison_score([None], critical=False) is None
    assert comparison_score([], critical=True) is None


def test_what_was_never_seen_has_no_score() -> None:
    blind = compare({"config": failed("denied")}, {"config": section({})})
    assert blind.measured == ()
    assert whole(blind).score is None


# -- coverage ---------------------------------------------------------------------------------------------


def test_coverage_counts_sources_and_names_every_part_that_was_not_seen() -> None:
    here = view(
        stream({"dependencies": section({})}, source="fine"),
        stream({"config": failed("denied")}, source="forbidden"),
        stream({"ports": section({})}, source="late", seen=ago(days=2)),
        stream({"logs": section({}, unseen=[("driver", "malformed")])}, source="partly"),
        stream({"admin": section({"a": 1})}, source="held", held={"admin": frozenset({"a"})}),
        policies=[policy(name) for name in ("fine", "forbidden", "partly", "held")]
        + [policy("late", valid=ago(days=1) - ago(days=2))],
    )
    found = coverage_of(here, [policy("fine"), policy("never")])
    assert (found.sources_ok, found.sources_expected) == (3, 6)
    assert not found.complete
    assert {(one.source, one.section, one.item, one.reason) for one in found.unseen} == {
        ("forbidden", "config", "*", "denied"),
        ("late", "ports", "*", "stale"),
        ("partly", "logs", "driver", "malformed"),
        ("held", "admin", "a", "held"),
        ("never", "*", "*", "not_collected"),
    }


def test_coverage_adds_up() -> None:
    fine = coverage_of(view(stream({"config": section({})})), [])
    assert fine.complete
    both = together([fine, coverage_of(view(), [policy("never")])])
    assert (both.sources_ok, both.sources_expected, both.complete) == (1, 2, False)
    assert together([]).complete


def test_a_comparison_is_complete_where_nothing_that_was_needed_stayed_unseen() -> None:
    seen = {"config": section({})}
    assert whole(compare(seen, seen)).complete  # type: ignore[arg-type]  # names of sections are literals
    assert not whole(compare(seen, {"config": failed("denied")})).complete  # type: ignore[arg-type]
    # One side alone has a source for it: listed, and not incomplete.
    alone = whole(compare({"config": section({}), "logs": section({})}, {"config": section({})}, now=NOW))
    assert alone.complete
    assert alone.document()["coverage"]["not_measured"] == ["logs"]
