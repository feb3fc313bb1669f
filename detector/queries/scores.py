"""The score of a comparison: its parts, what costs what, and how it went."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from detector.config.policy import Policy
from detector.engine.comparison import Comparison
from detector.engine.score import (
    COST,
    CRITICAL_CEILING,
    SectionScore,
    counted,
    score_of,
    section_scores,
    trend_of,
)
from detector.model.clock import print_time
from detector.model.expressions import Now
from detector.queries.comparison import Comparisons
from detector.store.store import Store

SCHEMA: Final = "parity.score/v1"
#: How far back a trend goes where nobody says.
BACK: Final = timedelta(days=90)

Trend = list[tuple[datetime, float | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Answers how close two environments are, and whether it gets better."""

    store: Store
    comparisons: Comparisons
    policy: Callable[[], Policy]

    async def score(
        self, left: str, right: str, *, now: datetime, back: timedelta = BACK, service: str | None = None
    ) -> dict[str, Any]:
        """Return ``parity.score/v1``. Raises NotFoundError for an environment that nobody knows."""
        found = await self.comparisons.compare(
            Now(environment=left),
            Now(environment=right),
            now=now,
            services=None if service is None else (service,),
        )
        since = now - back
        trend = await self.trend(left, right, now=now, back=back, service=service)
        return {
            "schema": SCHEMA,
            "comparison": f"{left}..{right}",
            "as_of": print_time(now),
            "since": print_time(since),
            "score": found.score,
            "held_at": CRITICAL_CEILING if _is_held(found) else None,
            "services": parts_of(found),
            "trend": [{"at": print_time(at), "score": score} for at, score in trend],
        }

    async def trend(
        self, left: str, right: str, *, now: datetime, back: timedelta = BACK, service: str | None = None
    ) -> Trend:
        """Return the score over time of a configured comparison; nothing for another one."""
        pair, _ = self.policy().pair(left, right)
        since = now - back
        marks = await self.store.score_marks(pair.name, since=since, service=service)
        seen = {*self.policy().services, *dict(await self.store.services())}
        return trend_of((mark for mark in marks if mark.at <= now), since=since, services=seen)


def parts_of(found: Comparison) -> list[dict[str, Any]]:
    """Return what each service has of the score, those first that cost most."""
    rows = []
    for service in found.services:
        parts = section_scores(counted(service.items, service.causes), service.measured)
        score = score_of(parts)
        rows.append(
            {
                "service": service.service,
                "owner": service.owner,
                "score": None if score is None else round(score, 4),
                "sections": [_section(part) for part in parts],
            }
        )
    return sorted(rows, key=lambda row: (1.0 if row["score"] is None else row["score"], row["service"]))


def _section(part: SectionScore) -> dict[str, Any]:
    return {
        "section": part.section,
        "score": round(part.score, 4),
        "costs": [
            {
                "component": judged.key.component,
                "item": judged.key.item,
                "kind": judged.key.kind,
                "severity": severity,
                "cost": COST[severity],
                "cause": judged.cause,
                "drift_id": judged.drift_id,
            }
            for judged, severity in part.costs
            if COST[severity]
        ],
    }


def _is_held(found: Comparison) -> bool:
    """Tell whether something critical holds the score down."""
    severities = {
        severity for service in found.services for _, severity in counted(service.items, service.causes)
    }
    return "critical" in severities
