"""Files that broke: cut while they were written, or with one bit that is not what it was."""

import random
from collections.abc import Callable, Iterator

import pytest

Record = Callable[[str, object], None]
Cuts = Callable[[bytes, Record], Iterator[bytes]]


def _of_a_hundred(data: bytes, record: Record) -> Iterator[bytes]:
    yield from (data[: len(data) * percent // 100] for percent in range(1, 100))


def _all(data: bytes, record: Record) -> Iterator[bytes]:
    record("cuts", len(data) - 1)
    yield from (data[:end] for end in range(1, len(data)))


OF_A_HUNDRED_OR_ALL = [
    pytest.param(_of_a_hundred, id="of a hundred"),
    pytest.param(_all, id="all", marks=pytest.mark.proof),
]


def _flipped(data: bytes, count: int) -> Iterator[bytes]:
    chosen = random.Random(len(data))
    for _ in range(count):
        position = chosen.randrange(len(data))
        changed = bytearray(data)
        changed[position] ^= 1 << chosen.randrange(8)
        yield bytes(changed)


def _some_flips(data: bytes, record: Record) -> Iterator[bytes]:
    yield from _flipped(data, 60)


def _many_flips(data: bytes, record: Record) -> Iterator[bytes]:
    record("flips", 5_000)
    yield from _flipped(data, 5_000)


#: One bit of a file at a time, the same ones each time.
SOME_FLIPS_OR_MANY = [
    pytest.param(_some_flips, id="some flips"),
    pytest.param(_many_flips, id="many flips", marks=pytest.mark.proof),
]
