"""Drops once a day what has been over for longer than it is kept, unless the clock cannot be trusted."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from detector.config.models import Retention
from detector.store.pruning import Pruned
from detector.store.store import Store

#: How often it is done, and how long after a start first.
PRUNE: Final = timedelta(days=1)
PRUNE_FIRST: Final = timedelta(minutes=10)
#: More than this the wall clock may not have moved against the one that cannot jump.
TRUSTED: Final = timedelta(hours=1)


class Prune:
    """Keeps the retention that the configuration asks for."""

    def __init__(
        self,
        store: Store,
        retention: Callable[[], Retention],
        *,
        clock: Callable[[], float] = time.monotonic,
        now: datetime | None = None,
    ) -> None:
        self._store = store
        self._retention = retention
        self._clock = clock
        #: The wall clock and the one that cannot jump, at one moment.
        self._anchor = (now or datetime.now(UTC), clock())
        self._log = structlog.get_logger("parity.prune")

    async def run(self, now: datetime) -> Pruned | None:
        """Drop what is due, and return what that was; None where the clock jumped since the last run.

        A clock that stays where it jumped to is believed the next time. Raises StoreError.
        """
        then, ticks = self._anchor
        moved = now - then - timedelta(seconds=self._clock() - ticks)
        self._anchor = (now, self._clock())
        if abs(moved) > TRUSTED:
            self._log.warning("not pruned: the clock jumped", seconds=round(moved.total_seconds()))
            return None
        done = await self.now(now)
        if done.rows:
            self._log.info("pruned", **done.rows, more=done.more)
        return done

    async def now(self, now: datetime, *, dry_run: bool = False) -> Pruned:
        """Drop what is due because a person asks for it, or count it. Raises StoreError."""
        kept = self._retention()
        return await self._store.prune(now=now, history=kept.history, messages=kept.messages, dry_run=dry_run)
