"""The composition root: the only place that names concrete stores, notifiers and schedulers."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
from ulid import ULID

from detector import plugins
from detector.alerts.routing import Digest, Route, Routing
from detector.alerts.summary import summary_of
from detector.config.load import load
from detector.config.policy import Policy, policy_of
from detector.config.records import Config
from detector.errors import ConfigError, StoreError
from detector.jobs.accept import Accepting
from detector.jobs.collect import Collect
from detector.jobs.compare import Compare
from detector.jobs.deliver import Deliver
from detector.jobs.look import MOST_RUNS, MOST_THREADS, Host, Look
from detector.jobs.look_now import LookNow
from detector.jobs.prune import Prune
from detector.jobs.remind import Remind
from detector.jobs.schedule import Schedule
from detector.jobs.watch import Watch
from detector.model.expressions import Now
from detector.model.fingerprints import KEY_BYTES, Fingerprinter
from detector.notifier import Notifier
from detector.queries.acceptances import AcceptedList
from detector.queries.bom import Inventories
from detector.queries.comparison import Comparisons
from detector.queries.explaining import Explaining
from detector.queries.gating import Gate
from detector.queries.inventory import Inventory
from detector.queries.overview import Overview
from detector.queries.previewing import Previews
from detector.queries.promotion import Promotions
from detector.queries.report import Reports
from detector.queries.scores import Scores
from detector.queries.searching import Search
from detector.queries.sources import SourceStates
from detector.queries.views import Views
from detector.store.milestones import RESTORED
from detector.store.store import Store, open_store

KEY_FILE = "fingerprint.key"


class Settings:
    """The configuration in force: read by everything, replaced whole by a reload."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.policy = policy_of(config)
        #: Whether the last reload was taken over; its problems where it was not.
        self.reload_failed: ConfigError | None = None
        self.loaded_at = datetime.now(UTC)

    def reload(self, environ: Mapping[str, str]) -> None:
        """Read the file again. A bad one changes nothing and raises ConfigError."""
        try:
            config = load(self.config.path, environ)
        except ConfigError as error:
            self.reload_failed = error
            raise
        self.config, self.policy = config, policy_of(config)
        self.reload_failed = None
        self.loaded_at = datetime.now(UTC)

    def current_policy(self) -> Policy:
        """Return the policy in force now."""
        return self.policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Everything that answers questions; works beside a running service on a read-only store."""

    settings: Settings
    store: Store
    views: Views
    comparisons: Comparisons
    explaining: Explaining
    gate: Gate
    previews: Previews
    overview: Overview
    inventory: Inventory
    promotions: Promotions
    accepted: AcceptedList
    scores: Scores
    search: Search
    reports: Reports
    inventories: Inventories
    sources: SourceStates


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """Everything that does things, with everything that answers."""

    reading: Reading
    watch: Watch
    compare: Compare
    collect: Collect
    deliver: Deliver
    accepting: Accepting
    prune: Prune
    schedule: Schedule
    look_now: LookNow
    session: aiohttp.ClientSession

    def reload(self, environ: Mapping[str, str]) -> None:
        """Take over a changed configuration. Raises ConfigError and keeps the old one."""
        self.reading.settings.reload(environ)
        config = self.reading.settings.config
        self.schedule.replace(config.sources, now=datetime.now(UTC))
        self.deliver.hear(_routing(config), _notifiers(config, self.session))
        self.watch.reconsider()


@asynccontextmanager
async def reading(config: Config, *, read_only: bool = True) -> AsyncIterator[Reading]:
    """Open the store and wire what answers questions."""
    settings = Settings(config)
    if not read_only:
        _make_folder(config.data_dir)
    store = await open_store(config.database_url, create=not read_only, read_only=read_only)
    try:
        yield _reading(settings, store)
    finally:
        await store.close()


@asynccontextmanager
async def running(config: Config) -> AsyncIterator[Running]:
    """Open the store as its only writer and wire everything that does things. Nothing has started yet."""
    async with AsyncExitStack() as stack:
        here = await stack.enter_async_context(reading(config, read_only=False))
        host = await stack.enter_async_context(_host(config))
        collect = Collect(here.store, host)
        restored = await here.store.milestone(RESTORED)
        compare = Compare(here.store, here.comparisons, here.views, here.settings.current_policy, _new_id)
        deliver = Deliver(
            outbox=here.store,
            summaries=_Summaries(here),
            routing=_routing(config),
            notifiers=_notifiers(config, host.session),
            restored_at=restored.at if restored is not None else None,
        )
        schedule = Schedule()
        schedule.replace(config.sources, now=datetime.now(UTC))
        prune = Prune(here.store, lambda: here.settings.config.server.retention)
        watch = Watch(
            store=here.store,
            schedule=schedule,
            collect=collect,
            compare=compare,
            deliver=deliver,
            remind=Remind(here.store, _new_id),
            prune=prune,
        )
        accepting = Accepting(
            here.store, here.comparisons, here.settings.current_policy, _new_id, watch.judging
        )
        accepting.on_change = watch.look_at
        yield Running(
            reading=here,
            watch=watch,
            compare=compare,
            collect=collect,
            deliver=deliver,
            accepting=accepting,
            prune=prune,
            schedule=schedule,
            look_now=LookNow(watch),
            session=host.session,
        )


@asynccontextmanager
async def looking(config: Config) -> AsyncIterator[Look]:
    """Wire what runs sources without a store: nothing that is seen is kept."""
    async with _host(config) as host:
        yield Look(host)


@asynccontextmanager
async def _host(config: Config) -> AsyncIterator[Host]:
    pool = ThreadPoolExecutor(max_workers=MOST_THREADS, thread_name_prefix="collector")
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60), trust_env=False) as session:
            yield Host(
                session=session,
                fingerprinter=fingerprinter_of(config.data_dir),
                folder=config.folder,
                pool=pool,
                gate=asyncio.Semaphore(MOST_RUNS),
            )
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def fingerprinter_of(folder: Path) -> Fingerprinter:
    """Return the fingerprinter of this installation; its key is made at the first start, for its owner only.

    Raises StoreError where the key cannot be read or is damaged: a new one would blind every comparison.
    """
    _make_folder(folder)
    path = folder / KEY_FILE
    try:
        if not path.exists():
            _make_key(path)
        key = path.read_bytes()
    except OSError as error:
        why = error.strerror or "the system refused"
        raise StoreError(f"{path} cannot be used ({why}): give data_dir a folder of its own") from None
    if len(key) != KEY_BYTES:
        raise StoreError(f"{path} is damaged: restore it from a backup, or remove it to begin anew")
    return Fingerprinter(key)


def _make_key(path: Path) -> None:
    """Write a new key so that a crash leaves either none or a whole one, and a second process the first's."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(secrets.token_bytes(KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        why = error.strerror or "the system refused"
        raise StoreError(
            f"{folder} cannot be made ({why}): give data_dir or database_url another place"
        ) from None


