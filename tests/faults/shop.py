"""A shop that is watched through crashes: one service in two environments, its Slack, and whoever pushes.

One cycle: production gets a part that staging lacks, which is observed, becomes a drift, an alert, a message,
and is marked as told; then the part goes and the message turns green. Whoever pushes says again what was not
acknowledged. What was acknowledged, told and stored is counted from outside.
"""

import asyncio
import http.client
import json
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Generic, Self, TypeVar

import asyncpg

from detector.store.store import open_store
from tests.faults.nursery import Disk, Forked, Nursery
from tests.servers.process import LOOPBACK, free_port
from tests.servers.slack import Slack

T = TypeVar("T")

#: Longer than anything that is waited for takes on a busy machine.
PATIENCE: Final = 30.0
_POLL_SECONDS: Final = 0.02
_CONFIG: Final = """\
version: 1
server: {{listen: "{listen}", database_url_file: database, data_dir: "{folder}", auth: none}}
environments:
  - {{name: staging, tier: staging}}
  - {{name: prod, tier: production}}
services:
  - name: shop
    owner: team-shop
    sources:
      staging: [{{type: push, name: ci, valid: until_replaced}}]
      prod: [{{type: push, name: ci, valid: until_replaced}}]
rules:
  - {{match: {{section: dependencies}}, severity: high}}
{alerting}
"""
BASE: Final = {f"pkg:npm/base-{number}": "1.0.0" for number in range(3)}

#: What no kill may leave behind, each as a query that finds it.
_HALVES: Final = {
    "a drift without its story": "SELECT id FROM drift WHERE id NOT IN (SELECT drift FROM drift_event)",
    "a story without its drift": "SELECT drift FROM drift_event WHERE drift NOT IN (SELECT id FROM drift)",
    "a drift of which nobody is owed word": (
        "SELECT drift FROM drift_event WHERE event = 'opened' AND NOT EXISTS (SELECT 1 FROM outbox"
        " WHERE CAST(drift_ids AS TEXT) LIKE '%' || drift_event.drift || '%')"
    ),
    "a stream ahead of its snapshots": (
        "SELECT stream FROM stream_state WHERE changed_seq NOT IN (SELECT seq FROM snapshot)"
    ),
    "a snapshot ahead of its stream": (
        "SELECT number FROM snapshot WHERE seq >"
        " COALESCE((SELECT changed_seq FROM stream_state WHERE stream_state.stream = snapshot.stream), 0)"
    ),
    "a fact of no snapshot": "SELECT item FROM fact WHERE opened_seq NOT IN (SELECT seq FROM snapshot)",
    "an alert marked as told that was never tried": (
        "SELECT id FROM outbox WHERE state = 'delivered' AND id NOT IN (SELECT owed FROM delivery)"
    ),
}


