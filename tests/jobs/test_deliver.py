import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import aiohttp
import pytest

from detector.alerts.routing import Digest, Route, Routing
from detector.alerts.slack import SlackNotifier, SlackOptions
from detector.engine.rules import Match
from detector.errors import DeliveryError, NotFoundError, ParityError, StoreBusyError
from detector.jobs.deliver import LEASE, NOBODY, Deliver
from detector.jobs.outgoing import backoff
from detector.model.records import Owed
from detector.notifier import Message, Notifier, NotifierOptions, Receipt
from detector.store.register import Settlement
from detector.store.store import open_store
from tests.alerts.documents import Document, body_of, drift
from tests.jobs.outboxes import Outbox
from tests.servers.slack import Slack, broken, rate_limited, refused, silence

START = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)  # a Sunday
PAIR, OWNER = "staging..prod", "team-payments"
KEY = f"{PAIR} {OWNER}"


class StoppedHere(BaseException):
    """The process ends at this point."""


@dataclass(kw_only=True, slots=True)
class Clock:
    """Seconds since START. A pause takes its time at once."""

    seconds: float = 0.0
    pauses: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.seconds

    @property
    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.seconds += seconds
        await asyncio.sleep(0)


@dataclass(kw_only=True, slots=True)
class Receiver:
    """A notifier that edits. ``failures`` are raised one by one; what it took is in ``said``."""

    API: ClassVar[int] = 1
    name: ClassVar[str] = "fake"
    Options: ClassVar[type[NotifierOptions]] = NotifierOptions

    clock: Clock
    #: What `send` waits for, if anything.
    open: asyncio.Event | None = None
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    failures: list[BaseException] = field(default_factory=list)
    said: list[tuple[float, Message]] = field(default_factory=list)

    async def send(self, message: Message) -> Receipt:
        self.asked.set()
        await asyncio.sleep(0)
        if self.open is not None:
            await self.open.wait()
        if self.failures:
            raise self.failures.pop(0)
        self.said.append((self.clock(), message))
        return Receipt(handle=message.handle or {"ts": str(len(self.said))})

    @property
    def keys(self) -> list[str]:
        return [message.key for _, message in self.said]


@dataclass(kw_only=True, slots=True)
class Service:
    """What surrounds a delivery: alerts that are owed, what is true of each group, and who hears."""

    clock: Clock = field(default_factory=Clock)
    outbox: Outbox = field(default_factory=Outbox)
    bodies: dict[tuple[str, str], Document | ParityError] = field(default_factory=dict)
    routing: Routing = field(default_factory=lambda: Routing(receivers=("ops",)))
    notifiers: dict[str, Notifier] = field(default_factory=dict)
    jitter: float = 0.5
    restored_at: datetime | None = None
    owed: int = 0
    asked: int = 0

    def receiver(self, name: str) -> Receiver:
        self.notifiers[name] = receiver = Receiver(clock=self.clock)
        return receiver

    async def owe(
        self, event: str = "opened", owner: str = OWNER, *items: Document, body: Document | None = None
    ) -> str:
        self.owed += 1
        number = f"01JD{self.owed:022}"
        told = body_of(*(items or [drift(owner=owner)]), owner=owner) if body is None else body
        self.bodies[PAIR, owner] = told
        await self.outbox.owe(
            Owed(id=number, comparison=PAIR, owner=owner, created_at=self.clock.now, event=event)
        )
        return number

    async def resolve(self, owner: str = OWNER) -> str:
        return await self.owe("resolved", owner, body=body_of(owner=owner))

    async def summary(self, comparison: str, owner: str) -> Mapping[str, Any]:
        self.asked += 1
        body = self.bodies[comparison, owner]
        if isinstance(body, ParityError):
            raise body
        return body

    def start(self, *, settled: bool = True) -> Deliver:
        """Start a process; a settled one runs for longer than any lease of its forerunner."""
        deliver = Deliver(
            outbox=self.outbox,
            summaries=self.summary,
            routing=self.routing,
            notifiers=self.notifiers,
            clock=self.clock,
            restored_at=self.restored_at,
            pause=self.clock.pause,
            jitter=lambda: self.jitter,
        )
        if settled:
            self.clock.seconds += LEASE.total_seconds()
        return deliver

    def state(self, number: str) -> str:
        return self.outbox.rows[number].state