def _reading(settings: Settings, store: Store) -> Reading:
    views = Views(store, settings.current_policy)
    comparisons = Comparisons(store, views, settings.current_policy)
    overview = Overview(store=store, views=views, comparisons=comparisons, policy=settings.current_policy)
    promotions = Promotions(store=store, policy=settings.current_policy)
    return Reading(
        settings=settings,
        store=store,
        views=views,
        comparisons=comparisons,
        explaining=Explaining(
            store=store, views=views, comparisons=comparisons, policy=settings.current_policy
        ),
        previews=Previews(comparisons=comparisons, policy=settings.current_policy),
        gate=Gate(store=store, comparisons=comparisons, policy=settings.current_policy),
        overview=overview,
        inventory=Inventory(
            store=store,
            views=views,
            overview=overview,
            promotions=promotions,
            policy=settings.current_policy,
        ),
        promotions=promotions,
        accepted=AcceptedList(store=store, policy=settings.current_policy),
        search=Search(store=store, views=views, policy=settings.current_policy),
        scores=Scores(store=store, comparisons=comparisons, policy=settings.current_policy),
        reports=Reports(
            store=store,
            comparisons=comparisons,
            promotions=promotions,
            config=lambda: settings.config,
            policy=settings.current_policy,
        ),
        inventories=Inventories(comparisons, settings.current_policy),
        sources=SourceStates(store=store, config=lambda: settings.config, policy=settings.current_policy),
    )


def _routing(config: Config) -> Routing:
    return Routing(
        routes=tuple(
            Route(
                match=entry.match.match(),
                to=entry.to,
                go_on=entry.goes_on,
                digest=Digest(cron=entry.digest.cron, timezone=entry.digest.timezone)
                if entry.digest
                else None,
            )
            for entry in config.alerting.routes
        ),
        receivers=tuple(one.name for one in config.receivers),
    )


def _notifiers(config: Config, session: aiohttp.ClientSession) -> dict[str, Notifier]:
    return {
        receiver.name: plugins.load("parity.notifiers", receiver.notifier)(receiver.options, session)
        for receiver in config.receivers
    }


class _Summaries:
    """Builds what a message says of one group, from the very comparison that every other door shows."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    async def __call__(self, comparison: str, owner: str) -> dict[str, Any]:
        settings = self._reading.settings
        now = datetime.now(UTC)
        left, _, right = comparison.partition("..")
        found = await self._reading.comparisons.compare(
            Now(environment=left), Now(environment=right or left), now=now
        )
        is_owner = any(service.owner == owner for service in settings.policy.services.values())
        return summary_of(
            found.document(),
            name=None if right else left,
            owner=owner if is_owner else None,
            service=None if is_owner else owner,
            public_url=settings.config.server.public_url,
            now=now,
        )


def _new_id() -> str:
    return str(ULID())
