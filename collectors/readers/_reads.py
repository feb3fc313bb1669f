"""What the readers of code share: a place where the code reads a key, and how places become a section."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from collectors.readers._config import is_variable, lines_in_words
from detector.model.facts import Section, Unseen
from detector.model.shapes import stand_in_of
from detector.model.stand_ins import StandIn

#: Places of one key that are kept; the first ones say where to look.
_MOST_PLACES: Final = 20
_MOST_KEYS: Final = 5_000
_LONGEST_PATH: Final = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAt:
    """One place that reads a key. The default itself never gets here, only what it would stand in for."""

    name: str
    line: int
    #: Whether the code goes on without the key.
    default: bool = False
    stand_in: StandIn | None = None
    #: An example file names the key; no code was seen to read it there.
    declared: bool = False


@dataclass(slots=True, kw_only=True)
class Reads:
    """What one file reads: its keys, and the lines that read a name only known when the code runs."""

    found: list[ReadAt] = field(default_factory=list)
    computed: list[int] = field(default_factory=list)

    def add(self, name: str, line: int, *, default: bool, literal: object = None) -> None:
        """Take down a place. ``literal`` is the default that stands there, where it is plain text."""
        if not is_variable(name):
            self.computed.append(line)
            return
        stand_in = stand_in_of(name, literal) if isinstance(literal, str) else None
        self.found.append(ReadAt(name=name, line=line, default=default, stand_in=stand_in))


def reads_section(files: Mapping[str, Reads], unseen: Iterable[Unseen] = ()) -> Section:
    """Return the section of all files: it holds no facts and proves no absence, only what is read where."""
    reads: dict[str, list[dict[str, Any]]] = {}
    gaps = list(unseen)
    for path, here in sorted(files.items()):
        shown = shown_path(path)
        for place in sorted(here.found, key=lambda each: (each.line, each.name)):
            known = reads.setdefault(place.name, []) if len(reads) < _MOST_KEYS else reads.get(place.name, [])
            entry: dict[str, Any] = {"at": f"{shown}:{place.line}", "default": place.default}
            if place.stand_in is not None:
                entry["stand_in"] = place.stand_in
            if place.declared:
                entry["declared"] = True
            if entry not in known and len(known) < _MOST_PLACES:
                known.append(entry)
    computed = {path: lines for path, here in sorted(files.items()) if (lines := here.computed)}
    if computed:
        gaps.append(Unseen(item="reads#computed", reason="not_in_view", detail=_of_computed(computed)))
    return Section(
        basis="declared",
        status="partial" if gaps else "complete",
        covers=(),
        sees=(),
        unseen=tuple(gaps),
        reads=dict(sorted(reads.items())),
    )


def shown_path(path: str) -> str:
    """Return a path as it may stand in an item: one line of bounded length."""
    text = "".join(character if character.isprintable() else "?" for character in path).strip()
    return text if len(text) <= _LONGEST_PATH else f"…{text[-_LONGEST_PATH:]}"


def _of_computed(lines: Mapping[str, list[int]]) -> str:
    count = sum(map(len, lines.values()))
    path, first = next(iter(lines.items()))
    more = f" and {len(lines) - 1} more files" if len(lines) > 1 else ""
    return (
        f"{count} read{'s' * (count != 1)} with computed names"
        f" ({shown_path(path)} {lines_in_words(first[:3])}{more})"
    )
