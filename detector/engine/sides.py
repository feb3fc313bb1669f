"""Sides of a view, made when they are asked for: of most facts nobody ever asks but that they are equal."""

from collections.abc import ItemsView, Iterator, Mapping
from typing import NamedTuple

from detector.engine.looks import Look, side_of
from detector.model.records import Side
from detector.model.words import SectionName


class Place(NamedTuple):
    """Where a fact stands inside one service."""

    component: str
    section: SectionName
    item: str


class Sides(Mapping[Place, Side]):
    """Every item of a view that is present or unknown.

    Of a section that one look alone speaks of only its facts are kept; the rest was settled among looks.
    """

    __slots__ = ("_asked", "_looks", "_settled")

    def __init__(self) -> None:
        self._looks: dict[tuple[str, SectionName], Look] = {}
        self._settled: dict[Place, Side] = {}
        #: What was made of facts: bounded by them, and in truth by what differs.
        self._asked: dict[Place, Side] = {}

    def take(self, component: str, section: SectionName, look: Look) -> None:
        """Take all facts of a look as present, but those that are `put`."""
        self._looks[component, section] = look

    def put(self, place: Place, side: Side) -> None:
        """Put what was settled of one place."""
        self._settled[place] = side

    def but(self, others: Mapping[Place, Side]) -> "Sides":
        """Return the same sides with others at some places."""
        made = Sides()
        made._looks = self._looks
        made._settled = {**self._settled, **others}
        return made

    def get(self, place: Place, default: Side | None = None) -> Side | None:  # type: ignore[override]  # one default
        """Return the side at a place, or the default."""
        side = self._asked.get(place)
        if side is None:
            side = self._settled.get(place)
            if side is None and (look := self._look_at(place)) is not None:
                side = self._asked[place] = side_of(look, place.item)
        return side or default

    def section(self, section: SectionName) -> Iterator[tuple[Place, Side]]:
        """Yield the sides of one section, of all components."""
        for place, side in self._settled.items():
            if place.section == section:
                yield place, side
        for at, look in self._looks.items():
            if at[1] == section:
                yield from self._plain(at, look)

    def unknown(self) -> Iterator[Place]:
        """Yield the places whose side is unknown."""
        return (place for place, side in self._settled.items() if side.unknown is not None)

    def items(self) -> ItemsView[Place, Side]:
        """Return all places with their sides; what was not asked for before is not kept now either."""
        return _Items(self)

    def everything(self) -> Iterator[tuple[Place, Side]]:
        """Yield all places with their sides."""
        yield from self._settled.items()
        for at, look in self._looks.items():
            yield from self._plain(at, look)

    def _plain(self, at: tuple[str, SectionName], look: Look) -> Iterator[tuple[Place, Side]]:
        for item in look.section.facts:
            place = Place(*at, item)
            if place not in self._settled:
                yield place, side_of(look, item)

    def _look_at(self, place: Place) -> Look | None:
        look = self._looks.get((place[0], place[1]))
        return look if look is not None and place[2] in look.section.facts else None

    def __getitem__(self, place: Place) -> Side:
        side = self.get(place)
        if side is None:
            raise KeyError(place)
        return side

    def __contains__(self, place: object) -> bool:
        return place in self._settled or (isinstance(place, Place) and self._look_at(place) is not None)

    def __iter__(self) -> Iterator[Place]:
        return (place for place, _ in self.everything())

    def __len__(self) -> int:
        return sum(1 for _ in self)


class _Items(ItemsView[Place, Side]):
    _mapping: Sides

    def __iter__(self) -> Iterator[tuple[Place, Side]]:
        return self._mapping.everything()
