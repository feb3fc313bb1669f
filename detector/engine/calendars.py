"""Calendars: when the clocks of allowances stand still, and so when an allowance really ends.

A frozen environment cannot catch up, and on a weekend nobody deploys: such days are not counted. Days are
those of the calendar's time zone, so one may have 23 or 25 hours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Final

_DAY: Final = timedelta(days=1)
_SATURDAY: Final = 5
#: What lasts so long is meant to be endless: no use in counting its weekends.
_ENDLESS: Final = timedelta(days=3650)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Days that do not count. Without any, a span is as long as it says."""

    #: First and last day of each window, both included.
    freeze: tuple[tuple[date, date], ...] = ()
    #: Whether Saturdays and Sundays do not count either.
    business_days: bool = False
    timezone: tzinfo = UTC

    def frozen_until(self, at: datetime) -> datetime | None:
        """Return when the still time around a moment ends; None where the clock runs at that moment."""
        day = first = at.astimezone(self.timezone).date()
        while (beyond := self._beyond_still(day)) is not None:
            day = beyond
        return None if day == first else self._midnight(day)

    def runs_until(self, at: datetime, end: datetime) -> datetime:
        """Return the end of the time from a moment on in which the clock runs, at most ``end``."""
        day, last = (when.astimezone(self.timezone).date() for when in (at, end))
        if not self.business_days:
            # Without weekends only the windows matter, however long the span.
            starts = [first for first, _ in self.freeze if day < first <= last]
            return min([end, *(self._midnight(first) for first in starts)])
        while day < last:
            day += _DAY
            if self._beyond_still(day) is not None:
                return min(end, self._midnight(day))
        return end

    def _beyond_still(self, day: date) -> date | None:
        """Return a later day, up to which nothing counts; None where the day itself counts."""
        if self.business_days and day.weekday() >= _SATURDAY:
            return day + _DAY
        return next((last + _DAY for first, last in self.freeze if first <= day <= last), None)

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.timezone).astimezone(UTC)


#: Every day counts.
ALWAYS: Final = Calendar()


def end_of(start: datetime, span: timedelta, *calendars: Calendar) -> datetime:
    """Return when a span that began at ``start`` is spent, where no clock runs in still time of any calendar.

    Raises OverflowError where that is after the last day there is.
    """
    open_ended = start + span
    still = tuple(one for one in calendars if one.freeze or one.business_days)
    return _end_of(start, span, still) if still and timedelta() < span < _ENDLESS else open_ended


# What changed together has one start: a release of 2,000 packages asks one question.
@lru_cache(maxsize=4096)
def _end_of(start: datetime, span: timedelta, calendars: Sequence[Calendar]) -> datetime:
    at, left = start.astimezone(UTC), span
    while True:
        # The end of one calendar's still time may lie in another's.
        while resumed := [until for one in calendars if (until := one.frozen_until(at)) is not None]:
            at = max(resumed)
        stop = min(one.runs_until(at, at + left) for one in calendars)
        if stop - at >= left:
            return at + left
        left -= stop - at
        at = stop
