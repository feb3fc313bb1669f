"""Looks: what single streams can say of an item, and what several of them say together.

An item is present when a fresh stream of the nearest basis (running > built > declared) that covers it has
it; absent when all fresh, complete streams of that basis that cover it lack it, and there is one; else
unknown. What a stream only remembers, since its last run failed or saw a part, it does not have. Of two
values that no rule of their kind calls equal the nearer wins, of one basis the source listed first, and the
other is a contradiction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from detector.engine.values import LOCAL, agree
from detector.errors import Reason
from detector.model.facts import NOTHING, Section
from detector.model.items import matches
from detector.model.records import Side, Stream
from detector.model.words import BASES, SectionName

ABSENT: Final = Side()


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one stream can say of one section of one component."""

    stream: Stream
    section: Section
    fresh: bool
    held: frozenset[str] = frozenset()
    #: Items in ``section.facts`` that are only remembered: the last observation did not say them.
    carried: frozenset[str] = frozenset()

    @property
    def basis_rank(self) -> int:
        """How near to reality: running is the highest."""
        return BASES.index(self.section.basis)

    @property
    def tells_absent(self) -> bool:
        """Whether it saw all there was: what it does not have was not there."""
        section = self.section
        whole = section.status == "complete" and "*" in section.covers
        return whole and self.fresh and not section.unseen and not self.held

    def covers(self, item: str) -> bool:
        """Tell whether it could have seen this item."""
        covers = self.section.covers
        return item in self.section.facts or "*" in covers or any(matches(glob, item) for glob in covers)

    def says(self, item: str) -> bool:
        """Tell whether it has the item, seen by a fresh look and not only remembered."""
        return (
            self.fresh
            and item in self.section.facts
            and self.section.status != "failed"
            and item not in self.held
            and item not in self.carried
        )

    def why_unknown(self, item: str) -> Reason | None:
        """Return why this look cannot prove that the item is absent, or None when it can."""
        if not self.fresh:
            return "stale"
        if item in self.held:
            return "held"
        for unseen in self.section.unseen:
            if matches(unseen.item, item):
                return unseen.reason
        return None if self.section.status == "complete" else "not_in_view"


def settle(looks: Sequence[Look], section: SectionName, item: str) -> tuple[Side | None, Side | None]:
    """Return what the looks together say of an item that at least one of them has, and the value that lost.

    None: nearer sources proved that it is absent.
    """
    if len(looks) == 1 and looks[0].says(item):
        return side_of(looks[0], item), None
    able = looks if len(looks) == 1 else [look for look in looks if look.covers(item)]
    nearest = max(look.basis_rank for look in able)
    near = [look for look in able if look.basis_rank == nearest]
    saying = [look for look in near if look.says(item)]
    if saying:
        winner = side_of(saying[0], item)
        return winner, _loser(winner, saying, able, section, item) if len(able) > 1 else None
    holders = [look for look in near if item in look.section.facts]
    if holders:
        last = holders[0]
        why = last.why_unknown(item) or "not_in_view"
        return Side(unknown=why, last=last.section.facts[item], basis=last.section.basis), None
    why_not = why_unknown(near, item)
    if why_not is None:
        return None, None
    last_value = next((look.section.facts[item] for look in able if item in look.section.facts), None)
    return Side(unknown=why_not, last=last_value, basis=near[0].section.basis), None


def why_unknown(able: Sequence[Look], item: str) -> Reason | None:
    """Return why the nearest of these looks do not prove that an item is absent, or None when they do.

    One fresh, complete look is proof; a part that a fresh look names as unseen takes the proof away.
    """
    if len(able) == 1:
        return able[0].why_unknown(item)
    nearest = max(look.basis_rank for look in able)
    reasons = [(look, look.why_unknown(item)) for look in able if look.basis_rank == nearest]
    for look, why in reasons:
        if why is not None and look.fresh and any(matches(part.item, item) for part in look.section.unseen):
            return why
    return None if any(why is None for _, why in reasons) else reasons[0][1]


def _loser(
    winner: Side, saying: Sequence[Look], able: Sequence[Look], section: SectionName, item: str
) -> Side | None:
    """Return the first value that contradicts the winner's: of its own basis, or a version of a farther one.

    Settings and keys of a farther basis are evidence and no contradiction: what a file declares is filled in
    and overruled on its way to a process.
    """
    if item in LOCAL:
        return None
    versioned = item.startswith("pkg:") or item == "image#tag" or item.endswith("#version")
    rivals = [look for look in able if look.basis_rank < saying[0].basis_rank and look.says(item)]
    for look in [*saying[1:], *(rivals if versioned else ())]:
        other = side_of(look, item)
        if not agree(section, item, winner, other):
            return other
    return None


def side_of(look: Look, item: str) -> Side:
    """Return an item that a look has as a present side."""
    section = look.section
    return Side(
        present=True,
        value=section.facts[item],
        basis=section.basis,
        source=look.stream.source,
        observed_at=look.stream.last_seen,
        hints=section.hints.get(item, NOTHING),
    )
