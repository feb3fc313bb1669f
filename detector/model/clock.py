"""Durations as people write them, and times as JSON shows them."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from detector.errors import UsageError

_DURATION: Final = re.compile(r"([0-9]{1,6})(s|m|h|d|w|y)")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}


def duration(text: str) -> timedelta:
    """Return the time that ``5s 15m 2h 3d 1w 2y`` says. Raises UsageError for anything else."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise UsageError("no duration; write a number and a unit, as in 5s 15m 2h 3d 1w 2y")
    return timedelta(seconds=int(match[1]) * _SECONDS[match[2]])


def print_duration(delta: timedelta) -> str:
    """Return a duration in the largest unit that fits: 41 days are ``41d``, 90 minutes ``1h``."""
    seconds = max(0, int(delta.total_seconds()))
    for unit in "dhm":
        if seconds >= _SECONDS[unit]:
            return f"{seconds // _SECONDS[unit]}{unit}"
    return f"{seconds}s"


def print_exactly(delta: timedelta) -> str:
    """Return a duration as it may stand in parity.yml, in the largest unit that divides it."""
    seconds = int(delta.total_seconds())
    for unit in "ydhm":
        if seconds and seconds % _SECONDS[unit] == 0:
            return f"{seconds // _SECONDS[unit]}{unit}"
    return f"{seconds}s"


def print_time(at: datetime) -> str:
    """Return a time as RFC 3339 in UTC, with milliseconds only where there are some."""
    at = at.astimezone(UTC)
    text = at.isoformat(timespec="milliseconds" if at.microsecond else "seconds")
    return text.replace("+00:00", "Z")
