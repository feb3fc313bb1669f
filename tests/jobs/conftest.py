from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from detector import plugins
from detector.jobs.look import Host
from detector.store.store import Store, open_store
from tests.jobs.sources import Scripted, host


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(f"sqlite:///{tmp_path}/parity.db")
    yield opened
    await opened.close()


@pytest.fixture
async def a_host(tmp_path: Path) -> AsyncIterator[Host]:
    async with aiohttp.ClientSession() as session:
        lent = host(session, tmp_path)
        yield lent
        lent.pool.shutdown()


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> type[Scripted]:
    monkeypatch.setattr(plugins, "load", lambda _group, _name: Scripted)
    return Scripted
