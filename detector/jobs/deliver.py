"""Delivers the alerts that are owed: lease, say, mark.

An alert leaves the outbox when every receiver of it has heard, or stays there parked where a person sees it.
What is said is always the state of now: ten alerts of one group are one message.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import SystemRandom
from typing import Any, Final, Literal, Protocol

from detector.alerts.routing import Digest, Routing
from detector.alerts.summary import reminding, reply_of
from detector.config.schedule import next_cron_time
from detector.errors import DeliveryError, ParityError
from detector.jobs.outgoing import Channel, Group, Outcome, backoff, grouped
from detector.model.records import Owed
from detector.notifier import Message, Notifier

#: Longer than a round can take: nobody else may lease what this one is sending.
LEASE: Final = timedelta(minutes=5)
_ROUND_SECONDS: Final = 180.0
_MOST_ROWS: Final = 5_000
#: What could not be said for so long is parked; an outage of three days is not.
_GIVE_UP: Final = timedelta(days=14)
#: Stands for the receiver of an alert that no route sends anywhere.
NOBODY: Final = "nobody"

_RANDOM: Final = SystemRandom()

#: Gives the summary (`detector.alerts.summary`) of one group now: (comparison, owner) → body.
Summaries = Callable[[str, str], Awaitable[Mapping[str, Any]]]
Result = Literal["delivered", "retried", "parked"]


class Outbox(Protocol):
    """The part of the store that this job needs."""

    def lease_owed(
        self, *, now: datetime, until: datetime, limit: int
    ) -> Awaitable[list[tuple[Owed, int]]]: ...

    def mark_delivered(
        self,
        ids: Sequence[str],
        *,
        receiver: str,
        key: str,
        handle: Mapping[str, str] | None,
        closed: bool,
        now: datetime,
    ) -> Awaitable[None]: ...

    def mark_failed(
        self, ids: Sequence[str], *, error: str, next_try: datetime | None, now: datetime
    ) -> Awaitable[None]: ...

    def message_handle(self, receiver: str, key: str) -> Awaitable[Mapping[str, str] | None]: ...


@dataclass(slots=True, kw_only=True)
class _Round:
    """One run: who hears, and its wall clock, which is told, moved on by its own, which cannot jump."""

    routing: Routing
    channels: Mapping[str, Channel]
    now: datetime
    started: float
    clock: Callable[[], float]
    results: Counter[tuple[str, Result]] = field(default_factory=Counter)

    @property
    def seconds(self) -> float:
        return self.clock() - self.started

    @property
    def at(self) -> datetime:
        return self.now + timedelta(seconds=self.seconds)


class Deliver:
    """Says what is owed, round by round. Rounds must not overlap."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        summaries: Summaries,
        routing: Routing,
        notifiers: Mapping[str, Notifier],
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
        jitter: Callable[[], float] = _RANDOM.random,
        restored_at: datetime | None = None,
    ) -> None:
        self._outbox = outbox
        self._summaries = summaries
        self._clock = clock
        self._pause = pause
        self._jitter = jitter
        self.hear(routing, notifiers)
        self._born = clock()
        #: A backup took the place of the database then: messages may stand that it knows nothing of.
        self._restored_at = restored_at
        #: Alert -> receivers that are done with it, while others are not. A crash forgets it: then one
        #: receiver may hear twice, none not at all.
        self._done: dict[str, dict[str, Outcome]] = {}

    def hear(self, routing: Routing, notifiers: Mapping[str, Notifier]) -> None:
        """Take over who hears what: at the start, and when the configuration changed."""
        self._routing = routing
        self._channels = {
            name: Channel(notifier=notifier, clock=self._clock, jitter=self._jitter)
            for name, notifier in notifiers.items()
        }

    @property
    def broken(self) -> dict[str, str]:
        """Receivers that cannot work until somebody mends them, and why."""
        return {name: channel.broken for name, channel in self._channels.items() if channel.broken}

    async def run(self, now: datetime) -> Counter[tuple[str, Result]]:
        """Deliver what is due, and return how often which receiver had which result."""
        this = _Round(
            routing=self._routing,
            channels=self._channels,
            now=now,
            started=self._clock(),
            clock=self._clock,
        )
        leased = await self._outbox.lease_owed(now=now, until=now + LEASE, limit=_MOST_ROWS)
        groups = grouped(leased)
        try:
            queues: dict[str, list[Group]] = {}
            for group in groups:
                for receiver in await self._plan(group, this):
                    queues.setdefault(receiver, []).append(group)
            ends = await asyncio.gather(
                *(self._serve(receiver, queue, this) for receiver, queue in queues.items()),
                return_exceptions=True,
            )
        except asyncio.CancelledError:
            await self._give_back(groups, this)
            raise
        for end in ends:
            if end is not None:
                raise end
        return this.results

    async def _plan(self, group: Group, this: _Round) -> list[str]:
        """Find out what to say and to whom, and return the receivers to ask."""
        try:
            body = group.body = await self._summaries(group.comparison, group.owner)
        except ParityError as error:
            wait = (
                this.at + timedelta(seconds=backoff(group.tries, self._jitter())) if error.retryable else None
            )
            group.outcomes[NOBODY] = Outcome(error=str(error), next_try=wait)
            await self._settle(group, this)
            return []
        if body["ending"] and any(owed.event == "reminder" for owed in group.owed):
            body = group.body = reminding(body)
        for receiver in this.channels:
            group.handles[receiver] = await self._outbox.message_handle(receiver, group.key)
        told = [receiver for receiver, handle in group.handles.items() if handle is not None]
        if body["resolved"]:
            # Who was never told of a drift is not told of its end. A try that was cut off may have told.
            maybe = this.routing.possible(body) if self._in_doubt(group, this) else ()
            receivers = list(dict.fromkeys([*told, *maybe]))
        else:
            routed = this.routing.destinations(body)
            receivers = list(dict.fromkeys([*(way.receiver for way in routed), *told]))
            for way in routed:
                if way.digest is not None:
                    self._collect(group, way.receiver, way.digest, this)
        for receiver in receivers:
            group.outcomes.setdefault(receiver, self._done_before(group, receiver))
        if group.complete:
            await self._settle(group, this)
        return [receiver for receiver, outcome in group.outcomes.items() if outcome is None]

    def _collect(self, group: Group, receiver: str, digest: Digest, this: _Round) -> None:
        """Hold the group back until the first time of the digest since its oldest alert."""
        due = next_cron_time(digest.cron, digest.timezone, after=group.owed[0].created_at)
        if due > this.at:
            group.outcomes[receiver] = Outcome(error=f"held for the digest of {receiver}", next_try=due)
        else:
            group.digests.add(receiver)

    def _done_before(self, group: Group, receiver: str) -> Outcome | None:
        known = [self._done.get(each, {}).get(receiver) for each in group.ids]
        return known[0] if all(known) else None

    async def _serve(self, receiver: str, queue: Sequence[Group], this: _Round) -> None:
        """Send one receiver its messages, in order, none faster than its pace."""
        channel = this.channels[receiver]
        for group in queue:
            if channel.seconds_closed:
                wait = this.at + timedelta(seconds=channel.seconds_closed)
                outcome = Outcome(error=f"{receiver} waits after a failure", next_try=wait)
            elif this.seconds > _ROUND_SECONDS:
                outcome = Outcome(error=f"{receiver} has more to hear than time", next_try=this.at)
            else:
                await self._pause(channel.seconds_to_pace)
                outcome = await self._send(receiver, channel, group, this)
                channel.spoke()
            group.outcomes[receiver] = outcome
            if group.complete and not outcome.heard:
                await self._settle(group, this)

    async def _send(self, receiver: str, channel: Channel, group: Group, this: _Round) -> Outcome:
        handle = None if receiver in group.digests else group.handles[receiver]
        message = Message(
            id=group.owed[0].id,
            key=group.key,
            body=group.body,
            handle=handle,
            reply=reply_of((owed.event for owed in group.owed), group.body) if handle else None,
            in_doubt=self._in_doubt(group, this) and receiver not in group.digests,
        )
        try:
            receipt = await channel.notifier.send(message)
        except DeliveryError as error:
            return _failed(receiver, channel, group, error, this)
        except Exception as error:  # noqa: BLE001 - notifiers are strangers' code: theirs must stop no other
            kind = type(error).__name__
            broke = DeliveryError(f"the notifier of {receiver} broke ({kind})", permanent=False)
            return _failed(receiver, channel, group, broke, this)
        channel.broken = None
        this.results[receiver, "delivered"] += 1
        heard = group.outcomes[receiver] = Outcome()
        last = group.complete and not group.unheard
        await self._outbox.mark_delivered(
            group.ids if last else (),  # where it stands is remembered at once; the rest waits for the others
            receiver=receiver,
            key=group.key,
            handle=receipt.handle,
            closed=bool(group.body["resolved"]),
            now=this.at,
        )
        if last:
            self._forget(group)
        elif group.complete:
            await self._settle(group, this)
        return heard

    async def _settle(self, group: Group, this: _Round) -> None:
        """Close a group of which every receiver's outcome is known."""
        if group.settled:
            return
        group.settled = True
        unheard = group.unheard
        if not unheard:
            self._forget(group)
            await self._outbox.mark_delivered(
                group.ids, receiver=NOBODY, key=group.key, handle=None, closed=True, now=this.at
            )
            return
        times = [outcome.next_try for outcome in unheard if outcome.next_try is not None]
        errors = "; ".join(dict.fromkeys(str(outcome.error) for outcome in unheard))
        if times:
            done = {
                receiver: outcome
                for receiver, outcome in group.outcomes.items()
                if outcome is not None and outcome.next_try is None
            }
            for each in group.ids:
                self._done.setdefault(each, {}).update(done)
        else:
            self._forget(group)
        next_try = min(times, default=None)
        await self._outbox.mark_failed(group.ids, error=errors, next_try=next_try, now=this.at)

    async def _give_back(self, groups: Iterable[Group], this: _Round) -> None:
        """Let the next process have what this one was stopped in, without waiting for the lease to end."""
        ids = [each for group in groups if not group.settled for each in group.ids]
        if ids:
            await self._outbox.mark_failed(
                ids, error="the service was stopped", next_try=this.at, now=this.at
            )

    def _forget(self, group: Group) -> None:
        group.settled = True
        for each in group.ids:
            self._done.pop(each, None)

    def _in_doubt(self, group: Group, this: _Round) -> bool:
        """Tell whether a message may stand there of which nothing is known.

        After a start, an alert of before may still be under the lease of the process that ended; after a
        restore, anything may have been said since the backup.
        """
        starting = self._clock() - self._born < LEASE.total_seconds()
        restored = self._restored_at is not None and this.at - self._restored_at < _GIVE_UP
        return group.tries > 0 or starting or restored


def _failed(receiver: str, channel: Channel, group: Group, error: DeliveryError, this: _Round) -> Outcome:
    if error.permanent or this.at - group.owed[0].created_at > _GIVE_UP:
        this.results[receiver, "parked"] += 1
        channel.broken = str(error)
        return Outcome(error=f"{receiver}: {error}")
    this.results[receiver, "retried"] += 1
    wait = channel.close_for(error, group.tries)
    return Outcome(error=f"{receiver}: {error}", next_try=this.at + timedelta(seconds=wait))
