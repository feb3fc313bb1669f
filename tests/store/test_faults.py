"""What goes wrong under a running store: nothing half stored, nothing acknowledged lost, and it recovers."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from shutil import which

import pytest

from detector.errors import StoreBusyError
from detector.store import writing
from detector.store.store import Store, open_store
from tests.store.seen import RECEIVED, minute, observed, packages

ROOT = Path(__file__).parents[2]
Record = Callable[[str, object], None]


@pytest.fixture
def url(sqlite_url: str) -> str:
    """The faults are those of a file and its disk."""
    return sqlite_url


def file_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


async def add(store: Store, at: float, count: int) -> None:
    await store.record(observed(at, packages(count)), received_at=RECEIVED, scheduled=False)


async def count(store: Store) -> int:
    return len((await store.streams())[0].sections["dependencies"].facts)


async def test_a_locked_database_is_busy_and_keeps_everything(url: str) -> None:
    store = await open_store(url)
    await add(store, 0, 1)
    async with store._database.write() as connection:
        await connection.exec_driver_sql("PRAGMA busy_timeout=1")
    other = sqlite3.connect(file_of(url), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusyError, match="locked") as refused:
        await add(store, 1, 2)
    assert refused.value.retryable
    assert await count(store) == 1, "reads go on"
    other.execute("ROLLBACK")
    other.close()
    await add(store, 1, 2)
    assert await count(store) == 2
    await store.close()


async def test_a_loop_runs_on_while_the_database_is_locked(url: str) -> None:
    store = await open_store(url)
    await add(store, 0, 1)
    other = sqlite3.connect(file_of(url), isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    waiting = asyncio.create_task(add(store, 1, 2))
    while not store._database._turn.locked():
        await asyncio.sleep(0)
    other.execute("ROLLBACK")  # runs only because the loop does
    other.close()
    await waiting
    assert await count(store) == 2
    await store.close()


async def test_a_full_disk_is_busy_and_recovers_alone(url: str) -> None:
    store = await open_store(url)
    await add(store, 0, 1)
    async with store._database.write() as connection:
        pages = (await connection.exec_driver_sql("PRAGMA page_count")).scalar_one()
        await connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 1}")
    with pytest.raises(StoreBusyError, match="no space"):
        await add(store, 1, 5000)
    assert await count(store) == 1
    async with store._database.write() as connection:
        await connection.exec_driver_sql("PRAGMA max_page_count=100000")
    # The ids that were rolled back are given to other names.
    await store.record(
        observed(1, {"pkg:npm/left-pad": "1.3"}, service="other"), received_at=RECEIVED, scheduled=False
    )
    await add(store, 2, 5000)
    assert await count(store) == 5000
    streams = {stream.service: stream for stream in await store.streams()}
    assert streams["other"].sections["dependencies"].facts == {"pkg:npm/left-pad": "1.3"}
    await store.close()


@pytest.mark.parametrize("replaced", [False, True])
async def test_a_file_that_is_gone_is_not_made_anew(url: str, replaced: bool) -> None:  # noqa: FBT001
    store = await open_store(url)
    await add(store, 0, 1)
    path = file_of(url)
    path.rename(path.with_suffix(".away"))
    if replaced:
        path.write_bytes(b"")
    with pytest.raises(StoreBusyError, match="removed or replaced"):
        await add(store, 1, 2)
    assert path.exists() == replaced
    path.with_suffix(".away").rename(path)
    await add(store, 1, 2)
    assert await count(store) == 2
    await store.close()


async def test_names_that_were_rolled_back_mean_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their ids are given to others."""

    async def refuse(*_: object) -> None:
        raise StoreBusyError("at the last statement")

    monkeypatch.setattr(writing, "write_states", refuse)
    with pytest.raises(StoreBusyError):
        await add(store, 0, 3)
    monkeypatch.undo()
    other = {f"pkg:npm/other-{number}": f"{number}.0" for number in range(3)}
    await store.record(observed(0, dict(other), service="other"), received_at=RECEIVED, scheduled=False)
    await add(store, 0, 3)
    facts = {stream.service: stream.sections["dependencies"].facts for stream in await store.streams()}
    assert facts == {"other": other, "checkout": packages(3)}


async def test_a_flush_that_fails_is_done_by_the_next(url: str) -> None:
    store = await open_store(url)
    await add(store, 0, 1)
    await add(store, 1, 1)
    path = file_of(url)
    path.rename(path.with_suffix(".away"))
    with pytest.raises(StoreBusyError):
        await store.flush()
    path.with_suffix(".away").rename(path)
    assert await store.flush() == 1
    await store.close()
    store = await open_store(url)
    assert (await store.streams())[0].last_seen == minute(1)
    await store.close()


# --- a program that is killed ---------------------------------------------------------------------------

#: Records one more package a minute, and says so once it is acknowledged.
WRITER = """
import asyncio, sys
from detector.store.store import open_store
from tests.store.seen import RECEIVED, observed, packages

async def run():
    store = await open_store(sys.argv[1])
    at = len(await store.snapshots("prod", limit=10_000))
    while True:
        at += 1
        await store.record(observed(at, packages(at)), received_at=RECEIVED, scheduled=False)
        print(at, flush=True)

asyncio.run(run())
"""


