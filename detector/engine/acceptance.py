"""Acceptance: a difference that somebody lets be for a while, with a reason, and what ends it by itself.

It holds for one item, for what was open on one day, or for whatever a match describes. What was compared is
what binds: each item is bound to what it was when it was first accepted, and an acceptance that ended for an
item stays ended for it.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from detector.engine.calendars import Calendar, end_of
from detector.engine.causes import Cause
from detector.engine.compared import Compared, still, what_binds
from detector.engine.judgement import DEVELOPMENT_SCOPES
from detector.engine.rules import Match, Subject
from detector.errors import UsageError
from detector.model.records import AcceptedBy, Drift, Judged, Key, severity_rank
from detector.model.words import Severity

Until = Literal["changed", "worse", "resolved"]
UNTILS: Final[tuple[Until, ...]] = ("changed", "worse", "resolved")
#: Longer than this nobody remembers why.
LONGEST: Final = timedelta(days=731)
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})")
#: What is not accepted any more because its difference went away.
GONE: Final = "the difference is gone"
#: What ends by the clock.
EXPIRED: Final = "its time is up"
#: From the least to the most; without a known order a change is as far as a minor one.
_DISTANCES: Final = ("build", "revision", "prerelease", "patch", "minor", "major")
_MOMENT: Final = timedelta(microseconds=1)
_ONE_SIDED: Final = ("left_only", "right_only")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """What an accepted difference was when it was accepted."""

    left: Compared
    right: Compared
    status: str
    distance: str | None
    direction: str | None
    severity: Severity

    def document(self) -> dict[str, Any]:
        """Return it as it is kept."""
        return {name: getattr(self, name) for name in self.__slots__}


def bound_of(item: Mapping[str, Any]) -> Bound:
    """Return what an acceptance of an item of ``parity.diff/v1`` binds now."""
    left, right = what_binds(item)
    return Bound(
        left=left,
        right=right,
        status=item["status"],
        distance=item["distance"],
        direction=item["direction"],
        severity=item["severity"],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """One item that an acceptance holds for, or held for."""

    acceptance: str
    comparison: str
    key: Key
    until: Until
    bound: Bound
    bound_at: datetime
    ended_at: datetime | None = None
    why: str | None = None

    def holds(self, at: datetime) -> bool:
        """Tell whether it had begun at a time and not ended."""
        return self.bound_at <= at and (self.ended_at is None or at < self.ended_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """What somebody lets be. Without a match it holds for what it was bound to when it was made."""

    id: str
    match: Match | None = None
    reason: str
    author: str
    #: None of a file that no service has read yet.
    created_at: datetime | None
    #: None where the date of a file cannot be read: then it is over.
    expires_at: datetime | None
    #: None: `worse` of dependencies, `changed` of everything else.
    until: Until | None = None
    #: Of one in a file: ``accepted.d/2026.yml:3``.
    place: str | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None
    why: str | None = None

    @property
    def name(self) -> str:
        """What a verdict names as its rule."""
        return self.place or f"acceptance {self.id} by {self.author}"

    def holds(self, at: datetime, end: datetime) -> bool:
        """Tell whether it was in force at a time; ``end`` is when its time is up."""
        return (
            at < end
            and (self.created_at is None or self.created_at <= at)
            and (self.ended_at is None or at < self.ended_at)
        )

    def until_of(self, section: str) -> Until:
        """Return what ends it for an item of a section."""
        return self.until or ("worse" if section == "dependencies" else "changed")

    def ended(self, why: str) -> str:
        """Return the sentence that says whose acceptance ended, and why."""
        until = f" until {last_day(self.expires_at)}" if self.expires_at else ""
        return f"acceptance of {self.author}{until} ended: {why}"


def expiry(text: str) -> datetime:
    """Return when an acceptance ends: after a day such as ``2026-12-05``, or at a time with its zone.

    Raises UsageError for anything else.
    """
    try:
        if _DAY.fullmatch(text):
            return datetime.fromisoformat(text).replace(tzinfo=UTC) + timedelta(days=1)
        if _TIME.fullmatch(text):
            return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise UsageError(
        "no day of the calendar; write it as in 2026-12-05, or a time as in 2026-12-05T18:00:00Z"
    )


def legible(text: str) -> bool:
    """Return whether a reason or author is text alone: nothing in it steers a terminal."""
    return all(char.isprintable() or char in "\n\t" for char in text)


def last_day(expires_at: datetime) -> str:
    """Return the last day of an acceptance: one that ends at midnight holds through the day before."""
    return (expires_at - timedelta(microseconds=1)).date().isoformat()


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """All that is accepted of one or more services, with what it is bound to."""

    acceptances: Mapping[str, Acceptance] = field(default_factory=dict)
    bindings: Mapping[tuple[str, Key], Sequence[Binding]] = field(default_factory=dict)
    #: Comparison -> calendars of its environments: nothing ends while nobody may mend it.
    calendars: Mapping[str, Sequence[Calendar]] = field(default_factory=dict)
    #: Those with a match: found once, asked of every drift.
    _wide: tuple[Acceptance, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        wide = tuple(one for one in self.acceptances.values() if one.match is not None)
        object.__setattr__(self, "_wide", wide)

    def of(self, judged: Judged, now: datetime) -> AcceptedBy | None:
        """Return whose acceptance lets a drift be, if one does."""
        mine = self.bindings.get((judged.comparison, judged.key), ())
        for binding in mine:
            acceptance = self.acceptances.get(binding.acceptance)
            if acceptance is None or not binding.holds(now):
                continue
            end = self.end_of(acceptance, judged.comparison)
            if end is not None and acceptance.holds(now, end) and broken(binding, judged) is None:
                return accepted_by(acceptance, binding.until, end)
        spent = {binding.acceptance for binding in mine}
        for acceptance in self._wide:
            end = self.end_of(acceptance, judged.comparison)
            if acceptance.id in spent or end is None or not acceptance.holds(now, end):
                continue
            if acceptance.match is not None and acceptance.match.accepts(subject_of(judged)):
                return accepted_by(acceptance, acceptance.until_of(judged.key.section), end)
        return None

    def end_of(self, acceptance: Acceptance, comparison: str) -> datetime | None:
        """Return when an acceptance ends here: one whose end falls into a freeze ends after it."""
        if acceptance.expires_at is None:
            return None
        return end_of(acceptance.expires_at, _MOMENT, *self.calendars.get(comparison, ())) - _MOMENT

    def __bool__(self) -> bool:
        return bool(self.acceptances)


NOTHING: Final = Accepted()


def accept(
    items: Sequence[Judged], causes: Sequence[Cause], accepted: Accepted, now: datetime
) -> tuple[list[Judged], list[Cause]]:
    """Give the verdict `accepted` to each drift that somebody lets be, and to what an accepted one causes."""
    if not accepted:
        return list(items), list(causes)
    found = {one.key: _let_be(one, accepted.of(one, now)) if one.verdict == "drift" else one for one in items}
    covering = {
        cause.id: parent.accepted
        for cause in causes
        if cause.parent is not None and (parent := found.get(cause.parent)) is not None and parent.accepted
    }
    for key, one in found.items():
        if one.verdict == "drift" and one.cause in covering:
            found[key] = _let_be(one, replace(covering[one.cause], by_cause=True))
    drifting = {one.cause for one in found.values() if one.verdict == "drift"}
    told = [
        replace(cause, verdict="accepted") if cause.id in covering and cause.id not in drifting else cause
        for cause in causes
    ]
    return list(found.values()), told


def changes(
    items: Iterable[Judged], resolved: Collection[Key], accepted: Accepted, comparison: str, now: datetime
) -> list[Binding]:
    """Return what one judgement of a comparison binds anew, and what it ends.

    ``resolved`` are the keys whose difference is gone. Whatever a match newly covers is bound to what it is
    now.
    """
    found = {one.key: one for one in items if one.comparison == comparison}
    written = []
    for key, one in found.items():
        by = one.accepted
        if by is None or by.by_cause or any(b.acceptance == by.id for b in _bindings(accepted, one)):
            continue
        acceptance = accepted.acceptances[by.id]
        if acceptance.created_at is None:
            continue  # of a file that the store does not know yet: the next judgement binds it
        written.append(
            Binding(
                acceptance=by.id,
                comparison=comparison,
                key=key,
                until=acceptance.until_of(key.section),
                bound=bound_of(one.document()),
                bound_at=now,
            )
        )
    for (where, key), bindings in accepted.bindings.items():
        if where != comparison:
            continue
        for binding in bindings:
            if binding.ended_at is None and (why := why_over(binding, found.get(key), accepted, now)):
                written.append(replace(binding, ended_at=now, why=why))
            elif binding.ended_at is None and key in resolved:
                written.append(replace(binding, ended_at=now, why=GONE))
    return written


def why_ended(row: Drift, judged: Judged, accepted: Accepted, now: datetime) -> str:
    """Return whose acceptance of a row ended, and why it is drift again."""
    was = row.item.get("accepted") or {}
    acceptance = accepted.acceptances.get(was.get("id", ""))
    if acceptance is None:
        expires = was.get("expires_at")
        over = expires is not None and datetime.fromisoformat(expires) <= now
        return f"acceptance of {was.get('author', 'nobody')} ended" + (f": {EXPIRED}" if over else "")
    for binding in _bindings(accepted, judged):
        if binding.acceptance == acceptance.id and (why := why_over(binding, judged, accepted, now)):
            return acceptance.ended(why)
    end = accepted.end_of(acceptance, judged.comparison)
    if end is None or not acceptance.holds(now, end):
        return acceptance.ended(acceptance.why or EXPIRED)
    return acceptance.ended("what explains this is not accepted any more")


def broken(binding: Binding, judged: Judged) -> str | None:
    """Return why a drift is not any more what was accepted, or None while it is."""
    if binding.until == "resolved":
        return None
    now, bound = bound_of(judged.document()), binding.bound
    if binding.until == "worse":
        return _worse(bound, now)
    unchanged = still(bound.left, now.left) and still(bound.right, now.right)
    return None if unchanged else "the difference changed"


def _worse(bound: Bound, now: Bound) -> str | None:
    if severity_rank(now.severity) > severity_rank(bound.severity):
        return f"it got worse: {bound.severity} became {now.severity}"
    if now.status in _ONE_SIDED and bound.status not in _ONE_SIDED:
        return "it got worse: one side lacks it now"
    if now.status in _ONE_SIDED and now.status != bound.status:
        return "it turned: the other side lacks it now"
    if now.direction != bound.direction and now.direction and bound.direction not in (None, "unordered"):
        return f"it turned: {bound.direction} became {now.direction}"
    if _far(now) > _far(bound):
        return "it got worse: the distance grew"
    return None


def _far(bound: Bound) -> int:
    if bound.status != "changed":
        return -1 if bound.status == "same" else len(_DISTANCES)
    distance = bound.distance or "minor"
    return _DISTANCES.index(distance) if distance in _DISTANCES else _DISTANCES.index("minor")


def why_over(binding: Binding, judged: Judged | None, accepted: Accepted, now: datetime) -> str | None:
    """Return why a binding is over: by the clock, by somebody, or by what became of its item."""
    acceptance = accepted.acceptances.get(binding.acceptance)
    if acceptance is None or acceptance.ended_at is not None:
        return (acceptance and acceptance.why) or "it was taken back"
    end = accepted.end_of(acceptance, binding.comparison)
    if end is None or not acceptance.holds(now, end):
        return EXPIRED
    return broken(binding, judged) if judged is not None and judged.verdict == "drift" else None


def _bindings(accepted: Accepted, judged: Judged) -> Sequence[Binding]:
    return accepted.bindings.get((judged.comparison, judged.key), ())


def accepted_by(acceptance: Acceptance, until: Until, end: datetime) -> AcceptedBy:
    """Return what a verdict says of the acceptance that decided it, which ends here at ``end``."""
    return AcceptedBy(
        id=acceptance.id,
        name=acceptance.name,
        author=acceptance.author,
        reason=acceptance.reason,
        expires_at=end,
        until=until,
    )


def _let_be(judged: Judged, by: AcceptedBy | None) -> Judged:
    if by is None:
        return judged
    return replace(
        judged,
        verdict="accepted",
        rule=by.name,
        accepted=by,
        review_at=min(judged.review_at or by.expires_at, by.expires_at),
    )


def subject_of(judged: Judged) -> Subject:
    """Return what the match of an acceptance may ask of a drift."""
    side = judged.right if judged.right.present or judged.left is None else judged.left
    scopes = side.hints.get("scope") or ()
    return Subject(
        section=judged.key.section,
        item=judged.key.item,
        kind=judged.key.kind,
        status=judged.status,
        service=judged.key.service,
        component=judged.key.component,
        owner=judged.owner or "",
        comparison=judged.comparison,
        basis=side.basis or "",
        severity=judged.severity,
        scope="dev" if scopes and set(scopes) <= DEVELOPMENT_SCOPES else "runtime",
        direction=judged.direction or "",
    )
