"""What observations change: settled, numbered and written, many in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from detector.store import writing
from detector.store.backdating import Rewriting, rewrite, rewrite_unsaid, rewriting
from detector.store.fold import Settled, settle
from detector.store.interning import Interning
from detector.store.memory import Known, StreamKey
from detector.store.past import COVERAGE, FACTS
from detector.store.ring import put
from detector.store.rows import Rows, delta, facts_delta
from detector.store.saying import Arrival, intern, say


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An observation that may change its stream, and the stream as it is.

    ``wording`` is a digest of the text that brought it, empty where there was none.
    """

    known: Known | None
    arrival: Arrival
    wording: bytes

    @property
    def stream(self) -> StreamKey:
        """The stream."""
        return StreamKey.of(self.arrival.observation)


async def write_changes(
    connection: AsyncConnection, interning: Interning, changes: Sequence[Change]
) -> list[Known]:
    """Write changes, each of another stream. Returns the streams as they are then."""
    await intern(connection, interning, [change.arrival.observation for change in changes])
    numbers, rows = writing.Numbers(connection), Rows()
    after = [await _write(connection, interning, change, numbers, rows) for change in changes]
    await rows.write(connection)
    return after


async def _write(
    connection: AsyncConnection,
    interning: Interning,
    change: Change,
    numbers: writing.Numbers,
    rows: Rows,
) -> Known:
    """Settle one change and write what is its alone; what is like that of others goes into ``rows``."""
    known, arrival = change.known, change.arrival
    observation, entry, where = arrival.observation, arrival.entry, arrival.where
    ring = known.ring if known else ()
    before = known.settled if known else Settled()
    newest = where.index == len(ring) - (where.kind == "instead")
    renewed = known is None or (newest and known.component_kind != observation.component_kind)
    if known is None or renewed:
        stream, environment = await writing.ensure_stream(connection, observation)
    else:
        stream, environment = known.id, known.environment
    plan: Rewriting | None = None
    if known is not None and where.kind != "next":
        plan = await rewriting(connection, interning, known, arrival)
        after = plan.settled
    else:
        said = await say(connection, interning, observation, before.facts.values())
        twice = bool(ring) and ring[-1].digest == entry.digest
        after = settle(before, said, may_hold=entry.scheduled and not twice)
    facts = facts_delta(before.facts, after.facts)
    coverage = delta(before.coverage, after.coverage)
    put_in = put(ring, entry, where)
    now = Known(
        id=stream,
        environment=environment,
        component_kind=observation.component_kind if newest or known is None else known.component_kind,
        ring=put_in,
        settled=after,
        changed_seq=known.changed_seq if known else 0,
        changed_number=known.changed_number if known else 0,
        late=known.late if known else 0,
        wording=change.wording if put_in[-1] == entry else known.wording if known else b"",
    )
    if renewed or facts or coverage or plan or before.held != after.held:
        seq, number = await numbers.next(environment)
        now = replace(now, changed_seq=seq, changed_number=number)
        rows.snapshot(now, facts, at=entry.at, received_at=arrival.received_at, backdated=not newest)
    if plan is not None:
        await rewrite(connection, stream, plan, seq=now.changed_seq)
        await rewrite_unsaid(connection, stream, plan)
    else:
        rows.delta(FACTS, stream, facts, at=entry.at, seq=now.changed_seq)
        rows.delta(COVERAGE, stream, coverage, at=entry.at, seq=now.changed_seq)
        if not before.says_like(after):
            await writing.write_unsaid(connection, now, since=entry.at)
    rows.state(now)
    return now
