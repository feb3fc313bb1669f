"""One comparison: two environments, service by service, judged and summed up.

The command line compares files with it, the service compares environments: the same record comes out, so
no two doors can disagree.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from detector.engine.causes import Cause
from detector.engine.coverage import Coverage, together
from detector.engine.equal import equal_items
from detector.engine.policy import Pair
from detector.engine.score import comparison_score, counted, service_score
from detector.engine.unmatched import Unmatched
from detector.engine.view import View
from detector.model.clock import print_time
from detector.model.records import Judged, Key, severity_rank
from detector.model.words import SECTIONS, SEVERITIES

SCHEMA = "parity.diff/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One side of a comparison as it was asked for."""

    expression: str
    environment: str | None = None
    snapshot: int | None = None
    taken_at: datetime | None = None

    def document(self) -> dict[str, Any]:
        """Return the side as ``parity.diff/v1`` shows it."""
        return {
            "expression": self.expression,
            "environment": self.environment,
            "snapshot": self.snapshot,
            "taken_at": print_time(self.taken_at) if self.taken_at else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceVerdicts:
    """What was found about one service in one pair of environments."""

    #: In promotion order, however it was asked.
    comparison: str
    service: str
    owner: str | None
    left: View
    right: View
    items: tuple[Judged, ...]
    causes: tuple[Cause, ...]
    coverage: Coverage
    compared: int
    not_compared: int
    not_measured: tuple[str, ...]
    measured: tuple[str, ...]

    @property
    def review_at(self) -> datetime | None:
        """Earliest time at which a verdict may change without a new observation."""
        return min((judged.review_at for judged in self.items if judged.review_at), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All that is said of two states."""

    pair: Pair
    left: State
    right: State
    services: tuple[ServiceVerdicts, ...]
    #: Services that only one side has.
    unmatched: tuple[Unmatched, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def items(self) -> list[Judged]:
        """Every item that is not plainly equal, in the order of every screen."""
        return sorted((judged for service in self.services for judged in service.items), key=_on_screen)

    @property
    def equal(self) -> list[Judged]:
        """Every item that both sides have alike."""
        return [
            judged
            for service in self.services
            for judged in equal_items(
                service.comparison,
                service.left,
                service.right,
                known={judged.key for judged in service.items},
                owner=service.owner,
            )
        ]

    @property
    def coverage(self) -> Coverage:
        """What all sources of both sides saw."""
        return together(service.coverage for service in self.services)

    @property
    def complete(self) -> bool:
        """Whether nothing that was needed stayed unseen."""
        return self.coverage.complete and not any(judged.verdict == "unknown" for judged in self.items)

    @property
    def score(self) -> float | None:
        """How close the two are, between 0 and 1; None where nothing was measured on both sides."""
        scores, critical = [], False
        for service in self.services:
            told = counted(service.items, service.causes)
            critical = critical or any(severity == "critical" for _, severity in told)
            scores.append(service_score(told, service.measured))
        return comparison_score(scores, critical=critical)

    def document(self, *, everything: bool = False) -> dict[str, Any]:
        """Return ``parity.diff/v1``. Items in sync are left out unless ``everything`` is asked for."""
        items = self.items
        if everything:
            shown = sorted([*items, *self.equal], key=_on_screen)
        else:
            shown = [judged for judged in items if judged.verdict != "in_sync"]
        coverage = self.coverage
        return {
            "schema": SCHEMA,
            "left": self.left.document(),
            "right": self.right.document(),
            "complete": self.complete,
            "coverage": {
                "sources_ok": coverage.sources_ok,
                "sources_expected": coverage.sources_expected,
                "items_compared": sum(service.compared for service in self.services),
                "not_compared": sum(service.not_compared for service in self.services),
                "not_measured": sorted({name for service in self.services for name in service.not_measured}),
                "unmatched": [entry.document() for entry in self.unmatched],
                "unseen": [blind.document() for blind in coverage.unseen],
            },
            "summary": self.summary(),
            "causes": [cause.document() for service in self.services for cause in service.causes],
            "items": [judged.document() for judged in shown],
            "warnings": list(self.warnings),
        }

    def summary(self) -> dict[str, Any]:
        """Return the counts that people are told: parents by severity, the rest by verdict."""
        items = self.items
        told = [entry for service in self.services for entry in counted(service.items, service.causes)]
        by_severity = Counter(severity for _, severity in told)
        verdicts = Counter(judged.verdict for judged in items)
        worst = max((severity for _, severity in told), key=severity_rank, default=None)
        since = [judged.opened_at for judged, severity in told if severity == worst and judged.opened_at]
        in_sync = sum(service.compared for service in self.services) - sum(
            1 for judged in items if judged.status == "changed" and judged.verdict != "in_sync"
        )
        return {
            **{severity: by_severity[severity] for severity in reversed(SEVERITIES)},
            "children": sum(1 for judged in items if judged.cause and judged.verdict == "drift"),
            "accepted": verdicts["accepted"],
            "expected": verdicts["expected"],
            "pending": sum(1 for judged in items if judged.pending),
            "unknown": verdicts["unknown"],
            "in_sync": max(0, in_sync),
            "score": self.score,
            "worst": worst,
            "worst_since": print_time(min(since)) if since else None,
        }


def _on_screen(judged: Judged) -> tuple[int, int, Key]:
    """Sort the owner's three inventories first, and worst first within a section."""
    rank = -severity_rank(judged.severity) if judged.verdict == "drift" else 9
    return SECTIONS.index(judged.key.section), rank, judged.key