@pytest.fixture
def service() -> Service:
    return Service()


def refusal(text: str = "down", *, permanent: bool = False, after: float | None = None) -> DeliveryError:
    return DeliveryError(text, permanent=permanent, retry_after=after)


# ------------------------------------------------------------------------------------------- one receiver


async def test_alerts_of_one_group_are_one_message_on_the_state_of_now(service: Service) -> None:
    ops, deliver = service.receiver("ops"), service.start()
    numbers = [await service.owe() for _ in range(5_000)]
    assert await deliver.run(service.clock.now) == {("ops", "delivered"): 1}
    ((_, message),) = ops.said
    assert (message.id, message.key, message.handle, message.in_doubt) == (numbers[0], KEY, None, False)
    assert message.body is service.bodies[PAIR, OWNER]
    assert {service.state(number) for number in numbers} == {"delivered"}
    assert service.asked == 1


async def test_the_next_alert_edits_and_only_what_got_worse_is_said_beside_it(service: Service) -> None:
    ops, deliver = service.receiver("ops"), service.start()
    for event in ("escalated", "changed", "escalated", "reopened"):
        await service.owe(event)
        await deliver.run(service.clock.now)
    assert [message.handle for _, message in ops.said] == [None, *[{"ts": "1"}] * 3]
    replies = [(message.reply or "").partition(",")[0] for _, message in ops.said]
    assert replies == ["", "", "Worse than before", "Back again"]


async def test_the_end_is_said_where_the_message_stands_and_closes_it(service: Service) -> None:
    ops, deliver = service.receiver("ops"), service.start()
    for step in (service.owe, service.resolve, service.owe):
        await step()
        await deliver.run(service.clock.now)
    assert [message.handle for _, message in ops.said] == [None, {"ts": "1"}, None]
    assert [message.body["resolved"] for _, message in ops.said] == [False, True, False]


async def test_what_came_and_went_unsaid_is_not_said(service: Service) -> None:
    ops, deliver = service.receiver("ops"), service.start()
    numbers = [await service.owe(), await service.resolve()]
    assert await deliver.run(service.clock.now) == {}
    assert ops.said == []
    assert {service.state(number) for number in numbers} == {"delivered"}
    assert (NOBODY, KEY) in service.outbox.messages


async def test_nothing_owed_asks_nothing(service: Service) -> None:
    assert await service.start().run(service.clock.now) == {}
    assert service.asked == 0


async def test_one_channel_hears_in_order_and_no_faster_than_once_a_second(service: Service) -> None:
    ops, deliver = service.receiver("ops"), service.start()
    began = service.clock.seconds
    for number in range(5):
        await service.owe("opened", f"team-{number}")
    await deliver.run(service.clock.now)
    assert ops.keys == [f"{PAIR} team-{number}" for number in range(5)]
    assert [at - began for at, _ in ops.said] == [0, 1, 2, 3, 4]


async def test_a_round_ends_before_its_lease_and_the_rest_comes_next(service: Service) -> None:
    ops, deliver = service.receiver("ops"), service.start()
    began = service.clock.seconds
    for number in range(400):
        await service.owe("opened", f"team-{number:03}")
    rounds = 0
    while await service.outbox.left():
        started = service.clock.seconds
        await deliver.run(service.clock.now)
        assert service.clock.seconds - started < LEASE.total_seconds()
        rounds += 1
    assert rounds == 3
    assert ops.keys == [f"{PAIR} team-{number:03}" for number in range(400)]
    assert service.clock.seconds - began < 402


# ---------------------------------------------------------------------------------------------- failures


@pytest.mark.parametrize(
    "asked, waits",
    [(30.0, 30.0), (0.0, 1.0), (-120.0, 1.0), (1e9, 3600.0), (None, 1.0)],
)
async def test_the_wait_is_what_was_asked_for_within_bounds(
    service: Service, asked: float | None, waits: float
) -> None:
    ops, deliver = service.receiver("ops"), service.start()
    ops.failures = [refusal(after=asked)]
    number = await service.owe()
    assert await deliver.run(service.clock.now) == {("ops", "retried"): 1}
    row = service.outbox.rows[number]
    assert (row.state, row.error) == ("due", "ops: down")
    assert row.next_try == service.clock.now + timedelta(seconds=waits)
    service.clock.seconds += waits
    assert await deliver.run(service.clock.now) == {("ops", "delivered"): 1}


