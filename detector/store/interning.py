"""Names and values, each stored once: item (section, name) -> id, value -> id, and back.

Found ids are remembered in memory within bounds. What a transaction adds is remembered only once that
transaction is committed: an id that was rolled back may come to mean something else.
"""

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import islice
from typing import Any, Final, NamedTuple, TypeVar, cast

import orjson
from sqlalchemy import insert, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from detector.model.canonical import value_bytes
from detector.model.facts import NOTHING, Section, Value
from detector.model.words import SECTIONS
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
_ADD_ITEM: Final = insert(item).returning(item.c.section, item.c.name, item.c.id)
_ADD_VALUE: Final = insert(value).returning(value.c.digest, value.c.id)


class Held(NamedTuple):
    """A stored value with its hints."""

    value: Value
    hints: Mapping[str, Any]


class Interning:
    """Gives ids to names and values, and names and values to ids."""

    def __init__(self) -> None:
        self._items: dict[str, dict[str, int]] = {section: {} for section in SECTIONS}
        self._names: dict[int, ItemName] = {}
        self._values: dict[str | bytes, int] = {}
        self._bodies: dict[int, Held] = {}
        self._new_items: dict[ItemName, int] = {}
        self._new_values: dict[str | bytes, int] = {}

    def remember(self) -> None:
        """Keep what the last transaction added: it is committed."""
        for (section, name), id_ in self._new_items.items():
            self._items[section][name] = id_
        for items in self._items.values():
            _bound(items)
        _add(self._values, {k: v for k, v in self._new_values.items() if len(k) <= _LONGEST_REMEMBERED})
        self.forget()

    def forget(self) -> None:
        """Drop what the last transaction added: it was rolled back."""
        self._new_items, self._new_values = {}, {}

    def unknown_items(self, section: str, names: Mapping[str, Any]) -> list[ItemName]:
        """Return the (section, name) that `item_ids` could not tell yet."""
        return [
            (section, name)
            for name in names.keys() - self._items[section].keys()
            if (section, name) not in self._new_items
        ]

    def unknown_values(self, keys: Iterable[str | bytes]) -> set[str | bytes]:
        """Return those `value_key` that `value_ids` could not tell yet."""
        return set(keys) - self._values.keys() - self._new_values.keys()

    def item_ids(self, section: str, names: Collection[str]) -> list[int]:
        """Return the id of each item of a section. For the writer, after `add_items`."""
        return _ids(names, self._items[section].get, lambda name: self._new_items[section, name])

    def value_ids(self, keys: Collection[str | bytes]) -> list[int]:
        """Return the id of each value by its `value_key`. For the writer, after `add_values`."""
        return _ids(keys, self._values.get, self._new_values.__getitem__)

    async def add_items(self, connection: AsyncConnection, names: Collection[ItemName]) -> None:
        """Find the ids of (section, name), giving one to each that is new. For the writer."""
        if not names:
            return
        unknown = list(dict.fromkeys(names))
        self._new_items |= await find_items(connection, unknown)
        new = [{"section": name[0], "name": name[1]} for name in unknown if name not in self._new_items]
        if new:
            added = await connection.execute(_ADD_ITEM, new)
            self._new_items |= {(section, name): id_ for section, name, id_ in added}

    async def add_values(self, connection: AsyncConnection, entries: Mapping[str | bytes, Held]) -> None:
        """Find the ids of values by `value_key`, giving one to each that is new. For the writer."""
        if not entries:
            return
        rows = {value_digest(body, hints): (key, body, hints) for key, body, hints in _bodies(entries)}
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
            ids.update((row.digest, row.id) for row in await connection.execute(_ADD_VALUE, new))
        self._new_values |= {key: ids[digest] for digest, (key, _, _) in rows.items()}

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


def chunks(things: Sequence[V], size: int = _CHUNK) -> Iterator[Sequence[V]]:
    """Yield parts that fit into one statement."""
    for start in range(0, len(things), size):
        yield things[start : start + size]


def _bodies(entries: Mapping[str | bytes, Held]) -> Iterator[tuple[str | bytes, bytes, bytes | None]]:
    for key, entry in entries.items():
        hints = orjson.dumps(dict(entry.hints), option=orjson.OPT_SORT_KEYS) if entry.hints else None
        yield key, value_bytes(entry.value), hints


def value_digest(body: bytes, hints: bytes | None) -> bytes:
    """Return what a value is stored under. JSON holds no zero byte: its two parts cannot be mistaken."""
    return sha256(body + b"\0" + (hints or b"")).digest()[:16]


def _split(keys: Collection[K], memory: Mapping[K, V]) -> tuple[dict[K, V], list[K]]:
    found: dict[K, V] = {}
    unknown: list[K] = []
    for key in dict.fromkeys(keys):
        if key in memory:
            found[key] = memory[key]
        else:
            unknown.append(key)
    return found, unknown


def _ids(keys: Collection[K], known: Callable[[K], int | None], new: Callable[[K], int]) -> list[int]:
    ids = list(map(known, keys))
    if None in ids:
        ids = [new(key) if id_ is None else id_ for key, id_ in zip(keys, ids, strict=True)]
    return cast("list[int]", ids)


def _add(memory: dict[K, V], entries: Mapping[K, V]) -> None:
    memory.update(entries)
    _bound(memory)


def _bound(memory: dict[K, V]) -> None:
    """Drop the half that came first of a memory that is full."""
    if len(memory) > _REMEMBERED:
        for key in list(islice(memory, len(memory) // 2)):
            del memory[key]
