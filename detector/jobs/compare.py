"""Judge what changed: every comparison of a service whose facts moved, and write what that did to drifts."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from detector.config.policy import Policy
from detector.engine.acceptance import Acceptance, Accepted, Binding, changes, why_ended
from detector.engine.hindsight import Hindsight, Moment
from detector.engine.life import Ledger, Settled, Witnesses, live, withdraw
from detector.engine.policy import Pair, SourcePolicy
from detector.engine.score import counted, mark_of
from detector.engine.settling import settled, settled_alone
from detector.engine.verdicts import findings_in, verdicts_on, with_holds
from detector.engine.view import View
from detector.model.records import Drift, Judged, Key, Recorded, ScoreMark
from detector.queries.comparison import Comparisons, Gathered
from detector.queries.views import Views
from detector.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """What came of one service since it was last judged."""

    #: `at` of the earliest observation among it.
    earliest: datetime
    #: Whether newer ones of the same streams were there before all of it.
    late: bool
    #: Whether any of it took the place of another one of the same time.
    instead: bool = False

    @classmethod
    def of(cls, recorded: Recorded) -> "Arrived":
        """Return one observation that changed something."""
        return cls(earliest=recorded.at, late=recorded.late, instead=recorded.instead)

    def __or__(self, other: "Arrived") -> "Arrived":
        """Return both as one."""
        return Arrived(
            earliest=min(self.earliest, other.earliest),
            late=self.late and other.late,
            instead=self.instead or other.instead,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What one judgement left to do: when to look again, and whether something waits for confirmation."""

    comparison: str
    service: str
    review_at: datetime | None
    waiting: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Round:
    """One judgement of one service, in all its comparisons."""

    service: str
    now: datetime
    #: Environment -> number of its newest snapshot.
    numbers: Mapping[str, int]
    arrived: Arrived | None


