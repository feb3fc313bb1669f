"""Versions of Composer: as composer/semver normalises them, in the order of PHP's ``version_compare``."""

import re
from functools import lru_cache
from typing import Final

from detector.model.versions.distance import LONGEST, Step, Version, step_between

# Possessive quantifiers: a long run of digits is tried in one way only.
_MODIFIER: Final = (
    r"[._-]?(?:(stable|beta|b|rc|alpha|a|patch|pl|p)((?:[.-]?[0-9]++)*+))?([.-]?dev)?(?:\+(\S+))?"
)
_CLASSICAL: Final = re.compile(rf"v?([0-9]{{1,5}}(?:\.[0-9]++){{0,3}}){_MODIFIER}")
_DATED: Final = re.compile(
    rf"v?([0-9]{{4}}(?:[.:-]?[0-9]{{2}}){{1,6}}(?:[.:-]?[0-9]{{1,3}}){{0,2}}){_MODIFIER}"
)
_NUMBER: Final = re.compile(r"[0-9]+")
#: Stages in their order; a number goes on after the end of a shorter version and before a patch.
_DEV, _ALPHA, _BETA, _RC, _END, _MORE, _PATCH = range(7)
_STAGES: Final = {
    "alpha": _ALPHA,
    "a": _ALPHA,
    "beta": _BETA,
    "b": _BETA,
    "rc": _RC,
    "patch": _PATCH,
    "pl": _PATCH,
    "p": _PATCH,
}

_Token = tuple[int, int]


@lru_cache(maxsize=16_384)
def parse(text: str) -> Version | None:
    """Return a version; None for branches (``dev-main``, ``1.x-dev``), aliases and constraints."""
    if len(text) > LONGEST:
        return None
    folded = text.strip().lower()
    if match := _CLASSICAL.fullmatch(folded):
        digits, word, count, dev, build = match.groups()
        numbers = tuple(map(int, digits.split(".")))
        numbers += (0,) * (4 - len(numbers))
    elif match := _DATED.fullmatch(folded):
        digits, word, count, dev, build = match.groups()
        numbers = tuple(map(int, _NUMBER.findall(digits)))
    else:
        return None
    if word == "stable" and "stable" not in text:
        return None  # Composer takes `Stable` and then does not know what it is
    stage = _stage(word, count, dev) if word or dev else ()
    is_patch = bool(stage) and stage[0][0] == _PATCH
    return Version(
        order=(*((_MORE, number) for number in numbers), *stage, (_END, 0)),
        numbers=numbers,
        prerelease=() if is_patch and not dev else stage,
        revision=stage if is_patch else (),
        build=build,
    )


def _stage(word: str | None, count: str | None, dev: str | None) -> tuple[_Token, ...]:
    """Return what follows the numbers; ``stable`` is nothing, whatever stands behind it."""
    if word == "stable":
        return ()
    tokens: list[_Token] = []
    if word:
        tokens.append((_STAGES[word], 0))
        tokens += [(_MORE, int(number)) for number in _NUMBER.findall(count or "")]
    if dev:
        tokens.append((_DEV, 0))
    return tuple(tokens)


def step(left: str, right: str) -> Step | None:
    """Return the step between two versions; None where Composer calls them equal, as 1.0 and v1.0.0.0."""
    return step_between(parse(left), parse(right))
