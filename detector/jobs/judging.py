"""One judgement: what one service in one comparison is now, and what that changes in the register."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from detector.config.policy import Policy
from detector.engine.acceptance import Accepted, changes, why_ended
from detector.engine.hindsight import Hindsight, Moment
from detector.engine.life import Ledger, Settled, Witnesses, live
from detector.engine.policy import Pair, SourcePolicy
from detector.engine.score import counted, mark_of
from detector.engine.settling import settled, settled_alone
from detector.engine.verdicts import findings_in, verdicts_on, with_holds
from detector.engine.view import View
from detector.model.records import Drift, Judged, Key, Recorded, ScoreMark
from detector.queries.comparison import Comparisons, Gathered
from detector.queries.known import Known
from detector.queries.views import Views
from detector.store.milestones import PRUNED
from detector.store.register import Settlement
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
class Round:
    """What some judgements have in common."""

    now: datetime
    known: Known
    #: Of a round of one service: what came of it.
    arrived: Arrived | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What came of one service in one comparison, before it is written."""

    judgement: Judgement
    settlement: Settlement


class Judging:
    """Judges one service in one comparison. Writes nothing."""

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

    async def between(self, pair: Pair, service: str, a_round: Round) -> Found:
        """Judge the two sides of a pair."""
        gathered, moment, mark = await self._at(pair, service, a_round)
        both, rows, now = gathered.both, _rows(gathered, pair.name), a_round.now
        ledger = self._ledger(pair.name, a_round, pair.left.name, pair.right.name)
        await self._look_back(pair, a_round, gathered, moment=moment, ledger=ledger)
        outcome = live(
            rows,
            moment.judged.values(),
            ledger=ledger,
            witnesses=Witnesses(
                left=both.left,
                right=both.right,
                policies=self._trusted(service, pair.left.name, pair.right.name),
                needed=self._policy().confirm_after,
            ),
            settled_now=moment.settled,
            why_ended=await self._why_ended(rows.values(), both.accepted, now),
        )
        judged, over = moment.judged.values(), _over(rows, outcome)
        changed = a_round.known.changed
        through = max(changed.get((side.name, service), 0) for side in (pair.left, pair.right))
        settlement = replace(
            settlement_of(pair.name, service, through, outcome),
            mark=mark,
            bindings=changes(judged, over, both.accepted, pair.name, now),
        )
        return _found(settlement, rows, _earliest(judged, both.left, both.right))

    async def _at(
        self, pair: Pair, service: str, a_round: Round, as_of: datetime | None = None
    ) -> tuple[Gathered, Moment, ScoreMark | None]:
        """Judge both views of now, or of an earlier moment, with the mark of their score."""
        now = a_round.now
        gathered = await self._comparisons.pair(pair, service, known=a_round.known, now=now, as_of=as_of)
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
        self,
        pair: Pair,
        a_round: Round,
        gathered: Gathered,
        *,
        moment: Moment,
        ledger: Ledger,
    ) -> None:
        """Judge in hindsight what is out of sight now, where something older came after something newer."""
        arrived = a_round.arrived
        if arrived is None:
            return
        seen = {
            at
            for view in (gathered.both.left, gathered.both.right)
            for looks in view.looks.values()
            for look in looks
            for at in look.stream.seen_at
        }
        if not seen or not (arrived.instead or arrived.earliest < max(seen)):
            return
        pruned = await self._store.milestone(PRUNED)
        # Of what is not kept any more nobody knows how it was.
        seen = {at for at in seen if pruned is None or at >= pruned.at}
        if not seen:
            return
        hindsight = Hindsight(moment, _rows(gathered, pair.name), ledger)
        for at in sorted(seen, reverse=True):
            if at < arrived.earliest and not hindsight.waiting:
                return
            _, then, _ = await self._at(pair, gathered.both.service.name, a_round, as_of=at)
            hindsight.look(then)
        hindsight.forget(since=min(seen))

    async def inside(self, here: Pair, service: str, a_round: Round) -> Found:
        """Judge one environment alone: ``here`` has it on both sides."""
        policy, now, known, environment = self._policy(), a_round.now, a_round.known, here.right.name
        gathered = await self._comparisons.pair(here, service, known=known, now=now)
        view = gathered.both.right
        accepted = gathered.both.accepted
        servers = gathered.both.servers.get(environment, ())
        judged = findings_in(
            view,
            service=gathered.both.service,
            pair=here,
            rules=policy.rules,
            now=now,
            accepted=accepted,
            servers=servers,
        )
        judged = with_holds(judged, gathered.both, pair=here, now=now)
        rows = _rows(gathered, environment)
        outcome = live(
            rows,
            judged,
            ledger=self._ledger(environment, a_round, environment),
            witnesses=Witnesses(
                left=view,
                right=view,
                policies=self._trusted(service, environment),
                needed=policy.confirm_after,
            ),
            settled_now=lambda key: settled_alone(view, servers, key) if view.looks else None,
            why_ended=await self._why_ended(rows.values(), accepted, now),
        )
        through = known.changed.get((environment, service), 0)
        settlement = replace(
            settlement_of(environment, service, through, outcome),
            bindings=changes(judged, _over(rows, outcome), accepted, environment, now),
        )
        return _found(settlement, rows, _earliest(judged, view))

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

    def _trusted(self, service: str, *environments: str) -> dict[str, dict[str, SourcePolicy]]:
        return {name: self._policy().trusted(service, name) for name in environments}

    def _ledger(self, comparison: str, a_round: Round, *environments: str) -> Ledger:
        numbers = a_round.known.numbers
        return Ledger(
            comparison=comparison,
            now=a_round.now,
            new_id=self._new_id,
            snapshots={name: numbers[name] for name in environments if name in numbers},
            late=a_round.arrived is not None and a_round.arrived.late,
        )


def _found(settlement: Settlement, rows: Mapping[Key, Drift], review_at: datetime | None) -> Found:
    after = {row.key: row.state for row in (*rows.values(), *settlement.drifts)}
    return Found(
        judgement=Judgement(
            comparison=settlement.comparison,
            service=settlement.service,
            review_at=review_at,
            waiting="pending" in after.values(),
        ),
        settlement=settlement,
    )


def settlement_of(comparison: str, service: str, through: int, outcome: Settled) -> Settlement:
    """Return what a judgement changed as it is written."""
    return Settlement(
        comparison=comparison,
        service=service,
        judged_through=through,
        drifts=outcome.drifts,
        events=outcome.events,
        owed=outcome.owed,
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
