"""How long versions take from one environment to the next, what was overtaken, and what still waits."""

import statistics
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.engine.policy import Environment, stages_of
from detector.engine.promotion import (
    Hop,
    Lane,
    hop_between,
    lane_of,
    promotion_of,
    quantile,
    rollbacks,
    versions_in,
)
from detector.model.facts import Value
from detector.model.records import Interval
from detector.model.words import Basis
from tests.builders import ago

DAY = timedelta(days=1)


def lived(*values: tuple[str | None, float], basis: Basis = "running") -> list[Interval]:
    """A history: each value with how many days ago it came; the last one is still there, None is nothing."""
    ends: list[datetime | None] = [*(ago(days=days) for _, days in values[1:]), None]
    return [
        Interval(value=value, opened=ago(days=days), closed=end, source="docker", basis=basis, snapshot=1)
        for (value, days), end in zip(values, ends, strict=True)
        if value is not None
    ]


def hop(
    left: Sequence[tuple[str | None, float]],
    right: Sequence[tuple[str | None, float]],
    *,
    since: datetime | None = None,
) -> Hop:
    return hop_between("staging", "prod", lane_of(lived(*left)), lane_of(lived(*right)), since=since)


def outcomes(found: Hop) -> dict[str, str]:
    return {step.version: step.outcome for step in found.steps}


# --- lead times -----------------------------------------------------------------------------------


def test_the_lead_time_is_from_first_seen_left_to_first_seen_right() -> None:
    found = hop([("1.0", 30), ("1.1", 20), ("1.2", 10)], [("1.0", 30), ("1.1", 18), ("1.2", 6)])
    assert (found.arrived, found.timed) == (2, 2)
    assert [step.lead for step in found.steps] == [None, 2 * DAY, 4 * DAY]
    assert (found.median, found.waiting) == (3 * DAY, None)


def test_what_was_there_when_the_watch_began_has_no_lead_time() -> None:
    # Who knows for how long staging had 1.1 already: at least two days, but that is no lead time.
    found = hop([("1.1", 20)], [("1.0", 20), ("1.1", 18)])
    assert (found.arrived, found.timed, found.median) == (1, 0, None)
    # Both had it: that it came to one a minute after the other is how the watch began.
    assert outcomes(hop([("1.0", 20)], [("1.0", 19.9)])) == {"1.0": "before"}
    assert outcomes(hop([("1.0", 19.9)], [("1.0", 20)])) == {"1.0": "before"}


def test_a_clock_runs_for_what_has_not_arrived() -> None:
    found = hop([("1.0", 30), ("1.1", 9), ("1.2", 4), ("1.3", 1)], [("1.0", 30)])
    assert found.waiting is not None
    assert (found.waiting.version, found.waiting.since, found.waiting.versions) == ("1.3", ago(days=9), 3)
    assert found.waiting.exact
    assert outcomes(found) == {"1.0": "before", "1.1": "waiting", "1.2": "waiting", "1.3": "waiting"}


def test_the_clock_moves_forward_when_right_advances() -> None:
    found = hop([("1.0", 30), ("1.1", 9), ("1.2", 4)], [("1.0", 30), ("1.1", 2)])
    assert found.waiting is not None
    assert (found.waiting.since, found.waiting.versions) == (ago(days=4), 1)


def test_what_left_always_had_waits_at_least_since_the_watch_began() -> None:
    found = hop([("1.1", 9)], [("1.0", 9)])
    assert found.waiting is not None
    assert (found.waiting.since, found.waiting.exact) == (ago(days=9), False)


# --- overtaken, withdrawn, direct ---------------------------------------------------------------------


def test_a_version_that_a_later_one_passed_is_overtaken() -> None:
    found = hop([("1.0", 30), ("1.1", 9), ("1.2", 4)], [("1.0", 30), ("1.2", 1)])
    assert outcomes(found) == {"1.0": "before", "1.1": "overtaken", "1.2": "arrived"}
    assert (found.overtaken, found.waiting) == (1, None)
    (overtaken,) = [step for step in found.steps if step.outcome == "overtaken"]
    assert overtaken.by == "1.2"
    # Its change came inside 1.2, eight days after staging had it: only the changes count that.
    assert found.median == 3 * DAY
    assert found.changes_median == 5.5 * DAY


def test_a_version_that_left_went_back_from_is_withdrawn() -> None:
    found = hop([("1.0", 30), ("1.1", 9), ("1.0", 8)], [("1.0", 30)])
    assert outcomes(found) == {"1.0": "before", "1.1": "withdrawn"}
    assert found.waiting is None


def test_what_came_back_after_a_rollback_of_left_waits_since_then() -> None:
    found = hop([("1.0", 30), ("1.1", 9), ("1.0", 8), ("1.1", 2)], [("1.0", 30)])
    assert found.waiting is not None
    assert found.waiting.since == ago(days=2)


