"""The shape of what tells who runs what: services, environments, snapshots, history, sources."""

from typing import Any, Literal

from pydantic import Field

from detector.api.schemas import Answer, Cell, Column, Drift, Time
from detector.engine.promotion import Outcome
from detector.errors import Reason
from detector.model.words import Basis, Completeness, ComponentKind, SectionName, ServiceKind, Tier


class Service(Answer):
    """A service, configured or only seen."""

    service: str
    kind: ServiceKind
    owner: str | None
    used_by: list[str]
    configured: bool
    seen_in: list[str]


class Component(Answer):
    """A process type, sidecar or job."""

    name: str
    kind: ComponentKind


class Unseen(Answer):
    """A part that a source did not see."""

    item: str
    reason: Reason
    detail: str


class Look(Answer):
    """What one source can say of one section."""

    source: str
    component: str
    basis: Basis
    status: Completeness
    fresh: bool
    observed_at: Time
    unseen: list[Unseen]


class SectionSeen(Answer):
    """One section of a service in one environment."""

    section: SectionName
    items: int
    unknown: int
    sources: list[Look]


class Preview(Answer):
    """Something that is listed and never compared."""

    service: str
    component: str
    source: str
    version: str | None
    observed_at: Time


class NotLive(Preview):
    """A release that takes no production traffic."""

    traffic: Literal["idle", "canary"]


class ServiceEnvironment(Cell):
    """A service in one environment, with what is inside."""

    name: str
    tier: Tier
    group: str | None
    version_since: Time | None
    components: list[Component]
    sections: list[SectionSeen]
    not_live: list[NotLive]


class Waiting(Answer):
    """What the right environment has not reached: the clock that runs."""

    version: str
    versions: int
    since: Time
    seconds: float
    exact: bool
    taken_back: bool


class Hop(Answer):
    """The way from one environment to the next, in figures."""

    left: str
    right: str
    arrived: int
    timed: int
    median_seconds: float | None
    p90_seconds: float | None
    changes_median_seconds: float | None
    changes_p90_seconds: float | None
    overtaken: int
    withdrawn: int
    direct: int
    rolled_back: int
    waiting: Waiting | None


class FirstSeen(Answer):
    """When an environment first had a version; not exact where it had it when the watch began."""

    at: Time
    exact: bool
    current: bool


class Step(Answer):
    """What became of a version on one hop."""

    outcome: Outcome
    lead_seconds: float | None
    by: str | None


class Version(Answer):
    """One version on its way through the environments."""

    version: str
    since: Time
    first_seen: dict[str, FirstSeen]
    hops: dict[str, Step]


class Way(Answer):
    """The way of one item of one service."""

    service: str
    owner: str | None
    section: SectionName
    item: str
    environments: list[str]
    hops: list[Hop]
    versions: list[Version]


class Promotion(Answer):
    """Lead times from environment to environment."""

    schema_: Literal["parity.promotion/v1"] = Field(alias="schema")
    as_of: Time
    since: Time | None
    items: list[Way]


class Changes(Answer):
    """How many facts a snapshot added, removed and changed."""

    added: int
    removed: int
    changed: int


class Snapshot(Answer):
    """The state of one environment after a change."""

    environment: str
    number: int
    at: Time
    changed: Changes
    services: list[str]
    label: str | None
    backdated: bool


class ServiceDetail(Service):
    """One service in every environment."""

    as_of: Time
    environments: list[ServiceEnvironment]
    comparisons: dict[str, Column]
    promotion: Way | None
    drifts: list[Drift]
    changes: list[Snapshot]


class SnapshotSection(Answer):
    """What one source said of one section."""

    service: str
    component: str
    source: str
    section: SectionName
    basis: Basis
    status: Completeness
    facts: dict[str, Any]


class SnapshotDetail(Snapshot):
    """A snapshot with the facts that it holds."""

    sections: list[SnapshotSection]


class Environment(Answer):
    """An environment, in promotion order."""

    name: str
    tier: Tier
    group: str | None
    intermittent: bool
    services: int
    snapshot: Snapshot | None
    not_live: list[NotLive]
    ephemeral: list[Preview]


class Interval(Answer):
    """One value of an item over time."""

    environment: str
    component: str
    section: SectionName
    value: Any
    opened: Time
    closed: Time | None
    source: str
    basis: Basis
    snapshot: int


class Source(Answer):
    """How a source fares."""

    environment: str
    service: str | None
    source: str
    type: str
    configured: bool
    schedule: str | None
    state: Literal["ok", "failing", "stale", "never"]
    last_run: Time | None
    last_success: Time | None
    last_result: Literal["ok"] | Reason | None
    detail: str
    duration_seconds: float | None


class Token(Answer):
    """Who may do what, until when. The token itself is nowhere."""

    id: str
    name: str
    scopes: list[str]
    created_at: Time
    expires_at: Time | None
    revoked_at: Time | None


class TokenMade(Answer):
    """A new token, told only now."""

    token: str
    expires_at: Time


class RanSource(Answer):
    """What became of one source: `ok`, why it could not be seen, or `not_recorded`."""

    service: str | None
    source: str
    result: str
    detail: str
    changed: bool


class Run(Answer):
    """Sources that were run because somebody asked, in the order of their end."""

    id: str
    environment: str
    asked_at: Time
    ended_at: Time | None
    #: Sources that have not ended.
    waiting: int
    sources: list[RanSource]


class Pruned(Answer):
    """Rows of each table that were dropped."""

    history_before: Time
    messages_before: Time
    rows: dict[str, int]
    #: Whether more is due than one run drops.
    more: bool


class Whose(Answer):
    """Where something was looked for."""

    service: str
    owner: str | None
    environment: str
    component: str
    section: SectionName | None
    item: str


class Running(Whose):
    """A service that runs what was looked for."""

    value: Any = Field(description="A version, versions of copies, or `{values: {version: replicas}}`")
    basis: Basis | None
    source: str | None
    observed_at: Time | None


class Untold(Whose):
    """A service of which nobody can tell: unknown is not absent."""

    reason: Reason
    detail: str
    last: Any = Field(description="What was seen last, null for nothing")


class SearchResult(Answer):
    """Which services run an item in a range of versions."""

    schema_: Literal["parity.search/v1"] = Field(alias="schema")
    as_of: Time
    item: str
    version: str | None
    meant: list[str] = Field(description="The items that were looked for")
    items: list[Running]
    unordered: list[Running] = Field(description="Versions without a place in the order of their ecosystem")
    unknown: list[Untold]
    looked_at: int = Field(description="Services of environments that were looked at")
    other_versions: int = Field(description="How many run it in another version")
