"""Reminds owners of what is accepted before its end: a week and a day ahead, once each."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from detector.engine.acceptance import Acceptance
from detector.model.records import Owed
from detector.model.words import State
from detector.store.store import Store

#: How often the ends of acceptances are looked for.
REMIND: Final = timedelta(minutes=1)
#: Days before the end at which its owners hear of it.
DAYS: Final = (7, 1)


class Remind:
    """Owes reminders. What was said is kept with what is owed, so no restart says it twice."""

    def __init__(self, store: Store, new_id: Callable[[], str]) -> None:
        self._store = store
        self._new_id = new_id

    async def run(self, now: datetime) -> int:
        """Owe what is due now, and close what ran out. Returns how many conversations hear of it."""
        await self._store.close_expired(now)
        soon = await self._store.to_remind(now=now, before=now + timedelta(days=max(DAYS)))
        due = {
            acceptance.id: days
            for acceptance, told in soon
            if (days := stage(acceptance, now)) is not None and (told is None or days < told)
        }
        if not due:
            return 0
        accepted: tuple[State, ...] = ("accepted",)
        groups: dict[tuple[str, str], list[str]] = {}
        for row in await self._store.register(states=accepted):
            by = row.item.get("accepted")
            if by and by["id"] in due and not by["by_cause"]:
                groups.setdefault((row.comparison, row.owner or row.key.service), []).append(row.id)
        owed = [
            Owed(
                id=self._new_id(),
                comparison=comparison,
                owner=owner,
                created_at=now,
                event="reminder",
                drift_ids=tuple(ids),
            )
            for (comparison, owner), ids in groups.items()
        ]
        await self._store.remind(due, owed)
        return len(owed)


def stage(acceptance: Acceptance, now: datetime) -> int | None:
    """Return the days before its end at which an acceptance is now; None before the first of them.

    One that was made later than that, such as for three days, is not reminded of at that stage.
    """
    end, made = acceptance.expires_at, acceptance.created_at
    if end is None or made is None:
        return None
    stages = [
        days for days in DAYS if end - now <= timedelta(days=days) and made < end - timedelta(days=days)
    ]
    return min(stages, default=None)
