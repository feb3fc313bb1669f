"""Cron as crontab(5) means it, not as APScheduler counts weekdays."""

from datetime import UTC, datetime, timedelta

import pytest

from detector.config.schedule import next_cron_time, zone
from detector.errors import UsageError

SUNDAY = datetime(2026, 11, 22, 12, tzinfo=UTC)
WEEKDAYS = [
    ("1-5", "12345"),
    ("0", "0"),
    ("7", "0"),
    ("5-7", "560"),
    ("mon-fri", "12345"),
    ("SAT,sun", "60"),
    ("*/2", "0246"),
    ("1-5/2", "135"),
    ("2/2", "246"),
    ("*", "0123456"),
]


@pytest.mark.parametrize(("field", "days"), WEEKDAYS)
def test_weekdays_count_from_sunday(field: str, days: str) -> None:
    midnights = [SUNDAY.replace(hour=0) + timedelta(days=n) for n in range(7)]
    fires = [
        next_cron_time(f"0 6 * * {field}", after=midnight) - midnight < timedelta(days=1)
        for midnight in midnights
    ]
    assert {str(n) for n, fired in enumerate(fires) if fired} == set(days)


def test_a_trigger_keeps_its_zone_over_the_change_to_summer_time() -> None:
    before = next_cron_time("0 9 * * 1", "Europe/Berlin", after=datetime(2026, 3, 22, tzinfo=UTC))
    after = next_cron_time("0 9 * * 1", "Europe/Berlin", after=datetime(2026, 3, 29, tzinfo=UTC))
    assert (before.hour, after.hour) == (8, 7)


# Fields, zone, the day before, and the times in UTC that follow.
CHANGES = [
    # 02:30 does not come on the 29th: it counts after the change.
    ("30 2 * * *", "Europe/Berlin", "2026-03-28 12:00", ["03-29 01:30", "03-30 00:30", "03-31 00:30"]),
    # 02:30 comes twice on the 25th: it counts the first time.
    ("30 2 * * *", "Europe/Berlin", "2026-10-24 12:00", ["10-25 00:30", "10-26 01:30", "10-27 01:30"]),
    # Between the two of them the service starts.
    ("30 2 * * *", "Europe/Berlin", "2026-10-25 00:40", ["10-26 01:30"]),
    # Every half an hour goes on as if nothing was.
    (
        "*/30 * * * *",
        "Europe/Berlin",
        "2026-10-24 23:40",
        ["10-25 00:00", "10-25 00:30", "10-25 01:00", "10-25 01:30", "10-25 02:00"],
    ),
    # A change of half an hour.
    ("45 1 * * *", "Australia/Lord_Howe", "2026-04-03 20:00", ["04-04 14:45", "04-05 15:15"]),
    ("15 2 * * *", "Australia/Lord_Howe", "2026-10-02 20:00", ["10-03 15:45", "10-04 15:15"]),
    ("0 6 29 2 *", "UTC", "2026-03-01 00:00", ["02-29 06:00", "02-29 06:00"]),
    ("0 0 1 1 *", "UTC", "2037-06-01 00:00", ["01-01 00:00", "01-01 00:00"]),
    ("0 0 28 2 *", "UTC", "2099-12-31 00:00", ["02-28 00:00", "02-28 00:00"]),
]


@pytest.mark.parametrize(("fields", "zone_", "start", "times"), CHANGES)
def test_a_time_that_clocks_skip_or_repeat_counts_once(
    fields: str, zone_: str, start: str, times: list[str]
) -> None:
    at = datetime.fromisoformat(start).replace(tzinfo=UTC)
    found = []
    for _ in times:
        following = next_cron_time(fields, zone_, after=at)
        assert following > at
        found.append(f"{following:%m-%d %H:%M}")
        at = following
    assert found == times


REFUSED = [
    "",
    "* * * *",
    "* * * * * *",
    "60 * * * *",
    "x * * * *",
    "* * * * 8",
    "* * * * fri-mon",
    "* * * * 1-",
    "* * * * */0",
    "* * * * ١",  # a digit, but of another script
    "0 0 1 * 1",
    "0 0 31 2 *",
]


@pytest.mark.parametrize("expression", REFUSED)
def test_what_names_no_time_is_refused(expression: str) -> None:
    with pytest.raises(UsageError):
        next_cron_time(expression, after=SUNDAY)


@pytest.mark.parametrize("name", ["Mars/Phobos", "../../etc/passwd", "Europe", "", "\0", "x" * 5000])
def test_what_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        zone(name)
