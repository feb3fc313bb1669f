"""Backups: one committed state of a file in use, put back only where nobody uses it, and never half there."""

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from detector.errors import StoreError, StoreInUseError, StoreSchemaError, UsageError
from detector.store import backup as backups
from detector.store.backup import Resume, back_up, restore, sqlite_file
from detector.store.milestones import RESTORED
from detector.store.store import open_store
from detector.store.verifying import Check
from tests.store.seen import RECEIVED, observed, packages
from tests.store.test_register import drift, happened, owed, settle
from tests.store.test_verifying import fill, found

NOW = RECEIVED + timedelta(days=1)


@pytest.fixture
def database(sqlite_url: str) -> Path:
    return sqlite_file(sqlite_url, instead="")


def url_of(path: Path) -> str:
    return f"sqlite:///{path}"


async def broken(path: Path) -> list[Check]:
    return [one for one in await found(url_of(path)) if one.broken]


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(path) as connection:
        found = connection.execute(query).fetchall()
    connection.close()
    return found


async def test_backups_under_load_are_each_one_committed_state(database: Path, tmp_path: Path) -> None:
    """Snapshots of two environments are written in turn: no backup may have the second without the first."""
    store = await open_store(url_of(database))
    stop = asyncio.Event()

    async def write() -> None:
        at = 0
        while not stop.is_set():
            at += 1
            for environment in ("staging", "prod"):
                seen = observed(at, packages(40, str(at)), environment=environment)
                await store.record(seen, received_at=RECEIVED, scheduled=False)

    writing = asyncio.create_task(write())
    for number in range(6):
        # In a thread, as it is in a process of its own: the writer goes on meanwhile.
        target = tmp_path / f"{number}.bak"
        await asyncio.to_thread(lambda to=target: asyncio.run(back_up(database, to, force=False)))  # type: ignore[misc]
    stop.set()
    await writing
    await store.close()
    counts = []
    for number in range(6):
        path = tmp_path / f"{number}.bak"
        assert await broken(path) == []
        query = "SELECT e.name, count(*) FROM snapshot JOIN environment e ON e.id = environment GROUP BY 1"
        seen: dict[str, int] = dict(rows(path, query))  # type: ignore[arg-type]
        assert 0 <= seen.get("staging", 0) - seen.get("prod", 0) <= 1
        counts.append(sum(seen.values()))
    assert counts == sorted(counts)
    assert counts[-1] > counts[0]


async def test_a_backup_is_one_file_that_only_this_user_reads(database: Path, tmp_path: Path) -> None:
    target = tmp_path / "copies" / "parity.bak"
    target.parent.mkdir()
    size = await back_up(database, target, force=False)
    assert [entry.name for entry in target.parent.iterdir()] == ["parity.bak"]
    assert (stat.S_IMODE(target.stat().st_mode), target.stat().st_size) == (0o600, size)


async def test_a_file_that_is_there_is_written_over_only_by_force(database: Path, tmp_path: Path) -> None:
    target = tmp_path / "parity.bak"
    target.write_text("letters")
    with pytest.raises(UsageError, match="--force"):
        await back_up(database, target, force=False)
    assert target.read_text() == "letters"
    await back_up(database, target, force=True)
    assert await broken(target) == []


