"""The product broken on purpose, in one named way each: a harness that does not find it proves nothing."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from detector.alerts import slack
from detector.jobs.deliver import Deliver
from detector.model.canonical import observation_digest
from detector.model.facts import Observation
from detector.model.records import Owed, Recorded
from detector.store import sqlite
from detector.store.outbox import Outbox, owe
from detector.store.recording import Recording
from detector.store.register import Register, Settlement


def _acknowledge_before_the_commit() -> None:
    record = Recording.record
    under_way: set[asyncio.Task[Recorded]] = set()

    async def hasty(self: Recording, observation: Observation, **how: Any) -> Recorded:
        under_way.add(asyncio.create_task(record(self, observation, **how)))
        return Recorded(
            changed=True,
            digest=observation_digest(observation.sections),
            snapshot=0,
            late=False,
            instead=False,
            held=False,
            seq=0,
            at=observation.observed_at,
        )

    Recording.record = hasty  # type: ignore[method-assign]


def _told(text: str, owed: Owed, state: str) -> dict[str, Any]:
    conversation = f"{owed.comparison} {owed.owner} {state}"
    payload = {"event_type": slack._EVENT, "event_payload": {"conversation": conversation}}
    return {"text": text, "metadata": payload}


def _send_before_the_commit() -> None:
    settle, begin = Register.settle, Deliver.__init__
    delivering: list[Deliver] = []

    def noted(self: Deliver, **parts: Any) -> None:
        begin(self, **parts)
        delivering.append(self)

    async def hasty(self: Register, settlements: Sequence[Settlement]) -> None:
        early = []
        for one in settlements:
            for owed in one.owed:
                if owed.event != "opened":
                    continue
                (channel,) = delivering[-1]._channels.values()
                assert isinstance(channel.notifier, slack.SlackNotifier)
                client = channel.notifier._client(repeatable=False)
                items = " ".join(drift.key.item for drift in one.drifts)
                sent = await client.chat_postMessage(channel="C0SHOP", **_told(items, owed, "open"))
                early.append((client, sent["ts"], owed))
        await settle(self, settlements)
        # What is sent as it should be takes the place of it: only a kill in between leaves it standing.
        for client, ts, owed in early:
            await client.chat_update(channel="C0SHOP", ts=ts, **_told("-", owed, "taken back"))

    Deliver.__init__ = noted  # type: ignore[method-assign]
    Register.settle = hasty  # type: ignore[method-assign]


def _mark_before_it_is_sent() -> None:
    lease = Outbox.lease_owed

    async def hasty(self: Outbox, **how: Any) -> list[tuple[Owed, int]]:
        leased = await lease(self, **how)
        ids = [owed.id for owed, _ in leased]
        if ids:
            await self.mark_delivered(
                ids, receiver="shop", key="any", handle=None, closed=True, now=datetime.now(UTC)
            )
        return leased

    Outbox.lease_owed = hasty  # type: ignore[method-assign]


def _owe_in_a_transaction_of_its_own() -> None:
    settle = Register.settle

    async def twice(self: Register, settlements: Sequence[Settlement]) -> None:
        await settle(self, [replace(one, owed=()) for one in settlements])
        owed = [entry for one in settlements for entry in one.owed]
        if owed:
            async with self._database.write() as connection:
                await owe(connection, owed)

    Register.settle = twice  # type: ignore[method-assign]


def _flush_without_writing() -> None:
    async def forgetful(self: Recording, _connection: object) -> list[Any]:
        return list(self.ahead().values())

    Recording.write_touched = forgetful  # type: ignore[assignment, method-assign]


def _leave_the_disk_to_the_kernel() -> None:
    sqlite._WRITER_PRAGMAS = (*sqlite._WRITER_PRAGMAS, "PRAGMA synchronous=OFF")  # type: ignore[misc, assignment]


MUTATIONS: Final[dict[str, Callable[[], None]]] = {
    "ack before commit": _acknowledge_before_the_commit,
    "send before commit": _send_before_the_commit,
    "mark before send": _mark_before_it_is_sent,
    "drift and alert in two transactions": _owe_in_a_transaction_of_its_own,
    "flush without writing": _flush_without_writing,
    "synchronous off": _leave_the_disk_to_the_kernel,
}
