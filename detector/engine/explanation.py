"""Why an item has the verdict it has: rules and last words, clock, evidence, cause and history of one item.

Also of items without a verdict: what both sides have alike, what a rule hides, what is never compared.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from detector.engine.calendars import Calendar, end_of
from detector.engine.causes import Cause
from detector.engine.comparison import ServiceVerdicts
from detector.engine.components import joins_of, sides_at, targets
from detector.engine.judgement import PEER_SKEW, Case, allowance_for, as_judged, subject_of
from detector.engine.pairing import Difference, Differences, differences
from detector.engine.policy import Pair
from detector.engine.questions import Question, Subject, subjects_meant
from detector.engine.reasons import because, last_word
from detector.engine.rules import Decision, Rule, decide
from detector.engine.successors import predecessors, with_successors
from detector.engine.swap import swapped_item
from detector.engine.trace import Step, trace
from detector.engine.unknown import what_would_tell
from detector.engine.values import IMAGE_IDENTITY, LOCAL
from detector.engine.verdicts import Both, Differ, cases_of, verdicts_on
from detector.engine.view import Interner, Place, View
from detector.engine.witnesses import Witness, witnesses_of
from detector.model.clock import print_exactly, print_time
from detector.model.records import Drift, Judged, Key, Side, severity_rank
from detector.model.words import MAIN, Verdict

SCHEMA = "parity.explain/v1"
#: A verdict, or why there is none: a rule hides it, the two are not compared there, nobody has it any more.
Answer = Verdict | Literal["hidden", "not_compared", "absent"]
_WORST_FIRST: tuple[str, ...] = ("drift", "unknown", "expected", "accepted", "hidden", "in_sync")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The allowance that an item falls under, and how much of it is left."""

    allowance: Literal["allow_ahead", "allow_skew"]
    rule: str
    span: str
    since: datetime
    ends: datetime | None
    spent: bool
    #: Until when a freeze or a weekend makes it stand still.
    frozen_until: datetime | None = None

    def document(self) -> dict[str, Any]:
        """Return the clock as ``parity.explain/v1`` shows it."""
        return {
            "allowance": self.allowance,
            "rule": self.rule,
            "span": self.span,
            "since": print_time(self.since),
            "ends": print_time(self.ends) if self.ends else None,
            "spent": self.spent,
            "frozen_until": print_time(self.frozen_until) if self.frozen_until else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """All that is behind one answer, in promotion order."""

    pair: Pair
    subject: Subject
    answer: Answer
    because: str
    judged: Judged | None
    ours: Side
    theirs: Side
    steps: tuple[Step, ...]
    clock: Clock | None
    left: tuple[Witness, ...]
    right: tuple[Witness, ...]
    #: What would make an unknown known.
    would_tell: tuple[str, ...]
    cause: Cause | None
    #: The item that the cause is, judged; None where the cause is none.
    parent: Judged | None
    #: Other verdicts on the same item: of other components and kinds.
    beside: tuple[Judged, ...]

    def document(self, row: Drift | None = None, *, turned: bool = False) -> dict[str, Any]:
        """Return ``parity.explain/v1``. ``row`` brings the history; ``turned``: asked the other way round."""
        shown = [
            judged and (swapped_item(judged) if turned else judged) for judged in (self.judged, self.parent)
        ]
        judged, parent = shown
        alone = self.subject.comparison != self.pair.name
        ours, theirs = (None if alone else self.ours), self.theirs
        sides = (self.left, self.right)
        if turned and not alone:
            ours, theirs, sides = self.theirs, self.ours, (self.right, self.left)
        key = self.subject.key
        return {
            "schema": SCHEMA,
            "comparison": self.subject.comparison,
            **key._asdict(),
            "answer": self.answer,
            "because": self.because,
            "left": ours.document() if ours is not None else None,
            "right": theirs.document(),
            "verdict": judged.document() if judged else None,
            "rules": [step.document() for step in self.steps],
            "clock": self.clock.document() if self.clock else None,
            "evidence": {
                side: [witness.document() for witness in witnesses]
                for side, witnesses in zip(("left", "right"), sides, strict=True)
            },
            "would_tell": list(self.would_tell),
            "cause": self.cause.document() if self.cause else None,
            "parent": parent.document() if parent else None,
            "beside": [
                {
                    "comparison": one.comparison,
                    "component": one.key.component,
                    "kind": one.key.kind,
                    "verdict": one.verdict,
                    "severity": one.severity,
                }
                for one in self.beside
            ],
            "drift": _history(row, turned=turned and not alone),
        }


def _history(row: Drift | None, *, turned: bool) -> dict[str, Any] | None:
    if row is None:
        return None
    document = row.document()
    names = ("drift_id", "state", "opened_at", "resolved_at")
    events = document["events"]
    if turned:
        events = [{**event, "left": event["right"], "right": event["left"]} for event in events]
    return {**{name: document[name] for name in names}, "events": events}


def explain_item(
    both: Both,
    question: Question,
    *,
    pair: Pair,
    rules: Sequence[Rule],
    now: datetime,
    interner: Interner,
    differ: Differ = differences,
) -> Explanation:
    """Explain one item of one service between two environments.

    Raises as `subjects_meant` does, of all that either side, a verdict or a drift knows.
    """
    verdicts = verdicts_on(both, pair=pair, rules=rules, now=now, interner=interner, differ=differ)
    found = differ(both.left, both.right, interner)
    by_subject = {Subject(judged.comparison, judged.key): judged for judged in verdicts.items}
    known = [*by_subject, *_places(both, pair, found), *(Subject(*row) for row in both.rows)]
    candidates = subjects_meant(
        question, list(dict.fromkeys(known)), both.service.name, _predecessors(both, pair, found)
    )
    explained = [
        _explained(both, subject, by_subject.get(subject), verdicts, found, pair=pair, rules=rules, now=now)
        for subject in candidates
    ]
    first = min(explained, key=_place_on_list)
    beside = tuple(one.judged for one in explained if one is not first and one.judged is not None)
    return replace(first, beside=beside)


def _predecessors(both: Both, pair: Pair, found: Differences) -> dict[Subject, Subject]:
    return {
        Subject(pair.name, Key(both.service.name, *place)): Subject(pair.name, Key(both.service.name, *under))
        for place, under in predecessors(with_successors(found.items)).items()
    }


def _place_on_list(one: Explanation) -> tuple[int, int, bool, Subject]:
    rank = _WORST_FIRST.index(one.answer) if one.answer in _WORST_FIRST else len(_WORST_FIRST)
    severity = -severity_rank(one.judged.severity) if one.judged else 0
    return rank, severity, one.subject.key.component != MAIN, one.subject


def _places(both: Both, pair: Pair, found: Differences) -> Iterator[Subject]:
    for place in dict.fromkeys((*both.left.sides, *both.right.sides)):
        for target in targets(place, found.joins):
            yield Subject(pair.name, Key(both.service.name, *target))


def _explained(
    both: Both,
    subject: Subject,
    judged: Judged | None,
    verdicts: ServiceVerdicts,
    found: Differences,
    *,
    pair: Pair,
    rules: Sequence[Rule],
    now: datetime,
) -> Explanation:
    case, between = _case(both, subject, found, pair=pair, rules=rules, now=now)
    difference = as_judged(case, _difference(case, subject.key, judged, between))
    about = subject_of(case, difference)
    decision = decide(rules, about)
    answer = judged.verdict if judged is not None else _answer(difference, decision)
    cause = next((cause for cause in verdicts.causes if judged and cause.id == judged.cause), None)
    parent = next((one for one in verdicts.items if cause and one.key == cause.parent), None)
    clock = _clock(case, difference, decision, judged)
    if cause is not None and cause.kind == "release" and parent is not None:
        clock = _clock_of(both, parent, found, pair=pair, rules=rules, now=now)
    left, right = witnesses_of(case.left, case.right, difference.place)
    return Explanation(
        pair=pair,
        subject=subject,
        answer=answer,
        because=because(case, difference, decision, judged, cause=cause, parent=parent, answer=answer),
        judged=judged,
        ours=difference.left,
        theirs=difference.right,
        steps=trace(rules, about),
        clock=clock,
        left=() if case.alone else left,
        right=right,
        would_tell=_would_tell(case, difference) if answer == "unknown" else (),
        cause=cause,
        parent=parent,
        beside=(),
    )


def _case(
    both: Both, subject: Subject, found: Differences, *, pair: Pair, rules: Sequence[Rule], now: datetime
) -> tuple[Case, Iterable[Difference]]:
    """Return the case that a subject belongs to, with all that was judged in it."""
    between, *inside = cases_of(both, found, pair=pair, rules=rules, now=now)
    # One environment has its own name as comparison.
    return next((one for one in inside if one[0].name == subject.comparison), between)


def _difference(case: Case, key: Key, judged: Judged | None, between: Iterable[Difference]) -> Difference:
    place = Place(key.component, key.section, key.item)
    for difference in between:
        if (difference.place, difference.kind) == (place, key.kind):
            return difference
    if judged is not None:
        left = judged.left or Side()
        return Difference(
            place, judged.status, left, judged.right, key.kind, judged.distance, judged.direction
        )
    ours, theirs = sides_at(case.left, case.right, place, joins_of(case.left, case.right))
    seen = not (ours.unknown or theirs.unknown)
    return Difference(place, "same" if seen else "unknown", ours, theirs, key.kind)


def _answer(difference: Difference, decision: Decision) -> Answer:
    """Return why an item has no verdict."""
    item, ours, theirs = difference.place.item, difference.left, difference.right
    if item in LOCAL:
        return "not_compared"
    if decision.outcome.ignore and (ours.present or theirs.present):
        return "hidden"
    if difference.status == "unknown":
        return "not_compared"
    if not ours.present and not theirs.present:
        return "absent"
    if ours.present != theirs.present:
        return "not_compared"
    return "not_compared" if item in IMAGE_IDENTITY and ours.value != theirs.value else "in_sync"


def _clock(case: Case, difference: Difference, decision: Decision, judged: Judged | None) -> Clock | None:
    if judged is None or judged.since is None:
        return None
    name, allowance, calendars = allowance_for(case, difference, decision)
    if allowance is None:
        return None
    still = [until for one in calendars if (until := one.frozen_until(case.now)) is not None]
    return Clock(
        allowance=name,
        rule="peers" if allowance is PEER_SKEW else last_word(case, difference, name),
        span=print_exactly(allowance.span),
        since=judged.since,
        ends=judged.review_at or _end(judged.since, allowance.span, calendars),
        spent=judged.verdict == "drift",
        frozen_until=max(still, default=None),
    )


def _end(since: datetime, span: timedelta, calendars: Iterable[Calendar]) -> datetime | None:
    try:
        return end_of(since, span, *calendars)
    except OverflowError:
        return None


def _clock_of(
    both: Both, parent: Judged, found: Differences, *, pair: Pair, rules: Sequence[Rule], now: datetime
) -> Clock | None:
    subject = Subject(parent.comparison, parent.key)
    case, between = _case(both, subject, found, pair=pair, rules=rules, now=now)
    difference = as_judged(case, _difference(case, parent.key, parent, between))
    return _clock(case, difference, decide(rules, subject_of(case, difference)), parent)


def _would_tell(case: Case, difference: Difference) -> tuple[str, ...]:
    lines: dict[str, None] = {}
    left, right = witnesses_of(case.left, case.right, difference.place)
    views: Iterable[tuple[Side, View, tuple[Witness, ...]]] = (
        (difference.left, case.left, left),
        (difference.right, case.right, right),
    )
    for side, view, witnesses in views:
        if side.unknown is None:
            continue
        blind = [one for one in witnesses if one.unknown == side.unknown]
        source, detail = (blind[0].source, blind[0].detail) if blind else (side.source, "")
        lines[what_would_tell(side.unknown, environment=view.environment, source=source, detail=detail)] = (
            None
        )
    return tuple(lines)
