"""Two states compared: what `diff`, the gate, the pages and the alerts all ask."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from detector.config.policy import Policy
from detector.engine.acceptance import Accepted
from detector.engine.comparison import Comparison, ServiceVerdicts, State
from detector.engine.gone import is_gone
from detector.engine.life import LIVING
from detector.engine.memory import Memory
from detector.engine.one_image import told_once
from detector.engine.policy import Pair, Service
from detector.engine.swap import swapped
from detector.engine.unmatched import unmatched
from detector.engine.verdicts import Both, verdicts_on
from detector.engine.view import View
from detector.errors import ExpressionError, NotFoundError
from detector.model.deployments import Deployment
from detector.model.expressions import AsOf, EnvironmentState, Labelled, Now, Numbered
from detector.model.records import Drift, Key, Snapshot
from detector.queries.kept_verdicts import Evidence, KeptVerdicts
from detector.queries.known import Known, Reading, names_of
from detector.queries.living import NOTHING_LIVES, LivingRows
from detector.queries.past_values import LeadingHistories
from detector.queries.rollouts import Rollouts
from detector.queries.views import Views
from detector.store.milestones import PRUNED, dropped
from detector.store.store import Store

#: Judges one service between two environments, as `verdicts_on` does.
Judging = Callable[..., ServiceVerdicts]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """One side of a question, as the store understands it."""

    state: State
    environment: str
    as_of: datetime | None = None
    number: int | None = None
    #: The moment of a past state: what is judged by; None for now.
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What people and pipelines said of two environments."""

    accepted: Accepted
    #: (environment, service) -> what was last deployed within the window of a roll-out.
    deployed: Mapping[tuple[str, str], Deployment]


