"""Interning: each distinct fact of a service gets a small number, once; a set of facts is one long integer.

What two sets do not share is then the XOR of two integers, which costs nearly nothing where they are equal.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from detector.model.canonical import value_bytes
from detector.model.facts import Value

_ONE: Final = ord("1")


class Table:
    """The numbers of all facts that were ever seen of one section of one component of one service."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str | bytes], int] = {}
        self._items: list[str] = []

    def __len__(self) -> int:
        return len(self._items)

    def bits_of(self, facts: Mapping[str, Value]) -> int:
        """Return the numbers of facts as the bits that are set; equal facts have equal numbers."""
        numbers, items = self._numbers, self._items
        # A text stands for itself: most values are one, and none is equal to bytes.
        keys: list[Any] = [
            fact if type(fact[1]) is str else (fact[0], value_bytes(fact[1])) for fact in facts.items()
        ]
        found = [*map(numbers.get, keys)]
        if None in found:
            for key in keys:
                if key not in numbers:
                    numbers[key] = len(items)
                    items.append(key[0])
            found = [*map(numbers.get, keys)]
        digits = bytearray(b"0") * len(items)
        for number in cast("list[int]", found):
            digits[~number] = _ONE  # the last digit has number 0
        return int(digits, 2) if digits else 0

    def items_of(self, bits: int) -> set[str]:
        """Return the items of the facts whose bits are set."""
        return {self._items[number] for number in _numbers_in(bits)}


class Interner:
    """The tables of all services. Bounded: see ``full``."""

    def __init__(self, bound: int = 5_000_000) -> None:
        self._tables: dict[tuple[str, str, str], Table] = {}
        self._bound = bound

    @property
    def full(self) -> bool:
        """Whether the owner should start a new one and drop all views made with this one."""
        return sum(map(len, self._tables.values())) >= self._bound

    def table(self, service: str, component: str, section: str) -> Table:
        """Return the table of one section of one component of a service."""
        key = (service, component, section)
        known = self._tables.get(key)
        if known is None:
            known = self._tables[key] = Table()
        return known


def _numbers_in(bits: int) -> Iterator[int]:
    # A text is searched faster than an integer of thousands of bits is shifted.
    digits = bin(bits)[:1:-1]
    at = digits.find("1")
    while at >= 0:
        yield at
        at = digits.find("1", at + 1)
