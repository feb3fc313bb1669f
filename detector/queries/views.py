"""The views of services, built from stored streams and kept while nothing changes."""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import Final

from detector.config.policy import Policy
from detector.engine.policy import Pair
from detector.engine.rollout import settled_view
from detector.engine.view import Interner, Place, View, view_of
from detector.model.records import Stream
from detector.model.words import Traffic
from detector.store.store import Store

_Signature = tuple[object, ...]
_COMPARED: Final[tuple[Traffic, ...]] = ("live",)


class Views:
    """Gives the merged view of each service of an environment, now or at an earlier time."""

    def __init__(self, store: Store, policy: Callable[[], Policy]) -> None:
        self._store = store
        self._policy = policy
        self._kept: dict[tuple[str, str], tuple[_Signature, View]] = {}
        self._settled: dict[tuple[str, str], tuple[View, Mapping[Place, str], View]] = {}
        self.interner = Interner()

    async def of(
        self,
        environment: str,
        *,
        now: datetime,
        services: Collection[str] | None = None,
        as_of: datetime | None = None,
        number: int | None = None,
    ) -> dict[str, View]:
        """Return the view of every service that has a stream in the environment.

        ``as_of`` asks for the state at a time as known now, ``number`` for a snapshot as known then.
        """
        streams = await self._store.streams(
            environments=(environment,),
            services=services,
            traffic=_COMPARED,
            as_of=as_of,
            snapshot=(environment, number) if number is not None else None,
        )
        by_service: dict[str, list[Stream]] = {}
        for stream in streams:
            by_service.setdefault(stream.service, []).append(stream)
        past = as_of is not None or number is not None
        return {
            service: self._view(environment, service, here, now=as_of or now, keep=not past)
            for service, here in sorted(by_service.items())
            if not self._policy().is_ephemeral(environment, service)
        }

    def settled(self, view: View, values: Mapping[Place, str]) -> View:
        """Return a view with what its replicas settle on, the same one while both stay the same."""
        if not values:
            return view
        key = (view.environment, view.service)
        known = self._settled.get(key)
        if known is not None and known[0] is view and known[1] == values:
            return known[2]
        made = settled_view(view, values)
        self._settled[key] = (view, values, made)
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

    def nothing(self, environment: str, service: str, *, now: datetime) -> View:
        """Return the view of a service that no source has seen."""
        return self._view(environment, service, (), now=now, keep=False)

    def _view(
        self, environment: str, service: str, streams: Iterable[Stream], *, now: datetime, keep: bool
    ) -> View:
        streams = list(streams)
        policy = self._policy()
        signature = (
            policy,
            *((s.source, s.component, s.digest, s.last_seen, s.changed_seq, len(s.held)) for s in streams),
        )
        known = self._kept.get((environment, service)) if keep else None
        if known is not None and known[0] == signature and not _expired(known[1], now):
            return known[1]
        if self.interner.full:
            self.interner = Interner()
            self._kept.clear()
            self._settled.clear()
        view = view_of(
            environment,
            service,
            streams,
            policy.trusted(service, environment),
            now=now,
            interner=self.interner,
            intermittent=policy.environment(environment).intermittent,
        )
        if keep:
            self._kept[environment, service] = (signature, view)
        return view


def _expired(view: View, now: datetime) -> bool:
    return view.fresh_until is not None and now > view.fresh_until
