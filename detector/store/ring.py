"""The ring of a stream: when its last observations were, what they said, and where another one belongs.

Pure. The last 32 observations can still be reordered. One more is kept in front of them as the floor: it is
settled, and what came before it needs no memory.
"""

import struct
from bisect import bisect_left
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Final, Literal, NamedTuple

#: Observations whose order is still open.
RING: Final = 32
_ENTRY: Final = struct.Struct(">q16s?")
#: The width of a ring in the database, however many entries it has: a rewrite never grows its row.
RING_BYTES: Final = 1 + (RING + 1) * _ENTRY.size


class Entry(NamedTuple):
    """One observation: microseconds, digest, and whether its source has a schedule."""

    at: int
    digest: bytes
    scheduled: bool


Ring = tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where an observation belongs. ``index`` is a position in the ring before it was changed.

    `next` after all others · `between` before ``index`` · `instead` of ``index``, which has the same time and
    a smaller digest · `known` already there · `outweighed` by one of the same time · `too_old` to reorder.
    """

    kind: Literal["next", "between", "instead", "known", "outweighed", "too_old"]
    index: int


_NEXT: Final = tuple(Place("next", index) for index in range(RING + 2))


def place(ring: Ring, entry: Entry) -> Place:
    """Return where an observation belongs in a ring."""
    if ring and entry.at > ring[-1].at:
        return _NEXT[len(ring)]
    index = bisect_left(ring, entry.at, key=lambda known: known.at)
    if index < len(ring) and ring[index].at == entry.at:
        there = ring[index].digest
        if there == entry.digest:
            return Place("known", index)
        if len(ring) > RING and index == 0:
            return Place("too_old", index)
        return Place("instead" if entry.digest > there else "outweighed", index)
    if index == len(ring):
        return Place("next", index)
    full_before = max(0, len(ring) - RING)
    if len(ring) >= RING and index <= full_before:
        return Place("too_old", index)
    return Place("between", index)


def put(ring: Ring, entry: Entry, where: Place) -> Ring:
    """Return the ring with an observation in its place, the oldest dropped where it is full."""
    after = where.index + (where.kind == "instead")
    return (*ring[: where.index], entry, *ring[after:])[-(RING + 1) :]


def encode(ring: Ring) -> bytes:
    """Return a ring as bytes of fixed width."""
    return _ring_of(len(ring)).pack(len(ring), *chain.from_iterable(ring))


def decode(data: bytes) -> Ring:
    """Return the ring that `encode` wrote."""
    count, *fields = _ring_of(data[0]).unpack(data)
    return tuple(Entry(*fields[start : start + 3]) for start in range(0, 3 * count, 3))


def newest(data: bytes) -> Entry:
    """Return the last entry of the ring that `encode` wrote."""
    return Entry(*_ENTRY.unpack_from(data, 1 + (data[0] - 1) * _ENTRY.size))


@cache
def _ring_of(count: int) -> struct.Struct:
    return struct.Struct(f">B{'q16s?' * count}{RING_BYTES - 1 - count * _ENTRY.size}x")
