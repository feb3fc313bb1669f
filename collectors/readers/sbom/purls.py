"""Package URLs as bills of materials write them: which package, and in which version.

Specification: package-url. Qualifiers are dropped, for they hold addresses and platforms, but for ``epoch``,
which rpm and some tools for dpkg keep apart from the version.
"""

import re
from typing import Final
from urllib.parse import unquote

from detector.errors import Reason
from detector.model.addresses import without_credentials
from detector.model.items import package
from detector.model.platforms import split_platform
from detector.model.wire_facts import ECOSYSTEMS, LONGEST_ITEM

_LONGEST: Final = 2_048
_LONGEST_VERSION: Final = 1_024
_KNOWN: Final = frozenset(ECOSYSTEMS)
#: What needs a closer look: escapes, blanks, anything that could be an address.
_ODD: Final = re.compile(r"[^A-Za-z0-9._~/+-]")
#: What was read before: bills say the same again and again.
_READ: Final[dict[str, "Purl"]] = {}
_MOST_READ: Final = 131_072
_EPOCH: Final = re.compile(r"(?:\A|&)epoch=([0-9]{1,9})(?:&|\Z)")


#: Item, ecosystem, version (empty where there is none), and of one program that is packed for each platform:
#: which one this is. A plain tuple of texts, for the collector of garbage looks at no such.
Purl = tuple[str, str, str, str | None]


class PurlError(ValueError):
    """A text that names no package that could be compared. ``reason`` says why."""

    def __init__(self, reason: Reason, message: str) -> None:
        self.reason: Reason = reason
        super().__init__(message)


def read_purl(text: str) -> Purl:
    """Return the package and version that a package URL names. Raises PurlError."""
    known = _READ.get(text)
    if known is None:
        known = _parsed(text)
        if len(_READ) >= _MOST_READ:
            _READ.clear()
        _READ[text] = known
    return known


def _parsed(text: str) -> Purl:
    if len(text) > _LONGEST:
        raise _malformed(f"longer than {_LONGEST} characters")
    rest, _, subpath = text.partition("#")
    rest, _, qualifiers = rest.partition("?")
    path, at, version = rest.rpartition("@")
    if not at or path.endswith("/"):
        # `pkg:npm/@babel/core` without a version: the sign belongs to the name.
        path, version = rest, ""
    if version and (_ODD.search(version) or "epoch=" in qualifiers):
        version = _version(version, qualifiers)
    item, ecosystem, platform = _package(path, subpath)
    return item, ecosystem, version, platform


def _package(path: str, subpath: str) -> tuple[str, str, str | None]:
    scheme, _, path = path.partition(":")
    ecosystem, _, names = path.strip("/").partition("/")
    ecosystem = ecosystem.lower()
    if scheme.lower() != "pkg":
        raise _malformed("no package URL")
    if ecosystem not in _KNOWN:
        raise PurlError("unsupported", "a package URL of a type that is not read")
    if ecosystem == "golang" and subpath:
        # Where a module has more than three parts, some tools write the rest of its path here.
        names, subpath = f"{names}/{subpath.strip('/')}", ""
    if _ODD.search(names) or ".." in names or "//" in names:
        names = _plain(names)
    namespace, _, name = names.strip("/").rpartition("/")
    if not name:
        raise _malformed("a package URL without a name")
    item = package(ecosystem, name, namespace)
    if subpath:
        item = f"{item}#{_plain(subpath.strip('/'))}"
    if len(item) >= LONGEST_ITEM:
        raise _malformed("a name too long to be one")
    # The word stands in the item of a package of npm that is packed for each platform.
    platform = split_platform(f"{namespace}/{name}".lstrip("/"))[1] if item.endswith("platform") else None
    return item, ecosystem, platform


def _malformed(message: str) -> PurlError:
    return PurlError("malformed", message)


def _plain(path: str) -> str:
    """Return a path without escapes. Raises PurlError for one that leads anywhere else."""
    parts = [_unquoted(part) for part in path.split("/") if part]
    for number, part in enumerate(parts):
        # Only the scope of an npm package begins with the sign that parts a version.
        odd = "/" in part or part in {".", ".."} or part.strip() != part or not part.isprintable()
        if odd or "@" in part[1 if number == 0 else 0 :]:
            raise _malformed("a package URL whose name is none")
    return "/".join(parts)


def _version(text: str, qualifiers: str) -> str:
    if "%" in text:
        text = _unquoted(text)
    if "epoch=" in qualifiers and (epoch := _EPOCH.search(qualifiers)) and epoch[1].strip("0"):
        text = text if ":" in text else f"{epoch[1]}:{text}"
    return checked_version(text)


def checked_version(text: str) -> str:
    """Return a version as it may be kept: an address loses its credentials. Raises PurlError."""
    if "://" in text:
        bare = without_credentials(text)
        if bare is None:
            raise _malformed("a version that is an odd address")
        return bare
    if len(text) > _LONGEST_VERSION or not text.isprintable() or text.strip() != text:
        raise _malformed("a version that is none")
    return text


def _unquoted(text: str) -> str:
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise _malformed("a package URL with escapes that are no UTF-8") from None