class Comparisons:
    """Compares environments out of the store."""

    def __init__(self, store: Store, views: Views, policy: Callable[[], Policy]) -> None:
        self._store = store
        self._views = views
        self._policy = policy
        self._memory = Memory()
        self._verdicts = KeptVerdicts()
        self._histories = LeadingHistories(store, views, self._memory)
        self._rollouts = Rollouts(store, views, policy)
        self._register = LivingRows(store, self._rollouts)
        self._reading = Reading(store, views, self._rollouts, policy)
        self.known = self._reading.known

    @property
    def kept_bytes(self) -> dict[str, int]:
        """About how many bytes of what is kept in memory, by what it is."""
        return {
            "views": self._views.kept.bytes,
            "differences": self._memory.kept.bytes,
            "verdicts": self._verdicts.kept.bytes,
        }

    async def compare(
        self,
        left: EnvironmentState,
        right: EnvironmentState,
        *,
        now: datetime,
        services: Collection[str] | None = None,
        judging: Judging = verdicts_on,
    ) -> Comparison:
        """Return what differs between two states, judged in promotion order and shown as asked.

        ``judging`` is another question than what differs now.

        Raises NotFoundError for an environment or snapshot that is not there, ExpressionError for a time
        before the first one.
        """
        policy = self._policy()
        pair, other_way = policy.pair(left.environment, right.environment)
        first, second = (right, left) if other_way else (left, right)
        ours, theirs = await self._asked(first, now), await self._asked(second, now)
        at = max((side.at for side in (ours, theirs) if side.at), default=now)
        at = min(at, now)
        found = await self._compare(pair, ours, theirs, now=at, services=services, judging=judging)
        return swapped(found) if other_way else found

    async def standing(
        self, left: EnvironmentState, right: EnvironmentState, service: str, *, now: datetime
    ) -> "Standing":
        """Return all that a comparison of two states knows of one service. Raises as `compare` does."""
        pair, turned = self._policy().pair(left.environment, right.environment)
        ours, theirs = [await self._asked(one, now) for one in ((right, left) if turned else (left, right))]
        at = min(max((side.at for side in (ours, theirs) if side.at), default=now), now)
        views = [(await self._views_of(side, (service,), at)).get(service) for side in (ours, theirs)]
        rows: list[Drift] | None = None
        if ours.at is None and theirs.at is None:
            rows = [
                row
                for comparison in names_of(pair)
                for row in await self._store.register(comparison=comparison, service=service, states=LIVING)
            ]
            rows = await self._rollouts.with_turns(rows, now)
        first = (pair.name, service) not in await self._store.judged_through()
        gathered = await self._gathered(
            pair,
            service,
            *views,
            now=at,
            rows=rows,
            first=first,
            said=await self._said(pair, service=service, at=at),
        )
        both = gathered.both
        if rows is not None:
            both = replace(both, servers=await self._views.servers_of(pair, service, now=at))
        return Standing(pair=pair, turned=turned, left=ours.state, right=theirs.state, both=both, at=at)

    async def pair(
        self, pair: Pair, service: str, *, known: Known, now: datetime, as_of: datetime | None = None
    ) -> "Gathered":
        """Return both views of one service with its rows and histories: what a judgement needs.

        ``as_of`` asks for the views of an earlier moment, as known now.
        """
        ours, theirs = [
            (
                known.views[environment.name]
                if as_of is None
                else await self._views.of(environment.name, now=now, services=(service,), as_of=as_of)
            ).get(service)
            for environment in (pair.left, pair.right)
        ]
        names = names_of(pair)
        gathered = await self._gathered(
            pair,
            service,
            ours,
            theirs,
            now=now,
            rows=[row for row in known.rows.get(service, ()) if row.comparison in names],
            first=(pair.name, service) not in known.judged,
            said=_Said(accepted=known.accepted[service], deployed=known.deployed),
        )
        at_hand = (known.views[pair.left.name], known.views[pair.right.name])
        servers = await self._views.servers_of(pair, service, now=now, at_hand=at_hand)
        return replace(gathered, both=replace(gathered.both, servers=servers))

    async def _compare(
        self,
        pair: Pair,
        ours: _Asked,
        theirs: _Asked,
        *,
        now: datetime,
        services: Collection[str] | None,
        judging: Judging,
    ) -> Comparison:
        policy = self._policy()
        left, right = await self._views_of(ours, services, now), await self._views_of(theirs, services, now)
        current = ours.at is None and theirs.at is None
        living = await self._register.of(pair, now) if current else NOTHING_LIVES
        said = await self._said(pair, at=now)
        found, lonely, causes = [], [], 1
        looked = await self._looked_everywhere(pair)
        if current:
            # One by one each would ask eight times.
            await self._histories.read(
                {
                    name: (left[name], right[name])
                    for name in left.keys() & right.keys()
                    if not self._verdicts.rests_on(pair, name, left[name], right[name])
                }
            )
        for name in self._services_of(left, right, services):
            service = policy.service(name)
            lone = _lone(pair, service, left, right)
            expected = service.expected_in(pair.left.name) and service.expected_in(pair.right.name)
            if lone is not None:
                there = (left if lone == pair.left.name else right).get(name)
                if expected and not (there and is_gone(there)):
                    lonely.append((lone, name))
            elif expected:
                at_hand = (left, right) if services is None else None
                servers = (
                    await self._views.servers_of(pair, name, now=now, at_hand=at_hand) if current else {}
                )
                evidence = Evidence(
                    policy=policy,
                    left=left.get(name),
                    right=right.get(name),
                    rows=living.rows.get(name, ()),
                    first=(pair.name, name) not in living.judged,
                    accepted=said.accepted,
                    deployed=tuple(said.deployed.get((one.name, name)) for one in (pair.left, pair.right)),
                    servers=servers,
                    lineage=await self._views.lineage_of(name, now=now) if current else {},
                    first_cause=causes,
                )
                keep = current and judging is verdicts_on
                verdicts = self._verdicts.still(pair, name, evidence, now=now) if keep else None
                if verdicts is None:
                    gathered = await self._gathered(
                        pair,
                        name,
                        evidence.left,
                        evidence.right,
                        now=now,
                        rows=evidence.rows if current else None,
                        first=evidence.first,
                        said=said,
                    )
                    verdicts = judging(
                        replace(gathered.both, servers=servers),
                        pair=pair,
                        rules=policy.rules,
                        now=now,
                        interner=self._views.interner,
                        first_cause=causes,
                        differ=self._memory.differences,
                    )
                    if keep:
                        self._verdicts.keep(pair, evidence, verdicts, now=now)
                causes += len(verdicts.causes)
                found.append(verdicts)
        both = {pair.left.name: left, pair.right.name: right}
        entries = unmatched(lonely, both, configured=policy.services)
        return Comparison(
            pair=pair,
            left=ours.state,
            right=theirs.state,
            services=told_once(found, first_cause=causes),
            # Where everything is looked at, what is not there is not deployed there.
            unmatched=tuple(one for one in entries if one.did_you_mean or one.environment not in looked),
        )

    async def _looked_everywhere(self, pair: Pair) -> set[str]:
        """Return the environments opposite which a discovery saw all that there is at its last run."""
        policy, opposite = self._policy(), {pair.left.name: pair.right.name, pair.right.name: pair.left.name}
        if not any(policy.discoveries.get(name) for name in opposite):
            return set()
        whole = {row.environment for row in await self._store.sources() if row.service is None and row.whole}
        return {name for name, other in opposite.items() if other in whole}

    def _services_of(
        self, left: Mapping[str, View], right: Mapping[str, View], services: Collection[str] | None
    ) -> list[str]:
        configured = {name for name, service in self._policy().services.items() if service.sources}
        wanted = configured if services is None else configured & set(services)
        return sorted({*left, *right, *wanted})

    async def _gathered(
        self,
        pair: Pair,
        name: str,
        left: View | None,
        right: View | None,
        *,
        now: datetime,
        rows: Iterable[Drift] | None,
        first: bool,
        said: _Said,
    ) -> "Gathered":
        """Put together what is known of one service; ``rows`` is None for a state of the past."""
        ours = left or self._views.nothing(pair.left.name, name, now=now)
        theirs = right or self._views.nothing(pair.right.name, name, now=now)
        keyed: dict[tuple[str, Key], Drift] = {}
        for row in rows or ():
            # The newest row of a key comes first.
            keyed.setdefault((row.comparison, row.key), row)
        both = Both(
            service=self._policy().service(name),
            left=ours,
            right=theirs,
            rows=keyed,
            histories=await self._histories.of(name, ours, theirs) if rows is not None else {},
            lineage=await self._views.lineage_of(name, now=now) if rows is not None else {},
            first=first,
            accepted=said.accepted,
        )
        if rows is not None:
            both = self._rollouts.settled(both, pair, said.deployed, now)
        return Gathered(both=both, rows=tuple(keyed.values()))

    async def _said(self, pair: Pair, *, at: datetime, service: str | None = None) -> _Said:
        services = None if service is None else (service,)
        accepted = await self._reading.accepted((pair,), services=services, at=at)
        sides = (pair.left.name, pair.right.name)
        return _Said(accepted=accepted, deployed=await self._rollouts.deployed(sides, at))

    async def views_of(self, said: EnvironmentState, *, now: datetime) -> tuple[State, Mapping[str, View]]:
        """Return one state of an environment and its views. Raises NotFoundError, ExpressionError."""
        asked = await self._asked(said, now)
        return asked.state, await self._views_of(asked, None, now)

    async def _views_of(
        self, asked: _Asked, services: Collection[str] | None, now: datetime
    ) -> Mapping[str, View]:
        return await self._views.of(
            asked.environment, now=asked.at or now, services=services, as_of=asked.as_of, number=asked.number
        )

    async def _asked(self, expression: EnvironmentState, now: datetime) -> _Asked:
        name = expression.environment
        snapshots = await self._store.latest_snapshots()
        latest = snapshots.get(name)
        shown = str(expression)
        if isinstance(expression, Now):
            return _Asked(state=_state(shown, name, latest), environment=name)
        if latest is None:
            raise NotFoundError(f"{name} has no snapshot yet: run parity snapshot {name}")
        if isinstance(expression, Numbered):
            number = latest.number - expression.number if expression.back else expression.number
            snapshot = await self._store.snapshot(name, number) if number > 0 else None
            if snapshot is None:
                pruned = await self._store.milestone(PRUNED)
                if pruned is not None and 0 < number < latest.number:
                    raise dropped(pruned)
                raise NotFoundError(f"{name} has no snapshot {number}: the newest is {name}#{latest.number}")
            return _Asked(
                state=_state(shown, name, snapshot), environment=name, number=number, at=snapshot.at
            )
        if isinstance(expression, Labelled):
            labelled = await self._store.label(name, expression.label)
            snapshot = await self._store.snapshot(name, labelled) if labelled is not None else None
            if snapshot is None:
                raise NotFoundError(
                    f"nothing was deployed as {expression.label} to {name}: a pipeline says so with "
                    f"parity deploy --env {name} --service SERVICE --version {expression.label}"
                )
            return _Asked(
                state=_state(shown, name, snapshot), environment=name, number=snapshot.number, at=snapshot.at
            )
        at = expression.at if isinstance(expression, AsOf) else now - expression.delta
        first = await self._store.snapshot(name, 1)
        if first is not None and at < first.at:
            raise ExpressionError(
                f"{shown} is before the first snapshot {name}#1, taken {first.at:%Y-%m-%dT%H:%M:%SZ}"
            )
        return _Asked(
            state=replace(_state(shown, name, None), taken_at=at), environment=name, as_of=at, at=at
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """One service in one pair, with the rows of the register that speak of it."""

    both: Both
    rows: tuple[Drift, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One service in two states, in promotion order, and the moment by which it is judged."""

    pair: Pair
    #: Whether it was asked the other way round.
    turned: bool
    left: State
    right: State
    both: Both
    at: datetime


def _state(shown: str, environment: str, snapshot: Snapshot | None) -> State:
    return State(
        expression=shown,
        environment=environment,
        snapshot=snapshot.number if snapshot else None,
        taken_at=snapshot.at if snapshot else None,
    )


def _lone(pair: Pair, service: Service, left: Mapping[str, View], right: Mapping[str, View]) -> str | None:
    """Return the environment of a service that the other one neither has nor has a source for."""
    here = [
        environment
        for environment, views in ((pair.left.name, left), (pair.right.name, right))
        if service.name in views or service.sources.get(environment)
    ]
    return here[0] if len(here) == 1 and pair.left != pair.right else None
