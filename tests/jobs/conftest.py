from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from detector import plugins
from detector.jobs.look import Host
from tests.databases import NewUrl, new_url_of
from tests.jobs.sources import Scripted, host


@pytest.fixture(params=["sqlite", "postgres18"])
def new_url(request: pytest.FixtureRequest) -> NewUrl:
    """The jobs run on each kind of database; the store's own suite has PostgreSQL 15 as well."""
    return new_url_of(request.param, request)


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
