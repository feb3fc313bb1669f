"""Flapping: how often is too often, and how long it is held."""

from datetime import timedelta

import pytest

from detector.engine.flapping import flapping
from detector.model.records import DriftEvent
from tests.builders import NOW


def turns(*hours: float) -> list[DriftEvent]:
    """Return events of a drift that opened at the first time, resolved at the second, and so on."""
    names = ["opened", *(["resolved", "reopened"] * len(hours))]
    return [
        DriftEvent(at=NOW + timedelta(hours=at), event=event, actor="parity")
        for at, event in zip(hours, names, strict=False)
    ]


@pytest.mark.parametrize(
    ("hours", "now", "until"),
    [
        ((0, 1, 2), 2, None),  # it came back once: that is told
        ((0, 1, 2, 3, 4), 4, 8),  # for the second time within a day
        ((0, 1, 2, 3, 4), 7.9, 8),
        ((0, 1, 2, 3, 4), 8, None),  # it kept still for four hours
        ((0, 1, 2, 3, 4, 5), 5, 9),  # each turn counts, also to the other side
        ((0, 6, 12, 18, 24), 24, 28),  # just within a day
        ((0, 6, 12, 18, 25), 25, None),
        (tuple(range(24)), 23, 27),  # hour by hour
        (tuple(range(28)), 27, 28),  # a day after it began: no longer, however it goes on
        (tuple(range(28)), 28, None),
        (tuple(range(30)), 29, None),  # and what is heard then begins no new hold at once
        (tuple(range(33)), 32, 36),
    ],
)
def test_what_came_back_twice_within_a_day_is_held_until_it_keeps_still(
    hours: tuple[float, ...], now: float, until: float | None
) -> None:
    hold = flapping(turns(*hours), NOW + timedelta(hours=now))
    assert (hold.until if hold else None) == (NOW + timedelta(hours=until) if until is not None else None)


def test_other_events_are_no_turns() -> None:
    confirmed = [
        DriftEvent(at=NOW + timedelta(minutes=number), event=event, actor="parity")
        for number, event in enumerate(["opened", "confirmed", "changed", "escalated", "changed", "changed"])
    ]
    assert flapping(confirmed, NOW + timedelta(hours=1)) is None


def test_a_hold_says_how_often_it_turned() -> None:
    hold = flapping(turns(0, 1, 2, 3, 4), NOW + timedelta(hours=4))
    assert hold is not None
    assert (hold.pending, hold.because) == ("flap", "opened or resolved 5 times within a day")
