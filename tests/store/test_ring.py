"""The ring of a stream: pure rules of where an observation belongs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.store.ring import RING, RING_BYTES, Entry, Ring, decode, encode, place, put

LOW, HIGH = b"\x01" * 16, b"\x02" * 16


def entry(at: int, digest: bytes = LOW) -> Entry:
    return Entry(at, digest, True)


def ring(*times: int) -> Ring:
    return tuple(entry(at) for at in times)


FULL = ring(*range(100, 100 + RING))
WITH_FLOOR = ring(50, *range(100, 100 + RING))


@pytest.mark.parametrize(
    ("known", "arriving", "kind", "index"),
    [
        ((), entry(5), "next", 0),
        (ring(5), entry(6), "next", 1),
        (ring(5, 7), entry(6), "between", 1),
        (ring(5, 7), entry(4), "between", 0),  # all that was ever seen is in the ring
        (ring(5, 7), entry(5), "known", 0),
        (ring(5, 7), entry(5, HIGH), "instead", 0),
        ((entry(5, HIGH), entry(7)), entry(5, LOW), "outweighed", 0),
        (FULL, entry(99), "too_old", 0),
        (FULL, entry(100, HIGH), "instead", 0),
        (FULL, entry(200), "next", RING),
        (WITH_FLOOR, entry(99), "too_old", 1),  # newer than the floor, older than the ring
        (WITH_FLOOR, entry(50, HIGH), "too_old", 0),
        (WITH_FLOOR, entry(50), "known", 0),
        (WITH_FLOOR, entry(100, HIGH), "instead", 1),
    ],
)
def test_an_observation_has_one_place(known: Ring, arriving: Entry, kind: str, index: int) -> None:
    where = place(known, arriving)
    assert (where.kind, where.index) == (kind, index)


@given(st.permutations(range(RING)))
def test_any_order_of_arrival_makes_the_same_ring(times: list[int]) -> None:
    known: Ring = ()
    for at in times:
        known = put(known, entry(at), place(known, entry(at)))
    assert known == ring(*range(RING))


def test_a_full_ring_keeps_one_more_as_its_floor() -> None:
    assert put(WITH_FLOOR, entry(900), place(WITH_FLOOR, entry(900))) == (*FULL, entry(900))
    newer = put(WITH_FLOOR, entry(110, HIGH), place(WITH_FLOOR, entry(110, HIGH)))
    assert len(newer) == len(WITH_FLOOR)


@given(
    st.lists(
        st.builds(
            Entry, st.integers(-(2**63), 2**63 - 1), st.binary(min_size=16, max_size=16), st.booleans()
        ),
        max_size=RING + 1,
    )
)
def test_a_ring_is_stored_in_fixed_width_and_comes_back(entries: list[Entry]) -> None:
    data = encode(tuple(entries))
    assert len(data) == RING_BYTES
    assert decode(data) == tuple(entries)
