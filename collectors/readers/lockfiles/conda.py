"""Lists of conda: ``conda list --export``, ``conda list --explicit`` and ``conda-lock.yml``.

What pip put into the environment is told apart and is of PyPI.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from collectors.readers._yaml import document
from collectors.readers.lockfiles.lock import Lock, table, tables, text_at
from collectors.readers.lockfiles.pins import Pin, read_of
from detector.errors import UnseenError
from detector.model.facts import Unseen
from detector.reader import Part, Read

_EXPLICIT: Final = "@EXPLICIT"
_PLATFORM: Final = re.compile(r"# platform: ([a-z0-9-]{1,32})")
_EXPORTED: Final = re.compile(r"(?P<name>[^\s=]+)=(?P<version>[^\s=]+)=(?P<build>[^\s=]+)")
_FILE: Final = re.compile(
    r"/(?P<name>[^/\s]{1,128})-(?P<version>[^-/\s]{1,128})-(?P<build>[^-/\s]{1,128})\.(?:conda|tar\.bz2)(?:[?#]|\Z)"
)
#: The build that conda gives to what pip installed.
_BY_PIP: Final = "pypi"


def read_list(lock: Lock) -> Read:
    """Return what ``conda list`` wrote. Raises UnseenError with the line that is no package."""
    conda: list[Pin] = []
    pip: list[Pin] = []
    platform: str | None = None
    explicit = False
    for number, line in enumerate(lock.text().splitlines(), start=1):
        text = line.strip()
        if match := _PLATFORM.fullmatch(text):
            platform = match[1]
        elif text == _EXPLICIT:
            explicit = True
        elif text and not text.startswith("#"):
            match = _FILE.search(text) if explicit else _EXPORTED.fullmatch(text)
            if match is None:
                raise UnseenError("malformed", f"{lock.name}:{number}: no package of conda; is it cut off?")
            pin = Pin(name=match["name"], version=match["version"], platform=platform)
            (pip if match["build"].startswith(_BY_PIP) else conda).append(pin)
    return _both(lock, conda, pip, lock.cut_off("conda"))


def read_lock(lock: Lock) -> Read:
    """Return the pins of a ``conda-lock.yml`` for all its platforms. Raises UnseenError."""
    lock.text()
    tree = document(lock.data, lock.name)
    packages = tables(tree, "package") if isinstance(tree, dict) else []
    if not packages:
        raise UnseenError("malformed", f"{lock.name}: no list `package` in it; is it a conda-lock.yml?")
    pins: dict[str, list[Pin]] = {"conda": [], "pip": []}
    for found in packages:
        pin = Pin(
            name=text_at(found, "name"),
            version=text_at(found, "version"),
            scope=_scope(found),
            platform=text_at(found, "platform") or None,
        )
        pins["pip" if text_at(found, "manager") == "pip" else "conda"].append(pin)
    unseen = lock.cut_off("conda")
    known = {text_at(found, "name") for found in packages}
    needed = {name for found in packages for name in table(found, "dependencies")}
    # Names with two underscores are what the machine itself must be.
    if any(name not in known for name in needed if not name.startswith("__")):
        detail = f"{lock.name}: it refers to packages that are not in it; it may be cut off"
        unseen.append(Unseen(item="pkg:conda/*", reason="malformed", detail=detail))
    elif "optional" not in packages[-1]:
        detail = f"{lock.name}: the last package does not end as the others; it may be cut off"
        unseen.append(Unseen(item="pkg:conda/*", reason="malformed", detail=detail))
    return _both(lock, pins["conda"], pins["pip"], unseen)


def _scope(found: dict[str, object]) -> tuple[str, ...]:
    if text_at(found, "category") in ("", "main"):
        return ("optional",) if found.get("optional") == "true" else ()
    return ("dev",) if text_at(found, "category") == "dev" else ("optional",)


def _both(lock: Lock, conda: Iterable[Pin], pip: Sequence[Pin], unseen: Sequence[Unseen]) -> Read:
    """Return packages of conda, and beside them those of PyPI where there are any."""
    read = read_of(lock, "conda", conda, unseen)
    if not pip:
        return read
    one = read.parts[0].sections["dependencies"]
    gaps = [replace(gap, item="pkg:pypi/*") for gap in unseen]
    other = read_of(lock, "pypi", pip, gaps).parts[0].sections["dependencies"]
    both = replace(
        one,
        status="partial" if "partial" in (one.status, other.status) else "complete",
        facts={**one.facts, **other.facts},
        hints={**one.hints, **other.hints},
        covers=(*one.covers, *other.covers),
        unseen=(*one.unseen, *other.unseen),
    )
    return Read(parts=(Part(sections={"dependencies": both}),))
