"""The clocks of allowances: since when left leads, and since when two sides differ."""

from collections.abc import Sequence

import pytest

from detector.engine.ahead import lead_of, skew_since
from detector.model.facts import Value
from detector.model.records import Interval
from tests.builders import ago, interval

DJANGO = "pkg:pypi/django"


def history(*values: tuple[Value, float]) -> list[Interval]:
    """Return intervals from (value, days ago it appeared), each closed where the next one opens."""
    closed = [ago(days=days) for _, days in values[1:]]
    return [
        interval(value, ago(days=days), end)
        for (value, days), end in zip(values, [*closed, None], strict=True)
    ]


WEEKLY = history(("5.2.5", 30), ("5.2.6", 9), ("5.2.7", 6), ("5.2.8", 3))


@pytest.mark.parametrize(
    ("right", "days", "versions"),
    [
        ("5.2.5", 9, 3),  # left got its first newer value nine days ago
        ("5.2.6", 6, 2),  # right advanced, and so did the clock
        ("5.2.7", 3, 1),
        ("5.2.4", 30, 4),
        (None, 30, 4),
    ],
)
def test_the_clock_of_a_lead_moves_forward_whenever_right_advances(
    right: Value, days: int, versions: int
) -> None:
    lead = lead_of(WEEKLY, right, DJANGO)
    assert lead is not None
    assert (lead.since, lead.versions) == (ago(days=days), versions)


@pytest.mark.parametrize(
    ("intervals", "right", "days"),
    [
        # Right has reached the set before the last one.
        (history((["5.2.6"], 9), (["5.2.7"], 6), (["5.2.8"], 3)), ["5.2.7"], 3),
        # A detour below right ended an older lead.
        (history(("5.2.8", 9), ("5.2.4", 6), ("5.2.8", 3)), "5.2.5", 3),
        (history(("main", 9), ("other", 3)), "third", 9),  # no order: all of it is a lead
    ],
)
def test_values_that_right_has_reached_end_the_walk(
    intervals: Sequence[Interval], right: Value, days: int
) -> None:
    lead = lead_of(intervals, right, DJANGO)
    assert lead is not None
    assert lead.since == ago(days=days)


def test_a_time_without_the_item_on_either_side_was_no_lead() -> None:
    apart = [interval("5.2.7", ago(days=90), ago(days=60)), interval("5.2.8", ago(days=2))]
    lead = lead_of(apart, None, DJANGO)
    assert lead is not None
    assert lead.since == ago(days=2)


def test_no_history_is_no_lead() -> None:
    assert lead_of((), "5.2.8", DJANGO) is None
    assert lead_of(history(("5.2.7", 9)), "5.2.8", DJANGO) is None


def test_tags_lead_by_their_own_order() -> None:
    lead = lead_of(history(("1.9.0", 9), ("1.10.0", 2)), "1.9.0", "image#tag")
    assert lead is not None
    assert lead.since == ago(days=2)


@pytest.mark.parametrize(
    ("left", "right", "since"),
    [
        (history(("a", 9)), history(("b", 2)), ago(days=2)),
        (history(("a", 1)), history(("b", 2)), ago(days=1)),
        (history(("a", 9)), [], ago(days=9)),
        # What is gone counts from its end.
        (history(("a", 9)), [interval("a", ago(days=9), ago(days=1))], ago(days=1)),
        ([], [], None),
    ],
)
def test_a_skew_starts_with_the_younger_of_both_states(
    left: list[Interval], right: list[Interval], since: object
) -> None:
    assert skew_since(left, right) == since