def test_the_backoff_is_jittered_in_full_between_a_second_and_a_quarter_of_an_hour() -> None:
    assert [backoff(tries, 1.0) for tries in range(4)] == [2, 4, 8, 16]
    assert [backoff(tries, 0.5) for tries in (3, 9, 99)] == [8, 450, 450]
    assert {backoff(tries, 0.0) for tries in range(99)} == {1.0}


async def test_while_a_channel_waits_nothing_else_is_tried_on_it(service: Service) -> None:
    ops, deliver = service.receiver("ops"), service.start()
    ops.failures = [refusal(after=60)]
    first = await service.owe("opened", "team-a")
    second = await service.owe("opened", "team-b")
    await deliver.run(service.clock.now)
    third = await service.owe("opened", "team-c")
    service.clock.seconds += 59
    await deliver.run(service.clock.now)
    assert ops.said == []
    assert {service.state(number) for number in (first, second, third)} == {"due"}
    service.clock.seconds += 1
    await deliver.run(service.clock.now)
    assert ops.keys == [f"{PAIR} team-{name}" for name in "abc"]


async def test_a_permanent_failure_is_parked_and_seen_until_a_message_arrives(service: Service) -> None:
    ops, deliver = service.receiver("ops"), service.start()
    ops.failures = [refusal("no such channel", permanent=True)]
    number = await service.owe()
    assert await deliver.run(service.clock.now) == {("ops", "parked"): 1}
    assert (service.state(number), deliver.broken) == ("parked", {"ops": "no such channel"})
    assert service.outbox.rows[number].error == "ops: no such channel"
    await service.owe()
    await deliver.run(service.clock.now)
    assert (len(ops.said), deliver.broken) == (1, {})


async def test_an_outage_of_three_days_loses_nothing_and_then_says_each_group_once(service: Service) -> None:
    ops, deliver = service.receiver("ops"), service.start()
    ops.failures = [refusal() for _ in range(100_000)]
    end = service.clock.seconds + 72 * 3600
    while service.clock.seconds < end:
        await service.owe("changed", f"team-{int(service.clock.seconds) % 3}")
        await deliver.run(service.clock.now)
        service.clock.seconds += 601
    tried = 100_000 - len(ops.failures)
    assert tried > 72 * 4
    ops.failures.clear()
    service.clock.seconds += 900
    await deliver.run(service.clock.now)
    assert sorted(ops.keys) == [f"{PAIR} team-{number}" for number in range(3)]
    assert await service.outbox.left() == 0
    assert {row.state for row in service.outbox.rows.values()} == {"delivered"}


async def test_what_could_not_be_said_for_two_weeks_is_parked(service: Service) -> None:
    ops, deliver = service.receiver("ops"), service.start()
    ops.failures = [refusal(), refusal()]
    number = await service.owe()
    await deliver.run(service.clock.now)
    assert service.state(number) == "due"
    service.clock.seconds += 15 * 86_400
    await deliver.run(service.clock.now)
    assert service.state(number) == "parked"


@pytest.mark.parametrize(
    "error, state", [(StoreBusyError("locked"), "due"), (NotFoundError("no such comparison"), "parked")]
)
async def test_a_group_without_a_summary_waits_or_is_parked(
    service: Service, error: ParityError, state: str
) -> None:
    ops, deliver = service.receiver("ops"), service.start()
    number = await service.owe()
    service.bodies[PAIR, OWNER] = error
    await service.owe("opened", "team-b")
    await deliver.run(service.clock.now)
    assert (service.state(number), service.outbox.rows[number].error) == (state, str(error))
    assert ops.keys == [f"{PAIR} team-b"]


async def test_a_stop_gives_back_what_was_not_said(service: Service) -> None:
    ops, deliver = service.receiver("ops"), service.start()
    ops.open = asyncio.Event()
    number = await service.owe()
    task = asyncio.create_task(deliver.run(service.clock.now))
    await ops.asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert service.outbox.rows[number].next_try <= service.clock.now
    ops.open = None
    await service.start(settled=False).run(service.clock.now)
    ((_, message),) = ops.said
    assert message.in_doubt


