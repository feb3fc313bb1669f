"""The servers as pytest fixtures: started when a test first asks, once for a test run, ended with it."""

from collections.abc import AsyncIterator, Generator, Iterator

import pytest

from tests.servers.aws import AwsServer
from tests.servers.browser import Browser
from tests.servers.docker_engine import DockerEngine
from tests.servers.postgres import Postgres15, Postgres18
from tests.servers.process import ServerMissing
from tests.servers.redis import Redis6, Redis7
from tests.servers.registry import Registry
from tests.servers.slack import Slack


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Generator[None, None, None]:
    try:
        return (yield)
    except ServerMissing as missing:
        pytest.skip(str(missing))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, None, None]:
    try:
        return (yield)
    except ServerMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def postgres15() -> Iterator[Postgres15]:
    with Postgres15() as server:
        yield server


@pytest.fixture(scope="session")
def postgres18() -> Iterator[Postgres18]:
    with Postgres18() as server:
        yield server


@pytest.fixture(scope="session")
def redis7() -> Iterator[Redis7]:
    with Redis7() as server:
        yield server


@pytest.fixture(scope="session")
def redis6() -> Iterator[Redis6]:
    with Redis6() as server:
        yield server


@pytest.fixture(scope="session")
def docker_staging() -> Iterator[DockerEngine]:
    with DockerEngine() as engine:
        yield engine


@pytest.fixture(scope="session")
def docker_prod() -> Iterator[DockerEngine]:
    with DockerEngine() as engine:
        yield engine


@pytest.fixture(scope="session")
def _aws() -> Iterator[AwsServer]:
    with AwsServer() as server:
        yield server


@pytest.fixture
def aws_server(_aws: AwsServer) -> AwsServer:
    _aws.reset()
    return _aws


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with Browser() as chromium:
        yield chromium


@pytest.fixture
async def slack_server() -> AsyncIterator[Slack]:
    async with Slack() as slack:
        yield slack


@pytest.fixture(scope="session")
def registry() -> Iterator[Registry]:
    with Registry() as server:
        yield server
