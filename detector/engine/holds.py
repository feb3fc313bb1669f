"""What a hold is: a reason for which nobody is told yet of what every answer already says."""

from datetime import UTC, datetime
from typing import NamedTuple

from detector.model.words import Pending


class Hold(NamedTuple):
    """Why an alert waits, in words, and until when at most."""

    pending: Pending
    because: str
    until: datetime


def clock(at: datetime, now: datetime) -> str:
    """Return a time as people say it: ``14:02 UTC``, with its day where that is another one."""
    at = at.astimezone(UTC)
    same_day = at.date() == now.astimezone(UTC).date()
    return f"{at:%H:%M} UTC" if same_day else f"{at:%Y-%m-%d %H:%M} UTC"