class Compare:
    """Judges services and settles the register. One at a time: two judgements never share a row."""

    def __init__(
        self,
        store: Store,
        comparisons: Comparisons,
        views: Views,
        policy: Callable[[], Policy],
        new_id: Callable[[], str],
    ) -> None:
        self._store = store
        self._comparisons = comparisons
        self._views = views
        self._policy = policy
        self._new_id = new_id
        #: The acceptances of files that the store knows.
        self._noted: Sequence[Acceptance] | None = None
        self._log = structlog.get_logger("parity.compare")

    async def behind(self) -> list[tuple[str, str]]:
        """Return (environment, service) whose newest change some comparison has not been judged for."""
        judged = await self._store.judged_through()
        late: dict[tuple[str, str], None] = {}
        for (environment, service), seq in (await self._store.changed_seqs()).items():
            for name in self._comparisons_of(environment):
                if judged.get((name, service), -1) < seq:
                    late[environment, service] = None
        return list(late)

    async def judge(
        self,
        environment: str,
        service: str,
        *,
        now: datetime,
        half_seen: Collection[str] = (),
        arrived: Arrived | None = None,
    ) -> list[Judgement]:
        """Judge one service in every comparison of an environment, and in the environment alone.

        Where a side is ``half_seen``, nothing is judged: it stays behind until that side was seen whole.
        ``arrived`` is what came of it since it was last judged: where that is older than what is known, the
        drifts that nobody can see now are judged in hindsight, and what only came late does not alert.
        """
        policy = self._policy()
        if environment not in policy.environments or environment in half_seen:
            return []
        await self.note_files(now=now)
        seqs = await self._store.changed_seqs()
        numbers = {name: snapshot.number for name, snapshot in (await self._store.latest_snapshots()).items()}
        asked = _Round(service=service, now=now, numbers=numbers, arrived=arrived)
        await self._label(environment, service, numbers, now)
        done = []
        for pair in policy.pairs:
            sides = (pair.left.name, pair.right.name)
            if environment in sides and not any(side in half_seen for side in sides):
                through = max(seqs.get((pair.left.name, service), 0), seqs.get((pair.right.name, service), 0))
                done.append(await self._pair(pair, asked, through))
        done.append(await self._alone(environment, asked, seqs.get((environment, service), 0)))
        for user in policy.service(service).used_by:
            # A server that moved may have left the clients of whoever talks to it behind.
            theirs = _Round(service=user, now=now, numbers=numbers, arrived=None)
            done.append(await self._alone(environment, theirs, seqs.get((environment, user), 0)))
        return done

    async def note_files(self, *, now: datetime) -> None:
        """Keep the acceptances of the files in force, and end those that left them."""
        in_force = self._policy().accepted
        if in_force is not self._noted:
            await self._store.note_files(in_force, now)
            self._noted = in_force

    async def rename(self) -> None:
        """Give what is known under former and other names of services to the names they go by."""
        names = self._policy().names
        for former in await self._store.rename(names) if names else ():
            self._log.info("service renamed", former=former, service=names[former])

    async def withdraw_unconfigured(self, *, now: datetime) -> int:
        """Withdraw drifts whose comparison or service left the configuration."""
        policy = self._policy()
        known = {pair.name for pair in policy.pairs} | set(policy.environments)
        seen = {service for service, _ in await self._store.services()} | set(policy.services)
        gone: dict[tuple[str, str], list[Drift]] = {}
        for row in await self._store.register(states=("pending", "open", "accepted")):
            if row.comparison not in known or row.key.service not in seen:
                gone.setdefault((row.comparison, row.key.service), []).append(row)
        for (comparison, service), rows in gone.items():
            asked = _Round(service=service, now=now, numbers={}, arrived=None)
            ledger = self._ledger(comparison, asked)
            await self._settle(comparison, service, withdraw(rows, ledger), 0)
        return sum(len(rows) for rows in gone.values())

    async def _label(self, environment: str, service: str, numbers: Mapping[str, int], now: datetime) -> None:
        """Let the label of a deployment follow the snapshots of its environment while it is rolled out.

        That is as long as a roll-out may take, from when it was announced or said to be finished: sources see
        it late.
        """
        since = now - self._policy().rollout
        for deployment in (await self._store.deployments(environment, service, since))[:1]:
            number = numbers.get(environment)
            if number is not None and number != await self._store.label(environment, deployment.version):
                await self._store.put_label(environment, deployment.version, number, now)

    def _comparisons_of(self, environment: str) -> list[str]:
        if environment not in self._policy().environments:
            return []
        pairs = [
            pair.name for pair in self._policy().pairs if environment in (pair.left.name, pair.right.name)
        ]
        return [*pairs, environment]

    async def _pair(self, pair: Pair, asked: _Round, through: int) -> Judgement:
        gathered, moment, mark = await self._at(pair, asked.service, asked.now)
        both, rows = gathered.both, _rows(gathered, pair.name)
        ledger = self._ledger(pair.name, asked, pair.left.name, pair.right.name)
        await self._look_back(pair, asked, gathered, moment, ledger)
        outcome = live(
            rows,
            moment.judged.values(),
            ledger=ledger,
            witnesses=Witnesses(
                left=both.left,
                right=both.right,
                policies=self._trusted(asked.service, pair.left.name, pair.right.name),
                needed=self._policy().confirm_after,
            ),
            settled_now=moment.settled,
            why_ended=await self._why_ended(rows.values(), both.accepted, asked.now),
        )
        judged, over = moment.judged.values(), _over(rows, outcome)
        at = _earliest(moment.judged.values(), both.left, both.right)
        return await self._finish(
            pair.name,
            asked.service,
            rows=rows,
            outcome=outcome,
            through=through,
            review_at=at,
            bindings=changes(judged, over, both.accepted, pair.name, asked.now),
            mark=mark,
        )

    async def _at(
        self, pair: Pair, service: str, now: datetime, as_of: datetime | None = None
    ) -> tuple[Gathered, Moment, ScoreMark | None]:
        """Judge both views of now, or of an earlier moment, with the mark of their score."""
        gathered = await self._comparisons.pair(pair, service, now=now, as_of=as_of)
        both = gathered.both
        judged: dict[Key, Judged] = {}
        mark = None
        lonely = not both.left.looks or not both.right.looks
        if (
            not lonely
            and both.service.expected_in(pair.left.name)
            and both.service.expected_in(pair.right.name)
        ):
            verdicts = verdicts_on(
                both, pair=pair, rules=self._policy().rules, now=now, interner=self._views.interner
            )
            judged = {one.key: one for one in verdicts.items if one.comparison == pair.name}
            told = counted(verdicts.items, verdicts.causes)
            mark = mark_of(pair.name, service, told, verdicts.measured, now=now)
        moment = Moment(
            judged=judged, settled=lambda key: None if lonely else settled(both.left, both.right, key)
        )
        return gathered, moment, mark

    async def _look_back(
        self, pair: Pair, asked: _Round, gathered: Gathered, moment: Moment, ledger: Ledger
    ) -> None:
        """Judge in hindsight what is out of sight now, where something older came after something newer."""
        seen = {
            at
            for view in (gathered.both.left, gathered.both.right)
            for looks in view.looks.values()
            for look in looks
            for at in look.stream.seen_at
        }
        arrived = asked.arrived
        if arrived is None or not seen or not (arrived.instead or arrived.earliest < max(seen)):
            return
        hindsight = Hindsight(moment, _rows(gathered, pair.name), ledger)
        for at in sorted(seen, reverse=True):
            if at < arrived.earliest and not hindsight.waiting:
                return
            _, then, _ = await self._at(pair, asked.service, asked.now, as_of=at)
            hindsight.look(then)
        hindsight.forget(since=min(seen))

    async def _alone(self, environment: str, asked: _Round, through: int) -> Judgement:
        policy = self._policy()
        here = policy.environment(environment)
        inside = Pair(left=here, right=here)
        gathered = await self._comparisons.pair(inside, asked.service, now=asked.now)
        view = gathered.both.right
        accepted = gathered.both.accepted
        servers = gathered.both.servers.get(environment, ())
        judged = findings_in(
            view,
            service=gathered.both.service,
            pair=inside,
            rules=policy.rules,
            now=asked.now,
            accepted=accepted,
            servers=servers,
        )
        judged = with_holds(judged, gathered.both, pair=inside, now=asked.now)
        rows = _rows(gathered, environment)
        outcome = live(
            rows,
            judged,
            ledger=self._ledger(environment, asked, environment),
            witnesses=Witnesses(
                left=view,
                right=view,
                policies=self._trusted(asked.service, environment),
                needed=policy.confirm_after,
            ),
            settled_now=lambda key: settled_alone(view, servers, key) if view.looks else None,
            why_ended=await self._why_ended(rows.values(), accepted, asked.now),
        )
        at = _earliest(judged, view)
        return await self._finish(
            environment,
            asked.service,
            rows=rows,
            outcome=outcome,
            through=through,
            review_at=at,
            bindings=changes(judged, _over(rows, outcome), accepted, environment, asked.now),
        )

    async def _why_ended(
        self, rows: Iterable[Drift], accepted: Accepted, now: datetime
    ) -> Callable[[Drift, Judged], str]:
        """Return what says whose acceptance of a row ended, and why; those that ended are read for it."""
        ids = {
            row.item["accepted"]["id"] for row in rows if row.state == "accepted" and row.item.get("accepted")
        }
        over = {
            name: one
            for name in ids - accepted.acceptances.keys()
            if (one := await self._store.acceptance(name)) is not None
        }
        known = replace(accepted, acceptances={**accepted.acceptances, **over}) if over else accepted
        return lambda row, one: why_ended(row, one, known, now)

    async def _finish(
        self,
        comparison: str,
        service: str,
        *,
        rows: Mapping[Key, Drift],
        outcome: Settled,
        through: int,
        review_at: datetime | None,
        bindings: Sequence[Binding],
        mark: ScoreMark | None = None,
    ) -> Judgement:
        await self._settle(comparison, service, outcome, through, mark=mark, bindings=bindings)
        after = {row.key: row.state for row in rows.values()} | {row.key: row.state for row in outcome.drifts}
        for row, (_, event) in zip(outcome.drifts, outcome.events, strict=True):
            self._log.info(
                f"drift {event.event}",
                comparison=comparison,
                service=service,
                section=row.key.section,
                item=row.key.item,
                kind=row.key.kind,
                severity=row.severity,
                drift_id=row.id,
            )
        return Judgement(
            comparison=comparison,
            service=service,
            review_at=review_at,
            waiting="pending" in after.values(),
        )

    async def _settle(
        self,
        comparison: str,
        service: str,
        outcome: Settled,
        through: int,
        *,
        mark: ScoreMark | None = None,
        bindings: Sequence[Binding] = (),
    ) -> None:
        await self._store.settle(
            comparison,
            service,
            judged_through=through,
            drifts=outcome.drifts,
            events=outcome.events,
            owed=outcome.owed,
            mark=mark,
            bindings=bindings,
        )

    def _trusted(self, service: str, *environments: str) -> dict[str, dict[str, SourcePolicy]]:
        return {name: self._policy().trusted(service, name) for name in environments}

    def _ledger(self, comparison: str, asked: _Round, *environments: str) -> Ledger:
        return Ledger(
            comparison=comparison,
            now=asked.now,
            new_id=self._new_id,
            snapshots={name: asked.numbers[name] for name in environments if name in asked.numbers},
            late=asked.arrived is not None and asked.arrived.late,
        )


def _over(rows: Mapping[Key, Drift], outcome: Settled) -> set[Key]:
    """Return the keys whose difference is gone since this judgement."""
    return {row.key for row in outcome.drifts if row.state == "resolved" and row.key in rows}


def _earliest(judged: Iterable[Judged], *views: View) -> datetime | None:
    """Return when the clock alone may change something: an allowance ends, a stream grows stale."""
    times = [one.review_at for one in judged] + [view.fresh_until for view in views]
    return min((at for at in times if at is not None), default=None)


def _rows(gathered: Gathered, comparison: str) -> dict[Key, Drift]:
    return {row.key: row for row in gathered.rows if row.comparison == comparison}