async def test_the_database_is_not_written_over_by_its_backup(database: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.hardlink_to(database)
    for target in (database, link, tmp_path):
        with pytest.raises(UsageError, match="cannot be written over"):
            await back_up(database, target, force=True)


async def test_a_copy_that_fails_leaves_what_was_there(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "parity.bak"
    await back_up(database, target, force=False)
    before = target.read_bytes()

    def full(_: Path) -> None:
        raise StoreError("the disk failed")

    monkeypatch.setattr(backups, "_sync", full)
    with pytest.raises(StoreError, match="disk failed"):
        await back_up(database, target, force=True)
    assert target.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.startswith(".")] == []


async def test_a_folder_that_is_not_there_is_named(database: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No such file"):
        await back_up(database, tmp_path / "nowhere" / "parity.bak", force=False)


async def test_a_damaged_database_makes_no_backup(database: Path, tmp_path: Path) -> None:
    store = await open_store(url_of(database))
    await fill(store)
    await store.close()
    data = database.read_bytes()
    database.write_bytes(data[:40960] + os.urandom(len(data) - 40960))
    with pytest.raises(StoreSchemaError, match="damaged"):
        await back_up(database, tmp_path / "parity.bak", force=False)
    assert not (tmp_path / "parity.bak").exists()


def test_postgresql_has_tools_of_its_own() -> None:
    with pytest.raises(UsageError, match="take pg_dump") as refused:
        sqlite_file("postgresql://parity:hunter2@db/parity", instead="take pg_dump")
    assert "hunter2" not in str(refused.value)


# --- restore ------------------------------------------------------------------------------------------


async def test_a_restore_brings_back_the_state_and_keeps_what_was_there(
    database: Path, tmp_path: Path
) -> None:
    store = await open_store(url_of(database))
    await store.record(observed(0, packages(2)), received_at=RECEIVED, scheduled=False)
    await back_up(database, tmp_path / "bak", force=False)
    await store.record(observed(1, packages(5)), received_at=RECEIVED, scheduled=False)
    await store.close()
    done = await restore(tmp_path / "bak", database, resume="hold", now=NOW)
    assert (done.newest, done.owed, done.tokens) == (RECEIVED, 0, 0)
    store = await open_store(url_of(database))
    assert len((await store.streams())[0].sections["dependencies"].facts) == 2
    restored = await store.milestone(RESTORED)
    assert restored is not None
    assert restored.at == NOW
    await store.close()
    assert done.aside is not None
    assert rows(done.aside, "SELECT count(*) FROM fact") == [(5,)]
    assert stat.S_IMODE(database.stat().st_mode) == 0o600


async def test_a_restore_beside_a_service_is_refused_and_names_it(database: Path, tmp_path: Path) -> None:
    await back_up(database, tmp_path / "bak", force=False)
    holder = (
        "import pathlib, sys; from detector.store.lock import OwnerLock\n"
        f"lock = OwnerLock(pathlib.Path({str(database)!r})); print('held', flush=True); sys.stdin.read()"
    )
    before = database.read_bytes()
    with subprocess.Popen(
        [sys.executable, "-c", holder], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(StoreInUseError, match=f"process {process.pid}") as refused:
            await restore(tmp_path / "bak", database, resume="hold", now=NOW)
        process.kill()
    assert refused.value.exit_code == 4
    assert database.read_bytes() == before


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        ("CREATE TABLE x (y); DROP TABLE stream_state", "another program"),
        ("UPDATE alembic_version SET version_num = '0999'", "newer Parity"),
        (None, "no database"),
        ("", "damaged"),
    ],
)
async def test_what_is_no_backup_changes_nothing(
    database: Path, tmp_path: Path, spoil: str | None, why: str
) -> None:
    bak = tmp_path / "bak"
    await back_up(database, bak, force=False)
    if spoil is None:
        bak.unlink()
    elif spoil:
        connection = sqlite3.connect(bak)
        connection.executescript(spoil)
        connection.close()
    else:
        bak.write_bytes(bak.read_bytes()[:50_000])
    before = database.read_bytes()
    with pytest.raises(StoreError, match=why):
        await restore(bak, database, resume="hold", now=NOW)
    assert database.read_bytes() == before
    left = [entry.name for entry in tmp_path.iterdir() if "replaced" in entry.name or entry.name[0] == "."]
    assert left == []


async def test_a_restore_mends_a_database_that_cannot_be_opened(database: Path, tmp_path: Path) -> None:
    await back_up(database, tmp_path / "bak", force=False)
    database.write_bytes(b"\0" * 8192)
    wal = database.with_name(f"{database.name}-wal")
    wal.write_bytes(b"frames of the old one")
    done = await restore(tmp_path / "bak", database, resume="hold", now=NOW)
    assert await broken(database) == []
    assert done.aside is not None
    assert done.aside.read_bytes() == b"\0" * 8192


async def test_a_restore_where_no_database_is_makes_one(database: Path, tmp_path: Path) -> None:
    await back_up(database, tmp_path / "bak", force=False)
    done = await restore(tmp_path / "bak", tmp_path / "new.db", resume="hold", now=NOW)
    assert done.aside is None
    assert await broken(tmp_path / "new.db") == []


async def test_a_database_is_no_backup_of_itself(database: Path) -> None:
    with pytest.raises(UsageError, match="itself"):
        await restore(database, database, resume="hold", now=NOW)


@pytest.mark.parametrize(("resume", "due"), [("hold", 0), ("send", 1)])
async def test_alerts_that_the_backup_owes_are_not_said_twice(
    database: Path, tmp_path: Path, resume: Resume, due: int
) -> None:
    """They may have gone out since: held ones wait for a person, sent ones count as tried before."""
    store = await open_store(url_of(database))
    await settle(store, drift("01"), events=[("01", happened("opened"))], owed=[owed("A")])
    await back_up(database, tmp_path / "bak", force=False)
    await store.close()
    done = await restore(tmp_path / "bak", database, resume=resume, now=NOW)
    assert done.owed == 1
    store = await open_store(url_of(database))
    leased = await store.lease_owed(now=NOW, until=NOW + timedelta(minutes=5), limit=10)
    assert [tries for _, tries in leased] == [1] * due
    held = [delivery.error for delivery in await store.deliveries() if delivery.result == "parked"]
    assert held == ["held at a restore: it may have been sent after the backup was made"] * (1 - due)
    await store.close()
