"""What happens to the file of a running service: it says so, reads go on, and it recovers by itself."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from detector.store.location import locate
from detector.store.schema import examined
from detector.store.store import open_store
from tests.faults.conftest import ShopOf
from tests.faults.nursery import Disk
from tests.faults.shop import Answer, Shop
from tests.faults.strace import failing
from tests.servers.process import ServerMissing
from tests.store.seen import RECEIVED, observed, packages

REFUSED = (503, "storage-busy")
FAILED = (503, "storage-failed")


def told(answer: Answer) -> tuple[int, str]:
    """Status and type of a refusal; one of the storage says when to come again."""
    if answer.status == 503:
        assert int(answer.headers["Retry-After"]) > 0
    return answer.status, str(answer.document["type"]).removeprefix("/problems/")


def goes_on(shop: Shop) -> None:
    """The process answers, and what is stored can be read."""
    assert shop.get("/livez").status == 200
    assert shop.get("/api/v1/drift").status == 200
    assert shop.get("/diff/staging..prod").status == 200


def recovers(shop: Shop) -> None:
    """Without a restart everything works again, and nothing that was acknowledged is lost."""
    assert shop.push_once("9.0.0").status == 200
    assert shop.get("/readyz").status == 200
    counts = shop.close_the_books()
    assert (counts.lost, counts.wrong) == (0, [])


LOCKER = """
import sqlite3, sys
other = sqlite3.connect(sys.argv[1], isolation_level=None)
other.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.readline()
"""


@contextmanager
def locked(path: Path) -> Iterator[None]:
    command = [sys.executable, "-c", LOCKER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"locked\n"
        yield
        process.kill()


def file_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def test_locked_by_another_process(shop_of: ShopOf, sqlite_url: str) -> None:
    with shop_of(sqlite_url) as shop:
        with locked(file_of(sqlite_url)):
            assert told(shop.push_once("1.0.0")) == REFUSED
            goes_on(shop)
        recovers(shop)


@pytest.mark.parametrize("replaced", [False, True])
def test_removed_or_replaced(shop_of: ShopOf, sqlite_url: str, *, replaced: bool) -> None:
    path = file_of(sqlite_url)
    away = path.with_suffix(".away")
    with shop_of(sqlite_url) as shop:
        path.rename(away)
        if replaced:
            path.write_bytes(b"")
        assert told(shop.push_once("1.0.0")) == REFUSED
        assert told(shop.get("/readyz")) == REFUSED
        assert shop.get("/livez").status == 200
        # Reads go on as long as they need no new connection: that would read another file.
        for answer in [shop.get("/api/v1/drift") for _ in range(9)]:
            assert answer.status == 200 or told(answer) == REFUSED
        assert path.exists() == replaced, "nothing is made in its place"
        away.rename(path)
        recovers(shop)


def test_a_full_disk(tmp_path: Path, shop_of: ShopOf) -> None:
    if os.geteuid() != 0:
        raise ServerMissing("a disk of its own", "sudo make test")
    folder = tmp_path / "disk"
    folder.mkdir()
    with shop_of(f"sqlite:///{folder}/parity.db", disk=Disk(folder=folder, size=3 << 20)) as shop:
        assert shop.service is not None
        filler = Path(f"/proc/{shop.service.pid}/root{folder}/filler")
        with filler.open("wb", buffering=0) as file, suppress(OSError):
            while file.write(bytes(1 << 12)):
                pass
        answers = [shop.push_once(f"{number}.0.0") for number in range(1, 30)]
        full = [answer for answer in answers if answer.status != 200]
        assert {told(answer) for answer in full} == {REFUSED}
        assert all("no space" in answer.document["detail"] for answer in full)
        goes_on(shop)
        filler.unlink()
        assert shop.push_once("9.0.0").status == 200
        assert shop.get("/readyz").status == 200


@pytest.mark.parametrize("error", ["EIO", "EROFS"])
@pytest.mark.parametrize("call", ["fdatasync", "pwrite64"])
def test_a_disk_that_fails(shop_of: ShopOf, sqlite_url: str, call: str, error: str) -> None:
    """What is on it nobody knows: no more is acknowledged until a start has looked."""
    with shop_of(sqlite_url) as shop:
        assert shop.service is not None
        with failing(shop.service.pid, call, error):
            assert told(shop.push_once("1.0.0")) == FAILED
        for version in ("2.0.0", "3.0.0"):
            assert told(shop.push_once(version)) == FAILED
        assert told(shop.get("/readyz")) == FAILED
        goes_on(shop)
        shop.service.kill()
        shop.start()
        recovers(shop)


async def test_a_reader_that_does_not_end(sqlite_url: str) -> None:
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    journal = path.with_name(f"{path.name}-wal")
    store = await open_store(sqlite_url)
    with closing(sqlite3.connect(path)) as reader, closing(sqlite3.connect(path)) as writer:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM value").fetchone()
        writer.execute("CREATE TABLE heap (bytes)")
        for _ in range(70):
            writer.execute("INSERT INTO heap VALUES (zeroblob(2000000))")
            writer.commit()
        assert journal.stat().st_size > 128_000_000
        location = locate(sqlite_url)
        async with examined(location) as connection:
            ((fine, text),) = await location.conditions(connection)
        assert not fine
        assert text.endswith(": a reader holds it back, end it")
        reader.rollback()
        writer.execute("DROP TABLE heap")
    for at in range(3):
        await store.record(observed(at, packages(5 + at)), received_at=RECEIVED, scheduled=False)
    assert journal.stat().st_size <= 67_108_864
    await store.close()
