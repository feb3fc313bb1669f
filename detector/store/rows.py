"""What commits change in the tables of facts, coverage and snapshots, written for many commits at once.

Statements are made once: to build one takes longer than to run it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import compress
from operator import eq, ne
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import (
    BigInteger,
    Column,
    Delete,
    Insert,
    Table,
    Update,
    bindparam,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from detector.store import tables as t
from detector.store import writing
from detector.store.columns import moment
from detector.store.fold import Facts
from detector.store.memory import Known
from detector.store.past import COVERAGE, FACTS

K = TypeVar("K", int, str)

_SQLITE: Final = sqlite.dialect(paramstyle="qmark")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta(Generic[K]):
    """What a commit changes in one open table: key -> new value, and the keys that end."""

    added: Mapping[K, int]
    changed: Mapping[K, int]
    gone: Collection[K]

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.gone)


def delta(before: Mapping[K, int], after: Mapping[K, int]) -> Delta[K]:
    """Return what leads from one state to the next."""
    if len(before) == len(after) and all(map(eq, before, after)):
        # The same keys in the same order, as a source mostly says them.
        differ = compress(after, map(ne, before.values(), after.values()))
        return Delta(added={}, changed={key: after[key] for key in differ}, gone=())
    new = {key: value for key, value in after.items() if before.get(key) != value}
    added = {key: value for key, value in new.items() if key not in before}
    return Delta(
        added=added,
        changed={key: value for key, value in new.items() if key not in added} if added else new,
        # As many as before, and those that are new: then none of the old ones is missing.
        gone=[key for key in before if key not in after] if len(after) - len(added) < len(before) else [],
    )


def facts_delta(before: Mapping[str, Facts], after: Mapping[str, Facts]) -> Delta[int]:
    """Return what leads from the facts of one state to those of the next, section by section."""
    added: dict[int, int] = {}
    changed: dict[int, int] = {}
    gone: list[int] = []
    for section in {**before, **after}:
        old, new = before.get(section, {}), after.get(section, {})
        if old is not new:
            part = delta(old, new)
            added |= part.added
            changed |= part.changed
            gone += part.gone
    return Delta(added=added, changed=changed, gone=gone)


class Rows:
    """The rows of one transaction, gathered: many commits are written by as many statements as one."""

    def __init__(self) -> None:
        self._deltas: dict[tuple[Table, Table], _Deltas] = {FACTS: _Deltas(), COVERAGE: _Deltas()}
        self._snapshots: list[dict[str, Any]] = []
        self._states: list[Known] = []

    def delta(self, tables: tuple[Table, Table], stream: int, change: Delta[K], *, at: int, seq: int) -> None:
        """Close what ended or changed, open what is new or changed."""
        rows = self._deltas[tables]
        rows.ended += [{"s": stream, "k": k, "a": at, "q": seq} for k in (*change.changed, *change.gone)]
        rows.gone += [{"s": stream, "k": k} for k in change.gone]
        rows.changed += [{"s": stream, "k": k, "v": v, "a": at, "q": seq} for k, v in change.changed.items()]
        rows.added += [(stream, k, v, at, seq) for k, v in change.added.items()]

    def snapshot(
        self,
        known: Known,
        facts: Delta[int],
        *,
        at: int,
        received_at: datetime,
        backdated: bool,
    ) -> None:
        """Add the snapshot that the newest change of a stream made."""
        self._snapshots.append(
            {
                "seq": known.changed_seq,
                "environment": known.environment,
                "number": known.changed_number,
                "stream": known.id,
                "at": moment(at),
                "received_at": received_at,
                "added": len(facts.added),
                "removed": len(facts.gone),
                "changed": len(facts.changed),
                "backdated": backdated,
            }
        )

    def state(self, known: Known) -> None:
        """Write the row of a stream."""
        self._states.append(known)

    async def write(self, connection: AsyncConnection) -> None:
        """Write all of them."""
        for tables, rows in self._deltas.items():
            for statement, some in zip(_CHANGES[tables], (rows.ended, rows.gone, rows.changed), strict=True):
                if some:
                    await connection.execute(statement, some)
            await write_new(connection, tables[0], rows.added)
        if self._snapshots:
            await connection.execute(_ADD_SNAPSHOT, self._snapshots)
        await writing.write_states(connection, self._states)


class _Deltas:
    def __init__(self) -> None:
        self.ended: list[dict[str, Any]] = []
        self.gone: list[dict[str, Any]] = []
        self.changed: list[dict[str, Any]] = []
        self.added: list[tuple[Any, ...]] = []


async def write_new(connection: AsyncConnection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Add rows to an open table, in the order of its columns: a first load has thousands of them."""
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        await connection.exec_driver_sql(_ADD_PLAIN[table], list(rows))
    elif len(rows) < _COPIED_FROM:
        names = table.columns.keys()
        await connection.execute(_ADD[table], [dict(zip(names, row, strict=True)) for row in rows])
    else:
        raw = await connection.get_raw_connection()
        driver: Any = raw.driver_connection
        await driver.copy_records_to_table(table.name, records=rows, columns=table.columns.keys())


def _changes(tables: tuple[Table, Table]) -> tuple[Insert, Delete, Update]:
    """Return how rows of an open table are closed, dropped and changed."""
    opened, past = tables
    key = opened.c.item if "item" in opened.c else opened.c.section
    here = (opened.c.stream == bindparam("s"), key == bindparam("k"))
    at, seq = bindparam("a", type_=BigInteger), bindparam("q", type_=BigInteger)
    columns: list[Column[Any]] = [opened.c.stream, key, opened.c.value, opened.c.opened, opened.c.opened_seq]
    names = [*(column.name for column in columns), "closed", "closed_seq"]
    return (
        insert(past).from_select(names, select(*columns, at, seq).where(*here)),
        delete(opened).where(*here),
        update(opened).where(*here).values(value=bindparam("v"), opened=at, opened_seq=seq),
    )


_CHANGES: Final = {tables: _changes(tables) for tables in (FACTS, COVERAGE)}
_ADD: Final = {tables[0]: insert(tables[0]) for tables in (FACTS, COVERAGE)}
#: Rows as they are: the way of a row through SQLAlchemy takes as long as the row itself.
_ADD_PLAIN: Final = {table: str(add.compile(dialect=_SQLITE)) for table, add in _ADD.items()}
#: Rows from which COPY is worth its beginning and its end.
_COPIED_FROM: Final = 50
_ADD_SNAPSHOT: Final = insert(t.snapshot)
