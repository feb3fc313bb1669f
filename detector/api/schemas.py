"""The shape of every answer, for the OpenAPI document; the tests hold the answers to it."""

from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from detector.engine.acceptance import Until
from detector.errors import Reason
from detector.model.words import (
    Basis,
    Kind,
    Pending,
    SectionName,
    ServiceKind,
    Severity,
    State,
    Status,
    Tier,
    Verdict,
)

T = TypeVar("T")
Time = str


class Answer(BaseModel):
    """An object with exactly these fields."""

    model_config = ConfigDict(extra="forbid")


class Listing(Answer, Generic[T]):
    """One page of a list."""

    items: list[T]
    next_cursor: str | None


class Present(Answer):
    """A side that has the item."""

    present: Literal[True]
    value: Any
    basis: Basis | None
    source: str | None
    observed_at: Time | None
    #: Only where this side has a successor of the package that the difference is named after.
    item: str | None = None


class Absent(Answer):
    """A side that was seen not to have the item."""

    present: Literal[False]


class Unknown(Answer):
    """A side that could not be seen, and why."""

    unknown: Reason
    last: Any = None


Side = Present | Absent | Unknown


class Blind(Answer):
    """A part of a source that was not seen."""

    environment: str
    service: str
    source: str
    section: str
    item: str
    reason: Reason
    detail: str
    since: Time | None


class Coverage(Answer):
    """How much of what was expected was seen."""

    sources_ok: int
    sources_expected: int
    unseen: list[Blind]


class Unmatched(Answer):
    """A service that only one side has."""

    environment: str
    service: str
    did_you_mean: str | None
    hint: str | None


class DiffCoverage(Coverage):
    """How much of a comparison could be compared."""

    items_compared: int
    not_compared: int
    not_measured: list[str]
    unmatched: list[Unmatched]


class Summary(Answer):
    """What people are told: drift by severity, the rest by verdict."""

    critical: int
    high: int
    medium: int
    low: int
    info: int
    children: int
    accepted: int
    expected: int
    pending: int
    unknown: int
    in_sync: int
    score: float | None
    worst: Severity | None
    worst_since: Time | None


class AcceptedBy(Answer):
    """Whose acceptance lets a difference be."""

    id: str
    name: str
    author: str
    reason: str
    expires_at: Time
    until: Until
    by_cause: bool


class Item(Answer):
    """One item of a comparison with its verdict."""

    comparison: str
    service: str
    component: str
    section: SectionName
    item: str
    kind: Kind
    status: Status
    left: Side | None
    right: Side
    distance: str | None
    direction: str | None
    verdict: Verdict
    pending: Pending | None
    pending_because: str | None
    due: bool
    severity: Severity
    rule: str
    cause: str | None
    detail: list[dict[str, Any]] | None
    state: State | None
    drift_id: str | None
    opened_at: Time | None
    owner: str | None
    affects: list[str]
    remedy: str | None
    accepted: AcceptedBy | None


class Event(Answer):
    """One thing that happened to a drift."""

    at: Time
    event: str
    actor: str
    left: dict[str, Any] | None
    right: dict[str, Any] | None
    snapshots: dict[str, int]
    note: str | None


class Drift(Item):
    """A row of the register: one difference or finding over time."""

    resolved_at: Time | None
    events: list[Event]
    messages: list[dict[str, Any]]


class Deployment(Answer):
    """One version of a service on its way into an environment; ``warnings``: a service that nobody knows."""

    id: str
    environment: str
    service: str
    version: str
    commit: str | None
    actor: str | None
    at: Time
    finished_at: Time | None
    warnings: list[str]


class Config(Answer):
    """parity.yml as it is in force, secrets masked: what `parity config show` prints."""

    version: Literal[1]
    server: dict[str, Any]
    groups: dict[str, Any]
    environments: list[dict[str, Any]]
    comparisons: list[dict[str, Any]]
    services: list[dict[str, Any]]
    discoveries: list[dict[str, Any]]
    rules: list[dict[str, Any]]
    alerting: dict[str, Any]
    accepted_drift: list[str]
    warnings: list[str]


class DiffState(Answer):
    """One side as it was asked for."""

    expression: str
    environment: str | None
    snapshot: int | None
    taken_at: Time | None


class CauseKey(Answer):
    """The item that is a cause."""

    service: str
    component: str
    section: SectionName
    item: str
    kind: Kind


class Cause(Answer):
    """One thing that explains many items."""

    id: str
    kind: str
    title: str
    service: str
    severity: Severity
    verdict: Literal["drift", "expected", "accepted"]
    parent: CauseKey | None
    children: int
    affects: list[str]


class Diff(Answer):
    """One comparison of two states."""

    schema_: Literal["parity.diff/v1"] = Field(alias="schema")
    left: DiffState
    right: DiffState
    complete: bool
    coverage: DiffCoverage
    summary: Summary
    causes: list[Cause]
    items: list[Item]
    warnings: list[str]


class Cell(Answer):
    """One service in one environment."""

    version: str | None
    observed_at: Time | None
    freshness: Literal["fresh", "stale", "unknown", "not_deployed"]


class SectionDrift(Answer):
    """How much of one section drifts, and how badly."""

    drift: int
    worst: Severity


class Column(Answer):
    """One service in one comparison."""

    worst: Severity | None
    worst_since: Time | None
    summary: dict[Severity, int]
    score: float | None
    sections: dict[SectionName, SectionDrift]
    unknown: int
    expected: int
    accepted: int
    pending: int
    pending_because: str | None
    complete: bool
    ahead_since: Time | None


class MatrixEnvironment(Answer):
    """One column of the matrix."""

    name: str
    tier: Tier
    group: str | None
    snapshot: int | None
    taken_at: Time | None


class SpreadVersion(Answer):
    """A version and the members of a group that run it."""

    version: str
    environments: list[str]


class MatrixRow(Answer):
    """One service in all environments and comparisons."""

    service: str
    kind: ServiceKind
    owner: str | None
    cells: dict[str, Cell]
    comparisons: dict[str, Column]
    #: Of each group of peers: who runs what.
    spread: dict[str, list[SpreadVersion]]


class MatrixComparison(Answer):
    """One comparison as a whole."""

    summary: Summary
    complete: bool
    score: float | None
    sources_ok: int
    sources_expected: int
    unmatched: list[Unmatched]


class Matrix(Answer):
    """All services and environments with their comparisons."""

    as_of: Time
    environments: list[MatrixEnvironment]
    comparisons: dict[str, MatrixComparison]
    rows: list[MatrixRow]
    coverage: Coverage


class Comparison(MatrixComparison):
    """A configured comparison."""

    name: str
    left: str
    right: str
    peers: bool
    gate: bool


class Alive(Answer):
    """A short answer."""

    status: Literal["ok"]


class Reloaded(Answer):
    """The configuration is in force."""

    loaded_at: Time


class Fault(Answer):
    """One thing wrong in what was sent."""

    pointer: str
    code: str
    message: str


class Problem(Answer):
    """Why a request was refused (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[Fault] = []
