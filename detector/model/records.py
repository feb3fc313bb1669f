"""The records that flow between engine, store and every door: one shape for CLI, API, pages and Slack."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from detector.errors import Reason
from detector.model.clock import print_time
from detector.model.facts import NOTHING, Section, Value
from detector.model.frozen import frozen
from detector.model.words import (
    MAIN,
    SEVERITIES,
    Basis,
    ComponentKind,
    Kind,
    Pending,
    SectionName,
    Severity,
    State,
    Status,
    Traffic,
    Verdict,
)


class Key(NamedTuple):
    """What a difference is about inside one comparison: its identity, and its order on every screen."""

    service: str
    component: str
    section: SectionName
    item: str
    kind: Kind = "difference"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """What one source says about one component of one service, as known at one moment.

    ``sections`` is the last settled state: items that are held are still in it and named in ``held``.
    """

    environment: str
    service: str
    component: str = MAIN
    component_kind: ComponentKind = "process"
    traffic: Traffic = "live"
    source: str
    sections: Mapping[SectionName, Section]
    #: Of the last observation; empty of a past state, which may be what several said together.
    digest: str
    #: `at` of the last observation, changed or not.
    last_seen: datetime
    #: `at` of each observation in the ring, newest last, changed or not: at most 32.
    seen_at: tuple[datetime, ...] = ()
    #: Commit number of the last change; 0 for streams that come from files.
    changed_seq: int = 0
    #: Section -> items that the last observation lacked and that wait for a second one.
    held: Mapping[SectionName, frozenset[str]] = field(default_factory=dict)
    #: Section -> items that the last observation, which saw the section in part, did not say: last known.
    carried: Mapping[SectionName, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What became of an observation."""

    changed: bool
    digest: str
    #: The number of the environment's snapshot that holds it: new when ``changed``.
    snapshot: int
    late: bool = False
    #: Whether it took the place of another one of the same time.
    instead: bool = False
    held: bool = False
    replayed: bool = False
    seq: int = 0
    #: When it was observed, by a clock that is never ahead of ours.
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """One value of one item over time; ``closed`` is None while it is the current one."""

    value: Value
    opened: datetime
    closed: datetime | None
    source: str
    basis: Basis
    snapshot: int

    def document(self) -> dict[str, Any]:
        """Return the row of a history as JSON shows it."""
        return {
            "value": self.value,
            "opened": print_time(self.opened),
            "closed": print_time(self.closed) if self.closed else None,
            "source": self.source,
            "basis": self.basis,
            "snapshot": self.snapshot,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The state of one environment after a change, numbered in commit order."""

    environment: str
    number: int
    at: datetime
    added: int
    removed: int
    changed: int
    services: tuple[str, ...]
    label: str | None = None
    backdated: bool = False

    def document(self) -> dict[str, Any]:
        """Return the snapshot as JSON shows it."""
        return {
            "environment": self.environment,
            "number": self.number,
            "at": print_time(self.at),
            "changed": {"added": self.added, "removed": self.removed, "changed": self.changed},
            "services": list(self.services),
            "label": self.label,
            "backdated": self.backdated,
        }


@frozen
class Side:
    """One side of an item: present with a value, absent, or unknown with its reason."""

    present: bool = False
    value: Value = None
    basis: Basis | None = None
    source: str | None = None
    observed_at: datetime | None = None
    unknown: Reason | None = None
    #: Of an unknown side: the last value that was seen, if there was one.
    last: Value = None
    hints: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    #: The item of this side where it goes by another name than that of the difference: a successor.
    item: str | None = None

    def document(self) -> dict[str, Any]:
        """Return the side as JSON shows it."""
        if self.unknown is not None:
            return {"unknown": self.unknown, **({"last": self.last} if self.last is not None else {})}
        if not self.present:
            return {"present": False}
        return {
            "present": True,
            "value": self.value,
            "basis": self.basis,
            "source": self.source,
            "observed_at": print_time(self.observed_at) if self.observed_at else None,
            **({"item": self.item} if self.item else {}),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedBy:
    """Whose acceptance lets a difference be, why, and until when."""

    #: Of the acceptance.
    id: str
    #: What the verdict names as its rule: ``accepted.d/2026.yml:3`` or ``acceptance 01J… by anna``.
    name: str
    author: str
    reason: str
    expires_at: datetime
    #: `changed`, `worse` or `resolved`.
    until: str
    #: Whether it accepts what explains this difference, and so covers it.
    by_cause: bool = False

    def document(self) -> dict[str, Any]:
        """Return it as JSON shows it."""
        return {
            "id": self.id,
            "name": self.name,
            "author": self.author,
            "reason": self.reason,
            "expires_at": print_time(self.expires_at),
            "until": self.until,
            "by_cause": self.by_cause,
        }


@frozen
class Judged:
    """One item of a comparison with its verdict: a line of every screen."""

    key: Key
    #: ``left..right``, or the environment's name for a finding of one environment.
    comparison: str
    status: Status
    #: None for a finding of one environment, which stands on the right.
    left: Side | None
    right: Side
    distance: str | None = None
    direction: str | None = None
    verdict: Verdict
    severity: Severity
    #: The rule that decided, such as ``default/dependencies``.
    rule: str
    pending: Pending | None = None
    #: Why its alert waits, in words.
    pending_because: str | None = None
    due: bool = False
    #: Id of the cause that explains it, such as ``c1``.
    cause: str | None = None
    #: DeepDiff's paths of a changed nested value.
    detail: list[dict[str, Any]] | None = None
    state: State | None = None
    drift_id: str | None = None
    opened_at: datetime | None = None
    owner: str | None = None
    #: Services that it concerns beside its own: the users of a shared server, all that run one image.
    affects: tuple[str, ...] = ()
    #: Says how it is mended, where it can be; asked only for what is shown.
    mend: Callable[["Judged"], str | None] | None = field(default=None, repr=False, compare=False)
    #: When the clock of the allowance that holds it started.
    since: datetime | None = None
    #: When this verdict may change by the clock alone.
    review_at: datetime | None = None
    #: Of an accepted difference.
    accepted: AcceptedBy | None = None
    #: Complete observations that a rule wants before anybody is told; None: as many as of everything.
    confirm_after: int | None = None

    @property
    def remedy(self) -> str | None:
        """One line: where, the command that mends it, and why there."""
        return self.mend(self) if self.mend is not None else None

    def document(self) -> dict[str, Any]:
        """Return the item as ``parity.diff/v1`` shows it."""
        return {
            "comparison": self.comparison,
            "service": self.key.service,
            "component": self.key.component,
            "section": self.key.section,
            "item": self.key.item,
            "kind": self.key.kind,
            "status": self.status,
            "left": self.left.document() if self.left is not None else None,
            "right": self.right.document(),
            "distance": self.distance,
            "direction": self.direction,
            "verdict": self.verdict,
            "pending": self.pending,
            "pending_because": self.pending_because,
            "due": self.due,
            "severity": self.severity,
            "rule": self.rule,
            "cause": self.cause,
            "detail": self.detail,
            "state": self.state,
            "drift_id": self.drift_id,
            "opened_at": print_time(self.opened_at) if self.opened_at else None,
            "owner": self.owner,
            "affects": list(self.affects),
            "remedy": self.remedy,
            "accepted": self.accepted.document() if self.accepted else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftEvent:
    """One thing that happened to a drift. Append-only."""

    at: datetime
    #: `opened confirmed changed escalated accepted acceptance_ended resolved reopened backdated withdrawn`
    event: str
    actor: str
    left: Mapping[str, Any] | None = None
    right: Mapping[str, Any] | None = None
    #: Environment -> number of its snapshot.
    snapshots: Mapping[str, int] = field(default_factory=dict)
    #: Why, where somebody said so: the reason of an acceptance, and why it ended.
    note: str | None = None

    def document(self) -> dict[str, Any]:
        """Return the event as JSON shows it."""
        return {
            "at": print_time(self.at),
            "event": self.event,
            "actor": self.actor,
            "left": self.left,
            "right": self.right,
            "snapshots": dict(self.snapshots),
            "note": self.note,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """A row of the register: one difference or finding over time.

    ``item`` is the document of the judged item when the row last changed. ``comparison`` is ``left..right``,
    or the environment's name for a finding of one environment.
    """

    id: str
    comparison: str
    key: Key
    state: State
    severity: Severity
    owner: str | None
    opened_at: datetime
    resolved_at: datetime | None = None
    item: Mapping[str, Any]
    #: When each side of the difference was first seen so: what confirmation counts from.
    first_left_at: datetime | None = None
    first_right_at: datetime | None = None
    #: Whether it was over or accepted before: its alert says that it is back.
    again: bool = False
    events: tuple[DriftEvent, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return the drift as JSON shows it: a diff item and its life."""
        held = self.item.get("pending")
        if held in (None, "confirm"):
            # The item was judged before this row took its present state.
            held = "confirm" if self.state == "pending" else None
        return {
            "affects": [],
            **self.item,
            "comparison": self.comparison,
            "state": self.state,
            "pending": held,
            "pending_because": self.item.get("pending_because") if held else None,
            "drift_id": self.id,
            "severity": self.severity,
            "owner": self.owner,
            "opened_at": print_time(self.opened_at),
            "resolved_at": print_time(self.resolved_at) if self.resolved_at else None,
            "accepted": self.item.get("accepted") if self.state == "accepted" else None,
            "events": [event.document() for event in self.events],
            "messages": [],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """An alert owed to whoever owns one group of drifts; written in the transaction that made it due."""

    id: str
    comparison: str
    owner: str
    created_at: datetime
    #: The worst thing that happened: `opened escalated reopened changed reminder resolved`.
    event: str
    drift_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreMark:
    """The score of one service in one comparison from one judgement on: a row of the trend."""

    comparison: str
    service: str
    at: datetime
    #: None where nothing was measured on both sides.
    score: float | None
    #: Whether something critical was open.
    critical: bool
    #: Section -> its part.
    sections: Mapping[str, float] = field(default_factory=dict)


def severity_rank(severity: Severity) -> int:
    """Return the place of a severity, 0 for info and 4 for critical."""
    return SEVERITIES.index(severity)
