"""Sides of a view, made when they are asked for: of most facts nobody ever asks but that they are equal."""

from collections.abc import Callable, ItemsView, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from detector.engine.looks import Look, side_of
from detector.model.records import Side
from detector.model.words import SectionName

#: (component, section).
At = tuple[str, SectionName]


class Place(NamedTuple):
    """Where a fact stands inside one service."""

    component: str
    section: SectionName
    item: str


class Places(dict[str, Place]):
    """The places of one section of one component by item, each made once."""

    def __init__(self, component: str, section: SectionName) -> None:
        super().__init__()
        self._at = (component, section)

    def __missing__(self, item: str) -> Place:
        """Make the place of an item."""
        place = self[item] = Place(*self._at, item)
        return place


class Shelf(dict[str, Side | None]):
    """The sides of one section of one component by item; None of an item that it does not have.

    It holds what was settled among looks. Where one look alone speaks its facts stand behind, and a side is
    made of each that is asked for: bounded by the facts, and in truth by what differs.
    """

    def __init__(self, look: Look | None = None) -> None:
        super().__init__()
        self._look = look

    def __missing__(self, item: str) -> Side | None:
        """Make the side of a fact."""
        look = self._look
        if look is None or item not in look.section.facts:
            return None
        side = self[item] = side_of(look, item)
        return side

    def everything(self, such: Callable[[str], object] | None = None) -> Iterator[tuple[str, Side]]:
        """Yield all items with their sides; what was not asked for before is not kept now either."""
        look = self._look
        items: Iterable[str] = self if look is None else look.section.facts
        for item in items if such is None else filter(such, items):
            side = self.get(item)
            if side is None and look is not None:
                side = side_of(look, item)
            if side is not None:
                yield item, side

    def but(self, others: Mapping[str, Side]) -> "Shelf":
        """Return the same sides with others of some items."""
        made = Shelf(self._look)
        made.update({**self, **others})
        return made

    def __contains__(self, item: object) -> bool:
        return super().__contains__(item) or (self._look is not None and item in self._look.section.facts)


#: Of a section that nobody looks at.
_NONE: Final = Shelf()


class Sides(Mapping[Place, Side]):
    """Every item of a view that is present or unknown."""

    __slots__ = ("_shelves",)

    def __init__(self, shelves: Mapping[At, Shelf] | None = None) -> None:
        self._shelves = dict(shelves or {})

    def take(self, at: At, look: Look) -> None:
        """Take all facts of a look as present, but those that are `put`."""
        self._shelves[at] = Shelf(look)

    def put(self, place: Place, side: Side) -> None:
        """Put what was settled of one place."""
        self._shelves.setdefault((place.component, place.section), Shelf())[place.item] = side

    def but(self, others: Mapping[Place, Side]) -> "Sides":
        """Return the same sides with others at some places."""
        shelves = dict(self._shelves)
        for place, side in others.items():
            at = (place.component, place.section)
            shelves[at] = shelves.get(at, _NONE).but({place.item: side})
        return Sides(shelves)

    def at(self, at: At) -> Shelf:
        """Return the sides of one section of one component."""
        return self._shelves.get(at, _NONE)

    def get(self, place: Place, default: Side | None = None) -> Side | None:  # type: ignore[override]  # one default
        """Return the side at a place, or the default."""
        return self.at((place[0], place[1]))[place[2]] or default

    def section(
        self, section: SectionName, *, such: Callable[[str], object] | None = None
    ) -> Iterator[tuple[Place, Side]]:
        """Yield the sides of one section, of all components; only of items for which ``such`` holds."""
        for at, shelf in self._shelves.items():
            if at[1] == section:
                for item, side in shelf.everything(such):
                    yield Place(*at, item), side

    def unknown(self) -> Iterator[Place]:
        """Yield the places whose side is unknown."""
        for at, shelf in self._shelves.items():
            for item, side in shelf.items():
                if side is not None and side.unknown is not None:
                    yield Place(*at, item)

    def items(self) -> ItemsView[Place, Side]:
        """Return all places with their sides."""
        return _Items(self)

    def everything(self) -> Iterator[tuple[Place, Side]]:
        """Yield all places with their sides."""
        for at, shelf in self._shelves.items():
            for item, side in shelf.everything():
                yield Place(*at, item), side

    def __getitem__(self, place: Place) -> Side:
        side = self.get(place)
        if side is None:
            raise KeyError(place)
        return side

    def __contains__(self, place: object) -> bool:
        return isinstance(place, Place) and place.item in self.at((place.component, place.section))

    def __iter__(self) -> Iterator[Place]:
        return (place for place, _ in self.everything())

    def __len__(self) -> int:
        return sum(1 for _ in self)


class _Items(ItemsView[Place, Side]):
    _mapping: Sides

    def __iter__(self) -> Iterator[tuple[Place, Side]]:
        return self._mapping.everything()
