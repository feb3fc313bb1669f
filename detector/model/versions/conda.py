"""Versions of conda, in the order of its ``VersionOrder``: numbers and words in turn, missing ones are zero.

A word comes before every number, ``dev`` before all other words, ``post`` after every number.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile, zip_longest
from typing import Final

from detector.model.versions.distance import LONGEST, Step, Version, step_between

_VERSION: Final = re.compile(r"(?:([0-9]+)!)?([a-z0-9][a-z0-9._]*)(?:\+([a-z0-9._]+))?")
_TOKEN: Final = re.compile(r"[0-9]+|[a-z]+")

_Token = tuple[int, int, str]
_Component = tuple[_Token, ...]
_ZERO: Final[_Token] = (2, 0, "")
_NUMBER, _POST = 2, 3
_WORDS: Final[dict[str, _Token]] = {"dev": (0, 0, ""), "post": (_POST, 0, "")}


@dataclass(frozen=True, slots=True)
class _Order:
    """The place of a version: its epoch, its components, and those of its local part."""

    epoch: int
    components: tuple[_Component, ...]
    local: tuple[_Component, ...]

    def __gt__(self, other: "_Order") -> bool:
        return self._against(other) > 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Order) and self._against(other) == 0

    def __hash__(self) -> int:
        return hash(self.epoch)  # 1.0 and 1.0.0 are one

    def _against(self, other: "_Order") -> int:
        if self.epoch != other.epoch:
            return 1 if self.epoch > other.epoch else -1
        return _compared(self.components, other.components) or _compared(self.local, other.local)


def _compared(one: tuple[_Component, ...], other: tuple[_Component, ...]) -> int:
    for left, right in zip_longest(one, other, fillvalue=(_ZERO,)):
        for ours, theirs in zip_longest(left, right, fillvalue=_ZERO):
            if ours != theirs:
                return 1 if ours > theirs else -1
    return 0


@lru_cache(maxsize=16_384)
def parse(text: str) -> Version | None:
    """Return a version; None for ranges, ``*`` and what conda calls malformed."""
    match = _VERSION.fullmatch(text.strip().lower().replace("-", "_")) if len(text) <= LONGEST else None
    if match is None:
        return None
    epoch, public, local = match.groups()
    components = _components(public)
    plain = list(takewhile(lambda one: len(one) == 1 and one[0][0] == _NUMBER, components))
    numbers = tuple(component[0][1] for component in plain)
    rest = components[len(plain) :]
    if rest and rest[0][0][0] == _NUMBER and not (rest[0][0] == _ZERO and numbers):
        numbers += (rest[0][0][1],)  # of 5a1 the five
    is_post = any(token[0] == _POST for component in rest for token in component)
    return Version(
        order=_Order(int(epoch or 0), components, _components(local or "0")),
        numbers=numbers,
        epoch=int(epoch or 0),
        prerelease=() if is_post else rest,
        revision=rest if is_post else (),
        build=local,
    )


def _components(text: str) -> tuple[_Component, ...]:
    return tuple(_component(part) for part in text.replace("_", ".").split("."))


def _component(part: str) -> _Component:
    tokens = tuple(
        (_NUMBER, int(token), "") if token.isdigit() else _WORDS.get(token, (1, 0, token))
        for token in _TOKEN.findall(part)
    )
    # A component begins with a number: `rc1` is `0rc1`.
    return tokens if tokens and tokens[0][0] == _NUMBER else (_ZERO, *tokens)


def step(left: str, right: str) -> Step | None:
    """Return the step between two versions; None where conda calls them equal, as 1.0 and 1.0.0."""
    return step_between(parse(left), parse(right))