async def test_a_reload_in_the_middle_of_a_round_takes_nobody_away_from_it(service: Service) -> None:
    ops, deliver = service.receiver("ops"), service.start()
    number = await service.owe()
    tell = service.summary

    async def reloaded_meanwhile(comparison: str, owner: str) -> Mapping[str, Any]:
        deliver.hear(Routing(receivers=()), {})
        return await tell(comparison, owner)

    deliver._summaries = reloaded_meanwhile
    await deliver.run(service.clock.now)
    assert len(ops.said) == 1
    assert service.state(number) == "delivered"


# ------------------------------------------------------------------------------------- several receivers

BOTH = Routing(receivers=("audit", "ops"), routes=(Route(to="audit", go_on=True), Route(to="ops")))


@pytest.mark.parametrize("error", [refusal(after=60), ValueError("secret")])
async def test_a_broken_receiver_stops_no_other_and_nobody_hears_twice(
    service: Service, error: Exception
) -> None:
    service.routing = BOTH
    audit, ops, deliver = service.receiver("audit"), service.receiver("ops"), service.start()
    audit.failures = [error] * 3
    number = await service.owe()
    for _ in range(4):
        await deliver.run(service.clock.now)
        service.clock.seconds += 900
    assert (len(audit.said), len(ops.said)) == (1, 1)
    assert service.state(number) == "delivered"
    assert "secret" not in str(service.outbox.rows[number].error)


async def test_what_one_never_hears_is_parked_when_the_others_have_heard(service: Service) -> None:
    service.routing = BOTH
    audit, ops, deliver = service.receiver("audit"), service.receiver("ops"), service.start()
    audit.failures, ops.failures = [refusal("gone", permanent=True)], [refusal("down")]
    number = await service.owe()
    await deliver.run(service.clock.now)
    assert (service.state(number), service.outbox.rows[number].error) == ("due", "audit: gone; ops: down")
    service.clock.seconds += 900
    await deliver.run(service.clock.now)
    assert (service.state(number), service.outbox.rows[number].error) == ("parked", "audit: gone")
    assert (len(audit.said), len(ops.said)) == (0, 1)


async def test_whoever_was_told_of_the_worst_is_told_when_it_is_gone(service: Service) -> None:
    service.routing = Routing(
        receivers=("ops", "x"), routes=(Route(match=Match(severity=">=high"), to="ops"),)
    )
    ops, deliver = service.receiver("ops"), service.start()
    await service.owe("opened", OWNER, drift(severity="high"), drift("pkg:pypi/b", severity="low"))
    await deliver.run(service.clock.now)
    await service.owe("resolved", OWNER, drift("pkg:pypi/b", severity="low"))
    await deliver.run(service.clock.now)
    assert [message.body["worst"] for _, message in ops.said] == ["high", "low"]


async def test_what_no_route_wants_is_said_to_nobody(service: Service) -> None:
    service.routing = Routing(routes=(Route(match=Match(owner=("team-x",)), to="ops"),))
    ops, deliver = service.receiver("ops"), service.start()
    number = await service.owe()
    await deliver.run(service.clock.now)
    assert (ops.said, service.state(number)) == ([], "delivered")


# ------------------------------------------------------------------------------------------------ digests


async def test_a_digest_says_what_is_true_at_its_time_and_begins_a_new_message(service: Service) -> None:
    weekly = Digest(cron="0 9 * * 1", timezone="Europe/Berlin")
    service.routing = Routing(receivers=("ops",), routes=(Route(to="ops", digest=weekly),))
    ops, deliver = service.receiver("ops"), service.start()
    number = await service.owe()
    await service.owe()
    await deliver.run(service.clock.now)
    row = service.outbox.rows[number]
    monday = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)  # 9:00 in Berlin
    assert (ops.said, row.next_try) == ([], monday)
    service.clock.seconds = (monday - START).total_seconds()
    await deliver.run(service.clock.now)
    service.clock.seconds += 1
    await service.owe()
    await deliver.run(service.clock.now)
    assert len(ops.said) == 1
    service.clock.seconds += 7 * 86_400
    await deliver.run(service.clock.now)
    assert [message.handle for _, message in ops.said] == [None, None]
    await service.resolve()
    await deliver.run(service.clock.now)
    assert ops.said[-1][1].handle == {"ts": "2"}


