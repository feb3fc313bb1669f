"""The shape of scores and reports."""

from typing import Literal

from pydantic import Field

from detector.api.inventory_schemas import Waiting
from detector.api.schemas import Answer, Cause, DiffCoverage, DiffState, Item, Side, Summary, Time
from detector.engine.factors import Measured
from detector.errors import Reason
from detector.model.words import Kind, SectionName, Severity, Status, Verdict


class Cost(Answer):
    """One drift, and what it takes from the score of its section."""

    component: str
    item: str
    kind: Kind
    severity: Severity
    cost: float
    cause: str | None
    drift_id: str | None


class SectionPart(Answer):
    """What one section has of its score."""

    section: SectionName
    score: float
    costs: list[Cost]


class ServicePart(Answer):
    """What one service has of its score."""

    service: str
    owner: str | None
    score: float | None
    sections: list[SectionPart]


class ScoreAt(Answer):
    """The score from one time on."""

    at: Time
    score: float | None


class Score(Answer):
    """The score of a comparison: its parts, and how it went."""

    schema_: Literal["parity.score/v1"] = Field(alias="schema")
    comparison: str
    as_of: Time
    since: Time
    score: float | None
    held_at: float | None
    services: list[ServicePart]
    trend: list[ScoreAt]


class FactorSeen(Answer):
    """How much of one factor was seen in one environment."""

    environment: str
    measured: Measured
    seen: int
    of: int
    sources: list[str]
    reasons: list[Reason]


class Told(Answer):
    """One drift in short."""

    service: str
    component: str
    section: SectionName
    item: str
    kind: Kind
    severity: Severity
    status: Status
    left: Side | None
    right: Side
    drift_id: str | None


class FactorReport(Answer):
    """One of the twelve factors in one comparison."""

    factor: str
    name: str
    section: SectionName | None
    measured: Measured
    environments: list[FactorSeen]
    drift: dict[Severity, int]
    worst: Severity | None
    expected: int
    accepted: int
    unknown: int
    items: list[Told]
    would_measure: list[str]


class OldestWait(Waiting):
    """The change that waits longest."""

    service: str


class TimeGap(Answer):
    """How long changes take, and what has waited longest."""

    arrived: int
    timed: int
    median_seconds: float | None
    p90_seconds: float | None
    overtaken: int
    waiting: int
    oldest: OldestWait | None


class Tool(Told):
    """A server, runtime or system that is not the same on both sides."""

    verdict: Verdict


class ToolsGap(Answer):
    """Which tools are the same on both sides."""

    same: int
    unknown: int
    differ: list[Tool]


class PersonnelGap(Answer):
    """Whether who writes the code deploys it."""

    deployments: int
    known: int
    by_author: int
    share: float | None


class Gaps(Answer):
    """The three gaps of factor X."""

    time: TimeGap
    tools: ToolsGap
    personnel: PersonnelGap


class CannotSee(Answer):
    """What no run of a collector can ever see."""

    collector: str
    parts: list[str]


class ReportedScore(Answer):
    """The score with its parts."""

    score: float | None
    services: list[ServicePart]


class ReportedItem(Item):
    """An item with where the code reads it."""

    reads: list[str]


class ReportedComparison(Answer):
    """One comparison by the twelve factors."""

    left: DiffState
    right: DiffState
    complete: bool
    coverage: DiffCoverage
    summary: Summary
    factors: list[FactorReport]
    gaps: Gaps
    score: ReportedScore
    cannot_see: list[CannotSee]
    causes: list[Cause]
    items: list[ReportedItem]
    warnings: list[str]


class Report(Answer):
    """Comparisons by the twelve factors."""

    schema_: Literal["parity.report/v1"] = Field(alias="schema")
    as_of: Time
    comparisons: list[ReportedComparison]
