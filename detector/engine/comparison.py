"""One comparison: two environments, service by service, judged and summed up.

The command line compares files with it, the service compares environments: the same record comes out, so
no two doors can disagree.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from detector.engine.ahead import Histories
from detector.engine.causes import Cause, explain
from detector.engine.coverage import Coverage, coverage_of, together
from detector.engine.findings import equal_and_asked_about, findings_of, shared_between
from detector.engine.judgement import Case, judge
from detector.engine.pairing import Difference, Differences, differences
from detector.engine.policy import Pair, Service
from detector.engine.rows import with_rows
from detector.engine.rules import Rule
from detector.engine.score import comparison_score, counted, service_score
from detector.engine.sources import config_source_differs
from detector.engine.view import Interner, Place, View
from detector.model.clock import print_time
from detector.model.records import Drift, Judged, Key, severity_rank
from detector.model.words import MAIN, SECTIONS, SEVERITIES

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
class Both:
    """The two views of one service, with its rows of the register by key."""

    service: Service
    left: View
    right: View
    rows: Mapping[tuple[str, Key], Drift] = field(default_factory=dict)
    histories: Histories = field(default_factory=dict)
    #: Whether this service was never compared here before.
    first: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceVerdicts:
    """What was found about one service in one pair of environments."""

    service: str
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
    #: Services that only one side has: (environment, service).
    unmatched: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def items(self) -> list[Judged]:
        """Every item, the owner's three inventories first, worst first within a section."""
        found = [judged for service in self.services for judged in service.items]
        found.sort(
            key=lambda judged: (
                SECTIONS.index(judged.key.section),
                -severity_rank(judged.severity) if judged.verdict == "drift" else 9,
                judged.key,
            )
        )
        return found

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
        shown = items if everything else [judged for judged in items if judged.verdict != "in_sync"]
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
                "unmatched": [
                    {"environment": environment, "service": service}
                    for environment, service in self.unmatched
                ],
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


#: Gives the differences of two views; a service that keeps results passes its memory here.
Differ = Callable[[View, View, Interner], Differences]


def verdicts_on(
    both: Both,
    *,
    pair: Pair,
    rules: Sequence[Rule],
    now: datetime,
    interner: Interner,
    first_cause: int = 1,
    differ: Differ = differences,
) -> ServiceVerdicts:
    """Judge one service between two environments, with the findings of either environment."""
    found = differ(both.left, both.right, interner)
    case = Case(
        pair=pair,
        service=both.service,
        rules=rules,
        left=both.left,
        right=both.right,
        now=now,
        histories=both.histories,
    )
    known = {difference.place for difference in found.items}
    asked = [one for one in equal_and_asked_about(both.left, both.right, rules) if one.place not in known]
    between = sorted(
        [*found.items, *asked, *shared_between(both.left, both.right, pair)],
        key=lambda difference: (difference.place, difference.kind),
    )
    judged = [verdict for difference in between if (verdict := judge(case, difference)) is not None]
    judged, causes = explain(judged, both.left, both.right, first=first_cause)
    known_source = any(key.kind == "config_source_differs" for _, key in both.rows)
    if both.first or known_source:
        judged, causes = config_source_differs(judged, causes, case, first=first_cause)
    alone = _alone(both, pair, rules, now, left=False)
    if pair.left != pair.right:
        alone = [*_alone(both, pair, rules, now, left=True), *alone]
    views = {pair.left.name: (both.left, both.left), pair.right.name: (both.right, both.right)}
    items = with_rows([*judged, *alone], both.rows, {**views, pair.name: (both.left, both.right)})
    measured = _measured(both.left) & _measured(both.right)
    return ServiceVerdicts(
        service=both.service.name,
        items=tuple(items),
        causes=tuple(causes),
        coverage=together(
            coverage_of(view, both.service.sources.get(environment.name, ()))
            for view, environment in ((both.left, pair.left), (both.right, pair.right))
        ),
        compared=found.compared,
        not_compared=found.not_compared,
        not_measured=tuple(sorted(found.not_measured)),
        measured=tuple(sorted(measured)),
    )


def findings_in(
    view: View, *, service: Service, pair: Pair, rules: Sequence[Rule], now: datetime
) -> list[Judged]:
    """Judge what is wrong inside one environment: ``pair`` has it on both sides."""
    case = Case(
        pair=pair, service=service, rules=rules, left=view, right=view, now=now, histories={}, alone=True
    )
    found: Iterable[Difference] = findings_of(view, pair.right)
    return [verdict for difference in found if (verdict := judge(case, difference)) is not None]


def _alone(both: Both, pair: Pair, rules: Sequence[Rule], now: datetime, *, left: bool) -> list[Judged]:
    environment, view = (pair.left, both.left) if left else (pair.right, both.right)
    inside = Pair(left=environment, right=environment)
    return findings_in(view, service=both.service, pair=inside, rules=rules, now=now)


def _measured(view: View) -> set[str]:
    """Return the sections of which something was seen."""
    return {
        section
        for (_, section), looks in view.looks.items()
        if any(look.fresh and look.section.status != "failed" for look in looks)
    }


def places_that_lead(found: Differences) -> list[Place]:
    """Return the places whose history a verdict may need: those where values differ or only one side has one.

    Where a side names no component, what speaks for it has the history.
    """
    places: dict[Place, None] = {}
    for difference in found.items:
        if difference.kind not in ("difference", "variant") or not _moved(difference):
            continue
        places[difference.place] = None
        if difference.place.section in found.joins:
            places[Place(MAIN, difference.place.section, difference.place.item)] = None
    return list(places)


def _moved(difference: Difference) -> bool:
    if difference.status == "same":
        # Keys of one type and other values: what is expected to be equal has a clock too.
        return difference.place.section == "config" and difference.left.value != difference.right.value
    return difference.status != "unknown"
