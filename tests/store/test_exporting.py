"""Export and import: the same lines from every database, and every line back, or none."""

import sqlite3
from collections.abc import Callable
from contextlib import aclosing, closing
from errno import ENOSPC
from hashlib import sha256
from typing import Any, BinaryIO

import orjson
import pytest

from detector.api.tokens import mint
from detector.errors import StoreBusyError, StoreInUseError, StoreSchemaError, UsageError
from detector.store import exporting, schema
from detector.store.importing import import_into
from detector.store.location import locate
from detector.store.schema import examined
from detector.store.store import Store, open_store
from detector.store.verifying import checks
from tests.databases import NewUrl, new_url_of
from tests.store.seen import MONDAY, RECEIVED, observed, packages
from tests.store.test_register import owed, settle
from tests.store.test_verifying import fill

Change = Callable[[list[bytes]], list[bytes]]


async def lines_of(store: Store) -> list[bytes]:
    whole = b"".join([some async for some in store.export()])
    return whole.splitlines(keepends=True)


async def filled(url: str) -> list[bytes]:
    """Fill a database with something in most tables, names beyond ASCII among it, and export it."""
    store = await open_store(url)
    await fill(store)
    for name in ("zeta", "Alpha", "ähre", "beta-1", "beta_1"):
        seen = observed(1, packages(1100), service=name, source="ci")
        await store.record(seen, received_at=RECEIVED, scheduled=False)
    await settle(store, owed=[owed("A"), owed("b"), owed("B")])
    await mint(store, name="ci", scopes=("read",), now=MONDAY, lasts=None)
    await store.put_label("prod", "1.0", 1, MONDAY)
    found = await lines_of(store)
    await store.close()
    return found


@pytest.fixture(params=["sqlite to postgres15", "postgres15 to sqlite", "sqlite to sqlite"])
def two(request: pytest.FixtureRequest) -> tuple[str, str]:
    """An empty database to export from and one to import into."""
    one, other = request.param.split(" to ")
    return new_url_of(one, request)(), new_url_of(other, request)()


async def test_what_is_imported_is_exported_byte_by_byte(two: tuple[str, str]) -> None:
    first, second = two
    exported = await filled(first)
    count = await import_into(locate(second), exported)
    assert count == len(exported) - 2
    store = await open_store(second)
    again = await lines_of(store)
    assert again == exported
    # New rows follow on the imported ones, and what was known is known.
    more = await store.record(observed(60, packages(1100, "2")), received_at=RECEIVED, scheduled=False)
    assert more.changed
    await settle(store, owed=[owed("C")])
    await store.close()
    location = locate(second)
    async with examined(location) as connection:
        assert [check async for check in checks(connection, location) if check.broken] == []


async def test_no_token_is_in_it_but_its_hash(sqlite_url: str) -> None:
    store = await open_store(sqlite_url)
    token = await mint(store, name="ci", scopes=("read",), now=MONDAY, lasts=None)
    exported = b"".join(await lines_of(store))
    await store.close()
    assert token.split("_")[1].encode() in exported
    assert token.split("_", 2)[2].encode() not in exported


def resealed(lines: list[bytes]) -> list[bytes]:
    """Give changed lines a last one that fits: what is wrong must be found for itself."""
    body = lines[:-1]
    digest = sha256(b"".join(body)).hexdigest()
    return [*body, orjson.dumps({"rows": len(body) - 1, "sha256": digest}) + b"\n"]