def test_a_hotfix_that_right_had_first_is_direct() -> None:
    found = hop([("1.0", 30), ("1.0.1", 5)], [("1.0", 30), ("1.0.1", 7)])
    assert outcomes(found) == {"1.0": "before", "1.0.1": "direct"}
    never = hop([("1.0", 30)], [("1.0", 30), ("1.0.1", 7)])
    assert outcomes(never) == {"1.0": "before", "1.0.1": "direct"}
    # Right runs what left never had: what left has is what right last came from.
    assert never.waiting is None


def test_numbers_give_no_order_but_the_time_they_came() -> None:
    found = hop([("9f3c1de", 30), ("02ab7c4", 9)], [("9f3c1de", 30)])
    assert found.waiting is not None
    assert found.waiting.version == "02ab7c4"


def test_nothing_waits_for_a_right_that_is_past_it_with_a_version_of_its_own() -> None:
    ours, theirs = lane_of(lived(("1.4.2", 9))), lane_of(lived(("1.4.3", 9)))
    assert hop_between("staging", "prod", ours, theirs, item="image#tag").waiting is None
    behind = hop_between("staging", "prod", theirs, ours, item="image#tag").waiting
    assert behind is not None
    # Of commits nobody knows which is past the other: what left has waits.
    hashes = lane_of(lived(("9f3c1de", 9))), lane_of(lived(("02ab7c4", 9)))
    assert hop_between("staging", "prod", *hashes, item="repo#commit").waiting is not None


# --- rollbacks --------------------------------------------------------------------------------------


def test_a_rollback_of_right_counts_and_starts_the_clock_again() -> None:
    found = hop([("1.0", 30), ("1.1", 9)], [("1.0", 30), ("1.1", 6), ("1.0", 5)])
    assert (found.arrived, found.rolled_back) == (1, 1)
    assert found.median == 3 * DAY
    assert found.waiting is not None
    assert (found.waiting.version, found.waiting.since) == ("1.1", ago(days=5))
    assert found.waiting.taken_back


ROLLBACKS = [
    ([("1", 9), ("2", 5), ("1", 4)], 1),
    ([("1", 9), ("2", 5), ("1", 4), ("2", 3)], 1),  # forward again is no rollback
    ([("1", 9), (None, 5), ("1", 4)], 0),  # stopped and started
    ([("1", 9), ("2", 5), ("3", 4)], 0),
    ([("1", 9), ("2", 8), ("3", 7), ("1", 6)], 1),  # over two of them
]


@pytest.mark.parametrize(("history", "expected"), ROLLBACKS)
def test_going_back_is_counted_where_something_newer_ran(
    history: list[tuple[str | None, float]], expected: int
) -> None:
    assert len(rollbacks(lane_of(lived(*history)))) == expected


# --- what a value says ------------------------------------------------------------------------------

VALUES: list[tuple[Value, tuple[str, ...]]] = [
    ("1.4.2", ("1.4.2",)),
    (["7.24.0", "7.25.2"], ("7.24.0", "7.25.2")),
    ({"values": {"1.5": 2, "1.4": 1}}, ("1.5", "1.4")),  # a roll-out under way: both are there
    ({"type": "url", "fingerprint": "k1:00"}, ("set",)),  # of a key it travels that it is set
    (None, ()),
    (True, ("true",)),
    ({"b": 1, "a": 2}, ('{"a":2,"b":1}',)),
]


@pytest.mark.parametrize(("value", "versions"), VALUES)
def test_versions_of_a_value(value: Value, versions: tuple[str, ...]) -> None:
    assert versions_in(value) == versions


def test_a_version_has_arrived_with_its_first_replica() -> None:
    rolling = [
        Interval(
            value={"values": {"1.0": 2, "1.1": 1}},
            opened=ago(hours=2),
            closed=ago(hours=1),
            source="ecs",
            basis="running",
            snapshot=2,
        )
    ]
    history = [*lived(("1.0", 5), (None, 2 / 24)), *rolling, *lived(("1.1", 1 / 24))]
    lane = lane_of(history)
    assert lane["1.1"].first == ago(hours=2)
    assert lane["1.0"].last == ago(hours=1)
    assert rollbacks(lane) == []


def test_the_nearest_basis_decides_what_an_environment_runs() -> None:
    # The lockfile says 2.1 since Monday; what runs since Wednesday is what arrived.
    lane = lane_of([*lived(("2.0", 9), ("2.1", 5), basis="declared"), *lived(("2.0", 9), ("2.1", 3))])
    assert lane["2.1"].first == ago(days=3)


def test_two_components_of_a_service_are_one_lane() -> None:
    lane = lane_of([*lived(("1.0", 9), ("1.1", 3)), *lived(("1.0", 9), ("1.1", 2))])
    assert [(one.version, one.first, one.last) for one in lane.values()] == [
        ("1.0", ago(days=9), ago(days=2)),
        ("1.1", ago(days=3), None),
    ]


# --- environments -------------------------------------------------------------------------------------

CHAIN = (
    Environment(name="dev"),
    Environment(name="staging"),
    Environment(name="prod-eu", group="prod"),
    Environment(name="prod-us", group="prod"),
)


