"""V1: the step between two versions, ecosystem by ecosystem; no text comes twice, so no memory helps."""

import random
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from packaging.version import Version

from bench.measuring import Contender, Limit, Work
from detector.model.versions import step

Pair = tuple[str, str]

#: Ecosystem -> what stands before and behind three numbers, as often as it does in real lists.
_WRITTEN: Final[dict[str, tuple[str, Sequence[str]]]] = {
    "pypi": ("", ("", "", ".post1", "rc1")),
    "npm": ("", ("", "", "-rc.1", "-beta.2")),
    "deb": ("", ("-1", "-1+deb12u2", "-1~bpo12+1", "+dfsg-3")),
    "rpm": ("", ("-1.el9", "-24.el9_4.1", "~rc1-1.fc40", "-3.fc40")),
    "apk": ("", ("-r0", "-r5", "_rc1-r0", "_p1-r2")),
    "cargo": ("", ("", "", "-rc.1", "+zstd.1.5.6")),
    "golang": ("v", ("", "", "-0.20240510120000-1a2b3c4d5e6f", "+incompatible")),
    "gem": ("", ("", "", ".rc1", ".beta2")),
    "maven": ("", ("", ".Final", "-RC1", "-SNAPSHOT")),
    "composer": ("v", ("", "", "-RC1", "-beta2")),
    "nuget": ("", ("", "", "-rc.1", "-preview.7.21377")),
}
_SEED: Final = 1
#: The goal speaks of so many seconds for so many pairs.
_SECONDS: Final = 1.5
_PAIRS: Final = 100_000


def steps(count: int) -> Iterator[Work]:
    """Yield V1 for each ecosystem."""
    for scheme, (before, behind) in _WRITTEN.items():
        pairs = _pairs(count, before, behind)
        floor = Contender(name="texts alone", run=partial(_by_text, pairs))
        packaging = Contender(name="packaging", run=partial(_by_packaging, pairs), answer=int)
        yield Work(
            number="V1",
            title=f"steps between {count:,} pairs of versions of {scheme}",
            ours=Contender(name="parity", run=partial(_ahead, scheme, pairs), answer=int),
            rivals=(floor, packaging) if scheme == "pypi" else (floor,),
            goals=(Limit(figure="wall", most=_SECONDS * count / _PAIRS),),
        )


def _pairs(count: int, before: str, behind: Sequence[str]) -> list[Pair]:
    choose = random.Random(_SEED)

    def text(number: int) -> str:
        minor = choose.randrange(12)
        return f"{before}{choose.randrange(4)}.{minor}.{number}{choose.choice(behind)}"

    return [(text(2 * number), text(2 * number + 1)) for number in range(count)]


def _ahead(scheme: str, pairs: Sequence[Pair]) -> int:
    """Return in how many pairs the left one is ahead."""
    found = (step(scheme, left, right) for left, right in pairs)
    return sum(one is not None and one.direction == "left_ahead" for one in found)


def _by_packaging(pairs: Sequence[Pair]) -> int:
    return sum(Version(left) > Version(right) for left, right in pairs)


def _by_text(pairs: Sequence[Pair]) -> int:
    return sum(left > right for left, right in pairs)