def _with(number: int, **change: Any) -> Change:
    def changed(lines: list[bytes]) -> list[bytes]:
        lines[number] = orjson.dumps(orjson.loads(lines[number]) | change) + b"\n"
        return resealed(lines)

    return changed


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda lines: [], "line 1: no object"),
        (lambda lines: lines[:-1], "cut off"),
        (lambda lines: [*lines[:5], *lines[6:]], "changed since"),
        (lambda lines: [*lines, b"{}\n"], "changed since"),
        (lambda lines: [*lines[:3], b"{no json}\n", *lines[4:]], "line 4: no object"),
        (_with(0, format="other/v1"), "line 1: this is no parity.export/v1"),
        (_with(2, table="pg_user"), "line 3: a row of no table"),
        (_with(2, hunter2=1), "line 3: a column that .* does not have"),
    ],
)
async def test_what_is_not_whole_leaves_nothing(new_sqlite_url: NewUrl, change: Change, why: str) -> None:
    exported = await filled(new_sqlite_url())
    second = new_sqlite_url()
    with pytest.raises(UsageError, match=why) as refused:
        await import_into(locate(second), change(list(exported)))
    assert "hunter2" not in str(refused.value)
    # And the same database still takes the whole one.
    assert await import_into(locate(second), exported) == len(exported) - 2


async def test_a_value_that_no_table_holds_is_named_by_its_line_and_not_repeated(
    new_sqlite_url: NewUrl,
) -> None:
    exported = await filled(new_sqlite_url())
    place = next(n for n, line in enumerate(exported) if b'"table":"token"' in line)
    with pytest.raises(UsageError, match=f"line {place + 1}: a value that token cannot hold") as refused:
        await import_into(locate(new_sqlite_url()), _with(place, hash="hunter2!")(list(exported)))
    assert "hunter2" not in str(refused.value)


async def test_an_export_of_a_newer_parity_is_refused(new_sqlite_url: NewUrl) -> None:
    exported = await filled(new_sqlite_url())
    with pytest.raises(StoreSchemaError, match=f"schema 0999, this one knows {schema.HEAD}"):
        await import_into(locate(new_sqlite_url()), _with(0, schema="0999")(exported))


async def test_a_database_that_holds_something_or_is_in_use_takes_no_import(new_sqlite_url: NewUrl) -> None:
    url = new_sqlite_url()
    exported = await filled(url)
    with pytest.raises(UsageError, match="is not empty"):
        await import_into(locate(url), exported)
    store = await open_store(url)
    with pytest.raises(StoreInUseError):
        await import_into(locate(url), exported)
    await store.close()


async def test_an_export_of_an_older_schema_is_migrated(tmp_path: Any) -> None:
    """As the first schema wrote it: it knew neither `again` nor the table of milestones."""
    rows = [
        {"table": "environment", "id": 7, "name": "prod"},
        {"table": "service", "id": 3, "name": "checkout"},
        {
            "table": "drift",
            "id": "01",
            "comparison": "staging..prod",
            "service": "checkout",
            "component": "main",
            "section": "config",
            "item": "A",
            "kind": "difference",
            "state": "open",
            "severity": "high",
            "opened_at": 1,
            "document": {},
        },
    ]
    first = {"format": "parity.export/v1", "schema": "0001"}
    lines = resealed([orjson.dumps(row) + b"\n" for row in (first, *rows, {})])
    url = f"sqlite:///{tmp_path}/new.db"
    assert await import_into(locate(url), lines) == 3
    store = await open_store(url)
    (row,) = await store.register()
    assert (row.id, row.again) == ("01", False)
    await store.close()


async def test_whoever_takes_an_export_slowly_holds_back_no_journal(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "_PIECE", 100)
    store = await open_store(sqlite_url)
    await fill(store)
    async with aclosing(store.export()) as pieces:
        assert (await anext(pieces)).startswith(b'{"format":')
        assert await anext(pieces)
        await store.record(observed(9, packages(50)), received_at=RECEIVED, scheduled=False)
        with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as beside:
            blocked, _, _ = beside.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    assert not blocked
    await store.close()


async def test_an_export_that_finds_no_room_says_where(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> BinaryIO:
        raise OSError(ENOSPC, "No space left on device")

    store = await open_store(sqlite_url)
    monkeypatch.setattr(exporting, "TemporaryFile", full)
    with pytest.raises(StoreBusyError, match="cannot hold the export"):
        await anext(store.export())
    await store.close()
