"""Everything that is stored as lines of JSON, the same from SQLite and from PostgreSQL.

The first line names the schema, each further one is a row, the last one counts them and has the digest of all
lines before it. Times are microseconds since 1970 in UTC, as they are stored; bytes are base64, but for those
that hold JSON. Rows stand in the order of their keys: what is exported twice is equal byte by byte.
"""

import asyncio
import base64
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import ExitStack
from hashlib import sha256
from tempfile import TemporaryFile, gettempdir
from typing import Any, BinaryIO, Final

import orjson
from sqlalchemy import (
    Column,
    ColumnElement,
    LargeBinary,
    RowMapping,
    Select,
    String,
    Table,
    literal,
    select,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from detector.errors import StoreBusyError
from detector.store import register_tables as r
from detector.store import tables as t
from detector.store.columns import Time, micros
from detector.store.database import Database
from detector.store.schema import HEAD

FORMAT: Final = "parity.export/v1"
MEDIA_TYPE: Final = "application/x-ndjson"
#: Rows that are read, or written, at a time.
ROWS: Final = 1_000
#: Bytes of an export that are handed on at a time.
_PIECE: Final = 2**20
#: Bytes that hold JSON, and are more use to a reader as they are.
_TEXTS: Final = {("value", "body"), ("value", "hints"), ("remembered", "body")}
#: The mark of an owner of a PostgreSQL database: of no meaning to another one.
MARK: Final = "open store"
TABLES: Final = {table.name: table for table in t.metadata.sorted_tables}


class Exporting:
    """Writes everything down."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def export(self) -> AsyncGenerator[bytes, None]:
        """Yield one committed state in pieces, of which one may end in the middle of a line.

        It is written down before the first piece: whoever takes it slowly holds no state of the database,
        behind which a journal would grow. Raises StoreError.
        """
        try:
            whole = await self._written_down()
        except OSError as error:
            raise StoreBusyError(
                f"{gettempdir()} cannot hold the export ({error.strerror}): free some, or set TMPDIR"
            ) from None
        with whole:
            while piece := await asyncio.to_thread(whole.read, _PIECE):
                yield piece

    async def _written_down(self) -> BinaryIO:
        """Return a file without a name, at its beginning."""
        with ExitStack() as on_failure:
            whole = on_failure.enter_context(TemporaryFile())
            async with self._database.read() as connection:
                async for lines in exported(connection):
                    await asyncio.to_thread(whole.write, lines)
            whole.seek(0)
            on_failure.pop_all()
        return whole


async def exported(connection: AsyncConnection) -> AsyncIterator[bytes]:
    """Yield everything that a connection sees, some lines at a time."""
    digest, count = sha256(), 0
    first = _line({"format": FORMAT, "schema": HEAD})
    digest.update(first)
    yield first
    for table in TABLES.values():
        async for rows in _pages(connection, table):
            lines = b"".join(_line(_document(table, row)) for row in rows)
            digest.update(lines)
            count += len(rows)
            yield lines
    yield _line({"rows": count, "sha256": digest.hexdigest()})


async def _pages(connection: AsyncConnection, table: Table) -> AsyncIterator[Sequence[RowMapping]]:
    keys = [_sortable(connection, column) for column in table.primary_key.columns]
    query: Select[Any] = select(table).order_by(*keys).limit(ROWS)
    if table is r.audit_event:
        query = query.where(r.audit_event.c.action != MARK)
    page = query
    while True:
        rows = (await connection.execute(page)).mappings().all()
        if not rows:
            return
        yield rows
        last = tuple(literal(rows[-1][column.name], column.type) for column in table.primary_key.columns)
        page = query.where(tuple_(*keys) > tuple_(*last))


def _sortable(connection: AsyncConnection, column: Column[Any]) -> ColumnElement[Any]:
    """Return a key that sorts alike everywhere: by bytes, whatever the language of the database."""
    if connection.dialect.name == "postgresql" and isinstance(column.type, String):
        return column.collate("C")
    return column


def _line(document: Any) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)


def _document(table: Table, row: RowMapping) -> dict[str, Any]:
    return {"table": table.name} | {
        # A name of SQLAlchemy is no plain text for orjson.
        str(column.name): _written(column, row[column.name])
        for column in table.columns
        if row[column.name] is not None
    }


def _written(column: Column[Any], word: Any) -> Any:
    if isinstance(column.type, Time):
        return micros(word)
    if isinstance(column.type, LargeBinary):
        return word.decode() if holds_text(column) else base64.b64encode(word).decode()
    return word


def holds_text(column: Column[Any]) -> bool:
    """Tell whether the bytes of a column are shown as they are."""
    return (column.table.name, column.name) in _TEXTS
