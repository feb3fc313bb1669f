"""What was computed once and is used again, within a bound of bytes."""

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from typing import Final, Generic, TypeVar

from detector.engine.pairing import Differences, differences
from detector.engine.view import Interner, View

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

#: What a view of a fact holds, measured: its place in the map of its section, and its share of the numbers.
_FACT_BYTES: Final = 128
#: Of a look: its records, and the map of its section where that is small.
_LOOK_BYTES: Final = 2048
#: Of a difference with its two sides, and of a verdict on it.
_DIFFERENCE_BYTES: Final = 1024


class Kept(Generic[K, V]):
    """Things by key, the least recently used of which leave first where all exceed the bound."""

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._things: OrderedDict[K, tuple[V, int]] = OrderedDict()
        #: What all of it holds, as it was estimated.
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._things)

    def __contains__(self, key: K) -> bool:
        return key in self._things

    def __iter__(self) -> Iterator[K]:
        """Yield the keys, the first to leave first."""
        return iter(tuple(self._things))

    def get(self, key: K) -> V | None:
        """Return what is kept under a key, as the last to leave."""
        found = self._things.get(key)
        if found is None:
            return None
        self._things.move_to_end(key)
        return found[0]

    def put(self, key: K, thing: V, *, size: int) -> bool:
        """Keep a thing in place of the one before; one that is larger than the bound is kept alone.

        Returns whether others had to leave.
        """
        self.forget(key)
        self._things[key] = (thing, size)
        self.bytes += size
        before = len(self)
        while self.bytes > self._bound and len(self) > 1:
            self.forget(next(iter(self._things)))
        return len(self) < before

    def forget(self, key: K) -> None:
        """Drop what is kept under a key."""
        if key in self._things:
            self.bytes -= self._things.pop(key)[1]

    def clear(self) -> None:
        """Drop everything."""
        self._things.clear()
        self.bytes = 0


def size_of_view(view: View) -> int:
    """Return about how many bytes a view holds. Names and values are the store's, and counted there."""
    looks = [look for here in view.looks.values() for look in here]
    return sum(_LOOK_BYTES + _FACT_BYTES * len(look.section.facts) for look in looks)


def size_of(count: int) -> int:
    """Return about how many bytes so many differences, or verdicts on them, hold."""
    return _LOOK_BYTES + _DIFFERENCE_BYTES * count


class Memory:
    """Keeps the differences of the newest views of each pair of environments and service.

    Views are frozen, so two views that are the same objects have the same differences for ever. The verdict
    is not kept here: it depends on the clock.
    """

    def __init__(self, bound: int = 32 << 20) -> None:
        self.kept: Kept[tuple[Hashable, ...], tuple[View, View, Differences]] = Kept(bound)

    def differences(self, left: View, right: View, interner: Interner) -> Differences:
        """Return the differences of two views, from memory where they are known."""
        key = (left.service, left.environment, right.environment, bool(left.unsettled), bool(right.unsettled))
        known = self.kept.get(key)
        if known is not None and known[0] is left and known[1] is right:
            return known[2]
        found = differences(left, right, interner)
        self.kept.put(key, (left, right, found), size=size_of(len(found.items)))
        return found
