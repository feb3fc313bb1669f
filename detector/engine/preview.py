"""Preview: what rules of parity.yml hide, by judging once more without each of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from detector.engine.judgement import as_judged, judge, subject_of
from detector.engine.pairing import differences
from detector.engine.policy import Pair
from detector.engine.rules import Rule, decide
from detector.engine.verdicts import Both, Differ, cases_of
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
    cases = cases_of(both, found, pair=pair, rules=rules, now=now)
    for here, difference in ((case, one) for case, every in cases for one in every):
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


def _is_drift(judged: Judged | None) -> bool:
    return judged is not None and judged.verdict == "drift"
