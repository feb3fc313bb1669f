"""What is found below a root, while one reader after the other adds to it."""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from typing import Final, NamedTuple

from collectors.readers.installed.tree import Keep
from detector.errors import Reason, UnseenError
from detector.model.facts import Section, Unseen, Value
from detector.model.items import package
from detector.model.words import Basis

#: Packages of one inventory at most.
MOST_PACKAGES: Final = 200_000
#: Entries of one item and reason that are told at most.
_MOST_TOLD: Final = 5
#: Folders of programs. Those that a package of the system brought are told by that package.
PROGRAM_FOLDERS: Final = frozenset({"bin", "libexec", "sbin"})
#: Folders of what was fetched to be built or installed: none of it is installed there.
_CACHES: Final = ("/.cache/", "/.gradle/", "/.m2/repository/", "/.npm/", "/go/pkg/mod/")
#: Where Debian's packages put what languages install elsewhere: dpkg tells them.
_OF_DPKG: Final = re.compile(
    r"/usr/(?:lib|share)/(?:[^/]+-linux-[^/]+/)?"
    r"(?:python[0-9.]*/dist-packages|nodejs|rubygems-integration|ruby/gems|java|maven-repo)(?:/.*)?"
)


class Want(NamedTuple):
    """Which files a reader asks for, and how much of each.

    ``glob`` is a path (``/etc/os-release``), all that stands directly in a folder (``/var/lib/x/*``), a name
    (``METADATA``) or an ending (``*.jar``); the last two may be asked for in certain folders only, whose path
    then holds ``inside``.
    """

    glob: str
    keep: Keep
    inside: str = ""


class Inventory:
    """Packages and versions, what is covered, and what could not be seen."""

    def __init__(self) -> None:
        #: Of each item, the values that were found: a set where there are several.
        self._values: dict[str, set[str]] = {}
        self._covers: dict[str, None] = {}
        self._unseen: list[Unseen] = []
        self._owned: set[str] = set()

    def own(self, paths: Iterable[str]) -> None:
        """Note files and folders that belong to packages of the system."""
        self._owned.update(paths)

    def is_owned(self, path: str) -> bool:
        """Tell whether a package of the system brought a file or folder: it is told by that package."""
        return path in self._owned

    def is_own(self, path: str) -> bool:
        """Tell whether a folder holds what was installed, by nobody's package manager but its language's."""
        if self.is_cache(path):
            return False
        return "pkg:deb/*" not in self._covers or _OF_DPKG.fullmatch(path) is None

    def is_cache(self, path: str) -> bool:
        """Tell whether a path is among what was fetched and is not installed."""
        return any(cache in path for cache in _CACHES)

    def packages(self) -> Iterator[tuple[str, Collection[str]]]:
        """Yield what was found: item and versions."""
        yield from self._values.items()

    def cover(self, glob: str) -> None:
        """Note that all items of a glob were looked for: what is not found is not there."""
        self._covers[glob] = None

    def add(self, ecosystem: str, name: str, version: str, namespace: str = "") -> None:
        """Note a package. Two versions of one are both told."""
        item = package(ecosystem, name, namespace)
        if item not in self._values and len(self._values) >= MOST_PACKAGES:
            raise UnseenError("too_large", f"more than {MOST_PACKAGES:,} packages")
        self.say(item, version)

    def say(self, item: str, value: str) -> None:
        """Note a fact. Two values of one are both told."""
        self._values.setdefault(item, set()).add(value)

    def miss(self, item: str, error: UnseenError) -> None:
        """Note what could not be seen: an item, or a glob of items."""
        self._unseen.append(Unseen(item=item, reason=error.reason, detail=error.detail))

    def unite(self, section: Section, leave: Collection[str] = ()) -> None:
        """Add what a reader of one database or program says, but for some items."""
        for item, value in section.facts.items():
            if item in leave:
                continue
            self._values.setdefault(item, set()).update(value if isinstance(value, list) else [str(value)])
        for glob in section.covers:
            self.cover(glob)
        self._unseen += section.unseen

    def section(self, basis: Basis) -> Section:
        """Return what was found."""
        facts: dict[str, Value] = {
            item: sorted(values) if len(values) > 1 else next(iter(values))
            for item, values in self._values.items()
        }
        return Section(
            basis=basis,
            status="partial" if self._unseen else "complete",
            facts=facts,
            covers=tuple(self._covers),
            unseen=tuple(self._told()),
        )

    def _told(self) -> Iterator[Unseen]:
        """Yield the first of what could not be seen for one reason, and how many more there are."""
        by_reason: dict[tuple[str, Reason], list[Unseen]] = {}
        for unseen in self._unseen:
            by_reason.setdefault((unseen.item, unseen.reason), []).append(unseen)
        for entries in by_reason.values():
            yield from entries[: _MOST_TOLD - 1]
            if len(entries) == _MOST_TOLD:
                yield entries[-1]
            elif len(entries) > _MOST_TOLD:
                more = len(entries) - _MOST_TOLD + 1
                yield replace(entries[-1], detail=f"{more} more, the last: {entries[-1].detail}")
