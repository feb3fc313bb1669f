"""The shape of scores and reports."""

from typing import Literal

from pydantic import Field

from detector.api.schemas import Answer, Time
from detector.model.words import Kind, SectionName, Severity


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
