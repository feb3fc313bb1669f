"""Versions of Maven, in the order of ``ComparableVersion`` (Maven POM reference, version order).

A hyphen, and each change between digits and letters, opens a list inside the list before it. A word behind a
dot is read as one behind a hyphen, as Maven does from 3.9 on: before, ``2.0.0.M1`` < ``2.0.0`` <
``2.0.0-SP1`` < ``2.0.0.M1`` ran in a circle.
"""

import re
from functools import lru_cache
from itertools import pairwise, zip_longest
from typing import Final

from detector.model.versions.distance import LONGEST, Step, Version, step_between

_VERSION: Final = re.compile(r"[0-9A-Za-z._+~-]+")
_NUMBERS: Final = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_TOKEN: Final = re.compile(r"[0-9]+|[^0-9.-]+|[.-]")
_PRERELEASES: Final = ("alpha", "beta", "milestone", "rc", "snapshot")
_STAGES: Final = {word: rank for rank, word in enumerate(_PRERELEASES)} | {"cr": _PRERELEASES.index("rc")}
#: One letter stands for a stage only where a number follows at once.
_SHORT: Final = {"a": "alpha", "b": "beta", "m": "milestone"}
_RELEASE_WORDS: Final = frozenset({"ga", "final", "release"})
_RELEASE: Final = ""
_SEPARATORS: Final = frozenset(".-")

#: Places in their order: a stage before the release, the end, a word after the release, a list that begins
#: with a list, a number that begins a list, a number that goes on in one.
_STAGE, _END, _WORD, _LIST, _FIRST, _NUMBER = range(6)
_Token = tuple[int, int, str]
_AT_END: Final[_Token] = (_END, 0, "")
_NESTED: Final[list[_Token]] = [(_LIST, 0, "")]
_NOTHING: Final[list[_Token]] = []
_Items = list[int | str]


@lru_cache(maxsize=16_384)
def parse(text: str) -> Version | None:
    """Return a version; None for odd characters, and where Maven has no order either, as of ``1-0-alpha``."""
    text = text.strip().lower()
    lists = _said(_lists(text)) if len(text) <= LONGEST and _VERSION.fullmatch(text) else None
    if lists is None:
        return None
    head, first = lists[0], _places(lists[0])
    if len(lists) == 1:
        added, stage = _NOTHING, _NOTHING
    else:
        tail = [place for items in lists[1:] for place in (_places(items) if items else _NESTED)]
        begin = next((index for index, place in enumerate(tail) if place[0] == _STAGE), len(tail))
        if _NESTED[0] in tail and any(a[0] == _LIST and b[0] == _STAGE for a, b in pairwise(tail)):
            return None
        added, stage = tail[:begin], tail[begin:]
    is_named = isinstance(head[0], str)
    return Version(
        order=[*first, *added, *stage, _AT_END],
        numbers=() if is_named else tuple(head),
        letters=first[0] if is_named else None,
        prerelease=stage,
        revision=added,
    )


def _places(items: _Items) -> list[_Token]:
    """Return the places of the items of one list. Only the first one may be a word."""
    places: list[_Token] = [(_NUMBER, item, "") for item in items if isinstance(item, int)]
    first = items[0]
    if isinstance(first, int):
        places[0] = (_FIRST, first, "")
    elif first in _STAGES:
        places.insert(0, (_STAGE, _STAGES[first], ""))
    else:
        places.insert(0, (_WORD, int(first != "sp"), first))
    return places


def _lists(text: str) -> list[_Items]:
    """Return the lists of a version, each the last item of the one before."""
    lists: list[_Items] = [[]]
    before, rest = ".", text
    if numbers := _NUMBERS.match(text):
        before, rest = numbers[0], text[numbers.end() :]
        lists = [[*map(int, before.split("."))]]
    texts = _TOKEN.findall(rest)
    for one, after in zip_longest(texts, texts[1:], fillvalue=""):
        if one in _SEPARATORS:
            if before in _SEPARATORS:
                lists[-1].append(0)
            if one == "-":
                lists.append([])
        elif one.isdigit():
            if before not in _SEPARATORS:
                lists.append([])
            lists[-1].append(int(one))
        else:
            is_release = one in _RELEASE_WORDS
            if before != "-" and lists[-1] and not (is_release and before == "."):
                lists.append([])
            word = _SHORT.get(one, one) if after.isdigit() else one
            lists[-1].append(_RELEASE if is_release else word)
        before = one
    return lists


def _said(lists: list[_Items]) -> list[_Items] | None:
    """Return lists without the zeros and words at their ends that say nothing; None where one is left."""
    is_zero = lists[0][:1] == [0]
    for items in lists:
        while items and not items[-1]:  # zero and the release's empty word
            items.pop()
        if _RELEASE in items:
            return None
    while lists and not lists[-1]:
        lists.pop()
    if not lists or (is_zero and not lists[0]):
        lists[:1] = [[0]]
    return lists if lists[0] else None


def step(left: str, right: str) -> Step | None:
    """Return the step between two versions; None where Maven calls them equal, as 1.0-RELEASE and 1."""
    return step_between(parse(left), parse(right))
