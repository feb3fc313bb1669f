"""The connection to SQLite: who is cancelled leaves no thread behind that answers to nobody."""

import asyncio
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from detector.store import sqlite_driver
from detector.store.sqlite_driver import connected

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT begun() UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


async def test_who_is_cancelled_leaves_when_the_thread_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, ended = asyncio.Event(), []
    loop = asyncio.get_running_loop()
    execute = sqlite_driver._execute

    def begin() -> None:
        loop.call_soon_threadsafe(begun.set)

    def watched(*words: Any) -> Any:
        try:
            return execute(*words)
        except sqlite3.OperationalError as error:
            ended.append(str(error))
            raise

    monkeypatch.setattr(sqlite_driver, "_execute", watched)
    connection = await connected(f"file:{tmp_path / 'a.db'}?mode=rwc", ())
    await connection.create_function("begun", 0, begin)
    task = asyncio.create_task(connection.cursor().execute(ENDLESS))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == ["interrupted"]
    await connection.close()


def test_a_connection_that_fails_leaves_no_thread_behind(tmp_path: Path) -> None:
    """Many times, each in a loop that ends at once: the thread is late in about one of four."""
    unheard: list[threading.ExceptHookArgs] = []

    async def fail() -> None:
        with pytest.raises(sqlite3.OperationalError):
            await connected(f"file:{tmp_path}/none/a.db?mode=ro", ())

    hook, threading.excepthook = threading.excepthook, unheard.append
    try:
        for _ in range(200):
            asyncio.run(fail())
    finally:
        threading.excepthook = hook
    assert not unheard
