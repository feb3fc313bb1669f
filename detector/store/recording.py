"""Recording observations: a change is committed before it is acknowledged, no change costs nearly nothing."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from weakref import WeakValueDictionary

from sqlalchemy.ext.asyncio import AsyncConnection

from detector.model.canonical import observation_digest
from detector.model.facts import Observation
from detector.model.records import Recorded
from detector.store import writing
from detector.store.changing import Change, write_changes
from detector.store.columns import micros, moment
from detector.store.database import Database, to_the_end
from detector.store.grouping import Group
from detector.store.interning import Interning
from detector.store.memory import Known, StreamKey, Streams, load
from detector.store.ring import Entry, Place, place, put
from detector.store.saying import Arrival


class Recording:
    """Writes observations in their order, whatever the order they arrive in."""

    def __init__(self, database: Database, interning: Interning) -> None:
        self._database = database
        self._interning = interning
        self._turns: WeakValueDictionary[StreamKey, asyncio.Lock] = WeakValueDictionary()
        self._streams = Streams()
        self._changes: Group[Change, Known] = Group(self._commit)
        #: Observations whose commit failed: it may have come about all the same.
        self._doubtful: dict[StreamKey, Entry] = {}
        #: Streams of which it had, while whoever asked was told of a failure.
        self._unheard: set[StreamKey] = set()

    @to_the_end
    async def record(
        self, observation: Observation, *, received_at: datetime, scheduled: bool, wording: bytes = b""
    ) -> Recorded:
        """Record what a source saw, and return what became of it.

        ``scheduled`` says that the source will be asked again: a great loss is then held until it is seen
        twice. ``wording`` is a digest of the text that said it, for `record_again`. A change is committed
        when this returns; what is unchanged is written by the next `flush`. Raises StoreError. A caller that
        is cancelled leaves no half of it: the commit goes on.
        """
        key = StreamKey.of(observation)
        digest = bytes.fromhex(observation_digest(observation.sections))
        async with self._turn(key):
            known = await self._known(key)
            entry = Entry(micros(min(observation.observed_at, received_at)), digest, scheduled)
            where = place(known.ring if known else (), entry)
            if known and (
                where.kind in {"known", "outweighed", "too_old"}
                or _unchanged(known, entry, where, observation)
            ):
                return self._without_commit(key, known, entry, where, wording)
            arrival = Arrival(observation=observation, received_at=received_at, entry=entry, where=where)
            after = await self._changes.commit(Change(known=known, arrival=arrival, wording=wording))
        return Recorded(
            changed=known is None or after.changed_seq != known.changed_seq or self._came_about(key),
            digest=digest.hex(),
            snapshot=after.changed_number,
            late=where.index < len(known.ring) - (where.kind == "instead") if known else False,
            instead=where.kind == "instead",
            held=bool(after.settled.held),
            seq=after.changed_seq,
            at=moment(entry.at),
        )

    async def record_again(
        self,
        stream: StreamKey,
        *,
        digest: str | None = None,
        wording: bytes | None = None,
        observed_at: datetime,
        received_at: datetime,
        scheduled: bool,
    ) -> Recorded | None:
        """Record that a stream still is as its newest observation said: by its ``digest``, or by the
        ``wording`` that brought it.

        Returns None where the whole observation is needed: the stream is new, has another digest, or holds
        items back.
        """
        at = micros(min(observed_at, received_at))

        def again(known: Known | None) -> Recorded | None:
            if known is None or known.settled.held:
                return None
            newest = known.ring[-1].digest
            if newest.hex() != digest and (not wording or known.wording != wording):
                return None
            entry = Entry(at, newest, scheduled)
            where = place(known.ring, entry)
            if where.kind in {"between", "instead"}:
                return None
            return self._without_commit(stream, known, entry, where, known.wording)

        turn = self._turns.get(stream)
        if (turn is None or not turn.locked()) and stream not in self._doubtful:
            at_hand = self._streams.get(stream)
            if at_hand is not None:
                return again(at_hand)
        async with self._turn(stream):
            return again(await self._known(stream))

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
        self, key: StreamKey, known: Known, entry: Entry, where: Place, wording: bytes
    ) -> Recorded:
        if where.kind == "next":
            known = known.seen(put(known.ring, entry, where), late=known.late, wording=wording)
            self._streams.touch(key, known)
        elif where.kind == "too_old":
            known = known.seen(known.ring, late=known.late + 1, wording=known.wording)
            self._streams.touch(key, known)
        if where.kind in {"next", "too_old"}:
            self._database.moved["seen"] += 1
        return Recorded(
            changed=self._came_about(key),
            digest=entry.digest.hex(),
            snapshot=known.changed_number,
            late=where.kind == "too_old",
            replayed=where.kind == "known",
            held=bool(known.settled.held),
            seq=known.changed_seq,
            at=moment(entry.at),
        )

    async def _commit(self, take: Callable[[], list[Change]]) -> Sequence[Known]:
        """Write changes in one transaction. What memory holds follows at once: nothing comes between."""
        changes: list[Change] = []
        try:
            async with self._database.write(moves="seen") as connection:
                changes = take()
                after = await write_changes(connection, self._interning, changes)
        except BaseException:
            self._interning.forget()
            self._doubtful.update((change.stream, change.arrival.entry) for change in changes)
            raise
        self._interning.remember()
        for change, known in zip(changes, after, strict=True):
            self._streams.put(change.stream, known)
            self._streams.touched.pop(known.id, None)
            # It failed together with others, and came about alone.
            self._doubtful.pop(change.stream, None)
        return after

    async def _known(self, key: StreamKey) -> Known | None:
        known = self._streams.get(key)
        doubtful = self._doubtful.get(key)
        if known is None or doubtful is not None:
            async with self._database.read() as connection:
                stored = await load(connection, self._interning, key)
            if stored is not None and (known is None or doubtful in stored.ring):
                known = stored
                self._streams.put(key, known)
            if stored is not None and doubtful in stored.ring:
                self._unheard.add(key)
            self._doubtful.pop(key, None)
        return known

    def _came_about(self, key: StreamKey) -> bool:
        """Tell, once, whether a commit that seemed to fail changed something: nobody has judged it yet."""
        unheard = key in self._unheard
        self._unheard.discard(key)
        return unheard

    def _turn(self, key: StreamKey) -> asyncio.Lock:
        """Return the lock that lets one observation of a stream be recorded after the other."""
        return self._turns.setdefault(key, asyncio.Lock())


def _unchanged(known: Known, entry: Entry, where: Place, observation: Observation) -> bool:
    """Tell whether an observation only says again what the newest one said."""
    return (
        where.kind == "next"
        and known.ring[-1].digest == entry.digest
        and not known.settled.held
        and known.component_kind == observation.component_kind
    )
