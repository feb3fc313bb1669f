"""The shape of explanations, of the gate and of rules, for the OpenAPI document."""

from typing import Any, Literal

from pydantic import Field

from detector.api.schemas import Answer, Cause, Diff, DiffState, Event, Item, Side, Time
from detector.errors import Reason
from detector.model.words import Basis, Completeness, Kind, SectionName, Severity, State, Verdict


class Step(Answer):
    """One rule that matched."""

    rule: str
    match: dict[str, Any]
    says: dict[str, Any]
    last_word_on: list[str]


class Clock(Answer):
    """The allowance that an item falls under."""

    allowance: Literal["allow_ahead", "allow_skew"]
    rule: str
    span: str
    since: Time
    ends: Time | None
    spent: bool
    frozen_until: Time | None


class Witness(Answer):
    """What one source says of the item, and what its word is worth."""

    environment: str
    component: str
    source: str
    basis: Basis
    observed_at: Time
    fresh: bool
    status: Completeness
    worth: Literal["decides", "agrees", "contradicts", "evidence", "blind", "silent"]
    present: bool | None
    value: Any
    unknown: Reason | None
    detail: str


class Evidence(Answer):
    """Who says anything of the item on each side."""

    left: list[Witness]
    right: list[Witness]


class Beside(Answer):
    """Another verdict on the same item."""

    comparison: str
    component: str
    kind: Kind
    verdict: Verdict
    severity: Severity


class AcceptanceOfIt(Answer):
    """Whose acceptance lets the item be, or the last one that did."""

    id: str
    name: str
    author: str
    reason: str
    expires_at: Time
    until: Literal["changed", "worse", "resolved"]
    by_cause: bool
    ended_at: Time | None
    why: str | None = Field(description="Why it is over; null while it holds")


class History(Answer):
    """The life of the drift."""

    drift_id: str
    state: State
    opened_at: Time
    resolved_at: Time | None
    events: list[Event]


class States(Answer):
    """Both sides as they were asked for."""

    left: DiffState
    right: DiffState


class Explanation(Answer):
    """Why one item has its verdict, or none."""

    schema_: Literal["parity.explain/v1"] = Field(alias="schema")
    states: States
    comparison: str
    service: str
    component: str
    section: SectionName
    item: str
    kind: Kind
    answer: Literal["in_sync", "expected", "accepted", "drift", "unknown", "hidden", "not_compared", "absent"]
    because: str
    left: Side | None
    right: Side
    verdict: Item | None
    rules: list[Step]
    clock: Clock | None
    evidence: Evidence
    would_tell: list[str]
    cause: Cause | None
    parent: Item | None
    beside: list[Beside]
    drift: History | None
    acceptance: AcceptanceOfIt | None


class Met(Answer):
    """One thing that a promotion meets."""

    component: str
    section: SectionName
    item: str
    kind: Kind
    severity: Severity
    due: bool
    remedy: str | None


class Promoted(Answer):
    """One service where its release would arrive."""

    service: str
    release: str | None
    replaces: str | None
    to: str
    sentence: str
    missing: list[Met]
    migrations: list[Met]
    backing_services: list[Met]
    others: list[Met]
    opens: list[Met]
    closes: int


class Promote(Answer):
    """What was asked to be promoted, from which state, and where to."""

    asked: str
    from_: str = Field(alias="from")
    to: list[str]


class Gate(Answer):
    """One answer for a pipeline."""

    schema_: Literal["parity.gate/v1"] = Field(alias="schema")
    exit_code: Literal[0, 1, 3]
    reason: str
    comparisons: list[Diff]
    promote: Promote | None = None
    services: list[Promoted] = Field(default=[])


class RuleNow(Answer):
    """What a rule of the file does to what differs now."""

    matches: int
    hides: int
    by_severity: dict[Severity, int]


class RuleInForce(Answer):
    """One rule, as it may stand in parity.yml."""

    rule: str
    match: dict[str, Any]
    says: dict[str, Any]
    shipped: bool
    now: RuleNow | None
