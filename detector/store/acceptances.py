"""Acceptances: what people let be, what it is bound to, and how it ended."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, exists, func, insert, or_, select, update

from detector.engine.acceptance import EXPIRED, Acceptance, Accepted, Binding
from detector.engine.life import Settled
from detector.engine.rules import Match
from detector.model.records import Key, Owed
from detector.store import register_tables as r
from detector.store.audit import Audited, audit
from detector.store.bindings import bind, bindings_of, last_binding
from detector.store.database import Database, to_the_end
from detector.store.location import upsert
from detector.store.outbox import owe
from detector.store.register import write_drifts
from detector.store.remembering import Remembered, remember

_NOTHING: Final = Settled()


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """How much an acceptance holds for: now, and since it was made."""

    now: int
    ever: int
    #: When it last held for anything, where it does not now.
    last: datetime | None


class Acceptances:
    """Keeps who lets what be. Every change is one commit, with the story of the drifts it is about."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @to_the_end
    async def accept(
        self,
        acceptance: Acceptance,
        bindings: Sequence[Binding] = (),
        *,
        settled: Settled = _NOTHING,
        ended: Sequence[Binding] = (),
        audited: Audited | None = None,
        remembered: Remembered | None = None,
    ) -> None:
        """Keep a new acceptance with what it binds; ``ended`` are bindings that it takes the place of."""
        async with self._database.write() as connection:
            await connection.execute(insert(r.acceptance).values(_row(acceptance)))
            await bind(connection, [*ended, *bindings])
            await write_drifts(connection, settled.drifts, settled.events)
            await audit(connection, audited)
            await remember(connection, remembered)

    @to_the_end
    async def end_acceptance(
        self,
        id: str,
        *,
        by: str,
        why: str,
        now: datetime,
        settled: Settled = _NOTHING,
        audited: Audited | None = None,
    ) -> bool:
        """End an acceptance with all that it is bound to. Returns whether it had not ended before."""
        open_binding = r.acceptance_binding.c.ended_at.is_(None)
        async with self._database.write() as connection:
            done = await connection.execute(
                update(r.acceptance)
                .where(r.acceptance.c.id == id, r.acceptance.c.ended_at.is_(None))
                .values(ended_at=now, ended_by=by, why=why)
            )
            if not done.rowcount:
                return False
            await connection.execute(
                update(r.acceptance_binding)
                .where(r.acceptance_binding.c.acceptance == id, open_binding)
                .values(ended_at=now, why=why)
            )
            await write_drifts(connection, settled.drifts, settled.events)
            await owe(connection, settled.owed)
            await audit(connection, audited)
        return True

    @to_the_end
    async def end_bindings(
        self,
        bindings: Sequence[Binding],
        *,
        settled: Settled,
        audited: Audited | None = None,
        remembered: Remembered | None = None,
    ) -> None:
        """End what acceptances are bound to, item by item: of a wide one all else stays accepted."""
        async with self._database.write() as connection:
            await bind(connection, bindings)
            await write_drifts(connection, settled.drifts, settled.events)
            await owe(connection, settled.owed)
            await audit(connection, audited)
            await remember(connection, remembered)

    @to_the_end
    async def note_files(self, found: Sequence[Acceptance], now: datetime) -> None:
        """Keep the acceptances of the files, so that what they bind outlives a restart.

        One that is no longer in a file ends. One that only moved to another line stays the same.
        """
        there = {one.id: one for one in found if one.expires_at is not None and one.expires_at > now}
        async with self._database.read() as connection:
            query = select(r.acceptance).where(r.acceptance.c.place.is_not(None))
            known = {row.id: row for row in await connection.execute(query)}
        changed: dict[str, dict[str, Any]] = {}
        for name, row in known.items():
            one = there.get(name)
            if one is None and row.ended_at is None and row.expires_at > now:
                file = row.place.rpartition(":")[0]
                changed[name] = {"ended_at": now, "ended_by": "parity", "why": f"it is no longer in {file}"}
            elif one is not None and (row.ended_at is not None or row.place != one.place):
                changed[name] = {"ended_at": None, "ended_by": None, "why": None, "place": one.place}
        new = [_row(one) | {"created_at": now} for name, one in there.items() if name not in known]
        if not (changed or new):
            return
        async with self._database.write() as connection:
            for values in new:
                statement = upsert(connection, r.acceptance).values(values)
                await connection.execute(statement.on_conflict_do_nothing())
            for name, values in changed.items():
                await connection.execute(update(r.acceptance).where(r.acceptance.c.id == name).values(values))

    @to_the_end
    async def close_expired(self, now: datetime) -> int:
        """End acceptances whose time is up and that hold for nothing any more. Returns how many."""
        held = exists().where(
            r.acceptance_binding.c.acceptance == r.acceptance.c.id,
            r.acceptance_binding.c.ended_at.is_(None),
        )
        over = (r.acceptance.c.ended_at.is_(None), r.acceptance.c.expires_at <= now, ~held)
        async with self._database.read() as connection:
            if (await connection.execute(select(r.acceptance.c.id).where(*over).limit(1))).first() is None:
                return 0
        ending = {"ended_at": r.acceptance.c.expires_at, "ended_by": "parity", "why": EXPIRED}
        async with self._database.write() as connection:
            done = await connection.execute(update(r.acceptance).where(*over).values(ending))
        return done.rowcount

    async def accepted(
        self, *, comparisons: Collection[str], services: Collection[str] | None = None, at: datetime
    ) -> Accepted:
        """Return all that was accepted at a time in some comparisons, and what ran out since."""
        query = select(r.acceptance).where(
            r.acceptance.c.created_at <= at,
            or_(r.acceptance.c.ended_at.is_(None), r.acceptance.c.ended_at > at),
        )
        async with self._database.read() as connection:
            found = {row.id: _acceptance(row) for row in await connection.execute(query)}
            if not found:
                return Accepted()
            bindings = await bindings_of(
                connection, acceptances=found, comparisons=comparisons, services=services
            )
        return Accepted(acceptances=found, bindings=bindings)

    async def acceptances(self, *, ended: bool | None = None) -> list[Acceptance]:
        """Return acceptances, newest first: all, those that ended, or those that did not."""
        query = select(r.acceptance).order_by(r.acceptance.c.created_at.desc(), r.acceptance.c.id.desc())
        if ended is not None:
            over = r.acceptance.c.ended_at.is_not(None)
            query = query.where(over if ended else ~over)
        async with self._database.read() as connection:
            return [_acceptance(row) for row in await connection.execute(query)]

    async def acceptance(self, id: str) -> Acceptance | None:
        """Return one acceptance, also one that ended."""
        async with self._database.read() as connection:
            row = (
                await connection.execute(select(r.acceptance).where(r.acceptance.c.id == id))
            ).one_or_none()
        return None if row is None else _acceptance(row)

    async def last_binding(self, comparison: str, key: Key, *, at: datetime) -> Binding | None:
        """Return what the newest acceptance of one item up to a time is, or was, bound to."""
        async with self._database.read() as connection:
            return await last_binding(connection, comparison, key, at=at)

    async def bindings(self, acceptances: Collection[str]) -> dict[tuple[Any, ...], list[Binding]]:
        """Return what acceptances are or were bound to."""
        async with self._database.read() as connection:
            return dict(await bindings_of(connection, acceptances=acceptances))

    async def uses(self) -> dict[str, Use]:
        """Return how much each acceptance that ever held for anything holds for."""
        b = r.acceptance_binding.c
        query = select(b.acceptance, func.count(), func.count(b.ended_at), func.max(b.ended_at)).group_by(
            b.acceptance
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return {name: Use(now=ever - over, ever=ever, last=last) for name, ever, over, last in rows}

    async def to_remind(self, *, now: datetime, before: datetime) -> list[tuple[Acceptance, int | None]]:
        """Return what ends between two times, each with the days at which its owners were last told."""
        query = select(r.acceptance).where(
            r.acceptance.c.ended_at.is_(None),
            r.acceptance.c.expires_at > now,
            r.acceptance.c.expires_at <= before,
        )
        async with self._database.read() as connection:
            return [(_acceptance(row), row.reminded) for row in await connection.execute(query)]

    @to_the_end
    async def remind(self, days: Mapping[str, int], owed: Sequence[Owed]) -> None:
        """Owe reminders, and keep of each acceptance that it was told of so many days before its end."""
        async with self._database.write() as connection:
            for name, told in days.items():
                await connection.execute(
                    update(r.acceptance).where(r.acceptance.c.id == name).values(reminded=told)
                )
            await owe(connection, owed)


def _row(acceptance: Acceptance) -> dict[str, Any]:
    return {
        "id": acceptance.id,
        "scope": _scope(acceptance.match),
        "reason": acceptance.reason,
        "author": acceptance.author,
        "until": acceptance.until or "",
        "created_at": acceptance.created_at,
        "expires_at": acceptance.expires_at,
        "ended_at": acceptance.ended_at,
        "ended_by": acceptance.ended_by,
        "place": acceptance.place,
        "why": acceptance.why,
    }


def _scope(match: Match | None) -> dict[str, Any]:
    """Return a match as it is kept; empty for what holds for its bindings alone."""
    return {} if match is None else {"match": match.document()}


def _match(scope: Mapping[str, Any]) -> Match | None:
    if "match" not in scope:
        return None
    said: dict[str, Any] = {}
    for name, words in scope["match"].items():
        is_word = name in ("severity", "managed")
        said[name] = words if is_word else (words,) if isinstance(words, str) else tuple(words)
    return Match(**said)


def _acceptance(row: Row[Any]) -> Acceptance:
    return Acceptance(
        id=row.id,
        match=_match(row.scope),
        reason=row.reason,
        author=row.author,
        created_at=row.created_at,
        expires_at=row.expires_at,
        until=row.until or None,
        place=row.place,
        ended_at=row.ended_at,
        ended_by=row.ended_by,
        why=row.why,
    )
