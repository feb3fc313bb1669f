"""``Gemfile.lock`` of Bundler: sections with a heading, and in them lines that are indented by what they are.

Gems for several platforms are one gem. Groups are not in it: they stand in the Gemfile alone.
"""

import re
from dataclasses import dataclass, field
from typing import Final

from collectors.readers.lockfiles.lock import Lock
from collectors.readers.lockfiles.pins import LOCAL, Pin, from_git, from_path, item_of, read_of
from detector.errors import UnseenError
from detector.model.facts import Unseen
from detector.reader import Read

_SOURCES: Final = frozenset({"GEM", "GIT", "PATH", "PLUGIN SOURCE"})
_OTHERS: Final = frozenset({"PLATFORMS", "DEPENDENCIES", "CHECKSUMS", "RUBY VERSION", "BUNDLED WITH"})
#: `name (version-platform)`, `name (~> 1.0)`, `name!` of a source that the Gemfile names.
_NAMED: Final = re.compile(r"([^\s(!]{1,128})(?: \(([^()]*)\))?(!?)")
_SETTING: Final = re.compile(r"([a-z_]{1,32}): ?(.*)")
_SETTING_DEPTH, _SPEC_DEPTH, _EDGE_DEPTH = 2, 4, 6


@dataclass(slots=True)
class _Source:
    """Where the gems of one section come from."""

    kind: str
    remote: str = ""
    revision: str = ""


@dataclass(slots=True)
class _Found:
    """What was found so far in one file."""

    heading: str = ""
    source: _Source = field(default_factory=lambda: _Source(""))
    #: Source, name, and version with platform.
    specs: list[tuple[_Source, str, str]] = field(default_factory=list)
    edges: set[str] = field(default_factory=set)
    asked_for: set[str] = field(default_factory=set)
    headings: set[str] = field(default_factory=set)
    bundler: str = ""

    def takes(self, depth: int, text: str) -> bool:
        """Take a line; False where it is not indented or written as Bundler does it."""
        if not depth:
            self.heading, self.source = text, _Source(text)
            self.headings.add(text)
            return text in _SOURCES or text in _OTHERS
        if self.heading in _SOURCES:
            return self._takes_of_source(depth, text)
        if self.heading == "DEPENDENCIES":
            named = _NAMED.fullmatch(text)
            self.asked_for |= {named[1]} if named else set()
            return depth == _SETTING_DEPTH and named is not None
        if self.heading == "BUNDLED WITH":
            self.bundler = text
        return bool(self.heading)

    def _takes_of_source(self, depth: int, text: str) -> bool:
        if depth == _SETTING_DEPTH and (setting := _SETTING.fullmatch(text)):
            if setting[1] == "remote":
                self.source.remote = setting[2]
            elif setting[1] == "revision":
                self.source.revision = setting[2]
            return True
        named = _NAMED.fullmatch(text)
        if named is None or depth not in (_SPEC_DEPTH, _EDGE_DEPTH):
            return False
        if depth == _EDGE_DEPTH:
            self.edges.add(named[1])
        elif named[2]:
            self.specs.append((self.source, named[1], named[2]))
        return depth == _EDGE_DEPTH or bool(named[2])


def read(lock: Lock) -> Read:
    """Return the pins. Raises UnseenError with the line that is not indented as Bundler does it."""
    found = _found(lock)
    if not found.headings & _SOURCES:
        raise UnseenError("malformed", f"{lock.name}: no GEM, GIT or PATH in it; is it a Gemfile.lock?")
    unseen = lock.cut_off("gem")
    known = {name for _, name, _ in found.specs}
    if "DEPENDENCIES" not in found.headings:
        unseen.append(_gap(f"{lock.name}: no DEPENDENCIES at its end; it may be cut off"))
    elif (found.edges | found.asked_for) - known - {"bundler"}:
        unseen.append(_gap(f"{lock.name}: it refers to gems that are not in it; it may be cut off"))
    pins = [
        Pin(
            name=name,
            version=_version(source, version),
            direct=name in found.asked_for if "DEPENDENCIES" in found.headings else None,
            platform=platform or None,
        )
        for source, name, text in found.specs
        for version, _, platform in (text.partition("-"),)
    ]
    if found.bundler:
        pins.append(Pin(name="bundler", version=found.bundler))
    else:
        detail = f"{lock.name}: no BUNDLED WITH at its end; the file may be cut off"
        unseen.append(Unseen(item=item_of("gem", "bundler"), reason="not_in_view", detail=detail))
    return read_of(lock, "gem", pins, unseen)


def _gap(detail: str) -> Unseen:
    return Unseen(item="pkg:gem/*", reason="malformed", detail=detail)


def _version(source: _Source, version: str) -> str:
    if source.kind == "GIT":
        return from_git(source.remote, source.revision) or ""
    return from_path(source.remote) or LOCAL if source.kind == "PATH" else version


def _found(lock: Lock) -> _Found:
    found = _Found()
    for number, line in enumerate(lock.text().splitlines(), start=1):
        text = line.lstrip(" ")
        if text.strip() and not found.takes(len(line) - len(text), text.rstrip()):
            detail = f"{lock.name}:{number}: not indented or written as Bundler does it; is it cut off?"
            raise UnseenError("malformed", detail)
    return found
