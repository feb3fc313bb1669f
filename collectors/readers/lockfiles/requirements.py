"""``requirements.txt`` in the format of pip, with the files that it includes inside its root.

Nothing is fetched. What an include names but may not or cannot be read is unseen, with its line.
"""

import re
from dataclasses import dataclass, field
from posixpath import dirname, join, normpath
from typing import Final

from collectors.readers.lockfiles.lock import Lock
from collectors.readers.lockfiles.pins import Pin, read_of
from collectors.readers.lockfiles.requirement_lines import (
    from_address,
    is_own_code,
    logical_lines,
    option_at,
    requirement_at,
)
from detector.errors import Reason, UnseenError
from detector.model.facts import Unseen
from detector.model.items import package
from detector.reader import Read

_GENERATED: Final = re.compile(r"auto-?generated", re.IGNORECASE)
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_PATH: Final = re.compile(r"[A-Za-z0-9_./@+-]{1,255}")
_REQUIREMENTS: Final = ("-r", "--requirement")
_CONSTRAINTS: Final = ("-c", "--constraint")
_EDITABLE: Final = ("-e", "--editable")
_MOST_FILES: Final = 100
_MOST_LINES: Final = 200_000
_MOST_BYTES: Final = 16 * 1024 * 1024


def read(lock: Lock) -> Read:
    """Return the pins of the file and of what it includes. Raises UnseenError."""
    found = _Found(lock)
    found.add(lock, path="", above=(), constrains=False)
    found.apply_constraints()
    return read_of(lock, "pypi", found.pins, found.unseen, ())


@dataclass(slots=True)
class _Found:
    """What was found so far in a file and its includes."""

    first: Lock
    pins: list[Pin] = field(default_factory=list)
    unseen: list[Unseen] = field(default_factory=list)
    #: What requirements leave open, by item; a constraint may still pin it.
    open: dict[str, tuple[Pin, str]] = field(default_factory=dict)
    constraints: dict[str, str] = field(default_factory=dict)
    #: Files that are done, each as what it was read for.
    done: set[tuple[str, bool]] = field(default_factory=set)
    size: int = 0
    lines: int = 0

    def add(self, lock: Lock, *, path: str, above: tuple[str, ...], constrains: bool) -> None:
        """Add one file. ``path`` leads to it from the folder of the first, ``above`` are those around it."""
        if lock.data.startswith(_UTF16):  # what `pip freeze >` writes in some shells
            lock = Lock(lock.data.decode("utf-16", "replace").encode(), lock.name)
        text = lock.text()
        # People often leave out the last line end, tools never; a comment may be the head of a tool's file.
        if "--hash=" in text or _GENERATED.search(text[:1_000]) or text.rpartition("\n")[2].startswith("#"):
            self.unseen += lock.cut_off("pypi")
        if text.rstrip().endswith("\\"):
            self._miss("malformed", f"{lock.name}: its last line is to be continued; it may be cut off")
        for number, line, direct in logical_lines(text):
            self.lines += 1
            if self.lines > _MOST_LINES:
                raise UnseenError("too_large", f"{lock.name}:{number}: more than {_MOST_LINES} requirements")
            place = f"{lock.name}:{number}"
            option, value = option_at(line)
            if option in _REQUIREMENTS or option in _CONSTRAINTS:
                self._include(
                    value, place, path=path, above=above, constrains=constrains or option in _CONSTRAINTS
                )
            elif not option or option in _EDITABLE:
                self._take(value, place, direct=direct, editable=bool(option), constrains=constrains)

    def _take(self, line: str, place: str, *, direct: bool | None, editable: bool, constrains: bool) -> None:
        if is_own_code(line, editable=editable):
            return
        pin = from_address(line) if editable else requirement_at(line, direct=direct)
        if pin is None:
            self._miss("malformed", f"{place}: not a requirement with a version")
        elif constrains and pin.version:
            self.constraints[package("pypi", pin.name)] = pin.version
        elif pin.version:
            self.pins.append(pin)
        elif not constrains:
            self.open.setdefault(package("pypi", pin.name), (pin, place))

    def _include(
        self, value: str, place: str, *, path: str, above: tuple[str, ...], constrains: bool
    ) -> None:
        target = normpath(join(dirname(path), value))
        if "://" in value:
            self._miss("not_in_view", f"{place}: it includes an address, and nothing is fetched")
        elif value.startswith("/"):
            self._miss("not_in_view", f"{place}: it includes an absolute path, which is not followed")
        elif not _PATH.fullmatch(value):
            self._miss("malformed", f"{place}: it includes what is no plain path")
        elif target in (path, *above) or target == normpath(self.first.name.rpartition("/")[2]):
            self._miss("malformed", f"{place}: it includes {value}, which includes this file again")
        elif (target, constrains) not in self.done:
            self.done.add((target, constrains))
            try:
                self._open(target, path=path, above=above, constrains=constrains)
            except UnseenError as error:
                self._miss(error.reason, f"{place}: {value} is not read: {error.detail}")

    def _open(self, target: str, *, path: str, above: tuple[str, ...], constrains: bool) -> None:
        data = self.first.beside(target)
        self.size += len(data)
        if self.size > _MOST_BYTES or len(self.done) > _MOST_FILES:
            raise UnseenError("too_large", "more is included than any project asks for")
        name = normpath(join(dirname(self.first.name), target))
        self.add(Lock(data, name), path=target, above=(*above, path), constrains=constrains)

    def apply_constraints(self) -> None:
        """Pin what a constraint pins; what is still open then has no version that is known."""
        for item, (pin, place) in self.open.items():
            if item in self.constraints:
                self.pins.append(
                    Pin(
                        name=pin.name,
                        version=self.constraints[item],
                        direct=pin.direct,
                        platform=pin.platform,
                    )
                )
            else:
                detail = f"{place}: not pinned to one version"
                self.unseen.append(Unseen(item=item, reason="not_in_view", detail=detail))

    def _miss(self, reason: Reason, detail: str) -> None:
        self.unseen.append(Unseen(item="pkg:pypi/*", reason=reason, detail=detail))
