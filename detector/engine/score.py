"""The score: how close two environments are, between 0 and 1, and never better for not having looked."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import fsum
from typing import Final

from detector.engine.causes import Cause
from detector.model.records import Judged, ScoreMark, severity_rank
from detector.model.words import SECTIONS, Severity

COST: Final[Mapping[Severity, float]] = {"critical": 1, "high": 0.5, "medium": 0.2, "low": 0.05, "info": 0}
#: What a comparison can have at most while something critical is open.
CRITICAL_CEILING: Final = 0.5
_DIGITS: Final = 4


def counted(items: Iterable[Judged], causes: Iterable[Cause]) -> list[tuple[Judged, Severity]]:
    """Return what people are told of: drift that nothing else explains, and one child for a cause that is
    no drift itself. An unknown item counts while its last settled verdict was drift.
    """
    drifting = [judged for judged in items if _is_or_was_drift(judged)]
    told_of = {judged.key for judged in drifting}
    orphans = {cause.id for cause in causes if cause.parent not in told_of}
    told: list[tuple[Judged, Severity]] = []
    by_cause: dict[str, Judged] = {}
    for judged in drifting:
        if judged.cause is None:
            told.append((judged, judged.severity))
        elif judged.cause in orphans:
            known = by_cause.get(judged.cause)
            if known is None or severity_rank(judged.severity) > severity_rank(known.severity):
                by_cause[judged.cause] = judged
    told.extend((judged, judged.severity) for judged in by_cause.values())
    return told


def _is_or_was_drift(judged: Judged) -> bool:
    return judged.verdict == "drift" or (judged.verdict == "unknown" and judged.state in ("pending", "open"))


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionScore:
    """What one section of a service has of its score, and what costs the rest."""

    section: str
    score: float
    #: Dearest first.
    costs: tuple[tuple[Judged, Severity], ...]


def section_scores(
    told: Iterable[tuple[Judged, Severity]], measured: Iterable[str]
) -> tuple[SectionScore, ...]:
    """Return the parts of a service's score: of each section that was measured, or in which drift is open."""
    costs: dict[str, list[tuple[Judged, Severity]]] = {section: [] for section in measured}
    for judged, severity in told:
        costs.setdefault(judged.key.section, []).append((judged, severity))
    return tuple(
        SectionScore(
            section=section,
            score=max(0.0, 1.0 - fsum(COST[severity] for _, severity in here)),
            costs=tuple(sorted(here, key=lambda one: (-severity_rank(one[1]), one[0].key))),
        )
        for section, here in sorted(costs.items(), key=lambda one: _place(one[0]))
    )


def service_score(told: Iterable[tuple[Judged, Severity]], measured: Iterable[str]) -> float | None:
    """Return the mean over the measured sections of one service; None where nothing was measured."""
    return score_of(section_scores(told, measured))


def score_of(parts: Collection[SectionScore]) -> float | None:
    """Return the mean of the parts; None where nothing was measured."""
    return _mean([part.score for part in parts]) if parts else None


def mark_of(
    comparison: str,
    service: str,
    told: Collection[tuple[Judged, Severity]],
    measured: Iterable[str],
    *,
    now: datetime,
) -> ScoreMark:
    """Return what the trend keeps of one judgement."""
    parts = section_scores(told, measured)
    score = score_of(parts)
    return ScoreMark(
        comparison=comparison,
        service=service,
        at=now,
        score=None if score is None else round(score, _DIGITS),
        critical=any(severity == "critical" for _, severity in told),
        sections={part.section: round(part.score, _DIGITS) for part in parts},
    )


def trend_of(
    marks: Iterable[ScoreMark], *, since: datetime, services: Collection[str] | None = None
) -> list[tuple[datetime, float | None]]:
    """Return the score of a comparison over time: what it was at first, and each time that it changed.

    ``marks`` are oldest first, from before ``since`` on; of services that are no longer compared none.
    """
    known: dict[str, ScoreMark] = {}
    found: list[tuple[datetime, float | None]] = []
    for mark in marks:
        if services is not None and mark.service not in services:
            continue
        known[mark.service] = mark
        score = comparison_score(
            (one.score for one in known.values()), critical=any(one.critical for one in known.values())
        )
        at = max(mark.at, since)
        if found and found[-1][0] == at:
            found.pop()
        if not found or found[-1][1] != score:
            found.append((at, score))
    return found


def comparison_score(services: Iterable[float | None], *, critical: bool) -> float | None:
    """Return the mean over services, held down while something critical is open."""
    known = [score for score in services if score is not None]
    if not known:
        return None
    score = _mean(known)
    return round(min(score, CRITICAL_CEILING) if critical else score, 4)


def _place(section: str) -> int:
    return SECTIONS.index(section) if section in SECTIONS else len(SECTIONS)


def _mean(values: Collection[float]) -> float:
    # `statistics` has this too, and decimals, fractions and random numbers with it: 20 ms at every start.
    return fsum(values) / len(values)
