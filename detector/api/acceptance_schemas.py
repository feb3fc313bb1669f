"""The shape of answers about what is accepted."""

from typing import Any, Literal

from detector.api.schemas import Answer, Time
from detector.engine.acceptance import Until
from detector.model.words import State


class Acceptance(Answer):
    """What somebody lets be, and how much it holds for."""

    id: str
    name: str
    match: dict[str, Any] | None
    reason: str
    author: str
    until: Until | None
    created_at: Time | None
    expires_at: Time | None
    state: Literal["in_force", "expired", "ended"]
    ended_at: Time | None
    ended_by: str | None
    why: str | None
    place: str | None
    holds_for: int
    held_for: int
    unused: bool


class AcceptanceMade(Acceptance):
    """A new acceptance, and how many open drifts it hides."""

    hides: int


class Reopened(Answer):
    """A drift that is open again."""

    drift_id: str
    state: State
