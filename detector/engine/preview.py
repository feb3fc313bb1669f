"""Preview: what rules of parity.yml hide, by judging once more without each of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from detector.engine.findings import findings_of
from detector.engine.judgement import Case, as_judged, judge, subject_of
from detector.engine.pairing import Difference, differences
from detector.engine.policy import Pair
from detector.engine.rules import Rule, decide
from detector.engine.verdicts import Both, Differ, to_judge
from detector.engine.view import Interner
from detector.model.records import Judged, Key
from detector.model.words import Severity

#: What a rule of the shipped pack is called.
SHIPPED = "default/"


@dataclass(slots=True, kw_only=True)
class Effect:
    """What one rule does to what differs now."""

    rule: Rule
    #: The other rules: what would decide without it.
    others: tuple[Rule, ...]
    #: What it matched, and of that what would be drift without it. What two comparisons share counts once.
    matched: set[tuple[str, Key]] = field(default_factory=set)
    hidden: dict[tuple[str, Key], Severity] = field(default_factory=dict)


def effects_of(rules: Sequence[Rule]) -> dict[str, Effect]:
    """Return an empty effect for each rule that is not shipped, by name."""
    return {
        rule.name: Effect(rule=rule, others=tuple(other for other in rules if other is not rule))
        for rule in rules
        if not rule.name.startswith(SHIPPED)
    }


def note_effects(
    effects: dict[str, Effect],
    both: Both,
    *,
    pair: Pair,
    rules: Sequence[Rule],
    now: datetime,
    interner: Interner,
    differ: Differ = differences,
) -> None:
    """Add to every effect what it does to one service between two environments."""
    found = differ(both.left, both.right, interner)
    case = Case(
        pair=pair,
        service=both.service,
        rules=rules,
        left=both.left,
        right=both.right,
        now=now,
        histories=both.histories,
    )
    for here, difference in _every(case, to_judge(both, pair, rules, found)):
        about = subject_of(here, as_judged(here, difference))
        names = [name for name in decide(rules, about).matched if name in effects]
        if not names:
            continue
        subject = (here.name, Key(both.service.name, *difference.place, kind=difference.kind))
        drifts = _is_drift(judge(here, difference))
        for name in names:
            effect = effects[name]
            effect.matched.add(subject)
            without = None if drifts else judge(replace(here, rules=effect.others), difference)
            if without is not None and without.verdict == "drift":
                effect.hidden[subject] = without.severity


def _every(case: Case, between: Sequence[Difference]) -> Iterator[tuple[Case, Difference]]:
    """Yield what is judged between two environments and inside either, with the case that it belongs to."""
    yield from ((case, difference) for difference in between)
    for environment, view in ((case.pair.left, case.left), (case.pair.right, case.right)):
        inside = Pair(left=environment, right=environment)
        alone = replace(case, pair=inside, left=view, right=view, histories={}, alone=True)
        yield from ((alone, difference) for difference in findings_of(view, environment))


def _is_drift(judged: Judged | None) -> bool:
    return judged is not None and judged.verdict == "drift"
