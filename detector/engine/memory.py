"""Differences that were computed once and are used again while both views stay the same."""

from collections import OrderedDict

from detector.engine.pairing import Differences, differences
from detector.engine.view import Interner, View


class Memory:
    """Keeps the differences of pairs of views, the least recently used of which go first.

    Views are frozen, so two views that are the same objects have the same differences for ever. The verdict
    is never kept: it depends on the clock.
    """

    def __init__(self, most: int = 4096) -> None:
        self._most = most
        self._kept: OrderedDict[tuple[int, int], tuple[View, View, Differences]] = OrderedDict()

    def differences(self, left: View, right: View, interner: Interner) -> Differences:
        """Return the differences of two views, from memory where they are known."""
        # The entry holds both views, so their ids cannot pass on to other objects.
        key = (id(left), id(right))
        known = self._kept.get(key)
        if known is not None:
            self._kept.move_to_end(key)
            return known[2]
        found = differences(left, right, interner)
        self._kept[key] = (left, right, found)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return found
