"""Lets drifts be because a person says so, and takes that back: one commit each, with their stories."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from detector.config.policy import Policy
from detector.engine.acceptance import (
    LONGEST,
    Acceptance,
    Binding,
    Until,
    accepted_by,
    bound_of,
    last_day,
    legible,
    subject_of,
)
from detector.engine.life import Ledger, Settled, let_be, taken_back
from detector.engine.rules import Match
from detector.errors import NotFoundError, UsageError
from detector.model.expressions import Now
from detector.model.records import Drift, Judged, Key
from detector.model.words import State
from detector.queries.comparison import Comparisons
from detector.store.audit import Audited
from detector.store.remembering import Remembered
from detector.store.store import Store


class StateError(UsageError):
    """What is asked for does not fit the state in which the drift or acceptance is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What somebody says of a difference that shall be let be."""

    reason: str
    author: str
    expires_at: datetime
    #: None: `worse` of dependencies, `changed` of the rest.
    until: Until | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A new acceptance, and how many open drifts it hides."""

    acceptance: Acceptance
    hides: int


#: Turns what was done into the answer that is remembered of it, in the same commit.
Remember = Callable[[Made], Remembered | None]


class Accepting:
    """Makes and ends acceptances. ``judging`` keeps judgements from the rows meanwhile."""

    def __init__(
        self,
        store: Store,
        comparisons: Comparisons,
        policy: Callable[[], Policy],
        new_id: Callable[[], str],
        judging: asyncio.Lock,
    ) -> None:
        self._store = store
        self._comparisons = comparisons
        self._policy = policy
        self._new_id = new_id
        self._judging = judging
        #: Told of every (comparison, service) to judge again: what an accepted cause covers follows it.
        self.on_change: Callable[[str, str], None] = lambda _comparison, _service: None

    async def drift(self, id: str, said: Said, *, now: datetime, remember: Remember = lambda _: None) -> Made:
        """Accept one drift as it is now. Raises NotFoundError, StateError where it is over, UsageError."""
        return await self.drifts((id,), said, now=now, remember=remember)

    async def drifts(
        self, ids: Sequence[str], said: Said, *, now: datetime, remember: Remember = lambda _: None
    ) -> Made:
        """Accept some drifts as they are now, all or none. Raises as `drift`."""
        check(said, now)
        async with self._judging:
            rows = [await self._living(one) for one in dict.fromkeys(ids)]
            made = Made(acceptance=self._new(said, None, now), hides=len(rows))
            accepted = [
                (row, item) for part in _by_comparison(rows) for row, item in await self._seen(part, now)
            ]
            bindings = [
                _binding(made.acceptance, row.comparison, row.key, item, now) for row, item in accepted
            ]
            known = await self._store.accepted(comparisons={row.comparison for row in rows}, at=now)
            spent = [
                replace(one, ended_at=now, why=f"{said.author} accepted it anew")
                for row in rows
                for one in known.bindings.get((row.comparison, row.key), ())
                if one.ended_at is None
            ]
            items = [(row, item, one.until) for (row, item), one in zip(accepted, bindings, strict=True)]
            await self._store.accept(
                made.acceptance,
                bindings,
                settled=self._let_be(made.acceptance, items, now),
                ended=spent,
                audited=Audited(
                    at=now,
                    actor=said.author,
                    action="drift.accept",
                    target=rows[0].id if len(rows) == 1 else made.acceptance.id,
                    detail={
                        "acceptance": made.acceptance.id,
                        "reason": said.reason,
                        **({"drifts": [row.id for row in rows]} if len(rows) > 1 else {}),
                    },
                ),
                remembered=remember(made),
            )
        for comparison, service in {(row.comparison, row.key.service) for row in rows}:
            self.on_change(comparison, service)
        return made

    async def matching(
        self,
        match: Match,
        said: Said,
        *,
        later: bool,
        now: datetime,
        remember: Remember = lambda _: None,
    ) -> Made:
        """Accept all drift that a match describes now; with ``later`` also what comes to match it."""
        check(said, now)
        async with self._judging:
            open_now = [one for one in await self._drifting(now) if match.accepts(subject_of(one))]
            made = Made(acceptance=self._new(said, match if later else None, now), hides=len(open_now))
            if not open_now and not later:
                raise UsageError("nothing that is open matches: parity log lists what is")
            rows = await self._rows()
            bindings, items = [], []
            for one in open_now:
                item = one.document()
                binding = _binding(made.acceptance, one.comparison, one.key, item, now)
                bindings.append(binding)
                if (row := rows.get((one.comparison, one.key))) is not None:
                    items.append((row, item, binding.until))
            await self._store.accept(
                made.acceptance,
                bindings,
                settled=self._let_be(made.acceptance, items, now),
                audited=Audited(
                    at=now,
                    actor=said.author,
                    action="acceptance.make",
                    target=made.acceptance.id,
                    detail={"match": match.document(), "hides": made.hides, "reason": said.reason},
                ),
                remembered=remember(made),
            )
        for comparison, service in {(one.comparison, one.key.service) for one in open_now}:
            self.on_change(comparison, service)
        return made

    async def end(self, id: str, *, by: str, now: datetime) -> Acceptance:
        """Take an acceptance back: what it hid is open again. Raises NotFoundError, StateError."""
        async with self._judging:
            found = await self._store.acceptance(id)
            if found is None:
                raise NotFoundError("no acceptance has this id; parity accept --list shows them")
            if found.place is not None:
                raise StateError(f"it stands in {found.place}: take it out there")
            if found.ended_at is not None:
                raise StateError(f"it has ended: {found.why}")
            why = f"{by} took it back"
            rows = [row for row in await self._accepted_rows() if _accepted_by(row) == id]
            await self._store.end_acceptance(
                id,
                by=by,
                why=why,
                now=now,
                settled=self._taken_back(rows, by, found.ended(why), now),
                audited=Audited(at=now, actor=by, action="acceptance.end", target=id),
            )
        for comparison, service in {(row.comparison, row.key.service) for row in rows}:
            self.on_change(comparison, service)
        return replace(found, ended_at=now, ended_by=by, why=why)

    async def reopen(
        self,
        id: str,
        *,
        by: str,
        now: datetime,
        remember: Callable[[Drift], Remembered | None] = lambda _: None,
    ) -> Drift:
        """Open one accepted drift again, whatever else its acceptance holds for.

        Raises NotFoundError, StateError where it is not accepted or covered by what explains it.
        """
        async with self._judging:
            row = await self._living(id)
            if row.state != "accepted" or _accepted_by(row) is None:
                raise StateError(f"this drift is {row.state}, not accepted")
            if row.item["accepted"]["by_cause"]:
                raise StateError("it is accepted with what explains it: reopen that")
            why = f"{by} reopened it"
            acceptance = await self._store.acceptance(row.item["accepted"]["id"])
            known = (await self._store.accepted(comparisons=[row.comparison], at=now)).bindings
            ended = [
                replace(one, ended_at=now, why=why)
                for one in known.get((row.comparison, row.key), ())
                if one.ended_at is None
            ]
            note = acceptance.ended(why) if acceptance is not None else why
            settled = self._taken_back([row], by, note, now)
            reopened = settled.drifts[-1]
            await self._store.end_bindings(
                ended,
                settled=settled,
                audited=Audited(at=now, actor=by, action="drift.reopen", target=row.id),
                remembered=remember(reopened),
            )
        self.on_change(row.comparison, row.key.service)
        return reopened

    async def _living(self, id: str) -> Drift:
        row = await self._store.drift(id)
        if row is None:
            raise NotFoundError("no drift has this id; parity log lists what is open")
        if row.state not in ("pending", "open", "accepted"):
            where = f"{row.key.item} of {row.key.service} in {row.comparison}"
            raise StateError(f"{where} is {row.state}: there is nothing to accept or reopen")
        return row

    async def _seen(self, rows: Sequence[Drift], now: datetime) -> list[tuple[Drift, Mapping[str, Any]]]:
        """Return rows of one comparison, each with its item as it is now."""
        left, _, right = rows[0].comparison.partition("..")
        services = {row.key.service for row in rows}
        found = await self._now(left, right or left, services=services, now=now)
        seen = [(row, found.get((row.comparison, row.key))) for row in rows]
        # What cannot be seen now is accepted as it was last seen.
        return [
            (row, one.document() if one is not None and one.verdict in ("drift", "accepted") else row.item)
            for row, one in seen
        ]

    async def _now(
        self, left: str, right: str, *, now: datetime, services: Collection[str] | None = None
    ) -> dict[tuple[str, Key], Judged]:
        found = await self._comparisons.compare(
            Now(environment=left), Now(environment=right), now=now, services=services
        )
        return {(one.comparison, one.key): one for one in found.items}

    async def _drifting(self, now: datetime) -> list[Judged]:
        """Return all drift of now, in every comparison and every environment."""
        found: dict[tuple[str, Key], Judged] = {}
        for pair in self._policy().pairs:
            found |= await self._now(pair.left.name, pair.right.name, now=now)
        return [one for one in found.values() if one.verdict == "drift"]

    async def _rows(self) -> dict[tuple[str, Key], Drift]:
        rows = await self._store.register(states=("pending", "open"))
        return {(row.comparison, row.key): row for row in rows}

    async def _accepted_rows(self) -> list[Drift]:
        accepted: tuple[State, ...] = ("accepted",)
        return await self._store.register(states=accepted)

    def _new(self, said: Said, match: Match | None, now: datetime) -> Acceptance:
        return Acceptance(
            id=self._new_id(),
            match=match,
            reason=said.reason,
            author=said.author,
            created_at=now,
            expires_at=said.expires_at,
            until=said.until,
        )

    def _let_be(
        self, acceptance: Acceptance, items: Iterable[tuple[Drift, Mapping[str, Any], Until]], now: datetime
    ) -> Settled:
        ledger = self._ledger("", now)
        for row, item, until in items:
            let_be(row, item, accepted_by(acceptance, until, acceptance.expires_at or now), ledger)
        return ledger.settled()

    def _taken_back(self, rows: Sequence[Drift], by: str, note: str, now: datetime) -> Settled:
        parts = [
            taken_back(part, self._ledger(part[0].comparison, now), actor=by, note=note)
            for part in _by_comparison(rows)
        ]
        return Settled(
            drifts=tuple(row for part in parts for row in part.drifts),
            events=tuple(event for part in parts for event in part.events),
            owed=tuple(owed for part in parts for owed in part.owed),
        )

    def _ledger(self, comparison: str, now: datetime) -> Ledger:
        return Ledger(comparison=comparison, now=now, new_id=self._new_id, snapshots={})


def check(said: Said, now: datetime) -> None:
    """Raise UsageError for an acceptance that nobody may make: over already, or for too long."""
    if said.expires_at <= now:
        raise UsageError(f"its last day {last_day(said.expires_at)} is over: give one in the future")
    if said.expires_at - now > LONGEST:
        raise UsageError("at most two years: give a day on which somebody looks again")
    if not said.reason.strip():
        raise UsageError("a reason is a must: whoever finds this in half a year asks for it")
    if not legible(said.reason) or not legible(said.author):
        raise UsageError("a reason and its author are plain text: a control character is in them")


def _binding(
    acceptance: Acceptance, comparison: str, key: Key, item: Mapping[str, Any], now: datetime
) -> Binding:
    return Binding(
        acceptance=acceptance.id,
        comparison=comparison,
        key=key,
        until=acceptance.until_of(key.section),
        bound=bound_of(item),
        bound_at=now,
    )


def _by_comparison(rows: Iterable[Drift]) -> list[list[Drift]]:
    parts: dict[str, list[Drift]] = {}
    for row in rows:
        parts.setdefault(row.comparison, []).append(row)
    return list(parts.values())


def _accepted_by(row: Drift) -> str | None:
    by = row.item.get("accepted")
    return by["id"] if by else None
