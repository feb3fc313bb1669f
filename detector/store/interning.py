"""Names and values, each stored once: item (section, name) -> id, value -> id, and back.

Found ids are remembered in memory within bounds. What a transaction adds is remembered only once that
transaction is committed: an id that was rolled back may come to mean something else.
"""

from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import islice
from typing import Any, Final, NamedTuple, TypeVar

import orjson
from sqlalchemy import insert, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from detector.model.canonical import value_bytes
from detector.model.facts import NOTHING, Section, Value
from detector.store.tables import item, value

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

ItemName = tuple[str, str]
#: All that a section says but its facts.
Document = Mapping[str, Any]
#: Entries of each memory.
_REMEMBERED: Final = 500_000
#: Parameters of one statement.
_CHUNK: Final = 500
#: Longer values are looked up each time.
_LONGEST_REMEMBERED: Final = 4096


class Held(NamedTuple):
    """A stored value with its hints."""

    value: Value
    hints: Mapping[str, Any]


class Interning:
    """Gives ids to names and values, and names and values to ids."""

    def __init__(self) -> None:
        self._items: dict[ItemName, int] = {}
        self._names: dict[int, ItemName] = {}
        self._values: dict[str | bytes, int] = {}
        self._bodies: dict[int, Held] = {}
        self._new_items: dict[ItemName, int] = {}
        self._new_values: dict[str | bytes, int] = {}

    def remember(self) -> None:
        """Keep what the last transaction added: it is committed."""
        _add(self._items, self._new_items)
        _add(self._values, {k: v for k, v in self._new_values.items() if len(k) <= _LONGEST_REMEMBERED})
        self.forget()

    def forget(self) -> None:
        """Drop what the last transaction added: it was rolled back."""
        self._new_items, self._new_values = {}, {}

    async def item_ids(self, connection: AsyncConnection, names: Collection[ItemName]) -> dict[ItemName, int]:
        """Return the id of each (section, name), adding those that are new. For the writer."""
        found, unknown = _split(names, self._items, self._new_items)
        if unknown:
            self._new_items |= await find_items(connection, unknown)
            new = [{"section": name[0], "name": name[1]} for name in unknown if name not in self._new_items]
            if new:
                statement = insert(item).returning(item.c.section, item.c.name, item.c.id)
                added = await connection.execute(statement, new)
                self._new_items |= {(section, name): id_ for section, name, id_ in added}
            found |= {name: self._new_items[name] for name in unknown}
        return found

    async def value_ids(
        self, connection: AsyncConnection, entries: Mapping[str | bytes, Held]
    ) -> dict[str | bytes, int]:
        """Return the id of each value by its `value_key`, adding those that are new. For the writer."""
        found, unknown = _split(entries, self._values, self._new_values)
        if unknown:
            rows = {
                value_digest(body, hints): (key, body, hints)
                for key, body, hints in _bodies(unknown, entries)
            }
            ids: dict[bytes, int] = {}
            for digests in chunks(list(rows)):
                query = select(value.c.digest, value.c.id).where(value.c.digest.in_(digests))
                ids.update((row.digest, row.id) for row in await connection.execute(query))
            new = [
                {"digest": digest, "body": body, "hints": hints}
                for digest, (_, body, hints) in rows.items()
                if digest not in ids
            ]
            if new:
                statement = insert(value).returning(value.c.digest, value.c.id)
                ids.update((row.digest, row.id) for row in await connection.execute(statement, new))
            self._new_values |= {key: ids[digest] for digest, (key, _, _) in rows.items()}
            found |= {key: self._new_values[key] for key in unknown}
        return found

    async def names_of(self, connection: AsyncConnection, ids: Collection[int]) -> dict[int, ItemName]:
        """Return (section, name) of items. For any connection that can see them committed."""
        found, unknown = _split(ids, self._names)
        for some in chunks(unknown):
            query = select(item.c.id, item.c.section, item.c.name).where(item.c.id.in_(some))
            fresh = {id_: (section, name) for id_, section, name in await connection.execute(query)}
            found |= fresh
            _add(self._names, fresh)
        return found

    async def values_of(self, connection: AsyncConnection, ids: Collection[int]) -> dict[int, Held]:
        """Return values with their hints. For any connection that can see them committed."""
        found, unknown = _split(ids, self._bodies)
        for some in chunks(unknown):
            query = select(value.c.id, value.c.body, value.c.hints).where(value.c.id.in_(some))
            short = {}
            for id_, body, hints in await connection.execute(query):
                found[id_] = Held(orjson.loads(body), orjson.loads(hints) if hints else NOTHING)
                if len(body) <= _LONGEST_REMEMBERED:
                    short[id_] = found[id_]
            _add(self._bodies, short)
        return found


async def find_items(connection: AsyncConnection, names: Sequence[ItemName]) -> dict[ItemName, int]:
    """Return the ids of those (section, name) that are stored."""
    found: dict[ItemName, int] = {}
    for some in chunks(names):
        query = select(item.c.section, item.c.name, item.c.id).where(
            tuple_(item.c.section, item.c.name).in_(some)
        )
        found |= {(section, name): id_ for section, name, id_ in await connection.execute(query)}
    return found


def value_key(entry: Value, hints: Mapping[str, Any] | None) -> str | bytes:
    """Return what a value is remembered by: a plain text by itself, all others by their canonical bytes."""
    if type(entry) is str and not hints:
        return entry
    body = value_bytes(entry)
    return body + b"\0" + orjson.dumps(dict(hints), option=orjson.OPT_SORT_KEYS) if hints else body


def coverage_document(section: Section) -> dict[str, Any]:
    """Return all that a section says but its facts. Its lists are sets, as in every value."""
    return {
        "basis": section.basis,
        "status": section.status,
        "covers": sorted(section.covers),
        "sees": sorted(section.sees),
        "unseen": [
            {"item": entry.item, "reason": entry.reason, "detail": entry.detail} for entry in section.unseen
        ],
        "reads": dict(section.reads),
        **({"gone": True} if section.gone else {}),
    }


def chunks(things: Sequence[V]) -> Iterator[Sequence[V]]:
    """Yield parts that fit into one statement."""
    for start in range(0, len(things), _CHUNK):
        yield things[start : start + _CHUNK]


def _bodies(
    keys: Sequence[str | bytes], entries: Mapping[str | bytes, Held]
) -> Iterator[tuple[str | bytes, bytes, bytes | None]]:
    for key in keys:
        entry = entries[key]
        hints = orjson.dumps(dict(entry.hints), option=orjson.OPT_SORT_KEYS) if entry.hints else None
        yield key, value_bytes(entry.value), hints


def value_digest(body: bytes, hints: bytes | None) -> bytes:
    """Return what a value is stored under. JSON holds no zero byte: its two parts cannot be mistaken."""
    return sha256(body + b"\0" + (hints or b"")).digest()[:16]


def _split(keys: Collection[K], *memories: Mapping[K, V]) -> tuple[dict[K, V], list[K]]:
    found: dict[K, V] = {}
    unknown: list[K] = []
    for key in dict.fromkeys(keys):
        for memory in memories:
            if key in memory:
                found[key] = memory[key]
                break
        else:
            unknown.append(key)
    return found, unknown


def _add(memory: dict[K, V], entries: Mapping[K, V]) -> None:
    """Add entries; a memory that is full drops the half that came first."""
    memory.update(entries)
    if len(memory) > _REMEMBERED:
        for key in list(islice(memory, len(memory) // 2)):
            del memory[key]
