"""``bun.lock``, the text lockfile of Bun: JSON with comments and commas before a closing bracket."""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from collectors.readers.lockfiles.asking import Asking
from collectors.readers.lockfiles.javascript import (
    dangling,
    named,
    platform_of,
    ranges,
    version_of,
)
from collectors.readers.lockfiles.lock import Lock, table
from collectors.readers.lockfiles.pins import Pin, read_of
from detector.errors import UnseenError
from detector.reader import Read

#: Texts stay as they are, also one that is not closed; comments and commas before a closing bracket go.
_TOKEN: Final = re.compile(r'("(?:[^"\\\n]|\\.)*+"?)|//[^\n]*|,(?=\s*[\]}])')
_OWN: Final = ("workspace:", "link:", "root:")


def read(lock: Lock) -> Read:
    """Return the pins. Raises UnseenError."""
    plain = _TOKEN.sub(lambda match: match[1] or "", lock.text())
    document = replace(lock, data=plain.encode()).json()
    version = document.get("lockfileVersion") if isinstance(document, dict) else None
    if version not in (0, 1, 2) or isinstance(version, bool):
        raise UnseenError("unsupported", f"{lock.name}: no lockfileVersion 0, 1 or 2 in it")
    packages = {key: entry for key, entry in table(document, "packages").items() if _is_entry(entry)}
    graph = _Graph(packages)
    asking = graph.asking(document)
    scope = asking.scopes()
    pins = (
        pin
        for key, entry in packages.items()
        if (pin := _pin(entry, scope=scope(key), direct=asking.is_direct(key))) is not None
    )
    return read_of(lock, "npm", pins, [*lock.cut_off("npm"), *dangling(lock, graph.missing)])


def _is_entry(entry: object) -> bool:
    return isinstance(entry, list) and bool(entry) and isinstance(entry[0], str)


class _Graph:
    """Which package a name leads to: the nearest one above, as in folders of ``node_modules``."""

    def __init__(self, packages: dict[str, Any]) -> None:
        self._packages = packages
        self.missing: list[str] = []

    def asking(self, document: dict[str, Any]) -> Asking:
        """Return who asks for what."""
        asking = Asking()
        members = table(document, "workspaces")
        for path in members:
            member = table(members, path)
            above = str(member.get("name", "")) if path else ""
            asking.runtime.update(self._nodes(member, "dependencies", above))
            asking.optional.update(self._nodes(member, "optionalDependencies", above, must=False))
            asking.dev.update(self._nodes(member, "devDependencies", above))
        for key, entry in self._packages.items():
            about = _about(entry)
            asking.needs[key] = list(self._nodes(about, "dependencies", key))
            asking.wants[key] = list(self._nodes(about, "optionalDependencies", key, must=False))
        return asking

    def _nodes(self, found: dict[str, Any], kind: str, above: str, *, must: bool = True) -> Iterable[str]:
        for name, _ in ranges(found, kind):
            folder = above
            while folder and f"{folder}/{name}" not in self._packages:
                folder = folder.rpartition("/")[0]
            key = f"{folder}/{name}" if folder else name
            if key in self._packages:
                yield key
            elif must:
                self.missing.append(name)


def _about(entry: list[Any]) -> dict[str, Any]:
    return next((part for part in entry[1:] if isinstance(part, dict)), {})


def _pin(entry: list[Any], **more: Any) -> Pin | None:
    """Return a package; None for own code in a folder."""
    name, _, version = entry[0].rpartition("@") if "@" not in entry[0][1:] else _split(entry[0])
    if version.startswith(_OWN):
        return None
    about = _about(entry)
    platform = platform_of(about.get("os"), about.get("cpu"))
    return named(name, version_of(version), platform=platform, **more)


def _split(text: str) -> tuple[str, str, str]:
    at = text.find("@", 1)
    return text[:at], "@", text[at + 1 :]
