"""The score: how close two environments are, and never better for not having looked."""

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.engine.coverage import coverage_of, together
from detector.engine.score import comparison_score, section_scores, service_score, trend_of
from detector.model.records import Judged, Key, ScoreMark, Side
from detector.model.words import SECTIONS, SEVERITIES, SectionName, Severity
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


# --- parts ------------------------------------------------------------------------------------------


def test_the_parts_say_what_costs_what_dearest_first() -> None:
    told = [drift("config", "low"), drift("config", "high"), drift("logs", "info")]
    parts = section_scores(told, {"config", "dependencies"})
    assert [(part.section, round(part.score, 4)) for part in parts] == [
        ("dependencies", 1.0),
        ("config", 0.45),
        ("logs", 1.0),  # nobody measures it now; drift of it is still open
    ]
    assert [severity for _, severity in parts[1].costs] == ["high", "low"]


severities = st.sampled_from(SEVERITIES)
told_of = st.lists(st.tuples(st.sampled_from(SECTIONS), severities), max_size=12)


@given(told_of, st.sets(st.sampled_from(SECTIONS)), st.sets(st.sampled_from(SECTIONS)))
def test_a_section_that_is_no_longer_measured_raises_no_score(
    told: list[tuple[SectionName, Severity]], measured: set[str], dead: set[str]
) -> None:
    """A dead collector never raises a score: its drift stays, and what it had in full is what goes."""
    entries = [drift(*one) for one in told]
    before = service_score(entries, measured)
    after = service_score(entries, measured - dead)
    assert after is None or before is None or after <= before + 1e-9


@given(told_of, st.sets(st.sampled_from(SECTIONS)))
def test_the_score_of_a_service_is_the_mean_of_its_parts(
    told: list[tuple[SectionName, Severity]], measured: set[str]
) -> None:
    entries = [drift(*one) for one in told]
    parts = section_scores(entries, measured)
    score = service_score(entries, measured)
    assert score == (pytest.approx(statistics.fmean(part.score for part in parts)) if parts else None)
    assert all(0 <= part.score <= 1 for part in parts)


# --- trend ------------------------------------------------------------------------------------------


def mark(service: str, score: float | None, *, days: float, critical: bool = False) -> ScoreMark:
    return ScoreMark(
        comparison="staging..prod", service=service, at=ago(days=days), score=score, critical=critical
    )


def test_a_trend_begins_with_what_was_so_and_has_a_point_for_each_change() -> None:
    marks = [
        mark("shop", 1.0, days=40),
        mark("cart", 0.5, days=35),
        mark("shop", 0.9, days=9),
        mark("cart", 0.6, days=8),
        mark("shop", 0.8, days=8),  # the mean stays
        mark("cart", 0.6, days=2, critical=True),
    ]
    assert trend_of(marks, since=ago(days=30)) == [
        (ago(days=30), 0.75),
        (ago(days=9), 0.7),
        (ago(days=2), 0.5),  # held down by what is critical
    ]
    assert trend_of(marks, since=ago(days=30), services={"shop"}) == [
        (ago(days=30), 1.0),
        (ago(days=9), 0.9),
        (ago(days=8), 0.8),
    ]
    assert trend_of([], since=ago(days=30)) == []


def test_a_trend_has_a_gap_where_nothing_was_measured() -> None:
    marks = [mark("shop", 0.9, days=9), mark("shop", None, days=5), mark("shop", 0.9, days=1)]
    assert trend_of(marks, since=ago(days=30)) == [
        (ago(days=9), 0.9),
        (ago(days=5), None),
        (ago(days=1), 0.9),
    ]
