"""Lead times: how long versions take from environment to environment, and what waits to arrive."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from detector.config.policy import Policy
from detector.engine.promotion import Hop, Promotion, Step, Waiting, promotion_of, versions_in
from detector.model import versions
from detector.model.clock import print_time
from detector.model.records import Interval
from detector.model.words import SECTIONS
from detector.queries.names import item_meant, require_services
from detector.store.store import Store

SCHEMA: Final = "parity.promotion/v1"
#: What people call the version of a service; the first that two environments have.
_VERSIONS: Final = (
    ("release", "image#tag"),
    ("codebase", "repo#commit"),
    ("backing_services", "main#version"),
    ("release", "image#digest"),
    ("release", "image#id"),
)

#: (section, item)
Name = tuple[str, str]
#: Environment -> intervals of one item of one service.
Histories = Mapping[str, list[Interval]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """The way of one item of one service through the environments."""

    service: str
    section: str
    item: str
    promotion: Promotion


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotions:
    """Answers how long promotion takes. Everything is read off stored history."""

    store: Store
    policy: Callable[[], Policy]
    #: What all releases were over time, for as long as nothing changes: Prometheus asks every few seconds.
    _kept: dict[str, Any] = field(default_factory=dict)

    async def ways(
        self,
        *,
        now: datetime,
        services: Collection[str] | None = None,
        item: str | None = None,
        back: timedelta | None = None,
    ) -> list[Way]:
        """Return the way of the version of each service, or of one item wherever it is, by service.

        ``now`` may lie in the past: what was seen later is left out. ``back`` is how long before it the
        figures begin.
        """
        names = _VERSIONS if item is None else tuple((section, item) for section in SECTIONS)
        found: dict[str, dict[Name, dict[str, list[Interval]]]] = {}
        for (environment, key), intervals in (await self._timelines(names, services, item)).items():
            service, _, section, of = key
            here = found.setdefault(service, {}).setdefault((section, of), {})
            here.setdefault(environment, []).extend(_until(intervals, now))
        ways = []
        for service, by_item in sorted(found.items()):
            chosen: list[Name] = [_version_of(by_item)] if item is None else sorted(by_item)
            for name in chosen:
                promotion = promotion_of(
                    by_item[name],
                    self.policy().environments.values(),
                    since=None if back is None else now - back,
                    item=name[1],
                )
                if promotion.lanes:
                    ways.append(Way(service=service, section=name[0], item=name[1], promotion=promotion))
        return ways

    async def _timelines(
        self, names: Collection[Name], services: Collection[str] | None, item: str | None
    ) -> Mapping[Any, list[Interval]]:
        if services is not None or item is not None:
            return await self.store.timelines(names, services=services)
        seqs = await self.store.changed_seqs()
        if self._kept.get("seqs") != seqs:
            self._kept.update(seqs=seqs, timelines=await self.store.timelines(names))
        found: Mapping[Any, list[Interval]] = self._kept["timelines"]
        return found

    async def promotion(
        self,
        *,
        now: datetime,
        service: str | None = None,
        item: str | None = None,
        back: timedelta | None = None,
    ) -> dict[str, Any]:
        """Return ``parity.promotion/v1``; ``item`` may be what people say of it.

        Raises NotFoundError for a service or an item that nobody knows, UsageError where several are meant.
        """
        if service is not None:
            await require_services(self.store, self.policy(), [service])
        if item is not None:
            item = await item_meant(self.store, item, service)
        services = None if service is None else (service,)
        ways = await self.ways(now=now, services=services, item=item, back=back)
        since = None if back is None else now - back
        return {
            "schema": SCHEMA,
            "as_of": print_time(now),
            "since": print_time(since) if since else None,
            "items": [self._document(way, now=now, since=since) for way in ways],
        }

    def _document(self, way: Way, *, now: datetime, since: datetime | None) -> dict[str, Any]:
        found = way.promotion
        return {
            "service": way.service,
            "owner": self.policy().service(way.service).owner,
            "section": way.section,
            "item": way.item,
            "environments": list(found.lanes),
            "hops": [hop_document(hop, now=now) for hop in found.hops],
            "versions": _versions(found, since),
        }


def hop_document(hop: Hop, *, now: datetime) -> dict[str, Any]:
    """Return one hop as ``parity.promotion/v1`` shows it."""
    return {
        "left": hop.left,
        "right": hop.right,
        "arrived": hop.arrived,
        "timed": hop.timed,
        "median_seconds": seconds(hop.median),
        "p90_seconds": seconds(hop.p90),
        "changes_median_seconds": seconds(hop.changes_median),
        "changes_p90_seconds": seconds(hop.changes_p90),
        "overtaken": hop.overtaken,
        "withdrawn": hop.withdrawn,
        "direct": hop.direct,
        "rolled_back": hop.rolled_back,
        "waiting": waiting_document(hop.waiting, now=now) if hop.waiting else None,
    }


def waiting_document(waiting: Waiting, *, now: datetime) -> dict[str, Any]:
    """Return the clock that runs as ``parity.promotion/v1`` shows it."""
    return {
        "version": waiting.version,
        "versions": waiting.versions,
        "since": print_time(waiting.since),
        "seconds": seconds(now - waiting.since),
        "exact": waiting.exact,
        "taken_back": waiting.taken_back,
    }


def seconds(delta: timedelta | None) -> float | None:
    """Return a duration as JSON shows it."""
    return None if delta is None else round(delta.total_seconds(), 3)


def _until(intervals: Iterable[Interval], at: datetime) -> list[Interval]:
    """Return a history as it was at a time."""
    return [
        replace(one, closed=None) if one.closed is not None and one.closed > at else one
        for one in intervals
        if one.opened <= at
    ]


def _version_of(by_item: Mapping[Name, Histories]) -> Name:
    """Return the item that tells releases of a service apart: not a tag that always says `latest`."""
    known = [name for name in _VERSIONS if name in by_item and any(by_item[name].values())]
    telling = [name for name in known if not _only_floats(by_item[name])] or known or list(by_item)
    shared = [name for name in telling if sum(1 for some in by_item[name].values() if some) > 1]
    return (shared or telling)[0]


def _only_floats(histories: Histories) -> bool:
    every = {version for some in histories.values() for one in some for version in versions_in(one.value)}
    return len(every) == 1 and all(versions.split_tag(version).floating for version in every)


def _versions(found: Promotion, since: datetime | None) -> list[dict[str, Any]]:
    """Return the versions that were seen in the time asked about, the newest first."""
    steps: dict[str, dict[str, Step]] = {}
    for hop in found.hops:
        for step in hop.steps:
            steps.setdefault(step.version, {})[f"{hop.left}..{hop.right}"] = step
    rows = []
    first = {version: one.first for lane in found.lanes.values() for version, one in lane.items()}
    for lane in found.lanes.values():
        first |= {version: min(one.first, first[version]) for version, one in lane.items()}
    for version in sorted(first, key=lambda name: (first[name], name), reverse=True):
        seen = {name: lane[version] for name, lane in found.lanes.items() if version in lane}
        if since is not None and all(one.last is not None and one.last < since for one in seen.values()):
            continue
        rows.append(
            {
                "version": version,
                "since": print_time(first[version]),
                "first_seen": {
                    name: {"at": print_time(one.first), "exact": one.exact, "current": one.last is None}
                    for name, one in seen.items()
                },
                "hops": {
                    name: {
                        "outcome": step.outcome,
                        "lead_seconds": seconds(step.lead),
                        "by": step.by,
                    }
                    for name, step in steps.get(version, {}).items()
                },
            }
        )
    return rows
