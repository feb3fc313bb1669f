"""Versions of RubyGems, in the order of ``Gem::Version``: numbers, then words, which are pre-releases."""

import re
from functools import lru_cache
from itertools import takewhile
from typing import Final

from detector.model.versions.distance import LONGEST, Step, Version, step_between

_VERSION: Final = re.compile(r"[0-9]+(?:\.[0-9A-Za-z]+)*(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?")
#: A build for one platform (`Gem::Platform`): where it runs, not which version it is.
_PLATFORM: Final = re.compile(
    r"-(?:(?:x86_64|x86|x64|i[3-6]86|aarch64|arm64|arm|universal|ppc64le|s390x)-"
    r"(?:linux|darwin|mingw|mswin|freebsd|solaris|dalvik)[0-9A-Za-z.-]*|java)"
)
_SEGMENT: Final = re.compile(r"[0-9]+|[A-Za-z]+")

#: A segment with the zeros before it. As missing segments are zeros too, `.0.b` comes after `.b` and before
#: the end, and `.0.1` before `.1` and after the end.
_Token = tuple[int, int, int, str]
_END: Final[_Token] = (1, 0, 0, "")


@lru_cache(maxsize=16_384)
def parse(text: str) -> Version | None:
    """Return a version without its platform (``-x86_64-linux``); None for what RubyGems calls malformed."""
    text = text.strip()
    if len(text) > LONGEST:
        return None
    if platform := _PLATFORM.search(text):
        text = text[: platform.start()] + text[platform.end() :]
    if not _VERSION.fullmatch(text):
        return None
    segments = _SEGMENT.findall(text.replace("-", ".pre."))
    digits = list(takewhile(str.isdigit, segments))
    stage = _key(segments[len(digits) :])
    return Version(
        order=(*_key(digits)[:-1], *stage),
        numbers=tuple(map(int, digits)),
        prerelease=stage if len(segments) > len(digits) else None,
    )


def _key(segments: list[str]) -> tuple[_Token, ...]:
    """Return the places of segments; zeros at the end count for nothing."""
    tokens: list[_Token] = []
    zeros = 0
    for segment in segments:
        if not segment.isdigit():
            tokens.append((0, zeros, 0, segment))
        elif number := int(segment):
            tokens.append((2, -zeros, number, ""))
        else:
            zeros += 1
            continue
        zeros = 0
    tokens.append(_END)
    return tuple(tokens)


def step(left: str, right: str) -> Step | None:
    """Return the step between two versions; None where RubyGems calls them equal, as 1.0 and 1."""
    return step_between(parse(left), parse(right))
