"""What judgements ask of the store, read once for some services and all that compares them."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from detector.config.policy import Policy
from detector.engine.acceptance import NOTHING, Accepted, Binding
from detector.engine.policy import Pair
from detector.engine.view import View
from detector.model.deployments import Deployment
from detector.model.records import Drift, Key, ScoreMark
from detector.queries.rollouts import Rollouts
from detector.queries.views import Views
from detector.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """All that the judgements of some services need, as it was at one moment.

    Commit numbers are read first: what is committed meanwhile may be in the views, and is judged once more.
    """

    #: (environment, service) -> the newest commit that changed it.
    changed: Mapping[tuple[str, str], int]
    #: (comparison, service) -> the commit up to which it is judged.
    judged: Mapping[tuple[str, str], int]
    #: Environment -> number of its newest snapshot.
    numbers: Mapping[str, int]
    #: Environment -> service -> its view; of the servers that the services use too.
    views: Mapping[str, Mapping[str, View]]
    #: Service -> its rows of the register, newest first.
    rows: Mapping[str, Sequence[Drift]]
    #: Service -> what is accepted of it.
    accepted: Mapping[str, Accepted]
    #: (environment, service) -> what was last deployed within the window of a roll-out.
    deployed: Mapping[tuple[str, str], Deployment]
    #: (comparison, service) -> the last mark of its score.
    marks: Mapping[tuple[str, str], ScoreMark]


def names_of(*pairs: Pair) -> list[str]:
    """Return the comparisons that pairs show: their own, and the findings of either environment."""
    every = (name for pair in pairs for name in (pair.name, pair.left.name, pair.right.name))
    return list(dict.fromkeys(every))


class Reading:
    """Reads what judgements need."""

    def __init__(self, store: Store, views: Views, rollouts: Rollouts, policy: Callable[[], Policy]) -> None:
        self._store = store
        self._views = views
        self._rollouts = rollouts
        self._policy = policy

    async def known(self, services: Collection[str], pairs: Sequence[Pair], *, now: datetime) -> Known:
        """Return what is known of services in all of some pairs."""
        comparisons, policy = names_of(*pairs), self._policy()
        seen = {*services, *(server for service in services for server in policy.servers_of(service))}
        changed = await self._store.changed_seqs(services=services)
        snapshots = await self._store.latest_snapshots()
        environments = dict.fromkeys(side.name for pair in pairs for side in (pair.left, pair.right))
        rows: dict[str, list[Drift]] = {}
        standing = await self._store.register(comparison=comparisons, service=services)
        for row in await self._rollouts.with_turns(standing, now):
            rows.setdefault(row.key.service, []).append(row)
        return Known(
            changed=changed,
            judged=await self._store.judged_through(services=services),
            numbers={name: snapshot.number for name, snapshot in snapshots.items()},
            views={name: await self._views.of(name, now=now, services=seen) for name in environments},
            rows=rows,
            accepted=_by_service(await self.accepted(pairs, at=now, services=services), services),
            deployed=await self._rollouts.deployed(environments, now),
            marks=await self._store.newest_marks(comparisons=comparisons, services=services),
        )

    async def accepted(
        self, pairs: Iterable[Pair], *, at: datetime, services: Collection[str] | None = None
    ) -> Accepted:
        """Return what is accepted between and in environments: by people, and by the files in force."""
        pairs = list(pairs)
        kept = await self._store.accepted(comparisons=names_of(*pairs), services=services, at=at)
        files = {one.id: one for one in self._policy().accepted}
        if not kept and not files:
            return kept
        # The file says where it stands, the store since when it is known.
        found = {
            name: replace(files[name], created_at=one.created_at) if name in files else one
            for name, one in kept.acceptances.items()
        }
        sides = {one.name: (one.calendar,) for pair in pairs for one in (pair.left, pair.right)}
        between = {pair.name: (pair.left.calendar, pair.right.calendar) for pair in pairs}
        return replace(kept, acceptances={**files, **found}, calendars={**between, **sides})


def _by_service(accepted: Accepted, services: Iterable[str]) -> dict[str, Accepted]:
    """Return the same acceptances for each service, with its own bindings."""
    if not accepted:
        return dict.fromkeys(services, NOTHING)
    bound: dict[str, dict[tuple[str, Key], Sequence[Binding]]] = {}
    for (comparison, key), bindings in accepted.bindings.items():
        bound.setdefault(key.service, {})[comparison, key] = bindings
    return {service: replace(accepted, bindings=bound.get(service, {})) for service in services}