def test_the_members_of_a_group_are_each_the_end_of_a_hop() -> None:
    found = promotion_of(
        {
            "staging": lived(("1.0", 9), ("1.1", 3)),
            "prod-eu": lived(("1.0", 9), ("1.1", 2)),
            "prod-us": lived(("1.0", 9)),
        },
        CHAIN,
    )
    assert [(one.left, one.right, one.median) for one in found.hops] == [
        ("staging", "prod-eu", DAY),
        ("staging", "prod-us", None),
    ]
    assert found.hops[1].waiting is not None


def test_an_environment_that_never_had_it_is_no_stop() -> None:
    found = promotion_of({"dev": lived(("1.0", 9)), "prod-eu": lived(("1.0", 9)), "staging": []}, CHAIN)
    assert [(one.left, one.right) for one in found.hops] == [("dev", "prod-eu")]
    assert stages_of(CHAIN) == [["dev"], ["staging"], ["prod-eu", "prod-us"]]


def test_only_what_ended_within_the_time_asked_about_is_counted() -> None:
    left = [("1.0", 90), ("1.1", 60), ("1.2", 50), ("1.3", 20), ("1.4", 15), ("1.5", 1)]
    right = [("1.0", 90), ("1.2", 45), ("1.1", 44), ("1.2", 43), ("1.4", 10)]
    whole, month = hop(left, right), hop(left, right, since=ago(days=30))
    assert (whole.arrived, whole.overtaken, whole.rolled_back, whole.direct) == (3, 1, 1, 0)
    assert (month.arrived, month.overtaken, month.rolled_back) == (1, 1, 0)
    assert month.waiting == whole.waiting is not None


# --- figures --------------------------------------------------------------------------------------------

spans = st.lists(st.timedeltas(timedelta(), timedelta(days=400)), min_size=2, max_size=40)


@given(spans)
def test_median_and_p90_are_those_of_statistics(leads: list[timedelta]) -> None:
    """The median, and the 90th percentile of `statistics.quantiles(method="inclusive")`."""
    seconds = sorted(lead.total_seconds() for lead in leads)
    ordered = sorted(leads)
    median, p90 = quantile(ordered, 0.5), quantile(ordered, 0.9)
    assert median is not None
    assert p90 is not None
    assert median.total_seconds() == pytest.approx(statistics.median(seconds), abs=1e-5)
    deciles = statistics.quantiles(seconds, n=10, method="inclusive")
    assert p90.total_seconds() == pytest.approx(deciles[8], abs=1e-5)


def test_figures_of_nothing_and_of_one() -> None:
    assert quantile([], 0.5) is None
    assert quantile([DAY], 0.9) == DAY


histories = st.lists(
    st.tuples(st.sampled_from(["1", "2", "3", "4", None]), st.integers(0, 100)), min_size=1, max_size=12
).map(lambda some: [(value, 101 - day) for value, day in sorted(some, key=lambda one: one[1])])


def _lane(history: list[tuple[str | None, float]]) -> Lane | None:
    found = [one for one in lived(*history) if one.opened != one.closed]
    return lane_of(found) if found else None


@given(histories, histories, st.randoms())
def test_the_order_in_which_intervals_are_read_changes_nothing(
    left: list[tuple[str | None, float]], right: list[tuple[str | None, float]], random: object
) -> None:
    """Every figure is one of what was seen, not of how it was stored."""
    ours, theirs = ([one for one in lived(*history) if one.opened != one.closed] for history in (left, right))
    if not ours or not theirs:
        return
    found = hop_between("a", "b", lane_of(ours), lane_of(theirs))
    random.shuffle(ours)  # type: ignore[attr-defined]
    random.shuffle(theirs)  # type: ignore[attr-defined]
    assert hop_between("a", "b", lane_of(ours), lane_of(theirs)) == found


@given(histories, histories)
def test_every_version_of_left_has_one_end(
    left: list[tuple[str | None, float]], right: list[tuple[str | None, float]]
) -> None:
    """Each version is counted once; no lead time is negative; what waits is not what right runs."""
    ours, theirs = _lane(left), _lane(right)
    if ours is None or theirs is None:
        return
    found = hop_between("a", "b", ours, theirs)
    assert {step.version for step in found.steps} == {*ours, *theirs}
    assert len(found.steps) == len({*ours, *theirs})
    for step in found.steps:
        if step.outcome in ("arrived", "overtaken") and step.lead is not None:
            assert step.lead >= timedelta()
    if found.waiting is not None:
        assert ours[found.waiting.version].last is None
        running = [one for one in theirs.values() if one.last is None]
        assert found.waiting.version not in {one.version for one in running}


@given(histories)
def test_between_an_environment_and_itself_nothing_waits(history: list[tuple[str | None, float]]) -> None:
    """Self-comparison has no lead."""
    lane = _lane(history)
    if lane is not None:
        found = hop_between("a", "a", lane, lane)
        assert (found.waiting, found.overtaken, found.withdrawn, found.direct) == (None, 0, 0, 0)
