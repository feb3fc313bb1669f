from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.databases import new_url_of
from tests.faults.nursery import Nursery
from tests.faults.shop import InThread, Shop
from tests.servers.slack import Slack

ShopOf: TypeAlias = Callable[..., Shop]


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    with Nursery() as running:
        yield running


@pytest.fixture
def slack_thread() -> Iterator[Slack]:
    with InThread(Slack()) as slack:
        yield slack


@pytest.fixture
def shop_of(tmp_path: Path, nursery: Nursery, slack_thread: Slack) -> ShopOf:
    """Gives the shop on a database."""
    return partial(Shop, tmp_path, nursery, slack_thread)


@pytest.fixture(params=["sqlite", "postgres15"])
def url(request: pytest.FixtureRequest) -> str:
    """Of an empty database: what a crash does is up to ours, not to the version of PostgreSQL."""
    return new_url_of(request.param, request)()


@pytest.fixture
def postgres_url(request: pytest.FixtureRequest) -> str:
    return new_url_of("postgres15", request)()
