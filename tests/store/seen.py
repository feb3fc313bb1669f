"""Builders of observations: what a test does not name is the most ordinary."""

from datetime import UTC, datetime, timedelta
from typing import Any

from detector.model.facts import Observation, Section, Unseen, Value
from detector.model.words import Completeness, SectionName

MONDAY = datetime(2026, 11, 16, tzinfo=UTC)
#: Later than any observation: `at` is then what was observed.
RECEIVED = MONDAY + timedelta(days=30)


def minute(count: float) -> datetime:
    return MONDAY + timedelta(minutes=count)


def packages(count: int, version: str = "1.0") -> dict[str, Value]:
    return {f"pkg:pypi/package-{number}": version for number in range(count)}


def section(facts: dict[str, Value], *, status: Completeness = "complete", **more: Any) -> Section:
    return Section(basis="running", facts=facts, status=status, **more)


def unseen(*globs: str) -> tuple[Unseen, ...]:
    return tuple(Unseen(item=glob, reason="denied", detail="no right to list") for glob in globs)


def observed(
    at: float,
    facts: dict[str, Value] | None = None,
    *,
    sections: dict[SectionName, Section] | None = None,
    environment: str = "prod",
    service: str = "checkout",
    **more: Any,
) -> Observation:
    """An observation ``at`` a minute of the Monday; ``facts`` are complete dependencies."""
    return Observation(
        environment=environment,
        service=service,
        source=more.pop("source", "docker"),
        observed_at=minute(at),
        sections=sections if sections is not None else {"dependencies": section(facts or {})},
        **more,
    )
