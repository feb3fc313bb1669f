"""Tags of images: a version, a variant behind it (``7.2-alpine``), or words that move (``latest``)."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from detector.model.versions import calver, plain
from detector.model.versions.distance import UNORDERED, Step, step_between
from detector.model.versions.families import NUMBERS_OF_A_RELEASE, product_named

#: Words that name a channel, not a variant: what they point at changes by intention.
_CHANNEL_WORDS: Final = (
    "latest stable unstable testing edge nightly rolling canary next current lts mainline main master trunk"
    " develop development dev staging stage production prod live preview beta alpha rc x"
)
_CHANNELS: Final = frozenset(_CHANNEL_WORDS.split())
#: What the distribution specification allows, and the `+` of a SemVer that was never pushed.
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,127}")
_SEPARATORS: Final = re.compile(r"[-_+]")
_HASH: Final = re.compile(r"(?:sha256:)?g?(?=[0-9a-f]*[0-9])[0-9a-f]{7,64}")
_REVISION: Final = re.compile(r"r([0-9]+)")
_PINNED: Final = re.compile(r"(?:19|20)[0-9]{2}-?[01][0-9]-?[0-3][0-9]|[0-9]+\.[0-9]+\.[0-9]+")
_FULL_RELEASE: Final = 3
#: A lone number of more digits counts builds or days; a series of releases has fewer.
_LONGEST_SERIES: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A tag of an image, split. A tag that is no version and does not float is opaque: a hash, a name."""

    version: str | None
    variant: str | None = None
    #: It is meant to point at other content tomorrow: a word, or fewer numbers than a full release.
    floating: bool = False
    #: The builder's own count, ``-r15``.
    revision: int = 0
    #: A commit or a build number behind the version: tells builds apart, gives no order.
    build: str | None = None


def split_tag(tag: str, *, product: str | None = None) -> Tag:
    """Split a tag into version and variant. ``product`` tells how many numbers a full release has."""
    return _read(tag, product)[0]


@lru_cache(maxsize=16_384)
def _read(tag: str, product: str | None) -> tuple[Tag, plain.Plain | None]:
    text = tag.strip()
    if not _TAG.fullmatch(text):
        return Tag(version=None), None
    read = plain.read(calver.dotted(text))
    if read is None or (read.rest.startswith(".") and not read.rest.startswith((".x", ".X"))):
        return _words(text), None
    variant: list[str] = []
    builds: list[str] = []
    revision, moves = 0, False
    segments = _SEPARATORS.split(read.rest.strip("._-+")) if read.rest else []
    for segment in segments:
        if segment.lower() in _CHANNELS:
            moves = True
        elif _HASH.fullmatch(segment) or (segment.isdigit() and not variant):
            builds.append(segment)
        elif segment is segments[-1] and (match := _REVISION.fullmatch(segment)):
            revision = int(match[1])
        else:
            variant.append(segment)
    full = NUMBERS_OF_A_RELEASE.get(product_named(product), _FULL_RELEASE) if product else _FULL_RELEASE
    pinned = builds or (read.is_prerelease and read.prerelease[1]) or _is_count(read)
    return Tag(
        version=read.text,
        variant="-".join(variant) or None,
        floating=moves or (len(read.numbers) < full and not pinned),
        revision=revision,
        build="-".join(builds) or None,
    ), read


def _is_count(read: plain.Plain) -> bool:
    return len(read.numbers) == 1 and len(str(read.numbers[0])) > _LONGEST_SERIES


def _words(text: str) -> Tag:
    segments = text.split("-")
    names_content = _PINNED.search(text) or any(map(_HASH.fullmatch, segments))
    if names_content or not text[:1].isalpha():
        return Tag(version=None)
    variant = "-".join(segment for segment in segments if segment.lower() not in _CHANNELS)
    return Tag(version=None, variant=variant or None, floating=True)


def step(left: str, right: str, product: str | None = None) -> Step | None:
    """Return the step between two tags; None where they are two spellings of one.

    Tags that float are compared as far as both say numbers: whether ``16`` is ahead of ``16.3`` nobody knows.
    Where only the variant differs there is no order either.
    """
    (one, a), (other, b) = _read(left, product), _read(right, product)
    if a is None or b is None:
        return UNORDERED
    if one == other:
        return None
    if one.floating or other.floating:
        said = min(len(a.numbers), len(b.numbers))
        return step_between(a.cut(said).version(product), b.cut(said).version(product)) or UNORDERED
    found = step_between(
        a.version(product, revision=one.revision, build=one.build),
        b.version(product, revision=other.revision, build=other.build),
    )
    if one.variant != other.variant and (found is None or found.distance in ("revision", "build")):
        return UNORDERED
    return found
