"""Versions of Alpine packages, in the order of apk-tools 3.

``number{.number}[letter]{_suffix[number]}[~hash][-rN]`` (apk-package(5)). apk reads two versions token
by token; where the kinds of token differ the earlier kind wins, but a pre-release suffix loses to all.
"""

import re
from functools import lru_cache
from typing import Final

from detector.model.versions.distance import LONGEST, Step, Version, step_between

_PRERELEASES: Final = ("alpha", "beta", "pre", "rc")
_POSTRELEASES: Final = ("cvs", "svn", "git", "hg", "p")
_SUFFIXES: Final = {name: rank for rank, name in enumerate(_PRERELEASES + _POSTRELEASES)}
_SUFFIX: Final = re.compile(r"_([a-z]+)([0-9]*)")
_VERSION: Final = re.compile(
    r"([0-9]+)((?:\.[0-9]+)*)([a-z]?)"
    rf"((?:_(?:{'|'.join(_SUFFIXES)})[0-9]*)*)"
    r"(?:~([0-9a-f]+))?(?:-r([0-9]+))?"
)
#: Kinds of token, last in the order first: where one version has a number more it is the later one.
_PRERELEASE, _END, _REVISION, _HASH, _SUFFIX_NUMBER, _POSTRELEASE, _LETTER, _NUMBER = range(8)

#: A place in the order: kind, number, text. Kinds never share a place with another meaning of the two others.
_Token = tuple[int, int, str]


@lru_cache(maxsize=16_384)
def parse(text: str) -> Version | None:
    """Return a version; None for what apk calls invalid."""
    match = _VERSION.fullmatch(text.strip()) if len(text) <= LONGEST else None
    if match is None:
        return None
    first, others, letter, suffixes, commit, revision = match.groups()
    later = others.split(".")[1:]
    order: list[_Token] = [(_NUMBER, int(first), "")]
    order += map(_later_number, later)
    if letter:
        order.append((_LETTER, 0, letter))
    prereleases: list[_Token] = []
    postreleases: list[_Token] = []
    for name, number in _SUFFIX.findall(suffixes):
        is_prerelease = name in _PRERELEASES
        tokens = [(_PRERELEASE if is_prerelease else _POSTRELEASE, _SUFFIXES[name], "")]
        if number:
            tokens.append((_SUFFIX_NUMBER, int(number), ""))
        (prereleases if is_prerelease else postreleases).extend(tokens)
        order += tokens
    if commit:
        order.append((_HASH, 0, commit))
    if revision:
        order.append((_REVISION, int(revision), ""))
    order.append((_END, 0, ""))
    return Version(
        order=order,
        # `05` is another number than `5` to apk, not only another spelling.
        numbers=(int(first), *(n if n[0] == "0" and n != "0" else int(n) for n in later)),
        letters=letter,
        prerelease=tuple(prereleases),
        revision=(tuple(postreleases), int(revision or -1)),
        build=commit,
    )


def _later_number(digits: str) -> _Token:
    """Return the place of a number after the first. With a leading zero it is text, before others."""
    return (_NUMBER, 0, digits) if digits[0] == "0" else (_NUMBER, int(digits), "")


def step(left: str, right: str) -> Step | None:
    """Return the step between two versions; None where apk calls them equal."""
    return step_between(parse(left), parse(right))
