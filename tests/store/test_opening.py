"""Opening: one owner, a sound file, the right schema; a refusal names the remedy and changes nothing."""

import asyncio
import os
import re
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

import detector.store.register_tables  # noqa: F401 - its tables belong to the metadata
from detector.errors import StoreError, StoreInUseError, StoreSchemaError, UsageError
from detector.store import schema
from detector.store.lock import OwnerLock
from detector.store.store import open_store
from detector.store.tables import metadata
from tests.store.seen import RECEIVED, observed, packages


@pytest.fixture
def url(sqlite_url: str) -> str:
    """These are about a file; `test_postgres` opens the other kind."""
    return sqlite_url


def file_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


# --- who owns it --------------------------------------------------------------------------------------


async def test_a_second_owner_is_told_who_the_first_is(url: str) -> None:
    """Over processes: a lock of our own process would prove nothing."""
    holder = (
        "import pathlib, sys; from detector.store.lock import OwnerLock\n"
        f"lock = OwnerLock(pathlib.Path({str(file_of(url))!r})); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holder], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(StoreInUseError, match=f"process {process.pid}:") as refused:
            await open_store(url)
        assert refused.value.exit_code == 4
        process.kill()
    await (await open_store(url)).close()  # a dead owner owns nothing


async def test_readers_stand_beside_the_owner_and_see_what_it_commits(url: str) -> None:
    owner = await open_store(url)
    reader = await open_store(url, read_only=True)
    await owner.record(observed(0, packages(2)), received_at=RECEIVED, scheduled=True)
    assert len((await reader.streams())[0].sections["dependencies"].facts) == 2
    with pytest.raises(StoreError, match="read only"):
        await reader.record(observed(1, packages(3)), received_at=RECEIVED, scheduled=True)
    await reader.close()
    await owner.close()


async def test_a_reader_alone_needs_no_owner(url: str) -> None:
    owner = await open_store(url)
    await owner.record(observed(0, packages(2)), received_at=RECEIVED, scheduled=True)
    await owner.close()
    reader = await open_store(url, read_only=True)
    assert len(await reader.streams()) == 1
    await reader.close()


async def test_a_store_that_was_closed_may_be_owned_again(url: str) -> None:
    for _ in range(3):
        await (await open_store(url)).close()


async def test_a_refusal_lets_go_of_the_lock(url: str) -> None:
    file_of(url).write_text("not a database, though it is long enough to be taken for one" * 20)
    for _ in range(2):
        with pytest.raises(StoreSchemaError):
            await open_store(url)
    await OwnerLock(file_of(url)).release()


# --- where it is --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "known"),
    [("mysql://db/parity", "mysql"), ("parity.db", "parity.db"), ("sqlite://", "sqlite"), ("", "''")],
)
async def test_a_url_of_another_kind_is_refused(url: str, known: str) -> None:
    with pytest.raises(UsageError, match=re.escape(known)):
        await open_store(url)


async def test_a_url_with_a_password_is_never_repeated() -> None:
    with pytest.raises(UsageError) as refused:
        await open_store("mysql://parity:hunter2@db/parity")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("how", [{"create": False}, {"read_only": True}])
async def test_a_missing_database_is_not_made_by_looking(tmp_path: Path, how: dict[str, bool]) -> None:
    with pytest.raises(StoreError, match="no database"):
        await open_store(f"sqlite:///{tmp_path}/parity.db", **how)
    assert list(tmp_path.iterdir()) == []


async def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No such file"):
        await open_store(f"sqlite:///{tmp_path}/nowhere/parity.db")
    with pytest.raises(StoreError, match="not a file"):
        await open_store(f"sqlite:///{tmp_path}")


async def test_only_this_user_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "a #% name?.db"
    store = await open_store(f"sqlite:///{path}")
    await store.record(observed(0, packages(2)), received_at=RECEIVED, scheduled=True)
    modes = {entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in tmp_path.iterdir()}
    await store.close()
    assert set(modes.values()) == {0o600}
    assert set(modes) == {path.name + end for end in ("", "-wal", "-shm", ".lock")}


# --- what it is ---------------------------------------------------------------------------------------


async def test_a_database_of_another_program_is_left_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE note (text TEXT)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreSchemaError, match="another program"):
        await open_store(f"sqlite:///{path}")
    assert path.read_bytes() == before


@pytest.mark.parametrize("read_only", [False, True])
async def test_a_newer_schema_is_refused_with_both_versions(url: str, read_only: bool) -> None:  # noqa: FBT001
    with sqlite3.connect(file_of(url)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0999'")
    connection.close()
    with pytest.raises(StoreSchemaError, match=f"0999, this one knows {schema.HEAD}"):
        await open_store(url, read_only=read_only)


@pytest.mark.parametrize(
    ("damage", "finding"),
    [
        (lambda data: b"\0" * 100 + data[100:], "no database any more"),
        (lambda data: data[:4096] + os.urandom(len(data) - 4096), "damaged"),
        (lambda data: data[: len(data) // 2], "damaged"),
    ],
    ids=["header", "pages", "half"],
)
async def test_a_damaged_file_is_refused_with_the_remedy(url: str, damage: object, finding: str) -> None:
    path = file_of(url)
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]
    with pytest.raises(StoreSchemaError, match=finding) as refused:
        await open_store(url)
    assert "put a backup in its place" in str(refused.value)


# --- migrations ---------------------------------------------------------------------------------------


def test_the_migrations_make_the_tables_that_the_code_knows(empty_database: Path) -> None:
    engine = create_engine(f"sqlite:///{empty_database}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_the_head_that_a_start_looks_for_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_current_head() == schema.HEAD


async def test_a_migration_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_off(*_: object) -> None:
        raise RuntimeError

    path = tmp_path / "parity.db"
    whole = schema._upgrade

    def half(connection: object, *rest: object) -> None:
        whole(connection, *rest)  # type: ignore[arg-type]
        break_off()

    monkeypatch.setattr(schema, "_upgrade", half)
    with pytest.raises(RuntimeError):
        await open_store(f"sqlite:///{path}")
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []
    connection.close()
    monkeypatch.undo()
    await (await open_store(f"sqlite:///{path}")).close()


def test_a_start_on_a_current_database_needs_no_alembic(url: str) -> None:
    program = (
        "import asyncio, sys; from detector.store.store import open_store\n"
        f"async def run(): await (await open_store({url!r})).close()\n"
        "asyncio.run(run()); sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


async def test_the_pragmas_that_make_a_commit_durable_hold(url: str) -> None:
    store = await open_store(url)
    async with store._database.write() as connection:
        found = {
            name: (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}
    await asyncio.gather(store.close())
