"""The verdict on one difference: what it means now, how grave it is, which rule decided, until when."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache, partial
from typing import Any, Final, Literal, NamedTuple

from detector.engine.ahead import Histories, lead_of, skew_since
from detector.engine.calendars import Calendar, end_of
from detector.engine.detail import detail_of
from detector.engine.lineage import DIVERGED, MOVING, Lineage, in_lineage
from detector.engine.pairing import Difference, product_of
from detector.engine.policy import Pair, Service
from detector.engine.reads import reading_of, where_read
from detector.engine.remedies import remedy_for
from detector.engine.rulebook import Answers, Chapters, Decided, rulebook
from detector.engine.rules import Allowance, Decision, Rule, Subject
from detector.engine.values import equal_values, rotated
from detector.engine.view import Place, View
from detector.errors import Reason
from detector.model.clock import print_duration
from detector.model.facts import Value
from detector.model.records import Interval, Judged, Key, Side
from detector.model.words import MAIN, Verdict

#: The allowance of either side among peers: how long a roll-out may take to reach all of them.
PEER_SKEW = Allowance(span=timedelta(days=1))
#: Scopes of a package that no running application needs.
DEVELOPMENT_SCOPES = frozenset({"dev", "test", "lint", "docs"})
#: Where left may lead: it has another value, or has what right does not have yet.
_LEADING: Final = ("changed", "left_only")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All that the verdicts on one service in one pair of environments rest on."""

    pair: Pair
    service: Service
    rules: Sequence[Rule]
    left: View
    right: View
    now: datetime
    histories: Histories
    #: How commits follow each other, where a repository is at hand.
    lineage: Lineage = field(default_factory=dict)
    #: Whether this is about findings inside one environment: both views are then the same one.
    alone: bool = False
    #: ``left..right``, or the environment of findings inside it.
    name: str = field(init=False)
    #: The rules that can match here, compiled.
    chapters: Chapters = field(init=False, repr=False, compare=False)
    #: Says how a finding of this case is mended.
    mend: Callable[[Judged], str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.pair.right.name if self.alone else self.pair.name)
        tiers = self.pair.left.tier, self.pair.right.tier
        about = (self.service.name, self.service.owner or "", self.name, *tiers)
        object.__setattr__(self, "chapters", rulebook(self.rules).about(about))
        read = partial(where_read, (self.left, self.right))
        object.__setattr__(self, "mend", partial(remedy_for, pair=self.pair, read=read))


class Ruling(NamedTuple):
    """A verdict with the rule that decided, and the clock it hangs on."""

    verdict: Verdict
    rule: str
    since: datetime | None = None
    review_at: datetime | None = None


#: A verdict that no clock changes: there are few, of thousands of differences.
timeless: Final = lru_cache(maxsize=4_096)(Ruling)


def judge(case: Case, difference: Difference) -> Judged | None:
    """Return the verdict, or None where a rule says that the item does not matter."""
    if difference.place.item in MOVING:
        difference = as_judged(case, difference)
    decision, severity = decided(case, difference)
    if decision.outcome.ignore:
        return None
    verdict, rule, since, review_at = _verdict(case, difference, decision)
    if verdict == "in_sync":
        severity = "info"
    if verdict == "unknown" and difference.status != "unknown":
        difference = _out_of_sight(difference)
    (component, section, item), status, left, right, kind, distance, direction = difference
    service = case.service
    nested = status == "changed" and section != "config" and type(left.value) is not str
    # Python passes keywords through a dict to a class, and so many of them to any function that is no method:
    # this way a verdict takes two thirds of the time.
    judged = object.__new__(Judged)
    judged.__init__(  # type: ignore[misc]  # Judged has no subclass
        key=Key(service.name, component, section, item, kind),
        status=status,
        comparison=case.name,
        left=None if case.alone else left,
        right=right,
        distance=None if distance == "copies" else distance,
        direction=_direction(case.pair, direction) if status == "changed" else None,
        verdict=verdict,
        severity=severity,
        rule=rule,
        detail=detail_of(left.value, right.value) if nested else None,
        owner=service.owner,
        affects=service.used_by,
        since=since,
        review_at=review_at,
        confirm_after=decision.outcome.confirm_after,
        mend=case.mend if verdict in ("drift", "expected") else None,
    )
    return judged


def as_judged(case: Case, difference: Difference) -> Difference:
    """Return a difference with all that its case knows of it: the order of commits and word tags."""
    place = difference.place
    if place.item not in MOVING or case.alone:
        return difference
    ours, theirs = (_history(case, one.name, place) for one in (case.pair.left, case.pair.right))
    return in_lineage(difference, ours, theirs, case.lineage)


