"""The store: opening it, and all that it can be asked."""

from collections.abc import Mapping

from detector.store.acceptances import Acceptances
from detector.store.database import Database, to_the_end
from detector.store.deployments import Deployments
from detector.store.exporting import Exporting
from detector.store.history import History
from detector.store.interning import Interning
from detector.store.location import locate
from detector.store.milestones import Milestones
from detector.store.outbox import Outbox
from detector.store.pruning import Pruning
from detector.store.recording import Recording
from detector.store.register import Register
from detector.store.remembering import Remembering
from detector.store.renaming import Renaming
from detector.store.schema import bring_up_to_date, require_current
from detector.store.scores import Scores
from detector.store.snapshots import Snapshots
from detector.store.sources import Sources
from detector.store.streams import StreamReads
from detector.store.tokens import Tokens


class Store:
    """All that Parity keeps. Made by `open_store`.

    Every method raises StoreBusyError when the database is locked, full or gone for now, and StoreError when
    it refuses for good. What is read is one committed state, as frozen records.
    """

    def __init__(self, database: Database) -> None:  # noqa: PLR0915 - a line for each thing it can be asked
        self._database = database
        self.ready = database.ready
        interning = Interning()
        self._recording = Recording(database, interning)
        self._sources = Sources(database)

        self.record = self._recording.record
        self.record_again = self._recording.record_again
        self.record_run = self._sources.record_run
        self.sources = self._sources.sources

        streams = StreamReads(database, interning, self._recording.ahead)
        self.streams = streams.streams
        self.changed_seqs = streams.changed_seqs
        self.services = streams.services

        history = History(database, interning)
        self.history = history.history
        self.values_of = history.values_of
        self.timelines = history.timelines
        self.item_names = history.item_names
        self.items_named = history.items_named

        snapshots = Snapshots(database)
        self.snapshots = snapshots.snapshots
        self.snapshot = snapshots.snapshot
        self.latest_snapshots = snapshots.latest_snapshots

        register = Register(database)
        self.settle = register.settle
        self.judged_through = register.judged_through
        self.register = register.register
        self.drift = register.drift
        self.events_of = register.events_of

        deployments = Deployments(database)
        self.announce = deployments.announce
        self.deployments = deployments.deployments
        self.put_label = deployments.put_label
        self.label = deployments.label

        scores = Scores(database)
        self.score_marks = scores.score_marks
        self.newest_marks = scores.newest_marks
        acceptances = Acceptances(database)
        self.accept = acceptances.accept
        self.end_acceptance = acceptances.end_acceptance
        self.end_bindings = acceptances.end_bindings
        self.note_files = acceptances.note_files
        self.accepted = acceptances.accepted
        self.close_expired = acceptances.close_expired
        self.acceptances = acceptances.acceptances
        self.acceptance = acceptances.acceptance
        self.bindings = acceptances.bindings
        self.last_binding = acceptances.last_binding
        self.uses = acceptances.uses
        self.to_remind = acceptances.to_remind
        self.remind = acceptances.remind
        self.remembered = Remembering(database).remembered

        outbox = Outbox(database)
        self.lease_owed = outbox.lease_owed
        self.end_leases = outbox.end_leases
        self.mark_delivered = outbox.mark_delivered
        self.mark_failed = outbox.mark_failed
        self.message_handle = outbox.message_handle
        self.outbox_size = outbox.outbox_size
        self.backlog = outbox.backlog
        self.deliveries = outbox.deliveries

        self._renaming = Renaming(database)

        self.milestone = Milestones(database).milestone
        self.prune = Pruning(database).prune
        self.export = Exporting(database).export

        tokens = Tokens(database)
        self.add_token = tokens.add_token
        self.token = tokens.token
        self.tokens = tokens.tokens
        self.revoke_token = tokens.revoke_token

    @property
    def moved(self) -> tuple[int, int] | None:
        """How often what sources saw moved, and all else, since this store was opened: equal means the same.

        None where another process may write: nobody can tell without a look.
        """
        moved = self._database.moved
        return (moved["seen"], moved["said"]) if self._database.is_owned else None

    @to_the_end
    async def flush(self) -> int:
        """Write what only said again what is known, of all streams and sources, in one commit.

        Returns how many streams it wrote. Nothing is lost when it fails: the next flush writes it.
        """
        if not (self._recording.ahead() or self._sources.waiting()):
            return 0
        async with self._database.write(moves="nothing") as connection:
            streams = await self._recording.write_touched(connection)
            runs = await self._sources.write_runs(connection)
        self._recording.written(streams)
        self._sources.written(runs)
        return len(streams)

    @to_the_end
    async def rename(self, names: Mapping[str, str]) -> list[str]:
        """Give all that is known of services to their present names: streams, history and drifts.

        ``names`` are former -> present; each is one commit. Returns those that something was known under.
        """
        await self.flush()
        known = await self._renaming.known()
        moved = [former for former in names if former in known]
        for former in moved:
            await self._renaming.rename(former, names[former])
            self._recording.forget(former, names[former])
            self._database.moved["seen"] += 1
        return moved

    async def close(self) -> None:
        """Finish what is under way, flush, and let another process own the database."""
        try:
            await self._database.finished()
            await self.flush()
        finally:
            await self._database.close()


async def open_store(url: str, *, create: bool = True, read_only: bool = False) -> Store:
    """Open a store, made or brought up to date where needed.

    One process owns a database; any number may open it ``read_only`` beside it. Raises StoreInUseError,
    StoreSchemaError for a newer, foreign or damaged one, StoreError where it is missing (without ``create``)
    or cannot be written, UsageError for a URL of another kind.
    """
    location = locate(url)
    location.require(may_make=create and not read_only)
    database = Database(location, None if read_only else await location.own())
    try:
        await (require_current if read_only else bring_up_to_date)(location)
        await database.connect()
    except BaseException:
        await database.close()
        raise
    return Store(database)
