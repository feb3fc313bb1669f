"""Orders of ecosystems whose own implementation is not in Debian: their rules as a slow, obvious comparison.

Nothing here is shared with the comparators: no keys, no patterns, one pair at a time.
"""

import string
from collections.abc import Callable, Sequence
from itertools import zip_longest

from tests.model.versions.pairs import Pair

_SUFFIXES = ["alpha", "beta", "pre", "rc", "", "cvs", "svn", "git", "hg", "p"]
_INT = 2**31 - 1


def _answers(pairs: Sequence[Pair], compare: Callable[[str, str], int]) -> list[int | None]:
    answers: list[int | None] = []
    for left, right in pairs:
        try:
            answers.append(compare(left, right))
        except ValueError:
            answers.append(None)
    return answers


def _sign(left: object, right: object) -> int:
    return int(left > right) - int(left < right)  # type: ignore[operator]


# --- apk-tools 3: apk-package(5), and what `apk version -t` says -----------------------------------

#: In this order two versions are read; of two kinds the earlier one is the later version.
_KINDS = ["first number", "number", "letter", "suffix", "suffix number", "hash", "revision", "end"]


def apk(pairs: Sequence[Pair]) -> list[int | None]:
    """Compare Alpine versions token by token."""
    return _answers(pairs, _compare_apk)


def _compare_apk(left: str, right: str) -> int:
    for (kind, one), (other_kind, other) in zip(_apk_tokens(left), _apk_tokens(right), strict=False):
        if kind != other_kind:
            if kind == "suffix" and _SUFFIXES.index(one) < _SUFFIXES.index(""):
                return -1
            if other_kind == "suffix" and _SUFFIXES.index(other) < _SUFFIXES.index(""):
                return 1
            return -_sign(_KINDS.index(kind), _KINDS.index(other_kind))
        if kind == "suffix":
            found = _sign(_SUFFIXES.index(one), _SUFFIXES.index(other))
        elif kind in ("letter", "hash", "end") or (kind == "number" and "0" in (one[0], other[0])):
            found = _sign(one, other)
        else:
            found = _sign(int(one), int(other))
        if found:
            return found
    return 0


def _apk_tokens(text: str) -> list[tuple[str, str]]:
    """Return (kind, text) of each token. Raises ValueError for what apk calls invalid."""
    digits, rest = _taken(text, string.digits)
    tokens = [("first number", digits)]
    while rest.startswith("."):
        digits, rest = _taken(rest[1:], string.digits)
        tokens.append(("number", digits))
    if rest[:1] and rest[:1] in string.ascii_lowercase:
        tokens.append(("letter", rest[0]))
        rest = rest[1:]
    while rest.startswith("_"):
        name, rest = _taken(rest[1:], string.ascii_lowercase)
        tokens.append(("suffix", name))
        _SUFFIXES.index(name)
        if rest[:1].isdigit():
            digits, rest = _taken(rest, string.digits)
            tokens.append(("suffix number", digits))
    if rest.startswith("~"):
        commit, rest = _taken(rest[1:], "0123456789abcdef")
        tokens.append(("hash", commit))
    if rest.startswith("-r"):
        digits, rest = _taken(rest[2:], string.digits)
        tokens.append(("revision", digits))
    if rest:
        raise ValueError
    return [*tokens, ("end", "")]


def _taken(text: str, allowed: str) -> tuple[str, str]:
    """Return the allowed characters at the beginning, and the rest; ValueError where there are none."""
    rest = text.lstrip(allowed)
    if rest == text:
        raise ValueError
    return text[: len(text) - len(rest)], rest


# --- NuGet: "Package versioning" of its documentation ----------------------------------------------


def nuget(pairs: Sequence[Pair]) -> list[int | None]:
    """Compare NuGet versions: four numbers, then labels without regard to case."""
    return _answers(pairs, _compare_nuget)


def _compare_nuget(left: str, right: str) -> int:
    (numbers, labels), (other_numbers, other_labels) = _nuget_parts(left), _nuget_parts(right)
    for one, other in zip_longest(numbers, other_numbers, fillvalue=0):
        if one != other:
            return _sign(one, other)
    if not labels or not other_labels:
        return _sign(not labels, not other_labels)
    for label, other_label in zip(labels, other_labels, strict=False):
        is_number, other_is_number = _is_int(label), _is_int(other_label)
        if is_number and other_is_number:
            found = _sign(int(label), int(other_label))
        elif is_number or other_is_number:
            found = _sign(other_is_number, is_number)
        else:
            found = _sign(label.upper(), other_label.upper())
        if found:
            return found
    return _sign(len(labels), len(other_labels))


def _nuget_parts(text: str) -> tuple[list[int], list[str]]:
    text, plus, build = text.partition("+")
    text, hyphen, stage = text.partition("-")
    labels = stage.split(".") if hyphen else []
    for label in [*labels, *(build.split(".") if plus else [])]:
        if not label or label.strip(string.ascii_letters + string.digits + "-"):
            raise ValueError
    numbers = text.split(".")
    if len(numbers) > 4 or any(not number or number.strip(string.digits) for number in numbers):
        raise ValueError
    if any(int(number) > _INT for number in numbers):
        raise ValueError
    return [int(number) for number in numbers], labels


def _is_int(label: str) -> bool:
    return label.isdigit() and int(label) <= _INT


# --- Go: "Versions" of the Go Modules Reference: SemVer 2.0.0 behind a `v` -------------------------


def without_v(pairs: Sequence[Pair]) -> list[Pair]:
    """Return versions of Go modules as SemVer has them: no `v`, and `v1.2` written out as 1.2.0."""
    return [(_semver(left), _semver(right)) for left, right in pairs]


def _semver(text: str) -> str:
    text = text.removeprefix("v")
    numbers = text.split(".")
    return (
        ".".join([*numbers, "0", "0"][:3]) if len(numbers) < 3 and text.replace(".", "").isdigit() else text
    )
