"""What Prometheus reads. Items and versions never become labels: they are without bound."""

from collections import Counter as Tally
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from detector.assembly import Reading
from detector.jobs.collect import Ran
from detector.jobs.deliver import Result

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
_LEAD_TIMES: Final = timedelta(days=90)


class Metrics:
    """Counts what happens, and reads what is."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._runs = Counter(
            "parity_collector_runs",
            "Runs of collectors",
            ("collector", "environment", "result"),
            registry=self._registry,
        )
        self._durations = Histogram(
            "parity_collector_duration_seconds",
            "How long runs of collectors took",
            ("collector", "environment"),
            buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
            registry=self._registry,
        )
        self._notifications = Counter(
            "parity_notifications",
            "Messages to receivers",
            ("receiver", "result"),
            registry=self._registry,
        )
        Gauge("parity_build_info", "Which Parity this is", ("version",), registry=self._registry).labels(
            own_version()
        ).set(1)

    def ran(self, ran: Ran) -> None:
        """Count one run of a source."""
        source = ran.source
        self._runs.labels(source.type, source.environment, ran.result or "ok").inc()
        self._durations.labels(source.type, source.environment).observe(ran.duration)

    def delivered(self, results: Mapping[tuple[str, Result], int]) -> None:
        """Count one round of deliveries: how often which receiver had which result."""
        for (receiver, result), count in results.items():
            self._notifications.labels(receiver, result).inc(count)

    async def scraped(self, reading: Reading, *, now: datetime) -> bytes:
        """Return everything in the text format of Prometheus."""
        state = CollectorRegistry()
        state.register(
            _Families(
                [
                    *await _drift(reading),
                    *await _parity(reading, now),
                    *await _promotion(reading, now),
                    *await _inside(reading),
                ]
            )
        )
        return generate_latest(self._registry) + generate_latest(state)


class _Families:
    """What was read, as a collector of prometheus_client."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterable[Metric]:
        """Return the families."""
        return self._families


async def _drift(reading: Reading) -> list[Metric]:
    items = GaugeMetricFamily(
        "parity_drift_items",
        "Drifts of the register that are not over",
        labels=("left", "right", "service", "section", "severity", "state"),
    )
    oldest = GaugeMetricFamily(
        "parity_drift_oldest_timestamp_seconds",
        "When the oldest open drift of a comparison began",
        labels=("left", "right"),
    )
    counts: Tally[tuple[str, ...]] = Tally()
    first: dict[tuple[str, str], float] = {}
    for row in await reading.store.register(states=("pending", "open", "accepted")):
        left, _, right = row.comparison.partition("..")
        sides = (left, right) if right else ("", left)
        counts[(*sides, row.key.service, row.key.section, row.severity, row.state)] += 1
        if row.state == "open":
            first[sides] = min(first.get(sides, float("inf")), row.opened_at.timestamp())
    for labels, count in sorted(counts.items()):
        items.add_metric(labels, count)
    for sides, at in sorted(first.items()):
        oldest.add_metric(sides, at)
    return [items, oldest]


async def _parity(reading: Reading, now: datetime) -> list[Metric]:
    score = GaugeMetricFamily(
        "parity_score_ratio", "How close the two sides are, from 0 to 1", labels=("left", "right")
    )
    coverage = GaugeMetricFamily(
        "parity_coverage_ratio", "Sources that see, of those expected", labels=("left", "right")
    )
    ahead = GaugeMetricFamily(
        "parity_ahead_seconds", "How long left has been ahead of right", labels=("left", "right", "service")
    )
    matrix: dict[str, Any] = await reading.overview.matrix(now=now)
    for name, comparison in matrix["comparisons"].items():
        sides = name.split("..")
        if comparison["score"] is not None:
            score.add_metric(sides, comparison["score"])
        if comparison["sources_expected"]:
            coverage.add_metric(sides, comparison["sources_ok"] / comparison["sources_expected"])
    for row in matrix["rows"]:
        for name, column in row["comparisons"].items():
            if column["ahead_since"] is not None:
                since = datetime.fromisoformat(column["ahead_since"])
                ahead.add_metric((*name.split(".."), row["service"]), (now - since).total_seconds())
    return [score, coverage, ahead]


async def _promotion(reading: Reading, now: datetime) -> list[Metric]:
    lead = GaugeMetricFamily(
        "parity_lead_time_seconds",
        "Median time of a release from left to right in ninety days",
        labels=("left", "right", "service"),
    )
    waiting = GaugeMetricFamily(
        "parity_waiting_seconds",
        "How long the oldest release that left has and right has not reached has waited",
        labels=("left", "right", "service"),
    )
    for way in await reading.promotions.ways(now=now, back=_LEAD_TIMES):
        for hop in way.promotion.hops:
            labels = (hop.left, hop.right, way.service)
            if hop.median is not None:
                lead.add_metric(labels, hop.median.total_seconds())
            since = hop.waiting.since if hop.waiting is not None else now
            waiting.add_metric(labels, (now - since).total_seconds())
    return [lead, waiting]


async def _inside(reading: Reading) -> list[Metric]:
    success = GaugeMetricFamily(
        "parity_source_last_success_timestamp_seconds",
        "When a source last saw all it could",
        labels=("environment", "service", "source"),
    )
    for row in await reading.store.sources():
        if row.last_success is not None:
            success.add_metric((row.environment, row.service or "", row.source), row.last_success.timestamp())
    kept = GaugeMetricFamily(
        "parity_kept_bytes", "About what is kept in memory to answer fast", labels=("what",)
    )
    for what, size in sorted(reading.comparisons.kept_bytes.items()):
        kept.add_metric((what,), size)
    owed = await reading.store.outbox_size()
    return [
        success,
        kept,
        GaugeMetricFamily("parity_outbox_messages", "Alerts that are owed", value=owed),
        GaugeMetricFamily(
            "parity_config_last_reload_successful",
            "Whether the last reload was taken over",
            value=reading.settings.reload_failed is None,
        ),
        GaugeMetricFamily("parity_scheduler_leader", "Whether this process schedules", value=1),
    ]


def own_version() -> str:
    """Return the version of the installed distribution."""
    try:
        return version("parity-detector")
    except PackageNotFoundError:
        return "unknown"
