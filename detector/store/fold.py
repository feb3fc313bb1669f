"""What an observation does to the state of its stream. Pure, in interned ids.

Unknown is not absent: only a complete section removes what it lacks, and only where it covers and could see.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

#: A complete section that had this many items and loses more than half of them is held.
HELD_FROM: Final = 10

Facts = Mapping[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionSaid:
    """One section of an observation: its coverage, and item -> value. A failed one says nothing of items."""

    coverage: int
    facts: Facts
    failed: bool
    #: Whether the lack of an item in it proves that the item is absent.
    proves_absent: Callable[[int], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """The state of a stream after an observation: last known values, and what of them is not of today."""

    facts: Mapping[str, Facts] = field(default_factory=dict)
    coverage: Mapping[str, int] = field(default_factory=dict)
    #: Items that a complete observation lacked, waiting for a second one.
    held: Mapping[str, frozenset[int]] = field(default_factory=dict)
    #: Items of sections seen in part that the last observation did not say.
    carried: frozenset[int] = frozenset()
    #: Sections that the last observation left out.
    left_out: frozenset[str] = frozenset()
    #: Sections whose coverage says that they could not be seen.
    failed: frozenset[str] = frozenset()

    def says_like(self, other: "Settled") -> bool:
        """Tell whether the last observations before both left the same unsaid."""
        return (self.held, self.carried, self.left_out) == (other.held, other.carried, other.left_out)

    def said(self, section: str) -> Facts:
        """Return the facts that the last observation itself said of a section that it saw."""
        silent = self.carried | self.held.get(section, frozenset())
        facts = self.facts.get(section, {})
        return {item: value for item, value in facts.items() if item not in silent} if silent else facts


def settle(before: Settled, said: Mapping[str, SectionSaid], *, may_hold: bool) -> Settled:
    """Return the state after an observation.

    ``may_hold`` is false for sources without a schedule, and for the second observation in a row with one
    digest: then a great loss is believed. What an observation leaves out stays as it was, but for a section
    that only failed: of that nothing is known, so nothing is said of it any more.
    """
    facts, coverage = dict(before.facts), dict(before.coverage)
    held: dict[str, frozenset[int]] = {}
    carried: set[int] = set()
    left_out = frozenset(before.coverage) - frozenset(said)
    unknown = frozenset(section for section in left_out & before.failed if not before.facts.get(section))
    for section in unknown:
        del coverage[section]
    left_out -= unknown
    for section in left_out:
        if section in before.held:
            held[section] = before.held[section]
    for section, seen in said.items():
        coverage[section] = seen.coverage
        old = before.facts.get(section, {})
        if seen.failed:
            continue
        # Most lack nothing, which is told at once.
        missing = [] if old.keys() <= seen.facts.keys() else [item for item in old if item not in seen.facts]
        gone = {item for item in missing if seen.proves_absent(item)}
        if may_hold and len(old) >= HELD_FROM and len(gone) * 2 > len(old):
            held[section] = frozenset(gone)
            gone = set()
        kept = {item: old[item] for item in missing if item not in gone}
        carried.update(kept.keys() - held.get(section, frozenset()))
        facts[section] = {**kept, **seen.facts} if kept else seen.facts
    return Settled(
        facts=facts,
        coverage=coverage,
        held=held,
        carried=frozenset(carried),
        left_out=left_out,
        failed=(before.failed & left_out) | {section for section, seen in said.items() if seen.failed},
    )


def flat(facts: Mapping[str, Facts]) -> dict[int, int]:
    """Return item -> value of all sections: an item belongs to one section alone."""
    return {item: value for section in facts.values() for item, value in section.items()}
