"""Rules compiled: what of a subject they can tell apart is found once, and each decision made once.

Of all rules those that can never match drop out by what is the same for a whole case, then by section, kind
and status; the merge of the rest is kept by the answers to the questions that they still ask. A kept decision
is the plain merge of `detector.engine.rules.decide`, so both always say the same.
"""

from collections import OrderedDict
from collections.abc import Hashable, Iterable, Sequence
from typing import Final, NamedTuple

from detector.engine.rules import Decision, Rule, Subject, decide
from detector.model.items import matches
from detector.model.words import Severity

#: Of a subject what is the same for every difference of one service in one comparison.
OF_THE_CASE: Final = ("service", "owner", "comparison", "left_tier", "right_tier")
#: What is left to ask of one difference, beside its item; in the order of a key.
OF_THE_DIFFERENCE: Final = (
    "component",
    "basis",
    "scope",
    "direction",
    "read",
    "product",
    "managed",
)
_MOST_BOOKS: Final = 16
_MOST_CASES: Final = 4_096
_MOST_ITEMS: Final = 65_536
_MOST_DECISIONS: Final = 16_384

#: The groups of an item, a distance, and what else of a difference a chapter asks for.
Answers = tuple[Hashable, ...]
About = tuple[str, str, str, str, str]


class Decided(NamedTuple):
    """A decision, and what it says of one distance."""

    decision: Decision
    severity: Severity


class Groups(dict[str, int]):
    """Which item patterns of some rules match an item, as bits; found when it is first asked for."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        super().__init__()
        words = dict.fromkeys(rule.match.item for rule in rules if rule.match.item)
        self._literals: dict[str, int] = {}
        self._globs: list[tuple[str, int]] = []
        for position, group in enumerate(words):
            for word in group:
                if "*" in word:
                    self._globs.append((word, 1 << position))
                else:
                    self._literals[word] = self._literals.get(word, 0) | 1 << position

    def __missing__(self, item: str) -> int:
        """Find the patterns that match an item."""
        found = self._literals.get(item, 0)
        for glob, bit in self._globs:
            if not found & bit and matches(glob, item):
                found |= bit
        if len(self) >= _MOST_ITEMS:
            self.clear()
        self[item] = found
        return found


class Chapter:
    """The rules that can match differences of one section, kind and status.

    ``asked`` names what of a difference they look at; two that answer alike get one decision.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)
        self.asked = tuple(name for name in OF_THE_DIFFERENCE if any(_asks(rule, name) for rule in rules))
        self.groups = Groups(rules)
        #: What was decided of the first subject that gave these answers.
        self.known: dict[Answers, Decided] = {}

    def decide(self, answers: Answers, subject: Subject) -> Decided:
        """Return the merge for a subject, and keep it for all that answer alike."""
        decision = decide(self.rules, subject)
        if len(self.known) >= _MOST_DECISIONS:
            self.known.clear()
        known = self.known[answers] = Decided(decision, decision.severity(subject.distance))
        return known


class Chapters(dict[tuple[str, str, str], Chapter]):
    """Chapters by section, kind and status: the rules that can match there, made when first asked for."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        super().__init__()
        self._rules = rules

    def __missing__(self, about: tuple[str, str, str]) -> Chapter:
        """Gather the rules that can match differences of one section, kind and status."""
        section, kind, status = about
        chapter = self[about] = Chapter(
            [
                rule
                for rule in self._rules
                if accepts(rule.match.section, section)
                and accepts(rule.match.kind, kind)
                and accepts(rule.match.status, status)
            ]
        )
        return chapter


class Rulebook:
    """All rules, cut down to those that can match in one case. Cases no rule tells apart share theirs."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = rules
        #: Rules of parity.yml that expect something of the values of config keys, equal ones too.
        self.asks_about_equals = tuple(
            rule
            for rule in rules
            if rule.outcome.expect not in (None, "presence", "any")
            and accepts(rule.match.section, "config")
            and not rule.name.startswith("default/")
        )
        self._about: dict[About, Chapters] = {}
        self._shared: dict[tuple[int, ...], Chapters] = {}

    def about(self, case: About) -> Chapters:
        """Return the chapters for what is the same for every difference of a case."""
        known = self._about.get(case)
        if known is None:
            rules = [rule for rule in self._rules if _is_about(rule, case)]
            if len(self._about) >= _MOST_CASES:
                self._about.clear()
                self._shared.clear()
            shared = tuple(map(id, rules))
            known = self._about[case] = self._shared.setdefault(shared, Chapters(rules))
        return known


_BOOKS: Final[OrderedDict[tuple[int, ...], tuple[Sequence[Rule], Rulebook]]] = OrderedDict()


def rulebook(rules: Sequence[Rule]) -> Rulebook:
    """Return the rules compiled; the same rules in the same order are compiled once."""
    # The entry holds the rules, so their ids cannot pass on to other objects.
    key = tuple(map(id, rules))
    known = _BOOKS.get(key)
    if known is None:
        known = _BOOKS[key] = (tuple(rules), Rulebook(tuple(rules)))
        if len(_BOOKS) > _MOST_BOOKS:
            _BOOKS.popitem(last=False)
    else:
        _BOOKS.move_to_end(key)
    return known[1]


def accepts(words: Sequence[str], value: str) -> bool:
    """Tell whether one of the words of a match names the value; no words say nothing."""
    return not words or value in words or any(matches(word, value) for word in words)


def _is_about(rule: Rule, case: About) -> bool:
    return all(
        accepts(getattr(rule.match, name), value) for name, value in zip(OF_THE_CASE, case, strict=True)
    )


def _asks(rule: Rule, name: str) -> bool:
    return getattr(rule.match, name) not in ((), None)
