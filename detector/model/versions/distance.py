"""How far apart two versions of one thing are, and which of them is ahead."""

from collections.abc import Hashable
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final, Literal

from detector.model.versions.calver import date_in

Distance = Literal["major", "minor", "patch", "prerelease", "revision", "build"]
Direction = Literal["left_ahead", "right_ahead", "unordered"]

#: No ecosystem writes longer ones; it bounds the work, and Python refuses numbers of some thousand digits.
LONGEST: Final = 256
_POSITIONS: Final[tuple[Distance, ...]] = ("major", "minor", "patch")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What lies between two versions. The distance is None where they cannot be ordered."""

    distance: Distance | None
    direction: Direction


#: Between two texts that nobody can put in order.
UNORDERED: Final = Step(distance=None, direction="unordered")


@dataclass(slots=True, kw_only=True)
class Version:
    """A version as its ecosystem reads it: its place in the order, and its parts, most significant first.

    ``order`` compares with that of any other version of the ecosystem; parts are only asked if they differ.
    Not frozen: a frozen record takes three times as long to make, and parsing is most of a comparison.
    """

    order: Any
    numbers: tuple[Hashable, ...]
    epoch: int = 0
    #: What follows the numbers and counts like one more of them: the ``w`` of OpenSSL's 1.1.1w.
    letters: object = None
    prerelease: object = None
    revision: object = None
    build: object = None


def step_between(left: Version | None, right: Version | None) -> Step | None:
    """Return the step between two versions; None where the ecosystem calls them equal.

    A text that is no version of the ecosystem comes as None, and has no order.
    """
    if left is None or right is None:
        return UNORDERED
    if left.order == right.order:
        return None if left.build == right.build else Step(distance="build", direction="unordered")
    direction: Direction = "left_ahead" if left.order > right.order else "right_ahead"
    return Step(distance=_distance(left, right), direction=direction)


def position(index: int) -> Distance:
    """Return the distance that the number at an index stands for; from the third on it is a patch."""
    return _POSITIONS[min(index, 2)]


def _of_first_numbers(one: object, other: object) -> Distance:
    """Return the distance of two first numbers: of dates as if there were dots in them."""
    dates = date_in(one), date_in(other)
    if dates[0] is None or dates[1] is None:
        return position(0)
    return next(position(index) for index in range(3) if dates[0][index] != dates[1][index])


def _distance(left: Version, right: Version) -> Distance:
    if left.epoch != right.epoch:
        return "major"
    numbers = zip_longest(left.numbers, right.numbers, fillvalue=0)
    for index, (one, other) in enumerate(numbers):
        if one != other:
            return position(index) if index else _of_first_numbers(one, other)
    shorter, longer = sorted((len(left.numbers), len(right.numbers)))
    if left.letters != right.letters:
        return position(longer)
    if left.prerelease != right.prerelease:
        return "prerelease"
    if left.revision != right.revision:
        return "revision"
    if left.build != right.build:
        return "build"
    # dpkg and apk call 1.0 and 1.0.0 two versions: the first number that only one of them writes.
    return position(shorter)