def decided(case: Case, difference: Difference) -> Decided:
    """Return what the rules make of a difference, and how grave it is to them."""
    (_, section, item), status, _, _, kind, distance, _ = difference
    if distance is None:
        distance = _distance_for_rules(difference)
    seen: str = status
    if case.pair.peers or (status == "changed" and section == "config"):
        seen = _status_for_rules(case, difference)
    chapter = case.chapters[section, kind, seen]
    answers: Answers = (chapter.groups[item], distance)
    for name in chapter.asked:
        answers = (*answers, _ASKED[name](case, difference))
    return chapter.known.get(answers) or chapter.decide(answers, subject_of(case, difference))


def subject_of(case: Case, difference: Difference) -> Subject:
    """Return all that rules may match on, of one difference."""
    place = difference.place
    answers: dict[str, Any] = {name: ask(case, difference) for name, ask in _ASKED.items()}
    return Subject(
        section=place.section,
        item=place.item,
        kind=difference.kind,
        service=case.service.name,
        owner=case.service.owner or "",
        comparison=case.name,
        left_tier=case.pair.left.tier,
        right_tier=case.pair.right.tier,
        status=_status_for_rules(case, difference),
        distance=_distance_for_rules(difference),
        **answers,
    )


def _verdict(case: Case, difference: Difference, decision: Decision) -> Ruling:
    place, status, left, right, kind, _, direction = difference
    expect = decision.outcome.expect
    if status == "unknown":
        return timeless("unknown", decision.rule)
    if kind not in ("difference", "variant"):
        if kind == "rebuilt" and direction == "left_ahead":
            return _allowed(case, difference, decision)
        wanted = kind == "shared_secret" and expect in ("any", "equal")
        return timeless("expected" if wanted else "drift", decision.rule)
    if place.section == "config" and left.present and right.present:
        return _config_verdict(case, difference, decision)
    if status == "same":
        return timeless("in_sync", decision.rule)
    if expect == "any" or (type(expect) is tuple and _only_where_expected(case.pair, difference, decision)):
        return timeless("expected", decision.rule)
    return _allowed(case, difference, decision)


def _config_verdict(case: Case, difference: Difference, decision: Decision) -> Ruling:
    """Judge a key that both sides have, after what is expected of it."""
    ours, theirs = difference.left.value, difference.right.value
    expect = decision.outcome.expect
    if expect in ("equal", "differ"):
        equal = equal_values(ours, theirs)
        if equal is None:
            return timeless("unknown", decision.rule)
        if equal == (expect == "equal"):
            return timeless("in_sync", decision.rule)
        return _allowed(case, difference, decision)
    if isinstance(expect, tuple) and not {case.pair.left.name, case.pair.right.name} <= set(expect):
        return timeless("drift", decision.rule)
    if difference.status == "same":
        return timeless("in_sync", decision.rule)
    if expect == "any":
        return timeless("expected", decision.rule)
    return _allowed(case, difference, decision)


def _out_of_sight(difference: Difference) -> Difference:
    """Return a difference between values that what is kept of them cannot tell apart."""
    ours, theirs = difference.left.value, difference.right.value
    why: Reason = "key_rotated" if rotated(ours, theirs) else "not_comparable"
    return difference._replace(
        status="unknown", left=Side(unknown=why, last=ours), right=Side(unknown=why, last=theirs)
    )


def _only_where_expected(pair: Pair, difference: Difference, decision: Decision) -> bool:
    expected = decision.outcome.expect or ()
    return all(
        side.present == (environment.name in expected)
        for side, environment in ((difference.left, pair.left), (difference.right, pair.right))
    )


def _allowed(case: Case, difference: Difference, decision: Decision) -> Ruling:
    """Return `expected` while an allowance lasts, and when it ends; else `drift`."""
    name, allowance, calendars = allowance_for(case, difference, decision)
    if allowance is None:
        return timeless("drift", decision.rule)
    if name == "allow_skew":
        return _until(case, _skew_start(case, difference), allowance, decision, *calendars)
    if case.pair.spread and difference.direction not in ("left_ahead", "right_ahead"):
        return Ruling("expected", f"{decision.rule} (spread: allowed)")
    ahead, behind = case.pair.left, difference.right
    if case.pair.peers and difference.direction == "right_ahead":
        ahead, behind = case.pair.right, difference.left
    history = _history(case, ahead.name, difference.place)
    lead = lead_of(history, behind.value, difference.place.item)
    if lead is not None and allowance.versions is not None and lead.versions > allowance.versions:
        return Ruling("drift", decision.rule)
    return _until(case, lead.since if lead else case.now, allowance, decision, *calendars)


