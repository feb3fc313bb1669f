"""Calendars: where the clock of an allowance stands still, and when the allowance is spent."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.engine.calendars import ALWAYS, Calendar, end_of

CHRISTMAS = Calendar(freeze=((date(2026, 12, 20), date(2027, 1, 2)),))
WORKDAYS = Calendar(business_days=True)
BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        ("2026-12-01 10:00", 3, "2026-12-04 10:00"),  # over before the freeze
        ("2026-12-18 10:00", 3, "2027-01-04 10:00"),  # a day and 14 hours before it, the rest after
        ("2026-12-25 10:00", 3, "2027-01-06 00:00"),  # what starts inside begins to count when it ends
        ("2026-12-17 00:00", 3, "2026-12-20 00:00"),  # spent at the moment it begins
        ("2026-12-20 00:00", 3, "2027-01-06 00:00"),
        ("2027-01-03 00:00", 3, "2027-01-06 00:00"),
    ],
)
def test_days_of_a_freeze_do_not_count(start: str, days: int, end: str) -> None:
    assert end_of(at(start), timedelta(days=days), CHRISTMAS) == at(end)


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        ("2026-11-23 09:00", 2, "2026-11-25 09:00"),  # Monday
        ("2026-11-27 09:00", 2, "2026-12-01 09:00"),  # Friday
        ("2026-11-28 09:00", 1, "2026-12-01 00:00"),  # Saturday counts from Monday on
        ("2026-11-23 09:00", 10, "2026-12-07 09:00"),  # two weeks of five
    ],
)
def test_weekends_do_not_count_where_only_business_days_do(start: str, days: int, end: str) -> None:
    assert end_of(at(start), timedelta(days=days), WORKDAYS) == at(end)


def test_the_still_time_of_several_calendars_adds_up() -> None:
    # 2 January 2027 is a Saturday: the freeze ends in a weekend, which ends on Monday.
    assert end_of(at("2026-12-18 12:00"), timedelta(days=1), CHRISTMAS, WORKDAYS) == at("2027-01-04 12:00")


def test_days_are_those_of_the_time_zone_whatever_the_clocks_do() -> None:
    # 25 October 2026 has 25 hours in Berlin, and the freeze of that day lasts as long.
    autumn = Calendar(freeze=((date(2026, 10, 25), date(2026, 10, 25)),), timezone=BERLIN)
    assert end_of(at("2026-10-24 21:00"), timedelta(hours=2), autumn) == at("2026-10-26 00:00")
    spring = Calendar(freeze=((date(2026, 3, 29), date(2026, 3, 29)),), timezone=BERLIN)
    assert end_of(at("2026-03-28 22:00"), timedelta(hours=2), spring) == at("2026-03-29 23:00")


def test_a_freeze_until_the_end_of_all_days_has_no_end() -> None:
    for_ever = Calendar(freeze=((date(1, 1, 1), date.max),))
    with pytest.raises(OverflowError):
        end_of(at("2026-11-22 12:00"), timedelta(days=1), for_ever)


MOMENTS = st.timedeltas(timedelta(), timedelta(days=730)).map(lambda since: at("2026-01-01 00:00") + since)
SPANS = st.timedeltas(timedelta(), timedelta(days=40))
DAYS = st.dates(date(2026, 1, 1), date(2028, 1, 31))
CALENDARS = st.builds(
    Calendar,
    freeze=st.lists(st.tuples(DAYS, DAYS).map(lambda two: (min(two), max(two))), max_size=3).map(tuple),
    business_days=st.booleans(),
    timezone=st.sampled_from([UTC, BERLIN, ZoneInfo("America/Santiago"), ZoneInfo("Pacific/Auckland")]),
)


@given(MOMENTS, SPANS)
def test_without_still_days_a_span_is_as_long_as_it_says(start: datetime, span: timedelta) -> None:
    """end_of(start, span) == start + span."""
    assert end_of(start, span) == end_of(start, span, ALWAYS) == start + span


@given(MOMENTS, MOMENTS, SPANS, CALENDARS)
def test_what_starts_later_ends_no_earlier(
    one: datetime, other: datetime, span: timedelta, calendar: Calendar
) -> None:
    """end_of is monotone in its start."""
    first, second = sorted((one, other))
    assert end_of(first, span, calendar) <= end_of(second, span, calendar)


@given(MOMENTS, SPANS, SPANS, CALENDARS)
def test_a_longer_span_ends_no_earlier(
    start: datetime, one: timedelta, other: timedelta, calendar: Calendar
) -> None:
    """end_of is monotone in its span."""
    first, second = sorted((one, other))
    assert end_of(start, first, calendar) <= end_of(start, second, calendar)


@given(MOMENTS, SPANS, CALENDARS)
def test_the_clock_runs_for_exactly_the_span(start: datetime, span: timedelta, calendar: Calendar) -> None:
    """The time between start and end that is in no still day is the span, counted hour by hour."""
    span = timedelta(hours=span // timedelta(hours=1))
    start = start.replace(minute=0, second=0, microsecond=0)
    end = end_of(start, span, calendar)
    hours = (end - start) // timedelta(hours=1)
    counted = sum(_counts(start + timedelta(hours=number), calendar) for number in range(hours))
    assert timedelta(hours=counted) == span


def _counts(moment: datetime, calendar: Calendar) -> bool:
    day = moment.astimezone(calendar.timezone).date()
    weekend = calendar.business_days and day.isoweekday() > 5
    return not weekend and not any(first <= day <= last for first, last in calendar.freeze)
