import io
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog

from detector.logging import configure
from tests.api.house import House, house, record


@pytest.fixture
def log(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """All that this process has said, its log as the service writes it included."""
    before = structlog.get_config()
    configure(level=logging.DEBUG)
    lines = io.StringIO()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(file=lines))

    def said() -> str:
        output = capsys.readouterr()
        return lines.getvalue() + output.out + output.err

    yield said
    structlog.configure(**before)


@pytest.fixture
async def empty(tmp_path: Path) -> AsyncIterator[House]:
    """A Parity that nothing was ever recorded in."""
    async with house(tmp_path) as here:
        yield here


@pytest.fixture
async def seeded(empty: House) -> House:
    """A Parity with drift between staging and production."""
    now = datetime.now(UTC)
    for ago in (2, 1):
        at = now - timedelta(minutes=ago)
        await record(
            empty,
            "staging",
            "checkout",
            {
                "dependencies": {"pkg:pypi/django": "4.2.26", "pkg:pypi/urllib3": "2.5.0"},
                "config": {"DATABASE_URL": {"type": "url"}, "STRIPE_WEBHOOK_SECRET": {"type": "text"}},
                "release": {"image#tag": "1.4.2"},
            },
            at=at,
        )
        await record(
            empty,
            "prod-eu",
            "checkout",
            {
                "dependencies": {"pkg:pypi/django": "5.2.8", "pkg:pypi/urllib3": "2.5.0"},
                "config": {"DATABASE_URL": {"type": "url"}},
                "release": {"image#tag": "1.4.2"},
            },
            at=at,
        )
        for environment, version in (("staging", "16.3"), ("prod-eu", "14.11")):
            await record(
                empty,
                environment,
                "shop-db",
                {"backing_services": {"main#product": "postgresql", "main#version": version}},
                at=at,
            )
    await empty.settle()
    return empty
