"""Reading back what `exporting` wrote: into an empty database of either kind, all of it or nothing."""

import base64
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

import orjson
from sqlalchemy import (
    Column,
    Connection,
    Integer,
    LargeBinary,
    delete,
    func,
    insert,
    inspect,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from detector.errors import StoreError, StoreSchemaError, UsageError
from detector.store import register_tables as r
from detector.store.columns import Time, moment
from detector.store.exporting import FORMAT, MARK, ROWS, TABLES, holds_text
from detector.store.location import Location
from detector.store.schema import HEAD, bring_to, looking_at


async def import_into(location: Location, lines: Iterable[bytes]) -> int:
    """Fill an empty database with what was exported, and return the rows.

    An export of an older Parity goes into the tables of then, and is migrated. Raises UsageError with the
    line at fault, and where the database is not empty; StoreInUseError; StoreSchemaError for an export of a
    newer Parity.
    """
    owner = await location.own()
    try:
        async with looking_at(location, location.inspector()) as connection:
            count = await _Import(connection, location).run(lines)
            if orphans := await location.damages(connection):
                raise StoreError(f"what was imported cannot be true: {orphans[0]}")
            return count
    finally:
        await owner.release()


class _Import:
    """One import, in the transaction of one connection."""

    def __init__(self, connection: AsyncConnection, location: Location) -> None:
        self._connection = connection
        self._location = location
        #: Table -> its columns in the schema of the export.
        self._columns: Mapping[str, set[str]] = {}
        self._table = ""
        self._rows: list[dict[str, Any]] = []

    async def run(self, lines: Iterable[bytes]) -> int:
        numbered = enumerate(lines, start=1)
        _, line = next(numbered, (1, b""))
        digest = sha256(line)
        await bring_to(self._connection, self._location, _schema_of(line))
        self._columns = await self._connection.run_sync(_columns)
        await self._require_empty()
        for count, (number, line) in enumerate(numbered):
            document = _parsed(line, number)
            if "sha256" in document:
                whole = document == {"rows": count, "sha256": digest.hexdigest()}
                if not whole or next(numbered, None) is not None:
                    raise UsageError(f"line {number}: the export was changed since: nothing was imported")
                await self._write()
                await self._finish()
                return count
            await self._take(document, number)
            digest.update(line)
        raise UsageError("the export was cut off, it has no last line: nothing was imported")

    async def _require_empty(self) -> None:
        known = [TABLES[name] for name in self._columns if name in TABLES]
        await self._connection.execute(delete(r.audit_event).where(r.audit_event.c.action == MARK))
        for table in known:
            query = select(func.count()).select_from(table)
            if (await self._connection.execute(query)).scalar_one():
                raise UsageError(f"{self._location} is not empty: import into a new database")

    async def _take(self, document: dict[str, Any], number: int) -> None:
        name = document.pop("table", None)
        if not isinstance(name, str) or name not in TABLES or name not in self._columns:
            raise UsageError(f"line {number}: a row of no table that Parity has")
        if document.keys() - self._columns[name]:
            raise UsageError(f"line {number}: a column that {name} does not have")
        if name != self._table or len(self._rows) >= ROWS:
            await self._write()
            self._table = name
        try:
            # All rows of a table name the same columns: they are written by one statement.
            row = {
                column.name: _read(column, document.get(column.name))
                for column in TABLES[name].columns
                if column.name in self._columns[name]
            }
        except (ValueError, TypeError, AttributeError, OverflowError):
            raise UsageError(f"line {number}: a value that {name} cannot hold") from None
        self._rows.append(row)

    async def _write(self) -> None:
        if self._rows:
            await self._connection.execute(insert(TABLES[self._table]), self._rows)
            self._rows = []

    async def _finish(self) -> None:
        """Bring the tables up to date, and let new rows follow on the imported ones."""
        await bring_to(self._connection, self._location, HEAD)
        if self._connection.dialect.name != "postgresql":
            return
        for table in TABLES.values():
            if "id" in table.columns and isinstance(table.c.id.type, Integer):
                newest = select(func.max(table.c.id)).scalar_subquery()
                sequence = func.pg_get_serial_sequence(table.name, "id")
                following = func.setval(sequence, func.coalesce(newest, 1), newest.is_not(None))
                await self._connection.execute(select(following))


def _columns(connection: Connection) -> dict[str, set[str]]:
    inspected = inspect(connection)
    return {
        name: {column["name"] for column in inspected.get_columns(name)}
        for name in inspected.get_table_names()
    }


def _schema_of(line: bytes) -> str:
    document = _parsed(line, 1)
    schema = document.get("schema")
    if document.get("format") != FORMAT or not isinstance(schema, str) or not schema.isdigit():
        raise UsageError(f"line 1: this is no {FORMAT}: parity db export makes one")
    if schema > HEAD:
        raise StoreSchemaError(
            f"the export was made by a newer Parity (schema {schema}, this one knows {HEAD}): "
            "install that version or a later one"
        )
    return schema


def _parsed(line: bytes, number: int) -> dict[str, Any]:
    try:
        document = orjson.loads(line)
    except orjson.JSONDecodeError:
        document = None
    if not isinstance(document, dict):
        raise UsageError(f"line {number}: no object in JSON: is the file whole?")
    return document


def _read(column: Column[Any], word: Any) -> Any:
    if word is None:
        return None
    if isinstance(column.type, Time):
        return moment(word)
    if isinstance(column.type, LargeBinary):
        return word.encode() if holds_text(column) else base64.b64decode(word, validate=True)
    return word
