"""Rules of the file: names that must exist, and rules that hide everything or can never match."""

from collections.abc import Sequence

from detector.config.draft import Draft, Piece
from detector.config.nonsense import contradictions, home_of
from detector.config.records import Comparison
from detector.config.rules import MatchEntry, OnlyEntry, RuleEntry
from detector.engine.rules import Rule
from detector.model.items import matches


def read_rules(draft: Draft, comparisons: Sequence[Comparison], *, any_service: bool) -> tuple[Rule, ...]:
    """Return the rules of the file, named by line; notes what is wrong.

    ``any_service``: services may exist that the file does not name.
    """
    rules: list[Rule] = []
    for piece, entry in draft.all(RuleEntry, "rules"):
        if entry.says_nothing:
            message = "a rule without an outcome: add ignore, expect, severity, allow_ahead or another"
            draft.problems.add(piece.path, "config-semantics", message)
        if (entry.ignore or entry.expect == "any") and entry.match.matches_all:
            message = "hides everything: say in match what is not worth seeing"
            draft.problems.add(piece.path, "rule-too-broad", message)
        check_match(draft, piece.at("match"), entry.match, comparisons, any_service=any_service)
        for key, why in contradictions(entry.match):
            draft.problems.warn(piece.at("match", key).path, f"{why}: this rule never matches")
        if isinstance(entry.expect, OnlyEntry):
            for only in piece.at("expect", "only").each():
                draft.require(only, only.text, draft.names("environments"), "environment")
        name = f"{draft.problems.file.name}:{piece.node.line}"
        if any(rule.name == name for rule in rules):
            name = f"{name}:{piece.node.column}"  # two rules of one line
        rules.append(entry.rule(name))
    return tuple(rules)


def check_match(
    draft: Draft, piece: Piece, match: MatchEntry, comparisons: Sequence[Comparison], *, any_service: bool
) -> None:
    """Note names in a match that nothing defines, and warn of what can never match."""
    known = {
        # A finding inside one environment is called by its name.
        "comparison": (*(one.name for one in comparisons), *draft.names("environments")),
        "service": () if any_service else draft.names("services"),
    }
    for key, names in known.items():
        for word in _words(piece.at(key)):
            if not names or any(matches(word.text, name) for name in names):
                continue
            if "*" in word.text:
                draft.problems.warn(word.path, f"matches no {key}: this entry never decides anything")
            else:
                draft.require(word, word.text, names, key)
    for key in ("item", "owner", "component", "service", "comparison"):
        for word in _words(piece.at(key)):
            if any(mark in word.text for mark in "?["):
                draft.problems.warn(word.path, "only * is special: ? and [ are read as they stand")
    for word in _words(piece.at("item")):
        home = home_of(word.text)
        if home is not None and match.section and home not in match.section:
            draft.problems.warn(word.path, f"stands in section {home}: this never matches")


def _words(piece: Piece) -> list[Piece]:
    """Return the texts of one word or a list of words."""
    return [each for each in (piece, *piece.each()) if each.text]