STRACE = ("strace", "-f", "-o", "/dev/null")
needs_strace = pytest.mark.skipif(which("strace") is None, reason="strace is missing: apt-get install strace")


def writer(url: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, url],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


async def acknowledged_is_stored(url: str, last: int, record: Record) -> int:
    """Nothing that was acknowledged is lost, nothing is half stored. Returns what is stored."""
    store = await open_store(url)
    try:
        found = await store.snapshots("prod", limit=10_000)
        record("kills", 1)
        record("lost", max(0, last - len(found)))
        assert last <= len(found) <= last + 1
        for snapshot in {1, len(found) // 2, len(found)} - {0} if found else ():
            (then,) = await store.streams(snapshot=("prod", snapshot))
            assert then.sections["dependencies"].facts == packages(snapshot)
    finally:
        await store.close()
    return len(found)


#: Each kill comes so many acknowledgements after the start, and so many milliseconds after the last of them.
Kills = Sequence[tuple[int, float]]


def random_kills(count: int) -> Kills:
    seeded = Random(2026)
    return [(seeded.randint(1, 20), seeded.uniform(0, 15)) for _ in range(count)]


@pytest.mark.parametrize(
    "kills",
    [
        pytest.param([(1, 0), (2, 0), (5, 0), (9, 0)], id="4"),
        pytest.param(random_kills(50), id="50", marks=pytest.mark.proof),
    ],
)
async def test_nothing_acknowledged_is_lost_by_a_kill(
    url: str, kills: Kills, record_property: Record
) -> None:
    last = 0
    for further, milliseconds in kills:
        process = writer(url)
        assert process.stdout is not None
        for _ in range(further):
            last = int(process.stdout.readline())
        time.sleep(milliseconds / 1000)
        process.send_signal(signal.SIGKILL)
        # Not communicate(), which would lose the lines that readline has read ahead.
        with process:
            rest = process.stdout.read().split()
        last = await acknowledged_is_stored(url, int(rest[-1]) if rest else last, record_property)
    record_property("acknowledged", last)


@needs_strace
@pytest.mark.parametrize(
    "write",
    [
        *(1, 2, 3, 5, 8, 13, 21, 34, 55),
        *(pytest.param(write, id=f"all-{write}", marks=pytest.mark.proof) for write in range(1, 61)),
    ],
)
async def test_nothing_acknowledged_is_lost_by_a_kill_at_any_write(
    url: str, write: int, record_property: Record
) -> None:
    """The kernel kills at exactly this write to the disk."""
    process = subprocess.run(
        [*STRACE, "-e", f"inject=pwrite64:signal=SIGKILL:when={write}", sys.executable, "-c", WRITER, url],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert process.returncode == -signal.SIGKILL, process.stderr
    told = process.stdout.split()
    last = int(told[-1]) if told else 0
    record_property("acknowledged", last)
    await acknowledged_is_stored(url, last, record_property)


@needs_strace
def test_a_failed_fsync_is_never_acknowledged_and_ends_writing(url: str) -> None:
    program = """
import asyncio, sys
from detector.errors import StoreError
from detector.store.store import open_store
from tests.store.seen import RECEIVED, observed, packages

async def run():
    store = await open_store(sys.argv[1])
    for at in range(9):
        try:
            await store.record(observed(at, packages(at)), received_at=RECEIVED, scheduled=False)
            print("stored", at)
        except StoreError as error:
            print(type(error).__name__, "disk failed" in str(error))

asyncio.run(run())
"""
    process = subprocess.run(
        [*STRACE, "-e", "inject=fdatasync:error=EIO:when=4", sys.executable, "-c", program, url],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert process.returncode == 0, process.stderr
    found = process.stdout.splitlines()
    failed = [line for line in found if not line.startswith("stored")]
    assert 0 < len(failed) < 9
    assert found[-len(failed) :] == failed == ["StoreError True"] * len(failed)


@pytest.mark.skipif(
    which("unshare") is None or os.geteuid() != 0, reason="needs root: a mount of its own (sudo make test)"
)
async def test_a_read_only_disk_is_named_and_can_be_read(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/parity.db"
    program = f"""
import asyncio, sys
from detector.errors import StoreError
from detector.store.store import open_store

async def run():
    try:
        await open_store({url!r})
    except StoreError as error:
        print(error)
    store = await open_store({url!r}, read_only=True)
    print(len((await store.streams())[0].sections["dependencies"].facts))
    await store.close()

asyncio.run(run())
"""
    store = await open_store(url)
    await add(store, 0, 3)
    await store.close()
    mount = f"mount --bind {tmp_path} {tmp_path} && mount -o remount,bind,ro {tmp_path}"
    found = subprocess.run(
        ["unshare", "--mount", "sh", "-c", f'{mount} && exec "$@"', "sh", sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert found.returncode == 0, found.stderr
    refused, read = found.stdout.splitlines()
    assert "Read-only file system" in refused
    assert "write access" in refused
    assert read == "3"