async def test_who_hears_at_once_does_not_wait_for_the_digest_of_another(service: Service) -> None:
    daily = Digest(cron="0 9 * * *")
    service.routing = Routing(
        receivers=("audit", "ops"), routes=(Route(to="audit", go_on=True), Route(to="ops", digest=daily))
    )
    audit, ops, deliver = service.receiver("audit"), service.receiver("ops"), service.start()
    await service.owe()
    await deliver.run(service.clock.now)
    assert (len(audit.said), len(ops.said)) == (1, 0)
    service.clock.seconds = 23 * 3600
    await deliver.run(service.clock.now)
    assert (len(audit.said), len(ops.said)) == (1, 1)
    assert await service.outbox.left() == 0


# -------------------------------------------------------------------------------------------------- crash


@pytest.mark.parametrize(("days", "in_doubt"), [(0, True), (13, True), (15, False)])
async def test_after_a_restore_a_message_may_stand_that_the_backup_knows_nothing_of(
    service: Service, days: int, *, in_doubt: bool
) -> None:
    ops = service.receiver("ops")
    service.restored_at = service.clock.now - timedelta(days=days)
    await service.owe()
    await service.start().run(service.clock.now)
    assert [(message.in_doubt, message.handle) for _, message in ops.said] == [(in_doubt, None)]


async def test_after_a_crash_it_is_said_again_in_doubt(service: Service) -> None:
    ops = service.receiver("ops")
    ops.failures = [StoppedHere()]
    await service.owe()
    with pytest.raises(StoppedHere):
        await service.start().run(service.clock.now)
    deliver = service.start(settled=False)
    assert await deliver.run(service.clock.now) == {}  # under the lease of the one that ended
    await service.owe("changed")
    await deliver.run(service.clock.now)
    service.clock.seconds += LEASE.total_seconds()
    await deliver.run(service.clock.now)
    assert [(message.in_doubt, message.handle) for _, message in ops.said] == [
        (True, None),  # nothing is known of the other, which may have arrived
        (True, {"ts": "1"}),
    ]


# -------------------------------------------------------------------------------------------------- store


async def test_the_store_keeps_the_rules_that_delivery_relies_on(service: Service, tmp_path: Path) -> None:
    service.routing = BOTH
    audit, ops = service.receiver("audit"), service.receiver("ops")
    audit.failures = [refusal(after=60)]
    store = await open_store(f"sqlite:///{tmp_path}/parity.db")
    try:
        deliver = Deliver(
            outbox=store,
            summaries=service.summary,
            routing=service.routing,
            notifiers=service.notifiers,
            clock=service.clock,
            pause=service.clock.pause,
        )

        async def step(event: str, *items: Document) -> None:
            service.owed += 1
            service.bodies[PAIR, OWNER] = body_of(*items)
            owed = Owed(
                id=f"01JD{service.owed:022}",
                comparison=PAIR,
                owner=OWNER,
                created_at=service.clock.now,
                event=event,
            )
            await store.settle(
                [Settlement(comparison=PAIR, service="checkout", judged_through=1, owed=[owed])]
            )
            await deliver.run(service.clock.now)

        await step("opened", drift())
        assert (len(audit.said), len(ops.said)) == (0, 1)
        assert await store.outbox_size() == 1
        service.clock.seconds += 60
        await deliver.run(service.clock.now)
        assert (len(audit.said), len(ops.said)) == (1, 1)
        assert await store.outbox_size() == 0
        await step("escalated", drift(severity="critical"))
        await step("resolved")
        await step("opened", drift())
        assert [message.handle for _, message in ops.said] == [None, {"ts": "1"}, {"ts": "1"}, None]
        ops.failures = [refusal("gone", permanent=True)]
        await step("changed", drift())
        assert await store.outbox_size() == 0
        assert {row.result for row in await store.deliveries(100)} == {"delivered", "failed", "parked"}
    finally:
        await store.close()


# -------------------------------------------------------------------------------------------------- Slack

CHANNEL = "C0DRIFT"


@pytest.fixture
async def slack(service: Service, slack_server: Slack) -> AsyncIterator[Callable[[], Slack]]:
    async with aiohttp.ClientSession() as session:
        options = SlackOptions.model_validate(
            {"channel": CHANNEL, "bot_token": slack_server.token, "api_url": slack_server.url}
        )
        service.notifiers["ops"] = SlackNotifier(options, session, patience=0.3)
        yield lambda: slack_server


