"""Cron expressions and time zones, with the weekdays of cron.

APScheduler 3 counts weekdays from Monday where crontab(5) counts from Sunday (agronholm/apscheduler#286), so
numbers become names before it sees them. Whoever needs a time takes it from here.
"""

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from detector.errors import UsageError

if TYPE_CHECKING:
    from apscheduler.triggers.cron import CronTrigger

_WEEKDAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_A_MOMENT: Final = timedelta(microseconds=1)


def zone(name: str) -> tzinfo:
    """Return a time zone of the IANA database. Raises UsageError for an unknown one."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise UsageError("no time zone of the IANA database, as in Europe/Berlin") from None


def next_cron_time(expression: str, timezone: str = "UTC", *, after: datetime) -> datetime:
    """Return the first time after ``after`` that five cron fields name, in UTC.

    When clocks are set back, a time that comes twice counts once, unless the fields name every hour. One that
    does not come at all when they are set ahead counts after it. Raises UsageError when they name no time.
    """
    trigger = _trigger(expression, timezone)
    every_hour = expression.split()[1].startswith("*")
    following = after.astimezone(UTC)
    while True:
        # Its own way from one time to the next goes back to the first pass of an hour that comes twice.
        found: datetime | None = trigger.get_next_fire_time(None, following + _A_MOMENT)
        if found is None:
            raise UsageError("a time that never comes")
        following = found.astimezone(UTC)
        if not found.fold or every_hour:
            return following


@lru_cache(maxsize=256)
def _trigger(expression: str, timezone: str) -> "CronTrigger":
    from apscheduler.triggers.cron import CronTrigger  # noqa: PLC0415 - few configurations use cron

    fields = expression.split()
    if len(fields) != 5:
        raise UsageError("cron has five fields: minute hour day-of-month month weekday")
    minute, hour, day, month, weekday = fields
    if day != "*" and weekday != "*":
        # crontab(5) takes either, APScheduler both: nobody can tell what was meant.
        raise UsageError("give a day of the month or a weekday, not both")
    try:
        return CronTrigger(
            minute=minute,
            hour=hour,
            day=day,
            month=month,
            day_of_week=_weekdays(weekday),
            timezone=zone(timezone),
        )
    except ValueError:
        raise UsageError('no cron expression; write five fields, as in "0 6 * * 1-5"') from None


def _weekdays(field: str) -> str:
    """Return a weekday field with names for numbers: ``1-5`` is ``mon,tue,wed,thu,fri``."""
    if field == "*":
        return field
    days: set[int] = set()
    for part in field.lower().split(","):
        span, slash, step = part.partition("/")
        first, dash, last = span.partition("-")
        low, high = (0, 6) if span == "*" else (_weekday(first), _weekday(last) if dash else _weekday(first))
        if slash and not (step.isascii() and step.isdigit() and 0 < int(step) < 8):
            raise ValueError
        if slash and not dash:
            high = 6
        if low > high:
            raise ValueError
        days.update(range(low, high + 1, int(step) if slash else 1))
    return ",".join(_WEEKDAYS[day % 7] for day in sorted(days))


def _weekday(text: str) -> int:
    if text in _WEEKDAYS:
        return _WEEKDAYS.index(text)
    if len(text) == 1 and text in "01234567":
        return int(text)
    raise ValueError
