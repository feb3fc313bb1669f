"""A store on PostgreSQL: how it is opened, who owns it, and that its refusals are in our own words."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from detector.errors import StoreBusyError, StoreError, StoreInUseError, StoreSchemaError, UsageError
from detector.store import schema, writing
from detector.store.postgres import _name
from detector.store.store import Store, open_store
from detector.store.tables import metadata
from tests.databases import NewUrl, database_url
from tests.servers.postgres import Postgres, Postgres15
from tests.store.seen import RECEIVED, minute, observed, packages


@pytest.fixture
def url(new_postgres_url: NewUrl) -> str:
    return new_postgres_url()


async def add(store: Store, at: float, count: int) -> None:
    await store.record(observed(at, packages(count)), received_at=RECEIVED, scheduled=False)


async def count(store: Store) -> int:
    return len((await store.streams())[0].sections["dependencies"].facts)


async def tells_its_story(url: str) -> None:
    """Make, write, say again, write over, close, open, read."""
    store = await open_store(url)
    await add(store, 0, 3)
    await add(store, 2, 5)
    await add(store, 1, 4)
    await add(store, 3, 5)
    assert await store.flush() == 1
    await store.close()
    store = await open_store(url)
    (stream,) = await store.streams()
    assert (stream.last_seen, len(stream.sections["dependencies"].facts)) == (minute(3), 5)
    (then,) = await store.streams(as_of=minute(1))
    assert len(then.sections["dependencies"].facts) == 4
    assert [found.number for found in await store.snapshots("prod")] == [3, 2, 1]
    await store.close()


async def test_the_tables_are_those_that_the_code_knows(url: str) -> None:
    def differences(connection: Any) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))

    store = await open_store(url)
    async with store._database.write() as connection:
        assert await connection.run_sync(differences) == []
    await store.close()


# --- who owns it --------------------------------------------------------------------------------------

HOLDER = """
import asyncio, sys
from detector.store.store import open_store

async def hold():
    store = await open_store(sys.argv[1])
    print("held", flush=True)
    await asyncio.sleep(600)

