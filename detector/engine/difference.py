"""What two views do not plainly share, without any opinion on it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Final, NamedTuple

from detector.engine.components import Join
from detector.engine.view import Place
from detector.model.records import Side
from detector.model.words import Kind, SectionName, Status


class Difference(NamedTuple):
    """One place where two views are not plainly equal. ``same`` stands for other bytes that mean the same."""

    place: Place
    status: Status
    left: Side
    right: Side
    kind: Kind = "difference"
    distance: str | None = None
    direction: str | None = None


#: Sorts differences as every screen does.
by_place: Final = attrgetter("place", "kind")


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """All that two views do not plainly share, and how much they do."""

    #: Nearly in order: whoever shows them sorts what is left of them, which takes less time so.
    items: tuple[Difference, ...]
    #: Places that both sides have, and that were compared.
    compared: int
    #: One-sided places that the other side could not have seen.
    not_compared: int
    #: Sections that only one side has a source for.
    not_measured: frozenset[SectionName]
    #: Sections in which one side speaks for several components of the other.
    joins: Mapping[SectionName, Join] = field(default_factory=dict)
