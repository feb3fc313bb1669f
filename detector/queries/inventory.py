"""Who runs what, where and since when: services, environments, snapshots and the history of an item."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from detector.config.policy import Policy
from detector.engine.view import Look, View
from detector.errors import NotFoundError
from detector.model.clock import print_time
from detector.model.records import Drift, Snapshot, severity_rank
from detector.model.words import SECTIONS
from detector.queries.beside import beside
from detector.queries.names import require_services
from detector.queries.overview import Overview, version_place
from detector.queries.promotion import Promotions
from detector.queries.views import Views
from detector.store.store import Store

#: What the timeline of a service looks back on.
TIMELINE: Final = timedelta(days=90)
_MOST_SNAPSHOTS: Final = 1000
_MOST_DRIFTS: Final = 1000
#: States of drifts that are still about something.
LIVE: Final = ("open", "pending", "accepted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """Answers what is where."""

    store: Store
    views: Views
    overview: Overview
    promotions: Promotions
    policy: Callable[[], Policy]

    async def services(self) -> list[dict[str, Any]]:
        """Return every service, configured or only seen, by name."""
        policy, seen = self.policy(), dict(await self.store.services())
        previews = {
            name
            for name, where in seen.items()
            if all(policy.is_ephemeral(environment, name) for environment in where)
        }
        names = sorted({*policy.services, *seen} - previews)
        return [self._service(name, policy, seen.get(name, ())) for name in names]

    async def service(self, name: str, *, now: datetime, as_of: datetime | None = None) -> dict[str, Any]:
        """Return one service in every environment, with its comparisons and live drifts.

        Raises NotFoundError that lists what there is.
        """
        policy, seen = self.policy(), dict(await self.store.services())
        await require_services(self.store, policy, [name])
        matrix = await self.overview.matrix(now=now, as_of=as_of, services=(name,))
        row = next((row for row in matrix["rows"] if row["service"] == name), None)
        environments, aside = [], await beside(self.store, policy, now=now, service=name)
        for environment in policy.environments.values():
            views = await self.views.of(environment.name, now=now, services=(name,), as_of=as_of)
            cell = row["cells"][environment.name] if row else {}
            environments.append(
                {
                    "name": environment.name,
                    "tier": environment.tier,
                    "group": environment.group,
                    **cell,
                    "version_since": await self._since(environment.name, name, views.get(name)),
                    **_inside(views.get(name)),
                    "not_live": aside.of(environment.name)["not_live"],
                }
            )
        return {
            "as_of": matrix["as_of"],
            **self._service(name, policy, seen.get(name, ())),
            "environments": environments,
            "comparisons": row["comparisons"] if row else {},
            "promotion": await self._promotion(name, now=as_of or now),
            "drifts": [drift.document() for drift in await self._drifts(name)],
            "changes": await self._changes(name, now=as_of or now),
        }

    async def environments(self, *, now: datetime) -> list[dict[str, Any]]:
        """Return the environments in promotion order, each with its newest snapshot and what is beside it."""
        newest, policy = await self.store.latest_snapshots(), self.policy()
        aside = await beside(self.store, policy, now=now)
        seen = [
            (name, environment)
            for name, where in await self.store.services()
            for environment in where
            if not policy.is_ephemeral(environment, name)
        ]
        return [
            {
                "name": environment.name,
                "tier": environment.tier,
                "group": environment.group,
                "intermittent": environment.intermittent,
                "services": sum(1 for _, where in seen if where == environment.name),
                "snapshot": newest[environment.name].document() if environment.name in newest else None,
                **aside.of(environment.name),
            }
            for environment in policy.environments.values()
        ]

    async def environment(self, name: str, *, now: datetime) -> dict[str, Any]:
        """Return one environment: what runs in it, and what stands beside that. Raises NotFoundError."""
        self.policy().environment(name)
        matrix = await self.overview.matrix(now=now)
        (found,) = [one for one in await self.environments(now=now) if one["name"] == name]
        mine = [pair for known, pair in matrix["comparisons"].items() if name in known.split("..")]
        entries = [entry for pair in mine for entry in pair["unmatched"] if entry["environment"] == name]
        times = Counter(entry["service"] for entry in entries)
        return {
            **found,
            "services": [
                {"service": row["service"], "kind": row["kind"], "owner": row["owner"], **row["cells"][name]}
                for row in sorted(matrix["rows"], key=lambda row: str(row["service"]))
                if row["cells"][name]["freshness"] != "not_deployed"
            ],
            # What pairs with nothing anywhere: a service that one neighbour lacks is no riddle.
            "unmatched": [
                entry
                for entry in {entry["service"]: entry for entry in entries}.values()
                if times[entry["service"]] == len(mine)
            ],
        }

    async def snapshots(self, environment: str, *, limit: int, before: int | None) -> list[Snapshot]:
        """Return snapshots of an environment, newest first. Raises NotFoundError for an unknown one."""
        self.policy().environment(environment)
        return await self.store.snapshots(environment, limit=limit, before=before)

    async def snapshot(self, environment: str, number: int) -> dict[str, Any]:
        """Return one snapshot with the facts that it holds. Raises NotFoundError."""
        self.policy().environment(environment)
        found = await self.store.snapshot(environment, number) if number > 0 else None
        if found is None:
            newest = (await self.store.latest_snapshots()).get(environment)
            hint = f"the newest is {environment}#{newest.number}" if newest else "it has none yet"
            raise NotFoundError(f"{environment} has no snapshot {number}: {hint}")
        streams = await self.store.streams(snapshot=(environment, number))
        facts = [
            {
                "service": stream.service,
                "component": stream.component,
                "source": stream.source,
                "section": name,
                "basis": stream.sections[name].basis,
                "status": stream.sections[name].status,
                "facts": dict(sorted(stream.sections[name].facts.items())),
            }
            for stream in sorted(streams, key=lambda one: (one.service, one.component, one.source))
            for name in SECTIONS
            if name in stream.sections
        ]
        return {**found.document(), "sections": facts}

    def _service(self, name: str, policy: Policy, seen_in: Iterable[str]) -> dict[str, Any]:
        service = policy.service(name)
        known = {*seen_in, *service.sources}
        return {
            "service": name,
            "kind": service.kind,
            "owner": service.owner,
            "used_by": list(service.used_by),
            "configured": name in policy.services,
            "seen_in": [environment for environment in policy.environments if environment in known],
        }

    async def _since(self, environment: str, service: str, view: View | None) -> str | None:
        place = version_place(view) if view is not None else None
        if place is None:
            return None
        found = await self.store.values_of(environment, [(service, *place)])
        opened = [span.opened for spans in found.values() for span in spans if span.closed is None]
        return print_time(max(opened)) if opened else None

    async def _promotion(self, service: str, *, now: datetime) -> dict[str, Any] | None:
        """Return the way of its release over the time of the timeline; None where no version was seen."""
        found = await self.promotions.promotion(now=now, service=service, back=TIMELINE)
        return next(iter(found["items"]), None)

    async def _drifts(self, service: str) -> list[Drift]:
        """Return the live drifts of a service, worst first and newest first among equals."""
        found = await self.store.register(service=service, states=LIVE, limit=_MOST_DRIFTS)
        return sorted(found, key=lambda drift: -severity_rank(drift.severity))

    async def _changes(self, service: str, *, now: datetime) -> list[dict[str, Any]]:
        """Return when the service changed where, over the time of the timeline, oldest first."""
        found: list[Snapshot] = []
        for environment in self.policy().environments:
            found += [
                snapshot
                for snapshot in await self.store.snapshots(environment, limit=_MOST_SNAPSHOTS)
                if service in snapshot.services and now - TIMELINE <= snapshot.at <= now
            ]
        return [snapshot.document() for snapshot in sorted(found, key=lambda one: one.at)]


def _inside(view: View | None) -> dict[str, Any]:
    """Return components and sections of a view: how much was seen, by which sources."""
    if view is None:
        return {"components": [], "sections": []}
    sections: dict[str, list[tuple[str, Look]]] = {}
    for (component, section), looks in view.looks.items():
        sections.setdefault(section, []).extend((component, look) for look in looks)
    return {
        "components": [{"name": name, "kind": kind} for name, kind in sorted(view.kinds.items())],
        "sections": [
            {
                "section": section,
                "items": sum(
                    1 for place, side in view.sides.items() if place.section == section and side.present
                ),
                "unknown": sum(1 for place in view.unknown if place.section == section),
                "sources": [_source(component, look) for component, look in sections[section]],
            }
            for section in SECTIONS
            if section in sections
        ],
    }


def _source(component: str, look: Look) -> Mapping[str, Any]:
    return {
        "source": look.stream.source,
        "component": component,
        "basis": look.section.basis,
        "status": look.section.status,
        "fresh": look.fresh,
        "observed_at": print_time(look.stream.last_seen),
        "unseen": [
            {"item": part.item, "reason": part.reason, "detail": part.detail} for part in look.section.unseen
        ],
    }
