"""The one sentence that says why an item has its answer."""

from collections.abc import Mapping
from typing import Final

from detector.engine.acceptance import last_day
from detector.engine.causes import Cause
from detector.engine.judgement import Case, allowance_for, subject_of
from detector.engine.pairing import Difference
from detector.engine.policy import Pair
from detector.engine.rules import Decision, Outcome
from detector.engine.trace import trace
from detector.engine.values import IMAGE_IDENTITY, LOCAL
from detector.model.clock import print_exactly
from detector.model.records import Judged, Side

_PENDING: Final[Mapping[str, str]] = {
    "confirm": "nobody is told before it was seen often enough",
    "skew": "nobody is told before the other side was looked at again",
    "rollout": "nobody is told while the roll-out goes on",
    "flap": "nobody is told while it comes and goes",
}


def because(
    case: Case,
    difference: Difference,
    decision: Decision,
    judged: Judged | None,
    *,
    cause: Cause | None,
    parent: Judged | None,
    answer: str,
) -> str:
    """Return why an item is what it is, in one sentence without any value of a config key."""
    if judged is None:
        return _without_verdict(case, difference, decision, answer)
    match answer:
        case "unknown":
            return _unseen(case.pair, difference)
        case "in_sync":
            return _in_sync(case, difference, decision)
        case "accepted":
            return _accepted(judged)
    said = _under_cause(judged, cause, parent) or _plainly(case, difference, decision, judged)
    return f"{said}; {_PENDING[judged.pending]}" if judged.pending else said


def last_word(case: Case, difference: Difference, outcome: str) -> str:
    """Return the rule whose word on an outcome was the last."""
    steps = trace(case.rules, subject_of(case, difference))
    return next((step.rule.name for step in steps if outcome in step.last_on), "no rule")


def _without_verdict(case: Case, difference: Difference, decision: Decision, answer: str) -> str:
    item = difference.place.item
    if item in LOCAL:
        return "it is kept as the history of one environment and never compared with another"
    if answer == "hidden":
        return f"{last_word(case, difference, 'ignore')} hides it"
    if answer == "in_sync":
        return _in_sync(case, difference, decision)
    if answer == "absent":
        return "neither side has it now"
    if item in IMAGE_IDENTITY:
        return "id, digest and index of an image are compared together, as one identity"
    for side, environment in ((difference.left, case.pair.left), (difference.right, case.pair.right)):
        other = case.pair.right if environment is case.pair.left else case.pair.left
        if side.source == "not_measured":
            return f"nothing in {environment.name} looks at {difference.place.section} of this component"
        if side.unknown is not None:
            return f"no source of {environment.name} could have seen what {other.name} has here"
    return "only one side runs this component: that is the difference, not each of its facts"


def _unseen(pair: Pair, difference: Difference) -> str:
    blind: list[tuple[str, Side]] = [
        (environment.name, side)
        for environment, side in ((pair.left, difference.left), (pair.right, difference.right))
        if side.unknown is not None
    ]
    if not blind:
        return "it went out of sight: the last that is known stays in force"
    whys = {side.unknown: None for _, side in blind if side.unknown}
    names = " and ".join(dict.fromkeys(name for name, _ in blind))
    return f"it cannot be told of {names}: {' and '.join(why.replace('_', ' ') for why in whys)}"


def _accepted(judged: Judged) -> str:
    by = judged.accepted
    if by is None:
        return "it was accepted"
    what = "what explains it" if by.by_cause else "it"
    return f"{by.author} accepted {what} until {last_day(by.expires_at)}: {by.reason}"


def _in_sync(case: Case, difference: Difference, decision: Decision) -> str:
    if difference.place.section != "config":
        return "both sides have the same"
    if decision.outcome.expect in ("presence", "any", None):
        return f"both sides have it, and {last_word(case, difference, 'expect')} asks for no more"
    return f"both sides are as {last_word(case, difference, 'expect')} expects"


def _under_cause(judged: Judged, cause: Cause | None, parent: Judged | None) -> str:
    if cause is None:
        return ""
    if cause.kind == "config_source_differs":
        return f"{cause.title}: one finding for all of these keys"
    if cause.kind != "release" or parent is None:
        return ""
    release = parent.left.value if parent.left else None
    due = ", and it must be there when that release arrives" if judged.due else ""
    return f"it comes with release {release}, which leads {parent.right.value}: they share one verdict{due}"


def _plainly(case: Case, difference: Difference, decision: Decision, judged: Judged) -> str:
    newer_base = difference.kind == "rebuilt" and difference.direction == "left_ahead"
    if difference.kind not in ("difference", "variant") and not newer_base:
        return f"{difference.kind.replace('_', ' ')} is a finding: it needs no difference"
    name, allowance, _ = allowance_for(case, difference, decision)
    if judged.verdict == "expected":
        if allowance is None or judged.since is None:
            return f"{last_word(case, difference, 'expect')} expects it to differ"
        return f"{_who(case, name)} may {_what(name)} for {print_exactly(allowance.span)}"
    if allowance is not None and judged.since is not None:
        return f"{_who(case, name)} might {_what(name)} for {print_exactly(allowance.span)}, and that is over"
    return f"{_graveness(case, difference, judged)}, and {_no_patience(case, difference, decision.outcome)}"


def _graveness(case: Case, difference: Difference, judged: Judged) -> str:
    lacks = {"left_only": case.pair.right.name, "right_only": case.pair.left.name}.get(difference.status)
    what = f"what {lacks} lacks" if lacks else f"a {difference.distance or 'plain'} difference"
    return f"{last_word(case, difference, 'severity')} makes {what} {judged.severity}"


def _no_patience(case: Case, difference: Difference, outcome: Outcome) -> str:
    if outcome.allow_ahead is not None:
        why = f"{case.pair.right.name} leads" if difference.direction == "right_ahead" else "none is ahead"
        return f"only a lead of {case.pair.left.name} is allowed: {why}"
    if outcome.allow_skew is not None:
        return "no allowance covers that distance"
    return "no rule allows it for a while"


def _who(case: Case, allowance: str) -> str:
    return case.pair.left.name if allowance == "allow_ahead" else "either side"


def _what(allowance: str) -> str:
    return "lead" if allowance == "allow_ahead" else "be ahead"
