"""Versions of Debian packages, in the order of Debian Policy 5.6.12: ``[epoch:]upstream[-revision]``."""

import re
from functools import lru_cache
from typing import Final

from detector.model.versions.distance import LONGEST, Step, Version, step_between

# Policy: "should start with a digit"; what does not is too odd to be put in order here.
_UPSTREAM: Final = re.compile(r"[0-9][A-Za-z0-9.+~-]*")
_PARTS: Final = re.compile(r"([0-9]+(?:\.[0-9]+)*)([A-Za-z0-9.-]*)((?:~[A-Za-z0-9.~-]*)?)")
_REVISION: Final = re.compile(r"[A-Za-z0-9.+~]+")
_RUNS: Final = re.compile(r"([^0-9]*)([0-9]*)")
_LARGEST_EPOCH: Final = 2**31 - 1


@lru_cache(maxsize=16_384)
def parse(text: str) -> Version | None:
    """Return a version; None for what Debian Policy does not allow.

    Of the upstream part a ``~`` is a pre-release; what follows a ``+`` was added by the packager (``+dfsg``,
    ``+git20240101``) and counts with the revision.
    """
    if len(text) > LONGEST:
        return None
    front, colon, rest = text.strip().partition(":")
    epoch = 0
    if not colon:
        rest = front
    elif not (front.isascii() and front.isdigit()) or (epoch := int(front)) > _LARGEST_EPOCH:
        return None
    upstream, hyphen, revision = rest.rpartition("-")
    if not hyphen:
        upstream, revision = rest, "0"  # "the absence of a debian_revision is equivalent to a revision of 0"
    parts = _PARTS.match(upstream)
    if parts is None or not _UPSTREAM.fullmatch(upstream) or not _REVISION.fullmatch(revision):
        return None
    numbers, letters, prerelease = parts.groups()
    added = upstream[parts.end() :]
    packager = _key(revision)
    return Version(
        order=(epoch, _key(upstream), packager),
        epoch=epoch,
        numbers=tuple(map(int, numbers.split("."))),
        letters=_key(letters) if letters else None,
        prerelease=_key(prerelease) if prerelease else None,
        revision=(_key(added) if added else None, packager),
    )


def _key(text: str) -> tuple[int, ...]:
    """Return what compares as dpkg does: runs of other characters and of digits in turn.

    Each run of characters ends with 0, the place of its end: before letters, after ``~``.
    """
    key: list[int] = []
    for characters, digits in _RUNS.findall(text):
        key += _weights(characters)
        key.append(int(digits or 0))
    return tuple(key)


@lru_cache(maxsize=1_024)
def _weights(characters: str) -> tuple[int, ...]:
    """Return the place of each character: ``~`` first, then the end, then letters, then all others."""
    return (*(-1 if c == "~" else ord(c) if c.isalpha() else ord(c) + 256 for c in characters), 0)


def step(left: str, right: str) -> Step | None:
    """Return the step between two versions; None where dpkg calls them equal, as 1.0 and 1.0-0."""
    return step_between(parse(left), parse(right))
