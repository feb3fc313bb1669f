"""The views of services, built from stored streams and kept while nothing changes."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from detector.config.policy import Policy
from detector.engine.lineage import Lineage, lineage_in
from detector.engine.memory import Kept, size_of_view
from detector.engine.policy import Pair
from detector.engine.rollout import settled_view
from detector.engine.view import Interner, Place, View, view_of
from detector.model.records import Stream
from detector.model.words import Traffic
from detector.store.memory import StreamKey
from detector.store.store import Store

_COMPARED: Final[tuple[Traffic, ...]] = ("live",)
#: What all views may hold in memory together: of a thousand services with a thousand facts each.
BOUND: Final = 192 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """A view, and what it was made of."""

    streams: tuple[Stream, ...]
    policy: Policy
    view: View


@dataclass(frozen=True, slots=True, kw_only=True)
class _Whole:
    """All views of an environment, and for how long they are the newest."""

    moved: tuple[int, int]
    policy: Policy
    fresh_until: datetime | None
    views: Mapping[str, View]


class Views:
    """Gives the merged view of each service of an environment, now or at an earlier time.

    Views are loaded when they are first asked for, and kept within a bound of bytes.
    """

    def __init__(self, store: Store, policy: Callable[[], Policy], *, bound: int = BOUND) -> None:
        self._store = store
        self._policy = policy
        #: (environment, service) -> its view.
        self.kept: Kept[tuple[str, str], _Kept] = Kept(bound)
        self._whole: dict[str, _Whole] = {}
        self._settled: Kept[tuple[str, str], tuple[View, Mapping[Place, str], View]] = Kept(bound // 8)
        self.interner = Interner()

    async def of(
        self,
        environment: str,
        *,
        now: datetime,
        services: Collection[str] | None = None,
        as_of: datetime | None = None,
        number: int | None = None,
        items: Collection[str] | None = None,
    ) -> Mapping[str, View]:
        """Return the view of every service that has a stream in the environment.

        ``as_of`` asks for the state at a time as known now, ``number`` for a snapshot as known then. Whoever
        looks at few ``items`` names them: a past view may then hold no others.
        """
        past = as_of is not None or number is not None
        whole = None if past else self._still(environment, now)
        if whole is not None:
            return (
                whole
                if services is None
                else {name: whole[name] for name in sorted(services) if name in whole}
            )
        moved, policy = self._store.moved, self._policy()
        streams = await self._store.streams(
            environments=(environment,),
            services=services,
            traffic=_COMPARED,
            as_of=as_of,
            snapshot=(environment, number) if number is not None else None,
            at_hand=None if past else self._at_hand(environment, services),
            items=items if past else None,
        )
        by_service: dict[str, list[Stream]] = {}
        for stream in streams:
            by_service.setdefault(stream.service, []).append(stream)
        views: Mapping[str, View] = MappingProxyType(
            {
                service: self._view(environment, service, here, now=as_of or now, keep=not past)
                for service, here in sorted(by_service.items())
                if not policy.is_ephemeral(environment, service)
            }
        )
        everything = not past and services is None
        if everything and moved is not None and all((environment, name) in self.kept for name in views):
            fresh_until = min((one.fresh_until for one in views.values() if one.fresh_until), default=None)
            self._whole[environment] = _Whole(
                moved=moved, policy=policy, fresh_until=fresh_until, views=views
            )
        return views

    def _still(self, environment: str, now: datetime) -> Mapping[str, View] | None:
        """Return all views of an environment where nothing can have changed since they were made."""
        whole = self._whole.get(environment)
        if whole is None or whole.moved != self._store.moved or whole.policy is not self._policy():
            return None
        return whole.views if whole.fresh_until is None or now <= whole.fresh_until else None

    def _at_hand(self, environment: str, services: Collection[str] | None) -> dict[StreamKey, Stream]:
        """Return the streams of kept views: what did not change of them is not read again."""
        names = (
            services if services is not None else [name for where, name in self.kept if where == environment]
        )
        kept = [self.kept.get((environment, name)) for name in names]
        return {StreamKey.of(stream): stream for one in kept if one is not None for stream in one.streams}

    def settled(self, view: View, values: Mapping[Place, str]) -> View:
        """Return a view with what its replicas settle on, the same one while both stay the same."""
        if not values:
            return view
        key = (view.environment, view.service)
        known = self._settled.get(key)
        if known is not None and known[0] is view and known[1] == values:
            return known[2]
        made = settled_view(view, values)
        self._settled.put(key, (view, values, made), size=size_of_view(made))
        return made

    async def servers_of(
        self,
        pair: Pair,
        service: str,
        *,
        now: datetime,
        at_hand: tuple[Mapping[str, View], Mapping[str, View]] | None = None,
    ) -> dict[str, list[View]]:
        """Return the views of the backing services that a service uses, by environment.

        ``at_hand`` are the views of all services of both sides, where somebody has them.
        """
        names = self._policy().servers_of(service)
        found: dict[str, list[View]] = {}
        for number, environment in enumerate((pair.left.name, pair.right.name) if names else ()):
            views = at_hand[number] if at_hand else await self.of(environment, now=now, services=names)
            found[environment] = [views[server] for server in names if server in views]
        return found

    async def lineage_of(self, service: str, *, now: datetime) -> Lineage:
        """Return how the commits of a service follow each other; nothing where no repository is at hand."""
        found = []
        for environment in self._policy().service(service).repository_in:
            view = (await self.of(environment, now=now, services=(service,))).get(service)
            found += [view] if view is not None else []
        return lineage_in(found) if found else {}

    def nothing(self, environment: str, service: str, *, now: datetime) -> View:
        """Return the view of a service that no source has seen."""
        return self._view(environment, service, (), now=now, keep=False)

    def _view(
        self, environment: str, service: str, streams: Iterable[Stream], *, now: datetime, keep: bool
    ) -> View:
        here, policy = tuple(streams), self._policy()
        known = self.kept.get((environment, service)) if keep else None
        if (
            known is not None
            and known.policy is policy
            and _are_same(known.streams, here)
            and not _expired(known.view, now)
        ):
            return known.view
        if self.interner.full:
            self.interner = Interner()
            self.kept.clear()
            self._settled.clear()
            self._whole.clear()
        view = view_of(
            environment,
            service,
            here,
            policy.trusted(service, environment),
            now=now,
            interner=self.interner,
            intermittent=policy.environment(environment).intermittent,
        )
        if keep:
            entry = _Kept(streams=here, policy=policy, view=view)
            if self.kept.put((environment, service), entry, size=size_of_view(view)):
                # It holds views too: what has left would stay in memory.
                self._whole.clear()
        return view


def _are_same(known: tuple[Stream, ...], here: tuple[Stream, ...]) -> bool:
    """Tell whether streams are the very same objects: the store gives them back while nothing was seen."""
    return len(known) == len(here) and all(one is other for one, other in zip(known, here, strict=True))


def _expired(view: View, now: datetime) -> bool:
    return view.fresh_until is not None and now > view.fresh_until
