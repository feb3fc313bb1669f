"""The trace of a decision: which rules matched, what each of them said, and whose word was the last."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from detector.engine.rules import Allowance, Outcome, Rule, Subject, decide
from detector.model.clock import print_exactly


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One rule that matched, and the outcomes on which no later rule spoke."""

    rule: Rule
    #: Outcomes of which this rule had the last word.
    last_on: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return the step as ``parity.explain/v1`` shows it."""
        return {**printed(self.rule), "last_word_on": list(self.last_on)}


def printed(rule: Rule) -> dict[str, Any]:
    """Return a rule as it would stand in parity.yml, with its name."""
    return {"rule": rule.name, "match": rule.match.document(), "says": said(rule.outcome)}


def said(outcome: Outcome) -> dict[str, Any]:
    """Return what an outcome says, as parity.yml would."""
    spoken: dict[str, Any] = {}
    for name, value in _spoken(outcome):
        if isinstance(value, Allowance):
            spoken[name] = _allowance(value)
        elif isinstance(value, Mapping):
            spoken[name] = value["*"] if set(value) == {"*"} else dict(value)
        elif name == "confirm_after":
            spoken[name] = f"{value} runs"
        elif name == "expect" and isinstance(value, tuple):
            spoken[name] = {"only": list(value)}
        else:
            spoken[name] = value
    return spoken


def trace(rules: Sequence[Rule], subject: Subject) -> tuple[Step, ...]:
    """Return every rule that matched, in order."""
    matched = _matched(rules, subject)
    last: dict[str, Rule] = {}
    severities: dict[str, Rule] = {}
    for rule in matched:
        for name, value in _spoken(rule.outcome):
            if name == "severity":
                severities = (
                    dict.fromkeys(value, rule)
                    if "*" in value
                    else {**severities, **dict.fromkeys(value, rule)}
                )
            else:
                last[name] = rule
    graver = _of_distance(severities, subject.distance)
    if graver is not None:
        last["severity"] = graver
    return tuple(
        Step(rule=rule, last_on=tuple(name for name, by in last.items() if by is rule)) for rule in matched
    )


def _matched(rules: Sequence[Rule], subject: Subject) -> list[Rule]:
    """Return the rules whose names a decision names: `decide` alone says what matches."""
    names = iter(decide(rules, subject).matched)
    wanted = next(names, None)
    found = []
    for rule in rules:
        if rule.name == wanted:
            found.append(rule)
            wanted = next(names, None)
    return found


def _of_distance(said_by: Mapping[str, Rule], distance: str) -> Rule | None:
    words = ("unordered", "minor", "*") if distance == "unordered" else (distance, "*")
    return next((said_by[word] for word in words if word in said_by), None)


def _spoken(outcome: Outcome) -> list[tuple[str, Any]]:
    both = ((entry.name, getattr(outcome, entry.name)) for entry in fields(outcome))
    return [(name, value) for name, value in both if value is not None]


def _allowance(allowance: Allowance) -> Any:
    span = print_exactly(allowance.span)
    more: dict[str, Any] = {}
    if allowance.versions is not None:
        more["versions"] = allowance.versions
    if allowance.distances:
        more["distances"] = list(allowance.distances)
    return {"for": span, **more} if more else span
