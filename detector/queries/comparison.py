"""Two states compared: what `diff`, the gate, the pages and the alerts all ask."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime

from detector.config.policy import Policy
from detector.engine.ahead import Histories
from detector.engine.comparison import Both, Comparison, State, places_that_lead, verdicts_on
from detector.engine.memory import Memory
from detector.engine.policy import Pair
from detector.engine.swap import swapped
from detector.engine.view import View
from detector.errors import ExpressionError, NotFoundError
from detector.model.expressions import AsOf, EnvironmentState, Labelled, Now, Numbered
from detector.model.records import Drift, Key, Snapshot
from detector.queries.views import Views
from detector.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """One side of a question, as the store understands it."""

    state: State
    environment: str
    as_of: datetime | None = None
    number: int | None = None


class Comparisons:
    """Compares environments out of the store."""

    def __init__(self, store: Store, views: Views, policy: Callable[[], Policy]) -> None:
        self._store = store
        self._views = views
        self._policy = policy
        self._memory = Memory()

    async def compare(
        self,
        left: EnvironmentState,
        right: EnvironmentState,
        *,
        now: datetime,
        services: Collection[str] | None = None,
    ) -> Comparison:
        """Return what differs between two states, judged in promotion order and shown as asked.

        Raises NotFoundError for an environment or snapshot that is not there, ExpressionError for a time
        before the first one.
        """
        policy = self._policy()
        pair, other_way = policy.pair(left.environment, right.environment)
        first, second = (right, left) if other_way else (left, right)
        ours, theirs = await self._asked(first, now), await self._asked(second, now)
        at = max((side.as_of for side in (ours, theirs) if side.as_of), default=now)
        at = min(at, now)
        found = await self._compare(pair, ours, theirs, now=at, services=services)
        return swapped(found) if other_way else found

    async def pair(self, pair: Pair, service: str, *, now: datetime) -> "Gathered":
        """Return both current views of one service with its rows and histories: what a judgement needs."""
        asked = [
            _Asked(
                state=State(expression=environment.name, environment=environment.name),
                environment=environment.name,
            )
            for environment in (pair.left, pair.right)
        ]
        ours, theirs = [await self._views_of(side, (service,), now) for side in asked]
        return await self._gather(
            pair, service, ours.get(service), theirs.get(service), now=now, current=True
        )

    async def _compare(
        self, pair: Pair, ours: _Asked, theirs: _Asked, *, now: datetime, services: Collection[str] | None
    ) -> Comparison:
        policy = self._policy()
        left, right = await self._views_of(ours, services, now), await self._views_of(theirs, services, now)
        current = (
            ours.as_of is None and ours.number is None and theirs.as_of is None and theirs.number is None
        )
        names = [*left, *right]
        names += [
            name
            for name, one in policy.services.items()
            if one.sources and (services is None or name in services)
        ]
        found, unmatched, causes = [], [], 1
        for name in sorted(set(names)):
            lone = _lone(pair, policy, name, left, right)
            if lone is not None:
                unmatched.append((lone, name))
                continue
            if not policy.service(name).expected_in(pair.left.name) or not policy.service(name).expected_in(
                pair.right.name
            ):
                continue
            gathered = await self._gather(
                pair, name, left.get(name), right.get(name), now=now, current=current
            )
            verdicts = verdicts_on(
                gathered.both,
                pair=pair,
                rules=policy.rules,
                now=now,
                interner=self._views.interner,
                first_cause=causes,
                differ=self._memory.differences,
            )
            causes += len(verdicts.causes)
            found.append(verdicts)
        return Comparison(
            pair=pair, left=ours.state, right=theirs.state, services=tuple(found), unmatched=tuple(unmatched)
        )

    async def _gather(
        self, pair: Pair, name: str, left: View | None, right: View | None, *, now: datetime, current: bool
    ) -> "Gathered":
        policy = self._policy()
        ours = left or self._views.nothing(pair.left.name, name, now=now)
        theirs = right or self._views.nothing(pair.right.name, name, now=now)
        rows: list[Drift] = []
        if current:
            for comparison in (pair.name, pair.left.name, pair.right.name):
                rows += await self._store.register(comparison=comparison, service=name)
        keyed: dict[tuple[str, Key], Drift] = {}
        for row in rows:
            keyed.setdefault((row.comparison, row.key), row)
        both = Both(
            service=policy.service(name),
            left=ours,
            right=theirs,
            rows=keyed,
            histories=await self._histories(pair, name, ours, theirs) if current else {},
            first=not any(row.comparison == pair.name for row in rows),
        )
        return Gathered(both=both, rows=tuple(keyed.values()))

    async def _histories(self, pair: Pair, name: str, left: View, right: View) -> Histories:
        places = places_that_lead(self._memory.differences(left, right, self._views.interner))
        if not places:
            return {}
        keys = [(name, *place) for place in places]
        histories = {}
        for environment in (pair.left.name, pair.right.name):
            for key, intervals in (await self._store.values_of(environment, keys)).items():
                place = next(place for place in places if (name, *place) == key)
                histories[environment, place] = intervals
        return histories

    async def _views_of(
        self, asked: _Asked, services: Collection[str] | None, now: datetime
    ) -> dict[str, View]:
        return await self._views.of(
            asked.environment, now=now, services=services, as_of=asked.as_of, number=asked.number
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
                raise NotFoundError(f"{name} has no snapshot {number}: the newest is {name}#{latest.number}")
            return _Asked(state=_state(shown, name, snapshot), environment=name, number=number)
        if isinstance(expression, Labelled):
            raise NotFoundError(f"nothing put the label {expression.label} on {name} yet")
        at = expression.at if isinstance(expression, AsOf) else now - expression.delta
        first = await self._store.snapshot(name, 1)
        if first is not None and at < first.at:
            raise ExpressionError(
                f"{shown} is before the first snapshot {name}#1, taken {first.at:%Y-%m-%dT%H:%M:%SZ}"
            )
        return _Asked(state=replace(_state(shown, name, None), taken_at=at), environment=name, as_of=at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """One service in one pair, with the rows of the register that speak of it."""

    both: Both
    rows: tuple[Drift, ...]


def _state(shown: str, environment: str, snapshot: Snapshot | None) -> State:
    return State(
        expression=shown,
        environment=environment,
        snapshot=snapshot.number if snapshot else None,
        taken_at=snapshot.at if snapshot else None,
    )


def _lone(pair: Pair, policy: Policy, name: str, left: dict[str, View], right: dict[str, View]) -> str | None:
    """Return the environment of a service that the other one neither has nor has a source for."""
    service = policy.service(name)
    here = [
        environment
        for environment, views in ((pair.left.name, left), (pair.right.name, right))
        if name in views or service.sources.get(environment)
    ]
    return here[0] if len(here) == 1 else None
