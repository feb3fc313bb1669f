"""Rules of the file: names that must exist, and rules that hide everything or can never match."""

from collections.abc import Sequence

from detector.config.draft import Draft, Piece
from detector.config.records import Comparison
from detector.config.rules import MatchEntry, OnlyEntry, RuleEntry
from detector.engine.rules import Rule
from detector.model.items import matches


def read_rules(draft: Draft, comparisons: Sequence[Comparison], *, any_service: bool) -> tuple[Rule, ...]:
    """Return the rules of the file, named by line; notes what is wrong.

    ``any_service``: services may exist that the file does not name.
    """
    rules = []
    for piece, entry in draft.all(RuleEntry, "rules"):
        if entry.says_nothing:
            message = "a rule without an outcome: add ignore, expect, severity, allow_ahead or another"
            draft.problems.add(piece.path, "config-semantics", message)
        if entry.ignore and entry.match.matches_all:
            message = "hides everything: say in match what is not worth seeing"
            draft.problems.add(piece.path, "rule-too-broad", message)
        check_match(draft, piece.at("match"), entry.match, comparisons, any_service=any_service)
        if isinstance(entry.expect, OnlyEntry):
            for only in piece.at("expect", "only").each():
                draft.require(only, only.text, draft.names("environments"), "environment")
        rules.append(entry.rule(f"{draft.problems.file.name}:{piece.node.line}"))
    return tuple(rules)


def check_match(
    draft: Draft, piece: Piece, match: MatchEntry, comparisons: Sequence[Comparison], *, any_service: bool
) -> None:
    """Note names in a match that nothing defines, and warn of what can never match."""
    known = {
        "comparison": tuple(comparison.name for comparison in comparisons),
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
    if match.section and "dependencies" not in match.section:
        for word in _words(piece.at("item")):
            if word.text.startswith("pkg:"):
                draft.problems.warn(word.path, "packages stand in section dependencies: this never matches")


def _words(piece: Piece) -> list[Piece]:
    """Return the texts of one word or a list of words."""
    return [each for each in (piece, *piece.each()) if each.text]
