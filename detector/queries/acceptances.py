"""What is accepted: open, ended and unused, with how much each acceptance holds for."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from detector.config.policy import Policy
from detector.engine.acceptance import Acceptance, last_day
from detector.model.clock import print_time
from detector.store.acceptances import Use
from detector.store.store import Store

#: What held for nothing so long is no use any more.
UNUSED_AFTER: Final = timedelta(days=30)
_NEVER: Final = Use(now=0, ever=0, last=None)

Standing = Literal["in_force", "expired", "ended"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedList:
    """Answers who lets what be."""

    store: Store
    policy: Callable[[], Policy]

    async def documents(self, *, now: datetime, ended: bool = False) -> list[dict[str, Any]]:
        """Return acceptances, newest first: those in force or whose time is up, or those that ended."""
        known = {one.id: one for one in await self.store.acceptances(ended=ended)}
        files = {one.id: one for one in self.policy().accepted}
        uses = await self.store.uses()
        found = [
            replace(one, place=files[one.id].place) if one.id in files else one for one in known.values()
        ]
        if not ended:
            over = {one.id for one in await self.store.acceptances(ended=True)} if files else set()
            found += [one for one in files.values() if one.id not in known and one.id not in over]
        return [document(one, uses.get(one.id, _NEVER), now=now) for one in found]

    async def document(self, acceptance: Acceptance, *, now: datetime) -> dict[str, Any]:
        """Return one acceptance."""
        return document(acceptance, (await self.store.uses()).get(acceptance.id, _NEVER), now=now)

    async def sentence(self, id: str | None) -> str | None:
        """Return what an acceptance let be, until when, by whom and why; None where there is none."""
        found = await self.store.acceptance(id) if id is not None else None
        if found is None or found.expires_at is None:
            return None
        count = (await self.store.uses()).get(found.id, _NEVER).ever
        many = "1 difference" if count == 1 else f"{count} differences"
        return f"{many} accepted until {last_day(found.expires_at)} by {found.author}: {found.reason}"


def document(acceptance: Acceptance, use: Use, *, now: datetime) -> dict[str, Any]:
    """Return an acceptance as JSON shows it."""
    standing = _standing(acceptance, now)
    since = use.last or acceptance.created_at
    return {
        "id": acceptance.id,
        "name": acceptance.name,
        "match": acceptance.match.document() if acceptance.match is not None else None,
        "reason": acceptance.reason,
        "author": acceptance.author,
        "until": acceptance.until,
        "created_at": _time(acceptance.created_at),
        "expires_at": _time(acceptance.expires_at),
        "state": standing,
        "ended_at": _time(acceptance.ended_at),
        "ended_by": acceptance.ended_by,
        "why": acceptance.why,
        "place": acceptance.place,
        "holds_for": use.now,
        "held_for": use.ever,
        "unused": standing == "in_force"
        and use.now == 0
        and since is not None
        and now - since >= UNUSED_AFTER,
    }


def _standing(acceptance: Acceptance, now: datetime) -> Standing:
    if acceptance.ended_at is not None:
        return "ended"
    over = acceptance.expires_at is None or acceptance.expires_at <= now
    return "expired" if over else "in_force"


def _time(at: datetime | None) -> str | None:
    return print_time(at) if at is not None else None
