"""Three other ways to keep the history of a fleet, as whoever begins a detector would write them.

Each answers the same two questions: what a target was after a poll, and what one item was over time.
"""

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Protocol

import orjson
import zstandard

from detector.model.facts import Value
from detector.model.words import SectionName

Facts = Mapping[SectionName, Mapping[str, Value]]


class Design(Protocol):
    """A database file, and what it can be told and asked. ``at`` is the number of a poll."""

    def record(self, target: int, at: int, facts: Facts) -> None:
        """Keep what a poll saw."""

    def state(self, target: int, at: int) -> Facts:
        """Return what was known after a poll."""

    def history(self, target: int, section: SectionName, item: str) -> Iterable[tuple[int, Value]]:
        """Return what an item was at each poll, oldest first."""

    def close(self) -> None:
        """Commit, and leave one file."""


class _File:
    """A database of SQLite with the same care for its data as ours."""

    schema: str

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path)
        self._database.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; {self.schema}")

    def close(self) -> None:
        self._database.commit()
        self._database.close()


class RowPerFact(_File):
    """Every fact of every poll is a row. An index over items spares a history the reading of all polls."""

    schema = """
        CREATE TABLE IF NOT EXISTS fact (
            target INTEGER, at INTEGER, section TEXT, item TEXT, value TEXT,
            PRIMARY KEY (target, at, section, item)
        ) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS fact_of_item ON fact (target, section, item, at);
    """

    def record(self, target: int, at: int, facts: Facts) -> None:
        self._database.executemany(
            "INSERT INTO fact VALUES (?, ?, ?, ?, ?)",
            (
                (target, at, section, item, orjson.dumps(value).decode())
                for section, found in facts.items()
                for item, value in found.items()
            ),
        )

    def state(self, target: int, at: int) -> Facts:
        query = "SELECT section, item, value FROM fact WHERE target = ? AND at = ?"
        found: dict[SectionName, dict[str, Value]] = {}
        for section, item, value in self._database.execute(query, (target, at)):
            found.setdefault(section, {})[item] = orjson.loads(value)
        return found

    def history(self, target: int, section: SectionName, item: str) -> Iterable[tuple[int, Value]]:
        query = "SELECT at, value FROM fact WHERE target = ? AND section = ? AND item = ? ORDER BY at"
        for at, value in self._database.execute(query, (target, section, item)):
            yield at, orjson.loads(value)


class BlobPerPoll(_File):
    """Every poll is one document, compressed."""

    schema = (
        "CREATE TABLE IF NOT EXISTS poll (target INTEGER, at INTEGER, body BLOB, PRIMARY KEY (target, at))"
    )

    def record(self, target: int, at: int, facts: Facts) -> None:
        row = (target, at, _compressed(facts))
        self._database.execute("INSERT INTO poll VALUES (?, ?, ?)", row)

    def state(self, target: int, at: int) -> Facts:
        query = "SELECT body FROM poll WHERE target = ? AND at = ?"
        [(body,)] = self._database.execute(query, (target, at))
        found: Facts = _read(body)
        return found

    def history(self, target: int, section: SectionName, item: str) -> Iterable[tuple[int, Value]]:
        query = "SELECT at, body FROM poll WHERE target = ? ORDER BY at"
        for at, body in self._database.execute(query, (target,)):
            yield at, _read(body)[section][item]


class BlobPerSection(_File):
    """Every section that was not seen before is one document, compressed, found by its digest."""

    schema = """
        CREATE TABLE IF NOT EXISTS body (digest BLOB PRIMARY KEY, body BLOB);
        CREATE TABLE IF NOT EXISTS poll (
            target INTEGER, at INTEGER, section TEXT, digest BLOB, PRIMARY KEY (target, at, section)
        ) WITHOUT ROWID;
    """

    def record(self, target: int, at: int, facts: Facts) -> None:
        for section, found in facts.items():
            digest = sha256(orjson.dumps(found, option=orjson.OPT_SORT_KEYS)).digest()[:16]
            known = self._database.execute("SELECT 1 FROM body WHERE digest = ?", (digest,)).fetchone()
            if known is None:
                self._database.execute("INSERT INTO body VALUES (?, ?)", (digest, _compressed(found)))
            self._database.execute("INSERT INTO poll VALUES (?, ?, ?, ?)", (target, at, section, digest))

    def state(self, target: int, at: int) -> Facts:
        query = "SELECT section, body FROM poll JOIN body USING (digest) WHERE target = ? AND at = ?"
        return {section: _read(body) for section, body in self._database.execute(query, (target, at))}

    def history(self, target: int, section: SectionName, item: str) -> Iterable[tuple[int, Value]]:
        query = "SELECT at, body FROM poll JOIN body USING (digest) WHERE target = ? AND section = ?"
        for at, body in self._database.execute(f"{query} ORDER BY at", (target, section)):
            yield at, _read(body)[item]


#: Name -> design.
DESIGNS: Final[dict[str, Callable[[Path], Design]]] = {
    "a row per fact": RowPerFact,
    "a zstd blob per poll": BlobPerPoll,
    "a zstd blob per section, by digest": BlobPerSection,
}


def _compressed(document: object) -> bytes:
    return zstandard.compress(orjson.dumps(document, option=orjson.OPT_SORT_KEYS))


def _read(body: bytes) -> Any:
    return orjson.loads(zstandard.decompress(body))
