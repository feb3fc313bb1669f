"""Rules: match → outcome. All that match merge from top to bottom, and the last word on each outcome wins.

The shipped pack (`detector.engine.pack`) is rules like any other and comes first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from typing import Any

from detector.model.clock import print_duration
from detector.model.items import matches
from detector.model.words import SEVERITIES, Severity

#: Severity by distance; ``*`` stands for any other distance and for what has none.
SeverityTable = Mapping[str, Severity]


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """How long, and over how many versions at most, a difference is expected."""

    span: timedelta
    versions: int | None = None
    #: Only for these distances; empty: for all.
    distances: tuple[str, ...] = ()

    def __str__(self) -> str:
        return print_duration(self.span) + (f" or {self.versions} versions" if self.versions else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """All that a rule can match on, of one difference."""

    section: str
    item: str
    kind: str = "difference"
    status: str = "changed"
    service: str = ""
    component: str = "main"
    owner: str = ""
    comparison: str = ""
    basis: str = ""
    severity: str = ""
    #: ``dev`` where every scope of the package is a development one; else ``runtime``.
    scope: str = "runtime"
    left_tier: str = "unknown"
    right_tier: str = "unknown"
    direction: str = ""
    #: Of config: what the code says of the key, `required` or `optional`; empty where nothing reads it.
    read: str = ""
    managed: bool = False
    #: Of a backing service: what it is.
    product: str = ""
    #: Of a change: how far apart, `unordered` where that cannot be said.
    distance: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Which subjects a rule is about. A field holds the accepted words; ``item`` and names are globs."""

    section: tuple[str, ...] = ()
    item: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    service: tuple[str, ...] = ()
    component: tuple[str, ...] = ()
    owner: tuple[str, ...] = ()
    comparison: tuple[str, ...] = ()
    basis: tuple[str, ...] = ()
    #: One severity, or ``>=high``; looks at what earlier rules decided.
    severity: str = ""
    scope: tuple[str, ...] = ()
    left_tier: tuple[str, ...] = ()
    right_tier: tuple[str, ...] = ()
    direction: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    product: tuple[str, ...] = ()
    managed: bool | None = None
    #: The fields with words that say something, gathered once: every rule is asked about every difference.
    _said: tuple[tuple[str, tuple[str, ...]], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        said = ((entry.name, getattr(self, entry.name)) for entry in fields(self) if entry.init)
        words = tuple((name, words) for name, words in said if words and isinstance(words, tuple))
        object.__setattr__(self, "_said", words)

    def accepts(self, subject: Subject) -> bool:
        """Tell whether every field that says something agrees with the subject."""
        if self.managed is not None and self.managed != subject.managed:
            return False
        if self.severity and not severity_matches(self.severity, subject.severity):
            return False
        for name, words in self._said:
            value = getattr(subject, name)
            if value not in words and not any(matches(word, value) for word in words):
                return False
        return True

    def document(self) -> dict[str, Any]:
        """Return the match as it would stand in parity.yml."""
        said: dict[str, Any] = {
            name: words[0] if len(words) == 1 else list(words) for name, words in self._said
        }
        if self.severity:
            said["severity"] = self.severity
        if self.managed is not None:
            said["managed"] = self.managed
        return said


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a rule says; None says nothing."""

    ignore: bool | None = None
    #: `presence equal differ any`, or ``only: [env…]`` as a tuple of environments.
    expect: str | tuple[str, ...] | None = None
    severity: SeverityTable | None = None
    allow_ahead: Allowance | None = None
    allow_skew: Allowance | None = None
    #: Complete observations that an alert waits for.
    confirm_after: int | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One line of policy. ``name`` says where it stands: ``default/…`` or ``parity.yml:41``."""

    name: str
    match: Match = field(default_factory=Match)
    outcome: Outcome = field(default_factory=Outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The merged outcome of all rules that matched, and the one that had the last word."""

    outcome: Outcome
    rule: str
    #: Every rule that matched, in order: what `explain` shows.
    matched: tuple[str, ...]

    def severity(self, distance: str | None) -> Severity:
        """Return how grave a difference of this distance is; one without order is as grave as a minor one."""
        return _severity(self.outcome.severity or {}, distance or "")


def decide(rules: Sequence[Rule], subject: Subject) -> Decision:
    """Merge every rule that matches the subject."""
    merged = Outcome()
    name, matched = "default", []
    for rule in rules:
        here = subject
        if rule.match.severity:
            here = replace(subject, severity=_severity(merged.severity or {}, subject.distance))
        if not rule.match.accepts(here):
            continue
        said = {
            entry.name: value
            for entry in fields(rule.outcome)
            if (value := getattr(rule.outcome, entry.name)) is not None
        }
        if said:
            if rule.outcome.severity and "*" not in rule.outcome.severity and merged.severity:
                said["severity"] = {**merged.severity, **rule.outcome.severity}
            merged = replace(merged, **said)
            name = rule.name
        matched.append(rule.name)
    return Decision(outcome=merged, rule=name, matched=tuple(matched))


def _severity(table: SeverityTable, distance: str) -> Severity:
    wanted = ("unordered", "minor") if distance == "unordered" else (distance,)
    return next((table[word] for word in (*wanted, "*") if word in table), "info")


def severity_matches(wanted: str, severity: str) -> bool:
    """Tell whether a severity is the wanted one, or at least it after ``>=``."""
    if severity not in SEVERITIES:
        return False
    at_least = wanted.removeprefix(">=")
    if wanted == at_least:
        return severity == wanted
    return at_least in SEVERITIES and SEVERITIES.index(severity) >= SEVERITIES.index(at_least)
