"""``yarn.lock``: of Yarn 1 in a syntax of its own, of Yarn 2 and later in YAML; its head says which.

Neither says what is for development alone: that stands in the ``package.json`` beside it.
"""

import re
from collections.abc import Iterable
from typing import Any, Final

from collectors.readers._yaml import Limits, documents, is_map
from collectors.readers.lockfiles.asking import Asking
from collectors.readers.lockfiles.javascript import (
    dangling,
    manifest,
    named,
    platform_of,
    ranges,
    version_of,
)
from collectors.readers.lockfiles.lock import Lock, table, text_at
from collectors.readers.lockfiles.pins import Pin, read_of
from collectors.readers.lockfiles.yarn_classic import Entry, entries_of
from detector.errors import UnseenError
from detector.model.facts import Unseen
from detector.reader import Read

_CLASSIC: Final = "# yarn lockfile v1"
_METADATA: Final = "__metadata"
_CONDITION: Final = re.compile(r"\b(os|cpu)=([a-z0-9]{1,16})\b")
#: What else has a slash in its range is an address or a repository.
_FROM_REGISTRY_OR_FOLDER: Final = ("npm:", "file:", "./", "../", "/")
_LIMITS: Final = Limits(bytes=16 * 1024 * 1024, nodes=2_000_000)
_UNKNOWN: Final = "no package.json beside it: what is for development alone is not known"


def read(lock: Lock) -> Read:
    """Return the pins. Raises UnseenError."""
    head = lock.text()[:1_000]
    if _CLASSIC in head:
        entries = entries_of(lock)
    elif f"{_METADATA}:" in head:
        entries = _berry(lock)
    else:
        raise UnseenError("unsupported", f"{lock.name}: neither `{_CLASSIC}` nor `{_METADATA}:` at its head")
    project = manifest(lock)
    graph = _Graph(entries)
    asking = graph.asking(project)
    scope = asking.scopes()
    direct = project is not None or any(entry.is_own for entry in entries)
    pins = (
        _pin(
            entry,
            scope=scope(_node(entry)),
            direct=asking.is_direct(_node(entry)) if direct else None,
        )
        for entry in entries
        if not entry.is_own
    )
    unseen = [*lock.cut_off("npm"), *dangling(lock, graph.missing)]
    if _CLASSIC not in head and not any(entry.is_own for entry in entries):
        detail = f"{lock.name}: the project itself is not in it; it may be cut off"
        unseen.append(Unseen(item="pkg:npm/*", reason="malformed", detail=detail))
    return read_of(lock, "npm", pins, unseen, () if project is not None else (_UNKNOWN,))


class _Graph:
    """Which entry a name and a range lead to."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries = list(entries)
        self._by_key = {key: _node(entry) for entry in self._entries for key in entry.keys}
        self._by_name: dict[str, list[str]] = {}
        for key, node in self._by_key.items():
            self._by_name.setdefault(_name_in(key), []).append(node)
        self.missing: list[str] = []

    def asking(self, project: dict[str, Any] | None) -> Asking:
        """Return who asks for what, as the entries and the project's own file say it."""
        asking = Asking()
        for entry in self._entries:
            asking.needs.setdefault(_node(entry), []).extend(self._nodes(entry.needs))
            asking.wants.setdefault(_node(entry), []).extend(self._nodes(entry.wants))
        apart: set[str] = set()
        if project is not None:
            for kind in ("devDependencies", "optionalDependencies"):
                apart |= {name for name, _ in ranges(project, kind)}
            found = len(self.missing)
            asking.dev |= set(self._nodes(ranges(project, "devDependencies")))
            asking.optional |= set(self._nodes(ranges(project, "optionalDependencies")))
            asking.runtime |= set(self._nodes(ranges(project, "dependencies")))
            if "workspaces" in project:
                del self.missing[found:]  # members of the workspace, which Yarn 1 does not write down
        root = next((entry for entry in self._entries if entry.is_root), None)
        for entry in self._entries:
            if entry.is_own:
                # Here all kinds are one list: of the root its own file tells them apart.
                needs = [pair for pair in entry.needs if entry is not root or pair[0] not in apart]
                asking.runtime |= set(self._nodes(needs))
                asking.optional |= set(self._nodes(entry.wants))
        return asking

    def _nodes(self, asked: Iterable[tuple[str, str]]) -> list[str]:
        found = []
        for name, wanted in asked:
            node = self._by_key.get(f"{name}@{wanted}") or self._by_key.get(f"{name}@npm:{wanted}")
            # A resolution of the project may lead elsewhere than the range says.
            nodes = [node] if node else self._by_name.get(name, [])
            found += nodes
            if not nodes:
                self.missing.append(name)
        return found


def _pin(entry: Entry, *, scope: tuple[str, ...], direct: bool | None) -> Pin:
    name, origin = _identity(entry)
    conditions = entry.fields.get("conditions", "")
    words = dict(_CONDITION.findall(conditions)) if "|" not in conditions else {}
    platform = platform_of(words.get("os"), words.get("cpu"))
    version = version_of(origin, entry.fields.get("version", ""))
    asked = entry.keys[0][len(_name_in(entry.keys[0])) + 1 :]
    if not origin and "/" in asked and not asked.startswith(_FROM_REGISTRY_OR_FOLDER):
        version = ""  # where it is from should follow: the entry ends too early
    return named(name, version, scope=scope, direct=direct, platform=platform)


def _identity(entry: Entry) -> tuple[str, str]:
    """Return the name of a package and where it is from."""
    if resolution := entry.fields.get("resolution"):
        name = _name_in(resolution)
        return name, resolution[len(name) + 1 :]
    name, _, alias = entry.keys[0].partition("@npm:")
    return _name_in(alias if "@" in alias[1:] else entry.keys[0]), entry.fields.get("resolved", "")


def _node(entry: Entry) -> str:
    # A patched package and what it was before stand in a file each for itself: they are one.
    return f"{_identity(entry)[0]}@{entry.fields.get('version', '')}"


def _name_in(key: str) -> str:
    """Return the name of ``@scope/name@range``."""
    return key[: key.find("@", 1)] if "@" in key[1:] else key


def _berry(lock: Lock) -> list[Entry]:
    found = documents(lock.data, lock.name, limits=_LIMITS)
    tree = found[0][1] if len(found) == 1 else None
    if not is_map(tree):
        raise UnseenError("malformed", f"{lock.name}: no map of packages")
    entries = []
    for keys, fields in tree.items():
        if keys == _METADATA:
            continue
        texts = {name: text_at(fields, name) for name in ("version", "resolution", "conditions")}
        meta = table(fields, "dependenciesMeta")
        pairs = ranges(fields, "dependencies") if is_map(fields) else []
        entries.append(
            Entry(
                keys=keys.split(", "),
                fields=texts,
                needs=[pair for pair in pairs if text_at(table(meta, pair[0]), "optional") != "true"],
                wants=[pair for pair in pairs if text_at(table(meta, pair[0]), "optional") == "true"],
            )
        )
    return entries
