"""Recording observations: a change is committed before it is acknowledged, no change costs nearly nothing."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from weakref import WeakValueDictionary

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from detector.model.canonical import observation_digest
from detector.model.facts import Observation
from detector.model.records import Recorded
from detector.model.words import Traffic
from detector.store import writing
from detector.store.backdating import Rewriting, rewrite, rewrite_unsaid, rewriting
from detector.store.columns import micros, moment
from detector.store.database import Database, to_the_end
from detector.store.fold import Settled, flat, settle
from detector.store.interning import Interning
from detector.store.memory import Known, StreamKey, Streams, load, unsaid_document
from detector.store.past import COVERAGE, FACTS
from detector.store.ring import Entry, Place, place, put
from detector.store.saying import Arrival, say


class Recording:
    """Writes observations in their order, whatever the order they arrive in."""

    def __init__(self, database: Database, interning: Interning) -> None:
        self._database = database
        self._interning = interning
        self._turns: WeakValueDictionary[StreamKey, asyncio.Lock] = WeakValueDictionary()
        self._streams = Streams()
        #: Observations whose commit failed: it may have come about all the same.
        self._doubtful: dict[StreamKey, Entry] = {}

    @to_the_end
    async def record(self, observation: Observation, *, received_at: datetime, scheduled: bool) -> Recorded:
        """Record what a source saw, and return what became of it.

        ``scheduled`` says that the source will be asked again: a great loss is then held until it is seen
        twice. A change is committed when this returns; what is unchanged is written by the next `flush`.
        Raises StoreError. A caller that is cancelled leaves no half of it: the commit goes on.
        """
        key = StreamKey.of(observation)
        text = _text_digest(observation)
        async with self._turn(key):
            known = await self._known(key)
            if known is not None and text and known.text == text:
                digest = known.ring[-1].digest
            else:
                digest = bytes.fromhex(observation_digest(observation.sections))
            entry = Entry(micros(min(observation.observed_at, received_at)), digest, scheduled)
            where = place(known.ring if known else (), entry)
            if known and (
                where.kind in {"known", "outweighed", "too_old"}
                or _unchanged(known, entry, where, observation)
            ):
                return self._without_commit(key, known, entry, where, text)
            arrival = Arrival(observation=observation, received_at=received_at, entry=entry, where=where)
            try:
                async with self._database.write(moves="seen") as connection:
                    after = await self._commit(connection, known, arrival)
            except BaseException:
                self._interning.forget()
                self._doubtful[key] = entry
                raise
            self._interning.remember()
            self._streams.put(key, replace(after, text=text if after.ring[-1] == entry else b""))
            self._streams.touched.pop(after.id, None)
        return Recorded(
            changed=known is None or after.changed_seq != known.changed_seq,
            digest=digest.hex(),
            snapshot=after.changed_number,
            late=where.index < len(known.ring) - (where.kind == "instead") if known else False,
            instead=where.kind == "instead",
            held=bool(after.settled.held),
            seq=after.changed_seq,
            at=moment(entry.at),
        )

    async def record_again(  # noqa: PLR0913 - one parameter for each part of a stream's name
        self,
        environment: str,
        service: str,
        component: str,
        source: str,
        *,
        digest: str,
        observed_at: datetime,
        received_at: datetime,
        scheduled: bool,
        traffic: Traffic = "live",
    ) -> Recorded | None:
        """Record that a stream still is as its newest observation said, by the digest of that alone.

        Returns None where the whole observation is needed: the stream is new, has another digest, or holds
        items back.
        """
        key = StreamKey(environment, service, component, source, traffic)
        async with self._turn(key):
            known = await self._known(key)
            if known is None or known.ring[-1].digest.hex() != digest or known.settled.held:
                return None
            entry = Entry(micros(min(observed_at, received_at)), known.ring[-1].digest, scheduled)
            where = place(known.ring, entry)
            if where.kind in {"between", "instead"}:
                return None
            return self._without_commit(key, known, entry, where, known.text)

    async def write_touched(self, connection: AsyncConnection) -> list[Known]:
        """Write the rows of all streams that were seen again; `written` takes them after the commit."""
        streams = list(self.ahead().values())
        if streams:
            await writing.write_rings(connection, streams)
        return streams

    def written(self, streams: list[Known]) -> None:
        """Forget which streams wait for a flush, unless they were seen once more meanwhile."""
        for known in streams:
            key = self._streams.touched.get(known.id)
            if key is not None and self._streams.get(key) is known:
                del self._streams.touched[known.id]

    def forget(self, *services: str) -> None:
        """Forget the streams of services: they are read again before the next is written."""
        self._streams.forget(services)

    def ahead(self) -> Mapping[int, Known]:
        """Return the streams whose rings in memory are ahead of the database."""
        found = ((id_, self._streams.get(key)) for id_, key in self._streams.touched.items())
        return {id_: known for id_, known in found if known is not None}

    def _without_commit(
        self, key: StreamKey, known: Known, entry: Entry, where: Place, text: bytes
    ) -> Recorded:
        if where.kind == "next":
            known = replace(known, ring=put(known.ring, entry, where), text=text)
        elif where.kind == "too_old":
            known = replace(known, late=known.late + 1)
        if where.kind in {"next", "too_old"}:
            self._streams.touched[known.id] = key
            self._streams.put(key, known)
            self._database.moved["seen"] += 1
        return Recorded(
            changed=False,
            digest=entry.digest.hex(),
            snapshot=known.changed_number,
            late=where.kind == "too_old",
            replayed=where.kind == "known",
            held=bool(known.settled.held),
            seq=known.changed_seq,
            at=moment(entry.at),
        )

    async def _commit(self, connection: AsyncConnection, known: Known | None, arrival: Arrival) -> Known:
        observation, entry, where = arrival.observation, arrival.entry, arrival.where
        ring = known.ring if known else ()
        before = known.settled if known else Settled()
        newest = where.index == len(ring) - (where.kind == "instead")
        renewed = known is None or (newest and known.component_kind != observation.component_kind)
        stream = known.id if known and not renewed else await writing.ensure_stream(connection, observation)
        plan: Rewriting | None = None
        if known is not None and where.kind != "next":
            plan = await rewriting(connection, self._interning, known, arrival)
            after = plan.settled
        else:
            said, _ = await say(connection, self._interning, observation, flat(before.facts))
            twice = bool(ring) and ring[-1].digest == entry.digest
            after = settle(before, said, may_hold=entry.scheduled and not twice)
        facts, coverage = (
            writing.delta(flat(before.facts), flat(after.facts)),
            writing.delta(before.coverage, after.coverage),
        )
        seq, number = (known.changed_seq, known.changed_number) if known else (0, 0)
        if renewed or facts or coverage or plan or before.held != after.held:
            seq, number = await writing.write_snapshot(
                connection, stream, facts, at=entry.at, received_at=arrival.received_at, backdated=not newest
            )
        if plan is not None:
            await rewrite(connection, stream, plan, seq=seq)
        else:
            await writing.write_delta(connection, FACTS, stream, facts, at=entry.at, seq=seq)
            await writing.write_delta(connection, COVERAGE, stream, coverage, at=entry.at, seq=seq)
        now = Known(
            id=stream,
            component_kind=observation.component_kind if newest or known is None else known.component_kind,
            ring=put(ring, entry, where),
            settled=after,
            changed_seq=seq,
            changed_number=number,
            late=known.late if known else 0,
        )
        if plan is not None:
            await rewrite_unsaid(connection, stream, plan)
        elif unsaid_document(before) != unsaid_document(after):
            await writing.write_unsaid(connection, now, since=entry.at)
        await writing.write_state(connection, now)
        return now

    async def _known(self, key: StreamKey) -> Known | None:
        known = self._streams.get(key)
        doubtful = self._doubtful.get(key)
        if known is None or doubtful is not None:
            async with self._database.read() as connection:
                stored = await load(connection, self._interning, key)
            if stored is not None and (known is None or doubtful in stored.ring):
                known = stored
                self._streams.put(key, known)
            self._doubtful.pop(key, None)
        return known

    def _turn(self, key: StreamKey) -> asyncio.Lock:
        """Return the lock that lets one observation of a stream be recorded after the other."""
        return self._turns.setdefault(key, asyncio.Lock())


def _text_digest(observation: Observation) -> bytes:
    """Return a digest of what was seen as it is written: equal ones spare the canonical form."""
    try:
        return sha256(orjson.dumps(observation.sections, option=orjson.OPT_SORT_KEYS)).digest()
    except TypeError:  # a mapping of a kind that JSON does not know
        return b""


def _unchanged(known: Known, entry: Entry, where: Place, observation: Observation) -> bool:
    """Tell whether an observation only says again what the newest one said."""
    return (
        where.kind == "next"
        and known.ring[-1].digest == entry.digest
        and not known.settled.held
        and known.component_kind == observation.component_kind
    )