class InThread(Generic[T]):
    """Something of a loop, in a thread with a loop of its own: a test that blocks does not stop it."""

    def __init__(self, what: AbstractAsyncContextManager[T]) -> None:
        self._what = what
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> T:
        self._thread.start()
        return asyncio.run_coroutine_threadsafe(self._what.__aenter__(), self._loop).result(PATIENCE)

    def __exit__(self, *_exc: object) -> None:
        end = self._what.__aexit__(None, None, None)
        asyncio.run_coroutine_threadsafe(end, self._loop).result(PATIENCE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()


@dataclass(slots=True, kw_only=True)
class Counts:
    """What a harness found. ``wrong`` says what else broke a promise, in words."""

    points: int = 0
    kills: int = 0
    acknowledged: int = 0
    lost: int = 0
    alerts: int = 0
    lost_alerts: int = 0
    duplicates: int = 0
    #: Most of one alert: a kill may cost one.
    most_duplicates: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        return not (self.lost or self.lost_alerts or self.wrong)

    def record(self, record: Callable[[str, object], None]) -> None:
        """Hand the sums to the table of the proof."""
        for name in ("points", "kills", "acknowledged", "lost", "alerts", "lost_alerts", "duplicates"):
            record(name, getattr(self, name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a request got back."""

    status: int
    headers: Mapping[str, str]
    document: Any


def ask(
    port: int, method: str, path: str, body: object = None, *, seconds: float = PATIENCE, **headers: str
) -> Answer | None:
    """Send one request; None where no whole answer came."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=seconds)
    try:
        given = {"Content-Type": "application/json"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        connection.request(
            method, path, None if body is None else json.dumps(body), given if body is not None else headers
        )
        response = connection.getresponse()
        text = response.read()
        document = json.loads(text) if text[:1] in (b"{", b"[") else text.decode()
        return Answer(status=response.status, headers=dict(response.headers), document=document)
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


class Shop:
    """The shop, on a database that is there, and the service that watches it."""

    def __init__(
        self,
        folder: Path,
        nursery: Nursery,
        slack: Slack,
        database: str,
        *,
        mutation: str | None = None,
        patience: float = PATIENCE,
        disk: Disk | None = None,
        clock: Path | None = None,
    ) -> None:
        self.counts = Counts()
        self._clock = clock
        self._disk = disk
        self.database = database
        self.port = free_port()
        self.mutation = mutation
        self.slack = slack
        self._patience = patience
        self._nursery = nursery
        self._folder = folder
        self._output = folder / "output"
        self._at = datetime.now(UTC) - timedelta(days=2)
        #: Each that was acknowledged: when it was observed, and what.
        self._acknowledged: list[tuple[datetime, dict[str, str]]] = []
        #: Pushes that were refused and not said again: they may be stored, once.
        self._refused = 0
        self.service: Forked | None = None
        for name, text in (("slack-token", slack.token), ("database", database)):
            secret = folder / name
            secret.touch(mode=0o600)
            secret.write_text(text)
        receiver = {"channel": "C0SHOP", "bot_token_file": "slack-token", "api_url": slack.url}
        alerting = {"alerting": {"receivers": [{"name": "shop", "slack": receiver}]}}
        self.config = folder / "parity.yml"
        self.config.write_text(
            _CONFIG.format(
                listen=f"{LOOPBACK}:{self.port}",
                folder=folder,
                alerting=json.dumps(alerting)[1:-1],
            )
        )

    def __enter__(self) -> Self:
        self.start()
        self.push("staging", BASE)
        self.push("prod", BASE)
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self.service is not None:
            self.service.kill()

    def start(self) -> None:
        """Start the service, or start it again."""
        self.service = self._nursery.serve(
            self.config, self._output, mutation=self.mutation, disk=self._disk, clock=self._clock
        )

    def revive(self) -> None:
        """Where the service was killed: look what it left, and start it again."""
        assert self.service is not None
        if self.service.lives():
            return
        self.counts.kills += 1
        self.counts.wrong += left_behind(self.database, self._folder)
        self.counts.wrong += self._told_of_nothing()
        self.start()

    def push(self, environment: str, facts: dict[str, str]) -> None:
        """Push until it is acknowledged."""
        self._at += timedelta(seconds=10)

        def acknowledged() -> bool:
            answer = self.try_to_push(environment, facts)
            return answer is not None and answer.status == 200

        if not self.until(acknowledged):
            self.counts.wrong.append(f"a push is not taken: {facts}")

    def push_once(self, version: str) -> Answer:
        """Push something new of production; an answer must come, whatever it is."""
        self._at += timedelta(seconds=10)
        answer = self.try_to_push("prod", BASE | {"pkg:npm/other": version})
        assert answer is not None
        self._refused += answer.status != 200
        return answer

    def try_to_push(self, environment: str, facts: dict[str, str]) -> Answer | None:
        """Push once, as observed where the last push was."""
        path = f"/api/v1/environments/{environment}/services/shop/observations/ci"
        document = {
            "schema": "parity.observation/v1",
            "environment": environment,
            "service": "shop",
            "source": "ci",
            "observed_at": self._at.isoformat(),
            "sections": {"dependencies": {"basis": "running", "status": "complete", "facts": facts}},
        }
        answer = ask(self.port, "PUT", path, document)
        if answer is not None and answer.status == 200:
            self.counts.acknowledged += 1
            if environment == "prod":
                self._acknowledged.append((self._at, facts))
        return answer

    def get(self, path: str) -> Answer:
        """Read; an answer must come."""
        answer = ask(self.port, "GET", path)
        assert answer is not None
        return answer

    def cycle(self, number: int) -> None:
        """Let a part come and go, and wait until both were told."""
        part = f"part-{number:05}"
        posts = self.posts()
        self.push("prod", BASE | {f"pkg:npm/{part}": "2.0.0"})
        told = self.until(lambda: part in self.standing())
        self.push("staging", BASE)  # says it again: a beat
        self.push("prod", BASE)
        green = told and self.until(lambda: part not in self.standing())
        self.counts.alerts += 2
        self.counts.lost_alerts += (not told) + (not green)
        if green and not self.until(lambda: self._is_settled(part)):
            self.counts.wrong.append(f"{part} is not settled in the register, or its alert not marked")
        twice = self.posts() - posts - 1
        self.counts.duplicates += max(0, twice)
        self.counts.most_duplicates = max(self.counts.most_duplicates, twice)

    def open_drift(self, part: str) -> None:
        """Let a part come that stays, and wait until it was told."""
        self.push("prod", BASE | {f"pkg:npm/{part}": "2.0.0"})
        assert self.until(lambda: part in self.standing())

    def register(self) -> list[tuple[str, str, str]]:
        """What the register holds: item, state, since when."""
        items = self.get("/api/v1/drift?state=open&state=pending&state=resolved&limit=1000").document["items"]
        return [(row["item"], row["state"], row["opened_at"]) for row in items]

    def until(self, holds: Callable[[], bool]) -> bool:
        """Wait until something holds, starting the service again whenever it was killed."""
        deadline = time.monotonic() + self._patience
        while True:
            self.revive()
            if holds():
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_SECONDS)

    def standing(self) -> str:
        """What the messages say that are not green."""
        latest = [message.latest for message in self.slack.messages if message.thread_ts is None]
        return json.dumps([said for said in latest if _state(said) == "open"])

    def posts(self) -> int:
        return sum(
            message.thread_ts is None and message.channel == "C0SHOP" for message in self.slack.messages
        )

    def _is_settled(self, part: str) -> bool:
        answer = ask(self.port, "GET", "/api/v1/drift?state=resolved&limit=1000")
        if answer is None or answer.status != 200:
            return False
        found = [row for row in answer.document["items"] if row["item"].endswith(part)]
        metrics = ask(self.port, "GET", "/metrics")
        return (
            [row["state"] for row in found] == ["resolved"]
            and metrics is not None
            and "parity_outbox_messages 0.0" in str(metrics.document).splitlines()
        )

    def _told_of_nothing(self) -> list[str]:
        """Find messages about a part that the register does not know."""
        known = {
            item.removeprefix("pkg:npm/")
            for (item,) in rows(self.database, self._folder, "SELECT item FROM drift")
        }
        told = set(re.findall(r"part-\d{5}", self.standing()))
        return [f"told of {part}, which is not stored" for part in sorted(told - known)]

    def close_the_books(self) -> Counts:
        """Stop the service, and compare what was acknowledged with what is stored."""
        assert self.service is not None
        self.push("staging", BASE)
        self.service.end()
        self.counts.wrong += left_behind(self.database, self._folder)
        asyncio.run(self._compare())
        return self.counts

    async def _compare(self) -> None:
        store = await open_store(self.database, read_only=True)
        try:
            before: dict[str, str] = {}
            changes = 0
            for at, facts in self._acknowledged:
                changes += facts != before
                before = facts
                streams = await store.streams(environments=("prod",), services=("shop",), as_of=at)
                found = [dict(stream.sections["dependencies"].facts) for stream in streams]
                if found != [facts]:
                    self.counts.lost += 1
            (staging,) = await store.streams(environments=("staging",), services=("shop",))
            if staging.last_seen != self._at:
                self.counts.wrong.append("that staging was seen again is forgotten")
            every = await store.snapshots("prod", limit=1_000_000)
            snapshots = [snapshot for snapshot in every if snapshot.services == ("shop",)]
            if not changes <= len(snapshots) <= changes + self._refused:
                self.counts.wrong.append(f"{changes} changes made {snapshots}")
            for drift in await store.register(with_events=True):
                events = [event.event for event in drift.events]
                if "part-" in drift.key.item and events != ["opened", "resolved"]:
                    self.counts.wrong.append(f"{drift.key.item} went through {events}")
        finally:
            await store.close()


def _state(said: Mapping[str, Any]) -> str:
    conversation: str = said["metadata"]["event_payload"]["conversation"]
    return conversation.rpartition(" ")[2]


# --- what is on the disk ----------------------------------------------------------------------------------


def left_behind(database: str, folder: Path) -> list[str]:
    """Find what is damaged or half done in a database whose service does not run."""
    found = [f"{what}: {row}" for what, query in _HALVES.items() for row in rows(database, folder, query)]
    if database.startswith("sqlite:"):
        with _copied(database, folder) as copy:
            broken = [row for (row,) in copy.execute("PRAGMA integrity_check") if row != "ok"]
            found += broken + [
                f"refers to nothing: {row}" for row in copy.execute("PRAGMA foreign_key_check")
            ]
    return found


def rows(database: str, folder: Path, query: str) -> list[tuple[Any, ...]]:
    """Answer a query, without touching what the next start has to mend by itself."""
    if database.startswith("sqlite:"):
        with _copied(database, folder) as copy:
            return copy.execute(query).fetchall()
    return asyncio.run(_fetched(database, query))


@contextmanager
def _copied(database: str, folder: Path) -> Iterator[sqlite3.Connection]:
    path = Path(database.removeprefix("sqlite:///"))
    copy = folder / "copy.db"
    for end in ("", "-wal"):
        old, new = Path(f"{path}{end}"), Path(f"{copy}{end}")
        new.unlink(missing_ok=True)
        if old.exists():
            new.write_bytes(old.read_bytes())
    with closing(sqlite3.connect(copy)) as connection:
        yield connection


async def _fetched(database: str, query: str) -> list[tuple[Any, ...]]:
    connection = await asyncpg.connect(database)
    try:
        return [tuple(row) for row in await connection.fetch(query)]
    finally:
        await connection.close()