class Patience(NamedTuple):
    """The allowance that a difference falls under, None where it falls under none, and whose time counts."""

    name: Literal["allow_ahead", "allow_skew"]
    allowance: Allowance | None
    calendars: tuple[Calendar, ...]


_NONE: Final = Patience("allow_skew", None, ())


def allowance_for(case: Case, difference: Difference, decision: Decision) -> Patience:
    """Return the allowance that a difference falls under."""
    pair, lead, skew = case.pair, decision.outcome.allow_ahead, decision.outcome.allow_skew
    if skew is not None and skew.distances and (difference.distance or "") not in skew.distances:
        skew = None
    # A skew ends when either side has come after the other; a lead, when right has.
    if pair.peers:
        either, lag = (pair.left.calendar, pair.right.calendar), lead or skew
        if pair.spread and lag is not None:
            # What has a version that may lead may differ for good; who is behind has as long to come after.
            return Patience("allow_ahead", lag, either)
        return Patience("allow_skew", skew or PEER_SKEW, either)
    if lead is not None and difference.direction == "left_ahead" and difference.status in _LEADING:
        return Patience("allow_ahead", lead, (pair.right.calendar,))
    if skew is not None and difference.left.present and difference.right.present:
        return Patience("allow_skew", skew, (pair.left.calendar, pair.right.calendar))
    return _NONE


def _until(
    case: Case, start: datetime, allowance: Allowance, decision: Decision, *calendars: Calendar
) -> Ruling:
    try:
        end = end_of(start, allowance.span, *calendars)
    except OverflowError:
        return Ruling("expected", decision.rule, since=start)
    if case.now < end:
        return Ruling("expected", decision.rule, since=start, review_at=end)
    return Ruling("drift", f"{decision.rule} (allowed {print_duration(allowance.span)}, spent)", since=start)


def _skew_start(case: Case, difference: Difference) -> datetime:
    place = difference.place
    left, right = (_history(case, side.name, place) for side in (case.pair.left, case.pair.right))
    return skew_since(left, right) or case.now


def _history(case: Case, environment: str, place: Place) -> Sequence[Interval]:
    """Return the intervals of a place; where its side names no component, those of what speaks for it."""
    alone = Place(MAIN, place.section, place.item)
    return case.histories.get((environment, place)) or case.histories.get((environment, alone), ())


def _direction(pair: Pair, direction: str | None) -> str | None:
    return "unordered" if pair.peers or direction == DIVERGED else direction


def _seen(difference: Difference) -> Side:
    return difference.right if difference.right.present else difference.left


def _scope(_: Case, difference: Difference) -> str:
    scopes = _seen(difference).hints.get("scope")
    return "dev" if scopes and set(scopes) <= DEVELOPMENT_SCOPES else "runtime"


def _status_for_rules(case: Case, difference: Difference) -> str:
    """Return the status that rules see: an empty value counts as a missing one, and peers have no order."""
    status = _status_of_presence(difference)
    return "left_only" if case.pair.peers and status == "right_only" else status


def _status_of_presence(difference: Difference) -> str:
    if difference.place.section == "config" and difference.status == "changed":
        if _empty(difference.right.value):
            return "left_only"
        if _empty(difference.left.value):
            return "right_only"
    return difference.status


def _distance_for_rules(difference: Difference) -> str:
    return difference.distance or ("unordered" if difference.status == "changed" else "")


def _empty(value: Value) -> bool:
    return isinstance(value, dict) and value.get("type") == "empty"


def _managed(_: Case, difference: Difference) -> bool:
    return any(side.hints.get("auto_minor_upgrade") for side in (difference.left, difference.right))


def _product(case: Case, difference: Difference) -> str:
    place = difference.place
    if place.section != "backing_services":
        return ""
    return product_of(case.right, place) or product_of(case.left, place)


def _read(case: Case, difference: Difference) -> str:
    """Return what the code of either side does about a key."""
    place = difference.place
    if place.section != "config":
        return ""
    return reading_of((case.left, case.right), place.component, place.item)


#: What rules may ask of a difference beside its item -> what answers; see `detector.engine.rulebook`.
_ASKED: Final[Mapping[str, Callable[[Case, Difference], Any]]] = {
    "component": lambda _, difference: difference.place.component,
    "basis": lambda _, difference: _seen(difference).basis or "",
    "scope": _scope,
    "direction": lambda _, difference: difference.direction or "",
    "read": _read,
    "product": _product,
    "managed": _managed,
}
