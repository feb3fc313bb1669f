"""Files that were cut while they were written: at a hundred places, or at every byte."""

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
