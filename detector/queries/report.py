"""A report: one comparison by the twelve factors, the three gaps, the score, and what nobody could see."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from detector.config.policy import Policy
from detector.config.records import Config
from detector.engine.comparison import Comparison
from detector.engine.factors import FactorRow, Seen, factor_rows
from detector.engine.gaps import Authors, PersonnelGap, TimeGap, ToolsGap, personnel_gap, time_gap, tools_gap
from detector.engine.lineage import AUTHORS
from detector.model.clock import print_time
from detector.model.expressions import EnvironmentState, Now
from detector.model.records import Judged
from detector.model.words import SEVERITIES
from detector.queries import catalog
from detector.queries.comparison import Comparisons
from detector.queries.promotion import Promotions, seconds, waiting_document
from detector.queries.scores import parts_of
from detector.store.store import Store

SCHEMA: Final = "parity.report/v1"
#: What a report has as `parity.diff/v1` has it.
_KEPT: Final = ("left", "right", "complete", "coverage", "summary", "causes", "warnings")
#: Over how long lead times and deployments are counted.
BACK: Final = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    """Answers how alike two environments are, by the twelve factors."""

    store: Store
    comparisons: Comparisons
    promotions: Promotions
    config: Callable[[], Config]
    policy: Callable[[], Policy]

    async def report(
        self, pairs: Collection[tuple[EnvironmentState, EnvironmentState]], *, now: datetime
    ) -> dict[str, Any]:
        """Return ``parity.report/v1``, with one entry for each comparison. Raises as `compare` does."""
        return {
            "schema": SCHEMA,
            "as_of": print_time(now),
            "comparisons": [await self._comparison(left, right, now=now) for left, right in pairs],
        }

    def default(self) -> list[tuple[EnvironmentState, EnvironmentState]]:
        """Return what is reported on where nobody says: what the gate asks."""
        return [(Now(environment=pair.left.name), Now(environment=pair.right.name)) for pair in self._asked()]

    def _asked(self) -> list[Any]:
        policy = self.policy()
        gated = [pair for pair in policy.pairs if pair.name in policy.gated]
        return gated or [pair for pair in policy.pairs if pair.right.tier == "production" and not pair.peers]

    async def _comparison(
        self, left: EnvironmentState, right: EnvironmentState, *, now: datetime
    ) -> dict[str, Any]:
        found = await self.comparisons.compare(left, right, now=now)
        document = found.document()
        measuring = catalog.measuring()
        kinds = {name: service.kind for name, service in self.policy().services.items()}
        ways = await self.promotions.ways(now=now, back=BACK)
        time = time_gap(
            {way.service: way.promotion for way in ways},
            found.left.environment or "",
            found.right.environment or "",
            since=now - BACK,
        )
        deployed = await self.store.deployments(environment=found.right.environment, since=now - BACK)
        reads = _reads(found)
        return {
            **{name: document[name] for name in _KEPT},
            "factors": [_factor(row, measuring) for row in factor_rows(found, kinds)],
            "gaps": {
                "time": _time(time, now=now),
                "tools": _tools(tools_gap([*found.items, *found.equal])),
                "personnel": _personnel(personnel_gap(deployed, await self._authors())),
            },
            "score": {"score": found.score, "services": parts_of(found)},
            "cannot_see": catalog.cannot_see(self._collectors(found)),
            "items": [
                {**item, "reads": reads.get((item["service"], item["item"]), [])}
                for item in document["items"]
            ],
        }

    async def _authors(self) -> Authors:
        """Return who wrote which commit of which service, as the repositories tell that are at hand."""
        found: dict[tuple[str, str], list[str]] = {}
        for (_, key), lane in (await self.store.timelines((("codebase", AUTHORS),))).items():
            told = lane[-1].value if lane else None
            for commit, names in told.items() if isinstance(told, dict) else ():
                found.setdefault((key[0], commit), []).extend(names)
        return found

    def _collectors(self, found: Comparison) -> set[str]:
        """Return the types of the sources that look at either side."""
        sides = {found.left.environment, found.right.environment}
        return {source.type for source in self.config().sources if source.environment in sides}


def _reads(found: Comparison) -> dict[tuple[str, str], list[str]]:
    """Return where the code reads each key of a service: ``file:line``. No purl is a key."""
    places: dict[tuple[str, str], dict[str, None]] = {}
    for service in found.services:
        for view in (service.left, service.right):
            for code in view.reads.values():
                for key, reads in code.places.items():
                    here = places.setdefault((service.service, key), {})
                    here |= dict.fromkeys(str(read["at"]) for read in reads if read.get("at"))
    return {key: sorted(some) for key, some in places.items()}


def _factor(row: FactorRow, measuring: Mapping[Any, tuple[str, ...]]) -> dict[str, Any]:
    section = row.factor.section
    # What is only stale has a collector: it has to run again.
    lacking = section is not None and any(
        seen.measured != "measured" and seen.reasons != ("stale",) for seen in row.seen
    )
    return {
        "factor": row.factor.number,
        "name": row.factor.name,
        "section": section,
        "measured": row.measured,
        "environments": [_seen(seen) for seen in row.seen],
        "drift": {name: row.counts[name] for name in reversed(SEVERITIES) if row.counts.get(name)},
        "worst": row.worst,
        "expected": row.expected,
        "accepted": row.accepted,
        "unknown": row.unknown,
        "items": [_told(judged) for judged, _ in row.drift],
        "would_measure": list(measuring.get(section, ())) if lacking else [],
    }


def _seen(seen: Seen) -> dict[str, Any]:
    return {
        "environment": seen.environment,
        "measured": seen.measured,
        "seen": seen.services_seen,
        "of": seen.services,
        "sources": list(seen.sources),
        "reasons": list(seen.reasons),
    }


def _told(judged: Judged) -> dict[str, Any]:
    return {
        "service": judged.key.service,
        "component": judged.key.component,
        "section": judged.key.section,
        "item": judged.key.item,
        "kind": judged.key.kind,
        "severity": judged.severity,
        "status": judged.status,
        "left": judged.left.document() if judged.left is not None else None,
        "right": judged.right.document(),
        "drift_id": judged.drift_id,
    }


def _time(gap: TimeGap, *, now: datetime) -> dict[str, Any]:
    return {
        "arrived": gap.arrived,
        "timed": gap.timed,
        "median_seconds": seconds(gap.median),
        "p90_seconds": seconds(gap.p90),
        "overtaken": gap.overtaken,
        "waiting": gap.waiting,
        "oldest": {"service": gap.oldest[0], **waiting_document(gap.oldest[1], now=now)}
        if gap.oldest
        else None,
    }


def _tools(gap: ToolsGap) -> dict[str, Any]:
    return {
        "same": gap.same,
        "unknown": gap.unknown,
        "differ": [{**_told(judged), "verdict": judged.verdict} for judged in gap.differ],
    }


def _personnel(gap: PersonnelGap) -> dict[str, Any]:
    return {
        "deployments": gap.deployments,
        "known": gap.known,
        "by_author": gap.by_author,
        "share": gap.share,
    }
