"""The wall clock may be set: what is done each second neither waits for hours nor makes up for them."""

from datetime import datetime, timedelta
from typing import Final

from apscheduler.triggers.base import BaseTrigger

#: What is less is the work of a time service, or a process that was stopped for a moment.
_LEAST: Final = timedelta(minutes=1)


class Clock:
    """Notices that the wall clock was set."""

    def __init__(self) -> None:
        self._began: datetime | None = None

    def set_by(self, now: datetime, seconds: float) -> timedelta:
        """Return by how much the wall clock was set since the last call; nothing where it only went on.

        ``seconds`` are those of a clock that cannot be set.
        """
        began = now - timedelta(seconds=seconds)
        by = began - self._began if self._began is not None else timedelta()
        self._began = began
        return by if abs(by) >= _LEAST else timedelta()


class Every(BaseTrigger):  # type: ignore[misc]
    """Fires at an interval. Its scheduler counts each time that was missed: here it is one, for any time."""

    def __init__(self, interval: timedelta) -> None:
        self.interval = interval

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """Return the next time after ``now``, in step with the last one as long as that is near."""
        following = (previous_fire_time or now) + self.interval
        return following if following > now else now + self.interval
