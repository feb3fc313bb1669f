"""Sources: who looks, how often, and whether it still sees."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from detector.config.policy import Policy
from detector.config.records import Config, Source
from detector.engine.policy import UNCONFIGURED_VALID
from detector.model.clock import print_duration, print_time
from detector.store.sources import SourceRow
from detector.store.store import Store

Place = tuple[str, str | None, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceStates:
    """Answers how every source fares, configured or not."""

    store: Store
    config: Callable[[], Config]
    policy: Callable[[], Policy]

    async def sources(self, *, now: datetime) -> list[dict[str, Any]]:
        """Return all sources, those first that do not see."""
        rows: dict[Place, SourceRow] = {
            (row.environment, row.service, row.source): row for row in await self.store.sources()
        }
        named: dict[Place, Source] = {
            (source.environment, source.service, source.name): source for source in self.config().sources
        }
        found = [
            self._document(place, named.get(place), rows.get(place), now)
            for place in dict.fromkeys([*named, *rows])
        ]
        order = ("failing", "stale", "never", "ok")
        return sorted(
            found,
            key=lambda one: (
                order.index(one["state"]),
                one["environment"],
                one["service"] or "",
                one["source"],
            ),
        )

    def _document(
        self, place: Place, source: Source | None, row: SourceRow | None, now: datetime
    ) -> dict[str, Any]:
        environment, service, name = place
        return {
            "environment": environment,
            "service": service,
            "source": name,
            "type": source.type if source is not None else "push",
            "configured": source is not None,
            "schedule": _schedule(source),
            "state": self._state(place, row, now),
            "last_run": print_time(row.last_run) if row else None,
            "last_success": print_time(row.last_success) if row and row.last_success else None,
            "last_result": row.last_result if row else None,
            "detail": row.detail if row else "",
            "duration_seconds": row.duration if row else None,
        }

    def _state(self, place: Place, row: SourceRow | None, now: datetime) -> str:
        if row is None:
            return "never"
        if row.last_result != "ok":
            return "failing"
        valid = self._valid(place)
        old = valid is not None and row.last_success is not None and now > row.last_success + valid
        return "stale" if old else "ok"

    def _valid(self, place: Place) -> timedelta | None:
        environment, service, name = place
        policies: Mapping[str, Sequence[Any]] = (
            self.policy().service(service).sources if service is not None else {}
        )
        for policy in policies.get(environment, ()):
            if policy.source == name:
                found: timedelta | None = policy.valid
                return UNCONFIGURED_VALID if policy.by_basis else found
        return UNCONFIGURED_VALID if service is not None else None


def _schedule(source: Source | None) -> str | None:
    """Return when a source runs, in the words of parity.yml."""
    if source is None:
        return None
    if source.every is not None:
        return f"every {print_duration(source.every)}"
    return f"{source.cron} {source.timezone}" if source.cron is not None else None