@pytest.fixture
def slack_of(slack: Callable[[], Slack]) -> Slack:
    return slack()


async def test_slack_holds_one_message_from_the_first_drift_to_the_green_line(
    service: Service, slack_of: Slack
) -> None:
    deliver = service.start()
    for step in (service.owe, service.owe, service.resolve, service.owe):
        await step()
        await deliver.run(service.clock.now)
    first, second = slack_of.messages
    assert [version["text"][0] for version in first.versions] == ["🟧", "🟧", "🟩"]
    assert (second.edits, second.latest["text"][0]) == (0, "🟧")


@pytest.mark.parametrize(
    "failure",
    [
        *(rate_limited(header) for header in ("30", "1000000000", "-5", "soon", "", None)),
        rate_limited("Sun, 22 Nov 2026 10:00:30 GMT"),
        *(broken(status) for status in (500, 502, 503, 504)),
        *(refused(word) for word in ("ratelimited", "internal_error", "fatal_error")),
    ],
)
async def test_slack_in_trouble_hears_it_once_when_it_is_back(
    service: Service, slack_of: Slack, failure: Any
) -> None:
    deliver = service.start()
    slack_of.outage = failure
    number = await service.owe()
    for _ in range(3):
        await deliver.run(service.clock.now)
        row = service.outbox.rows[number]
        assert row.state == "due"
        assert timedelta(seconds=1) <= row.next_try - service.clock.now <= timedelta(hours=1)
        service.clock.seconds = (row.next_try - START).total_seconds()
    slack_of.outage = None
    await deliver.run(service.clock.now)
    assert (len(slack_of.messages), service.state(number)) == (1, "delivered")


@pytest.mark.parametrize(
    "word", ["invalid_auth", "token_revoked", "account_inactive", "channel_not_found", "is_archived"]
)
async def test_slack_that_refuses_for_good_is_parked_and_shown(
    service: Service, slack_of: Slack, word: str
) -> None:
    deliver = service.start()
    slack_of.outage = refused(word)
    number = await service.owe()
    await deliver.run(service.clock.now)
    assert service.state(number) == "parked"
    assert word in deliver.broken["ops"]
    assert slack_of.token not in str(service.outbox.rows[number].error)


async def test_slack_that_took_it_in_silence_holds_it_once(service: Service, slack_of: Slack) -> None:
    deliver = service.start()
    slack_of.fail(silence(accepted=True, method="chat.postMessage"))
    number = await service.owe()
    await deliver.run(service.clock.now)
    service.clock.seconds += 900
    await deliver.run(service.clock.now)
    assert (len(slack_of.messages), service.state(number)) == (1, "delivered")


@pytest.mark.parametrize("may_look, messages", [(True, 1), (False, 2)])
async def test_a_kill_between_send_and_mark_makes_no_second_message_or_one(
    service: Service, slack_of: Slack, *, may_look: bool, messages: int
) -> None:
    class Killed(Outbox):
        async def mark_delivered(self, *args: Any, **more: Any) -> None:
            raise StoppedHere

    number = await service.owe()
    kept = service.outbox
    service.outbox = Killed(rows=kept.rows, messages=kept.messages)
    with pytest.raises(StoppedHere):
        await service.start().run(service.clock.now)
    service.outbox = kept
    if not may_look:
        slack_of.fail(refused("missing_scope", "conversations.history"))
    service.clock.seconds += LEASE.total_seconds()
    await service.start(settled=False).run(service.clock.now)
    assert (len(slack_of.messages), service.state(number)) == (messages, "delivered")


async def test_a_kill_and_a_resolve_leave_the_message_green(service: Service, slack_of: Slack) -> None:
    slack_of.workspace.post({"channel": CHANNEL, "text": "talk"})
    await service.owe()
    await service.start().run(service.clock.now)
    service.outbox.messages.clear()  # posted, and killed before it was remembered
    await service.resolve()
    await service.start(settled=False).run(service.clock.now)
    assert slack_of.messages[-1].latest["text"][0] == "🟩"
    assert len(slack_of.messages) == 2