asyncio.run(hold())
"""


@pytest.fixture
def held(url: str) -> Iterator[subprocess.Popen[bytes]]:
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, url],
        stdout=subprocess.PIPE,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


async def test_a_second_owner_is_told_who_the_first_is(url: str, held: subprocess.Popen[bytes]) -> None:
    with pytest.raises(StoreInUseError, match=f"in use by process {held.pid} on ") as refused:
        await open_store(url)
    assert refused.value.exit_code == 4
    held.kill()
    await (await open_store(url)).close()  # a dead owner owns nothing


async def test_readers_stand_beside_the_owner_and_alone_and_never_write(url: str) -> None:
    owner = await open_store(url)
    reader = await open_store(url, read_only=True)
    await add(owner, 0, 2)
    assert await count(reader) == 2
    with pytest.raises(StoreError, match="read only"):
        await add(reader, 1, 3)
    with pytest.raises(StoreBusyError, match="cannot be written"):
        async with reader._database.read() as connection:
            await connection.execute(text("DELETE FROM fact"))
    await owner.close()
    assert await count(reader) == 2
    await reader.close()


async def test_a_read_sees_one_state_whatever_is_committed_meanwhile(url: str) -> None:
    store = await open_store(url)
    async with store._database.read() as connection:
        before = await connection.scalar(text("SELECT count(*) FROM fact"))
        await add(store, 0, 2)
        assert await connection.scalar(text("SELECT count(*) FROM fact")) == before
    await store.close()


async def end_sessions(server: Postgres) -> None:
    """Returns when they are gone."""
    sessions = "pg_stat_activity WHERE datname = 'parity'"
    await server.fetch(f"SELECT pg_terminate_backend(pid, 5000) FROM {sessions}")


async def test_an_owner_that_lost_its_connections_goes_on(url: str, server: Postgres) -> None:
    store = await open_store(url)
    await add(store, 0, 1)
    await end_sessions(server)
    await add(store, 1, 2)
    assert await count(store) == 2
    with pytest.raises(StoreInUseError):
        await open_store(url)
    await store.close()


async def test_an_owner_that_another_came_after_writes_no_more(url: str, server: Postgres) -> None:
    first = await open_store(url)
    await add(first, 0, 1)
    await end_sessions(server)
    second = await open_store(url)
    await add(second, 1, 2)
    with pytest.raises(StoreInUseError, match="in use by"):
        await add(first, 2, 3)
    await second.close()
    for _ in range(2):
        with pytest.raises(StoreInUseError, match="start Parity again"):
            await add(first, 2, 3)
    assert await count(first) == 2
    await first.close()
    await (await open_store(url)).close()


END_OWNER = "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory'"


async def test_what_is_under_way_when_another_takes_over_is_not_committed(url: str, server: Postgres) -> None:
    first = await open_store(url)
    await add(first, 0, 1)
    others: list[Store] = []

    async def overtaken() -> None:
        async with first._database.write() as connection:
            await connection.execute(text("DELETE FROM fact"))
            await server.fetch(END_OWNER)
            others.append(await open_store(url))

    with pytest.raises(StoreInUseError, match=f"in use by process {os.getpid()} on "):
        await overtaken()
    (second,) = others
    assert await count(second) == 1
    await second.close()
    await first.close()


# --- where it is --------------------------------------------------------------------------------------


def test_a_unix_socket_reaches_it() -> None:
    with Postgres15(settings={"unix_socket_directories": "/tmp"}) as server:
        user, _, address = server.dsn.removeprefix("postgresql://").partition("@")
        port = address.partition("/")[0].rpartition(":")[2]
        url = f"postgresql+asyncpg://{user}@/{server.database}?host=/tmp&port={port}"
        asyncio.run(tells_its_story(url))


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        (lambda url: url.replace("/parity", "/nowhere"), StoreError, "database nowhere at .* does not exist"),
        (lambda url: re.sub(r":[^:@]*@", ":hunter2@", url), StoreError, "refused the user"),
        (lambda url: re.sub(r":\d+/", ":1/", url), StoreBusyError, "does not answer"),
        (lambda url: re.sub(r":\d+/", ":none/", url), StoreError, "no address of PostgreSQL"),
        (lambda url: url.replace("postgresql:", "postgresql+psycopg:"), UsageError, "not supported"),
        (lambda url: url + "?sslmode=hunter2", StoreError, "no address of PostgreSQL"),
        (lambda url: url + "?hunter2=hunter2", StoreError, "refused a statement"),
    ],
)
@pytest.mark.parametrize("read_only", [False, True])
async def test_an_address_that_leads_nowhere_is_refused_without_it(
    url: str,
    change: Any,
    kind: type[StoreError],
    words: str,
    read_only: bool,  # noqa: FBT001
) -> None:
    with pytest.raises(kind, match=words) as refused:
        await open_store(change(url), read_only=read_only)
    password = re.findall(r":([^:@]*)@", url)[0]
    assert password not in str(refused.value)
    assert "hunter2" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


@pytest.mark.parametrize(
    ("rest", "name"),
    [
        ("u:p@db.example:5432/parity", "the database parity at db.example"),
        ("parity@/parity?host=/run/postgresql", "the database parity at /run/postgresql"),
        ("/parity", "the database parity at this machine"),
        ("db", "the database of database_url"),
        # Passwords that were not quoted: no part of them may be taken for a name.
        ("u:p@ss@db/parity", "the database parity at db"),
        ("u:12/ss@db/parity", "the database of database_url"),
        ("u:p?ss@db/parity", "the database of database_url"),
        ("u:p#ss@db/parity", "the database of database_url"),
        ("u:[ss@db/parity", "the database of database_url"),
    ],
)
def test_a_database_is_named_by_nothing_secret(rest: str, name: str) -> None:
    assert _name(f"postgresql://{rest}") == name


async def test_a_missing_driver_names_what_installs_it(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    monkeypatch.delitem(sys.modules, "detector.store.postgres")
    with pytest.raises(StoreError, match=re.escape("pip install 'parity-detector[postgres]'")):
        await open_store(url)


# --- what it is ---------------------------------------------------------------------------------------


async def bare_database(server: Postgres, options: str = "") -> str:
    """Make a database that Parity never saw."""
    await server.execute("DROP DATABASE IF EXISTS bare WITH (FORCE)")
    await server.execute(f"CREATE DATABASE bare {options}")
    return database_url(server, "bare")


async def test_a_database_of_another_program_is_left_as_it_was(server: Postgres) -> None:
    url = await bare_database(server)
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE note (text TEXT)")
    with pytest.raises(StoreSchemaError, match="another program"):
        await open_store(url)
    assert await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == [
        ("note",)
    ]
    await connection.close()


async def test_what_was_never_started_on_cannot_be_read(server: Postgres) -> None:
    url = await bare_database(server)
    with pytest.raises(StoreSchemaError, match="is empty: start `parity serve`"):
        await open_store(url, read_only=True)


@pytest.mark.parametrize("read_only", [False, True])
async def test_a_newer_schema_is_refused_with_both_versions(
    url: str,
    read_only: bool,  # noqa: FBT001
) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("UPDATE alembic_version SET version_num = '0999'")
    with pytest.raises(StoreSchemaError, match=f"0999, this one knows {schema.HEAD}"):
        await open_store(url, read_only=read_only)
    await connection.execute(f"UPDATE alembic_version SET version_num = '{schema.HEAD}'")
    await connection.close()


async def test_one_that_cannot_hold_every_text_is_refused(server: Postgres) -> None:
    url = await bare_database(server, "ENCODING LATIN1 LOCALE 'C' TEMPLATE template0")
    with pytest.raises(StoreSchemaError, match="--encoding=UTF8"):
        await open_store(url)


# --- what may go wrong with one statement ---------------------------------------------------------------


async def test_a_zero_character_is_refused_by_name_and_harms_nothing(url: str) -> None:
    store = await open_store(url)
    with pytest.raises(StoreError, match=re.escape("U+0000")):
        await store.record(observed(0, {"pkg:pypi/\0": "1"}), received_at=RECEIVED, scheduled=False)
    # Of a value nothing is lost.
    await store.record(observed(1, {"pkg:pypi/a": "\0"}), received_at=RECEIVED, scheduled=False)
    (stream,) = await store.streams()
    assert stream.sections["dependencies"].facts == {"pkg:pypi/a": "\0"}
    await store.close()


CONFLICT = text("DO $$ BEGIN RAISE EXCEPTION 'hunter2' USING ERRCODE = '40P01'; END $$")


@pytest.mark.parametrize(("conflicts", "works"), [(1, True), (4, True), (5, False)])
async def test_what_another_transaction_pushed_aside_is_tried_five_times(
    url: str,
    monkeypatch: pytest.MonkeyPatch,
    conflicts: int,
    works: bool,  # noqa: FBT001
) -> None:
    write_states, tries = writing.write_states, 0

    async def conflicting(connection: AsyncConnection, known: Any) -> None:
        nonlocal tries
        tries += 1
        if tries <= conflicts:
            await connection.execute(CONFLICT)
        await write_states(connection, known)

    store = await open_store(url)
    monkeypatch.setattr(writing, "write_states", conflicting)
    if works:
        await add(store, 0, 2)
    else:
        with pytest.raises(StoreBusyError, match="another transaction"):
            await add(store, 0, 2)
    assert tries == min(conflicts + 1, 5)
    assert len(await store.streams()) == int(works)
    await store.close()


async def test_a_locked_row_is_busy_and_keeps_everything(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from detector.store import postgres

    monkeypatch.setitem(postgres._SETTINGS, "lock_timeout", "50ms")
    store = await open_store(url)
    await add(store, 0, 1)
    engine = store._database._location.inspector()
    async with engine.begin() as other:
        await other.execute(text("LOCK TABLE stream_state"))
        with pytest.raises(StoreBusyError, match="locked by another session"):
            await add(store, 1, 2)
    await add(store, 1, 2)
    assert await count(store) == 2
    await engine.dispose()
    await store.close()
