"""What the lockfiles of npm, Yarn, pnpm and Bun share: versions, platforms and manifests."""

import re
from collections.abc import Sequence
from typing import Any, Final

from collectors.readers.lockfiles.lock import Lock, table, text_at
from collectors.readers.lockfiles.pins import Pin, from_archive, from_git, from_path, is_version
from detector.errors import UnseenError
from detector.model.facts import Unseen
from detector.model.platforms import split_platform
from detector.model.wire_json import WireError, json_document

_HOSTS: Final = {"github": "github.com", "gitlab": "gitlab.com", "bitbucket": "bitbucket.org"}
#: What a host packs of a commit: ``https://codeload.github.com/acme/shop/tar.gz/COMMIT``.
_PACKED: Final = re.compile(
    r"https://codeload\.(?P<host>[a-z.]{1,64})/(?P<path>[\w.-]{1,100}/[\w.-]{1,100})/tar\.gz/(?P<commit>[\w.-]{1,128})"
)
_COMMIT: Final = re.compile(r"(?:^|&)(?:commit=)?([0-9a-f]{7,64})(?:&|$)")


def named(name: str, version: str, *, platform: str | None, **more: Any) -> Pin:
    """Return a pin of one name for all platforms: ``@esbuild/linux-x64`` is one of ``@esbuild/platform``."""
    name, own_platform = split_platform(name)
    return Pin(name=name, version=version, platform=own_platform or platform, **more)


def version_of(*texts: str) -> str:
    """Return a version, or address and commit for what comes from a repository, or where else it is from.

    ``texts`` say where it is from, the one that says most first. An empty answer means that none says it.
    """
    for text in texts:
        address, marked, fragment = text.partition("#")
        if packed := _PACKED.fullmatch(address):
            address, fragment = f"https://{packed['host']}/{packed['path']}", packed["commit"]
        elif not marked or address.endswith((".tgz", ".tar.gz")):
            continue
        commit = _COMMIT.search(fragment)
        if (commit or packed) and (
            found := from_git(_spelled_out(address), commit[1] if commit else fragment)
        ):
            return found
    own = texts[-1]
    if is_version(own):
        return own
    if own.startswith(("file:", "./", "../")):
        return from_path(own) or ""
    return next((found for text in reversed(texts) if (found := from_archive(text))), "")


def _spelled_out(address: str) -> str:
    """Return an address with the short names of hosts written out: ``github:acme/shop``."""
    host, colon, path = address.partition(":")
    return f"https://{_HOSTS[host]}/{path}" if colon and host in _HOSTS else address


def platform_of(systems: object, processors: object) -> str | None:
    """Return ``linux-x64`` where a package is for one system or processor alone."""
    words = []
    for only in (systems, processors):
        word = only[0] if isinstance(only, list) and len(only) == 1 else only
        if isinstance(word, str) and word.isalnum() and word.isascii() and len(word) <= 16:
            words.append(word)
    return "-".join(words) or None


def manifest(lock: Lock) -> dict[str, Any] | None:
    """Return the ``package.json`` beside a lockfile, None where there is none that can be read."""
    try:
        found = json_document(lock.beside("package.json"))
    except (UnseenError, WireError):
        return None
    return found if isinstance(found, dict) else None


def ranges(found: dict[str, Any], kind: str) -> list[tuple[str, str]]:
    """Return the names and ranges that a package asks for."""
    asked = table(found, kind)
    return [(name, text_at(asked, name)) for name in asked]


def dangling(lock: Lock, missing: Sequence[str]) -> list[Unseen]:
    """Return an unseen entry where something is asked for that is not in the file."""
    if not missing:
        return []
    detail = f"{lock.name}: it refers to {len(missing)} packages that are not in it; it may be cut off"
    return [Unseen(item="pkg:npm/*", reason="malformed", detail=detail)]
