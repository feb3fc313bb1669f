"""Cron as crontab(5) means it, not as APScheduler counts weekdays."""

from datetime import UTC, datetime, timedelta

import pytest

from detector.config.schedule import cron_trigger, zone
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
    trigger = cron_trigger(f"0 6 * * {field}")
    midnights = [SUNDAY.replace(hour=0) + timedelta(days=n) for n in range(7)]
    fires = [
        (trigger.get_next_fire_time(None, midnight) - midnight) < timedelta(days=1) for midnight in midnights
    ]
    assert {str(n) for n, fired in enumerate(fires) if fired} == set(days)


def test_a_trigger_keeps_its_zone_over_the_change_to_summer_time() -> None:
    trigger = cron_trigger("0 9 * * 1", "Europe/Berlin")
    before = trigger.get_next_fire_time(None, datetime(2026, 3, 22, tzinfo=UTC))
    after = trigger.get_next_fire_time(None, datetime(2026, 3, 29, tzinfo=UTC))
    assert (before.astimezone(UTC).hour, after.astimezone(UTC).hour) == (8, 7)


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
        cron_trigger(expression)


@pytest.mark.parametrize("name", ["Mars/Phobos", "../../etc/passwd", "Europe", "", "\0", "x" * 5000])
def test_what_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        zone(name)
