"""Judge what changed: every comparison of a service whose facts moved, and write what that did to drifts."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import structlog

from detector.config.policy import Policy
from detector.engine.acceptance import Acceptance
from detector.engine.life import Ledger, withdraw
from detector.engine.policy import Pair
from detector.jobs.judging import Arrived, Found, Judgement, Judging, Round, settlement_of
from detector.model.records import Drift
from detector.queries.comparison import Comparisons
from detector.queries.known import Known
from detector.queries.views import Views
from detector.store.register import Settlement
from detector.store.scores import says_more
from detector.store.store import Store

#: Services that are judged out of one reading of the store, and settled in one commit.
TOGETHER: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """Where one service is judged."""

    pairs: Sequence[Pair]
    #: Environments alone: each is on both sides of its pair.
    inside: Sequence[Pair]


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
        self._policy = policy
        self._new_id = new_id
        self._judging = Judging(store, comparisons, views, policy, new_id)
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
        return await self.judge_together(
            {service: (environment,)}, now=now, half_seen={service: half_seen}, arrived=arrived
        )

    async def judge_together(
        self,
        wanted: Mapping[str, Collection[str]],
        *,
        now: datetime,
        half_seen: Mapping[str, Collection[str]],
        arrived: Arrived | None = None,
    ) -> list[Judgement]:
        """Judge services in environments, each of their comparisons once: one reading, and one commit.

        ``wanted`` and ``half_seen`` are by service; ``arrived`` speaks of a round of one. At most `TOGETHER`
        services at a time: what is known of them is held in memory.
        """
        asked = {
            service: where
            for service, environments in wanted.items()
            if (where := self._asked(service, environments, half_seen.get(service, ()))).inside
        }
        if not asked:
            return []
        self._with_users(asked)
        await self.note_files(now=now)
        pairs = dict.fromkeys(pair for where in asked.values() for pair in (*where.pairs, *where.inside))
        known = await self._comparisons.known(list(asked), list(pairs), now=now)
        a_round = Round(now=now, known=known, arrived=arrived)
        found: list[Found] = []
        for service, where in asked.items():
            if service not in wanted:
                a_round = replace(a_round, arrived=None)
            for here in where.inside:
                await self._label(here.right.name, service, a_round)
            found += [await self._judging.between(pair, service, a_round) for pair in where.pairs]
            found += [await self._judging.inside(here, service, a_round) for here in where.inside]
            # Whoever asks something meanwhile waits for one service, not for all of them.
            await asyncio.sleep(0)
        await self._settle([one.settlement for one in found if _moves(one.settlement, known)])
        return [one.judgement for one in found]

    def _with_users(self, asked: dict[str, _Asked]) -> None:
        """Add who uses a service: a server that moved may have left the clients that talk to it behind."""
        for service, where in list(asked.items()):
            for user in self._policy().service(service).used_by:
                known = asked.get(user, _Asked(pairs=(), inside=()))
                asked[user] = replace(known, inside=list(dict.fromkeys([*known.inside, *where.inside])))

    def _asked(self, service: str, environments: Collection[str], half_seen: Collection[str]) -> _Asked:
        policy = self._policy()
        here = [name for name in environments if name in policy.environments and name not in half_seen]
        # Where the repository is at hand, it is told how the commits of all environments follow each other.
        of_all = not set(here).isdisjoint(policy.service(service).repository_in)
        return _Asked(
            pairs=[
                pair
                for pair in policy.pairs
                if (of_all or pair.left.name in here or pair.right.name in here)
                and not (pair.left.name in half_seen or pair.right.name in half_seen)
            ],
            inside=[Pair(left=policy.environments[name], right=policy.environments[name]) for name in here],
        )

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
        await self._settle(
            [
                settlement_of(comparison, service, 0, withdraw(rows, self._ledger(comparison, now)))
                for (comparison, service), rows in gone.items()
            ]
        )
        return sum(len(rows) for rows in gone.values())

    async def _label(self, environment: str, service: str, a_round: Round) -> None:
        """Let the label of a deployment follow the snapshots of its environment while it is rolled out.

        That is as long as a roll-out may take, from when it was announced or said to be finished: sources see
        it late.
        """
        deployment = a_round.known.deployed.get((environment, service))
        number = a_round.known.numbers.get(environment)
        if deployment is None or number is None:
            return
        if number != await self._store.label(environment, deployment.version):
            await self._store.put_label(environment, deployment.version, number, a_round.now)

    def _comparisons_of(self, environment: str) -> list[str]:
        if environment not in self._policy().environments:
            return []
        pairs = [
            pair.name for pair in self._policy().pairs if environment in (pair.left.name, pair.right.name)
        ]
        return [*pairs, environment]

    def _ledger(self, comparison: str, now: datetime) -> Ledger:
        return Ledger(comparison=comparison, now=now, new_id=self._new_id, snapshots={})

    async def _settle(self, settlements: Sequence[Settlement]) -> None:
        await self._store.settle(settlements)
        for one in settlements:
            for row, (_, event) in zip(one.drifts, one.events, strict=True):
                self._log.info(
                    f"drift {event.event}",
                    comparison=one.comparison,
                    service=one.service,
                    section=row.key.section,
                    item=row.key.item,
                    kind=row.key.kind,
                    severity=row.severity,
                    drift_id=row.id,
                )


def _moves(settlement: Settlement, known: Known) -> bool:
    """Tell whether there is anything to write: most judgements of what nobody changed say what is known."""
    here, mark = (settlement.comparison, settlement.service), settlement.mark
    return bool(
        settlement.drifts
        or settlement.owed
        or settlement.bindings
        or known.judged.get(here, -1) < settlement.judged_through
        or (mark is not None and says_more(mark, known.marks.get(here)))
    )
