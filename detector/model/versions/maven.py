"""Versions of Maven, in the order of ``ComparableVersion`` (Maven POM reference, version order).

A hyphen, and each change between digits and letters, opens a list inside the list before it. A word behind a
dot is read as one behind a hyphen, as Maven does from 3.9 on: before, ``2.0.0.M1`` < ``2.0.0`` <
``2.0.0-SP1`` < ``2.0.0.M1`` ran in a circle.
"""

import re
from functools import lru_cache
from itertools import pairwise, takewhile, zip_longest
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
_Items = list[int | str]


@lru_cache(maxsize=16_384)
def parse(text: str) -> Version | None:
    """Return a version; None for odd characters, and where Maven has no order either, as of ``1-0-alpha``."""
    text = text.strip().lower()
    lists = _said(_lists(text)) if len(text) <= LONGEST and _VERSION.fullmatch(text) else None
    if lists is None:
        return None
    head = lists[0]
    first = [_place(item, index) for index, item in enumerate(head)]
    tail: list[_Token] = []
    for items in lists[1:]:
        tail += [_place(item, index) for index, item in enumerate(items)] if items else [(_LIST, 0, "")]
    for one, other in pairwise(tail):
        if one[0] == _LIST and other[0] == _STAGE:
            return None
    added = tuple(takewhile(lambda token: token[0] != _STAGE, tail))
    return Version(
        order=(*first, *tail, (_END, 0, "")),
        numbers=tuple(item for item in head if isinstance(item, int)),
        letters=first[0] if isinstance(head[0], str) else None,
        prerelease=tuple(tail[len(added) :]),
        revision=added,
    )


def _place(item: int | str, index: int) -> _Token:
    if isinstance(item, int):
        return (_NUMBER if index else _FIRST, item, "")
    if item in _STAGES:
        return _STAGE, _STAGES[item], ""
    return _WORD, int(item != "sp"), item


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
        while items and items[-1] in (0, _RELEASE):
            items.pop()
    while lists and not lists[-1]:
        lists.pop()
    if not lists or (is_zero and not lists[0]):
        lists[:1] = [[0]]
    return None if not lists[0] or any(_RELEASE in items for items in lists) else lists


def step(left: str, right: str) -> Step | None:
    """Return the step between two versions; None where Maven calls them equal, as 1.0-RELEASE and 1."""
    return step_between(parse(left), parse(right))
