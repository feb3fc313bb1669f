"""A comparison told by the twelve factors: what of each is measured where, and what drifts in it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from detector.engine.comparison import Comparison, ServiceVerdicts
from detector.engine.score import counted
from detector.engine.view import View
from detector.errors import Reason
from detector.model.records import Judged, severity_rank
from detector.model.words import SectionName, ServiceKind, Severity

Measured = Literal["measured", "partly", "not_measured"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """One of the twelve factors. X is the whole: it has no section of its own."""

    number: str
    name: str
    section: SectionName | None


FACTORS: Final = (
    Factor(number="I", name="Codebase", section="codebase"),
    Factor(number="II", name="Dependencies", section="dependencies"),
    Factor(number="III", name="Config", section="config"),
    Factor(number="IV", name="Backing services", section="backing_services"),
    Factor(number="V", name="Build, release, run", section="release"),
    Factor(number="VI", name="Processes", section="processes"),
    Factor(number="VII", name="Port binding", section="ports"),
    Factor(number="VIII", name="Concurrency", section="concurrency"),
    Factor(number="IX", name="Disposability", section="disposability"),
    Factor(number="X", name="Dev/prod parity", section=None),
    Factor(number="XI", name="Logs", section="logs"),
    Factor(number="XII", name="Admin processes", section="admin"),
)
#: What answers at the ports of a process: found by its command, and of factor VII.
_SERVER: Final = ("processes", "server")
#: The whole.
PARITY: Final = "X"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """How much of one factor was seen in one environment."""

    environment: str
    measured: Measured
    #: Services of which something was seen, of those that the factor asks about.
    services_seen: int
    services: int
    sources: tuple[str, ...] = ()
    #: Why parts were not seen.
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorRow:
    """One factor in one comparison."""

    factor: Factor
    measured: Measured
    seen: tuple[Seen, Seen]
    #: Drift that people are told of, worst first.
    drift: tuple[tuple[Judged, Severity], ...]
    expected: int
    accepted: int
    unknown: int

    @property
    def worst(self) -> Severity | None:
        """The worst severity that is open."""
        return max((severity for _, severity in self.drift), key=severity_rank, default=None)

    @property
    def counts(self) -> Mapping[Severity, int]:
        """How much drift there is of each severity."""
        return Counter(severity for _, severity in self.drift)


def factor_rows(found: Comparison, kinds: Mapping[str, ServiceKind]) -> list[FactorRow]:
    """Return a row for each factor. ``kinds`` says what the services are; one it does not name is an app."""
    told = [one for service in found.services for one in counted(service.items, service.causes)]
    told.sort(key=lambda one: (-severity_rank(one[1]), one[0].key))
    rows = [
        _row(factor, found, told, [one for one in found.services if _asks_about(factor, one, kinds)])
        for factor in FACTORS
        if factor.section is not None
    ]
    whole = FactorRow(
        factor=next(factor for factor in FACTORS if factor.number == PARITY),
        measured=_together(row.measured for row in rows),
        seen=(_whole(found.pair.left.name, rows, 0), _whole(found.pair.right.name, rows, 1)),
        drift=tuple(told),
        expected=sum(row.expected for row in rows),
        accepted=sum(row.accepted for row in rows),
        unknown=sum(row.unknown for row in rows),
    )
    place = next(number for number, factor in enumerate(FACTORS) if factor.number == PARITY)
    return [*rows[:place], whole, *rows[place:]]


def _row(
    factor: Factor,
    found: Comparison,
    told: Iterable[tuple[Judged, Severity]],
    services: list[ServiceVerdicts],
) -> FactorRow:
    section = factor.section
    seen = (
        _seen(found.pair.left.name, section, [one.left for one in services]),
        _seen(found.pair.right.name, section, [one.right for one in services]),
    )
    items = [judged for one in found.services for judged in one.items if _section(judged) == section]
    verdicts = Counter(judged.verdict for judged in items)
    return FactorRow(
        factor=factor,
        measured=_together(side.measured for side in seen),
        seen=seen,
        drift=tuple(one for one in told if _section(one[0]) == section),
        expected=verdicts["expected"],
        accepted=verdicts["accepted"],
        unknown=verdicts["unknown"],
    )


def _section(judged: Judged) -> SectionName:
    """Return whose factor an item is counted at: what answers at a port is no matter of processes."""
    key = judged.key
    return "ports" if (key.section, key.item) == _SERVER else key.section


def _asks_about(factor: Factor, verdicts: ServiceVerdicts, kinds: Mapping[str, ServiceKind]) -> bool:
    """Tell whether a factor asks about a service: a database has no codebase, an app is no backing service.

    What one of the two sides was seen to have is asked of both.
    """
    backing = kinds.get(verdicts.service) == "backing_service"
    if backing == (factor.section == "backing_services"):
        return True
    return any(
        section == factor.section for view in (verdicts.left, verdicts.right) for _, section in view.looks
    )


def _seen(environment: str, section: SectionName | None, views: list[View]) -> Seen:
    states: list[Measured] = []
    sources: dict[str, None] = {}
    reasons: dict[Reason, None] = {}
    for view in views:
        looks = [look for (_, name), found in view.looks.items() if name == section for look in found]
        sources |= dict.fromkeys(look.stream.source for look in looks)
        good = [look for look in looks if look.fresh and look.section.status != "failed"]
        for look in looks:
            if not look.fresh:
                reasons["stale"] = None
            reasons |= dict.fromkeys(part.reason for part in look.section.unseen)
        whole = good and all(
            look.fresh and look.section.status == "complete" and not look.section.unseen for look in looks
        )
        states.append("measured" if whole else "partly" if good else "not_measured")
    return Seen(
        environment=environment,
        measured=_together(states),
        services_seen=sum(1 for state in states if state != "not_measured"),
        services=len(states),
        sources=tuple(sorted(sources)),
        reasons=tuple(reasons),
    )


def _together(states: Iterable[Measured]) -> Measured:
    """Return the state of several: measured where all are, partly where any is in part."""
    distinct = set(states) or {"not_measured"}
    return "partly" if len(distinct) > 1 else distinct.pop()


def _whole(environment: str, rows: Iterable[FactorRow], side: int) -> Seen:
    """Return how much of all factors was seen: they take the place of services."""
    states = [row.seen[side].measured for row in rows]
    return Seen(
        environment=environment,
        measured=_together(states),
        services_seen=sum(1 for state in states if state != "not_measured"),
        services=len(states),
    )
