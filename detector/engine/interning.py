"""Interning: each distinct fact of a service gets a small number, once; a set of facts is one long integer.

What two sets do not share is then the XOR of two integers, which costs nearly nothing where they are equal.
"""

from collections.abc import Collection, Iterator, Mapping
from itertools import accumulate, chain, count
from operator import add
from typing import Any, Final, cast

from detector.engine.sides import At, Places
from detector.model.canonical import value_bytes
from detector.model.facts import Value
from detector.model.words import SectionName

_ONE: Final = ord("1")
_TEXTS: Final = frozenset({str})
_SETTINGS: Final = frozenset({str, bool, type(None)})


class _Total:
    """How many numbers all tables gave together."""

    def __init__(self) -> None:
        self.count = 0


class Table:
    """The numbers of all facts that were ever seen of one section of one component of one service."""

    def __init__(self, component: str, section: SectionName, total: _Total) -> None:
        self.places = Places(component, section)
        self._total = total
        self._numbers: dict[tuple[str, str | bytes], int] = {}
        self._items: list[str] = []

    def bits_of(self, facts: Mapping[str, Value]) -> int:
        """Return the numbers of facts as the bits that are set; equal facts have equal numbers."""
        numbers, items = self._numbers, self._items
        keys: Collection[Any] = facts.items()
        if not _TEXTS.issuperset(map(type, facts.values())):
            # A text stands for itself: most values are one, and none is equal to bytes.
            keys = [key if type(key[1]) is str else (key[0], value_bytes(key[1])) for key in keys]
        found = [*map(numbers.get, keys)] if items else [None]
        if None in found:
            start = len(items)
            new = [key for key in keys if key not in numbers]
            numbers.update(zip(new, range(start, start + len(new)), strict=True))
            items += [key[0] for key in new]
            self._total.count += len(new)
            if len(new) == len(keys):
                return ((1 << len(new)) - 1) << start
            found = [*map(numbers.get, keys)]
        digits = bytearray(b"0") * len(items)
        for number in cast("list[int]", found):
            digits[~number] = _ONE  # the last digit has number 0
        return int(digits, 2) if digits else 0

    def items_of(self, bits: int) -> set[str]:
        """Return the items of the facts whose bits are set."""
        # A text is cut faster than an integer of thousands of bits is shifted: what lies before each set bit
        # are as many numbers that are not set.
        gaps = f"{bits:b}".split("1")[:0:-1]
        return set(map(self._items.__getitem__, map(add, accumulate(map(len, gaps)), count())))


class Numbers(Mapping[At, int]):
    """The numbers of a view's facts by component and section, given when they are first asked for.

    What is compared for the first time is compared as it stands: numbers pay for what is compared again.
    """

    __slots__ = ("_bits", "_compared", "_facts")

    def __init__(self) -> None:
        self._facts: dict[At, tuple[Table, Mapping[str, Value]]] = {}
        self._bits: dict[At, int] = {}
        self._compared: set[At] = set()

    def put(self, at: At, table: Table, facts: Mapping[str, Value]) -> None:
        """Put the present facts of one section of one component."""
        self._facts[at] = (table, facts)

    def is_new(self, at: At) -> bool:
        """Tell whether a section was never compared before. From now on it was."""
        new = at in self._facts and at not in self._compared
        self._compared.add(at)
        return new

    def facts(self, at: At) -> Mapping[str, Value]:
        """Return the facts of a section, none where there is no such section."""
        return self._facts[at][1] if at in self._facts else {}

    def __getitem__(self, at: At) -> int:
        if at not in self._bits:
            table, facts = self._facts[at]
            self._bits[at] = table.bits_of(facts)
        return self._bits[at]

    def __iter__(self) -> Iterator[At]:
        return iter(self._facts)

    def __len__(self) -> int:
        return len(self._facts)


class Interner:
    """The tables of all services. Bounded: see ``full``."""

    def __init__(self, bound: int = 5_000_000) -> None:
        self._tables: dict[tuple[str, str, str], Table] = {}
        self._total = _Total()
        self._bound = bound

    @property
    def full(self) -> bool:
        """Whether the owner should start a new one and drop all views made with this one."""
        return self._total.count >= self._bound

    def table(self, service: str, component: str, section: SectionName) -> Table:
        """Return the table of one section of one component of a service."""
        key = (service, component, section)
        known = self._tables.get(key)
        if known is None:
            known = self._tables[key] = Table(component, section, self._total)
        return known


def facts_if_new(
    ours: Mapping[At, int], theirs: Mapping[At, int], at: At
) -> tuple[Mapping[str, Value], Mapping[str, Value]] | None:
    """Return the facts of a section where either side was never compared before. From now on both were."""
    if not isinstance(ours, Numbers) or not isinstance(theirs, Numbers):
        return None
    new = ours.is_new(at) | theirs.is_new(at)
    return (ours.facts(at), theirs.facts(at)) if new else None


def unlike(ours: Mapping[str, Value], theirs: Mapping[str, Value]) -> tuple[set[str], int]:
    """Return the items whose facts are not equal, and how many facts are; without numbers."""
    if _TEXTS.issuperset(map(type, ours.values())) and _TEXTS.issuperset(map(type, theirs.values())):
        apart = ours.items() ^ theirs.items()
        return {item for item, _ in apart}, (len(ours) + len(theirs) - len(apart)) // 2
    common = ours.keys() & theirs.keys()
    if _are_shapes(ours.values()) and _are_shapes(theirs.values()):
        changed = {item for item in common if ours[item] != theirs[item]}
    else:
        changed = {item for item in common if not _is_one(ours[item], theirs[item])}
    return (ours.keys() ^ theirs.keys()) | changed, len(common) - len(changed)


def _are_shapes(values: Collection[Value]) -> bool:
    """Tell whether all are objects of texts and flags alone: such are one where Python calls them equal."""
    objects = [value for value in values if type(value) is dict]
    if len(objects) < len(values):
        return False
    return _SETTINGS.issuperset(map(type, chain.from_iterable(map(dict.values, objects))))


def _is_one(one: Value, other: Value) -> bool:
    if type(one) is str or type(other) is str:
        return type(one) is type(other) and one == other
    return value_bytes(one) == value_bytes(other)
