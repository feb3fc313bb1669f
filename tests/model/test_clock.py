"""Durations as people write them, times as JSON shows them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from detector.errors import UsageError
from detector.model.clock import duration, print_duration, print_time


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5s", 5), ("15m", 900), ("2h", 7200), ("3d", 259_200), ("1w", 604_800), ("2y", 63_072_000), ("0s", 0)],
)
def test_durations_are_a_number_and_a_unit(text: str, seconds: int) -> None:
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "5", "m", "1.5h", "-1d", " 1d", "1d ", "1D", "1h30m", "1234567s", "٣d"])
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(UsageError, match="no duration"):
        duration(text)


@pytest.mark.parametrize(
    ("delta", "text"),
    [
        (timedelta(days=41), "41d"), (timedelta(minutes=90), "1h"), (timedelta(seconds=59), "59s"),
        (timedelta(minutes=1), "1m"), (timedelta(0), "0s"), (timedelta(seconds=-5), "0s"),
    ],
)  # fmt: skip
def test_a_duration_is_printed_in_the_largest_unit_that_fits(delta: timedelta, text: str) -> None:
    assert print_duration(delta) == text


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (datetime(2026, 11, 22, 12, 0, tzinfo=UTC), "2026-11-22T12:00:00Z"),
        (datetime(2026, 11, 22, 14, 0, tzinfo=timezone(timedelta(hours=2))), "2026-11-22T12:00:00Z"),
        (datetime(2026, 11, 22, 12, 0, 0, 1500, tzinfo=UTC), "2026-11-22T12:00:00.001Z"),
    ],
)
def test_times_are_printed_in_utc(at: datetime, text: str) -> None:
    assert print_time(at) == text
