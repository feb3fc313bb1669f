"""The score: how close two environments are, between 0 and 1, and never better for not having looked."""

from collections.abc import Collection, Iterable, Mapping
from math import fsum
from typing import Final

from detector.engine.causes import Cause
from detector.model.records import Judged, severity_rank
from detector.model.words import Severity

COST: Final[Mapping[Severity, float]] = {"critical": 1, "high": 0.5, "medium": 0.2, "low": 0.05, "info": 0}
#: What a comparison can have at most while something critical is open.
CRITICAL_CEILING: Final = 0.5


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


def service_score(told: Iterable[tuple[Judged, Severity]], measured: Iterable[str]) -> float | None:
    """Return the mean over the measured sections of one service; None where nothing was measured."""
    left = dict.fromkeys(measured, 1.0)
    for judged, severity in told:
        section = judged.key.section
        left[section] = max(0.0, left.get(section, 1.0) - COST[severity])
    return _mean(left.values()) if left else None


def comparison_score(services: Iterable[float | None], *, critical: bool) -> float | None:
    """Return the mean over services, held down while something critical is open."""
    known = [score for score in services if score is not None]
    if not known:
        return None
    score = _mean(known)
    return round(min(score, CRITICAL_CEILING) if critical else score, 4)


def _mean(values: Collection[float]) -> float:
    # `statistics` has this too, and decimals, fractions and random numbers with it: 20 ms at every start.
    return fsum(values) / len(values)
