"""Held for every test: a clean environment, real servers as fixtures, no silent skip where all must run."""

import os
from collections.abc import Generator

import pytest
import structlog

pytest_plugins = ["tests.databases", "tests.proof", "tests.servers.fixtures"]

#: `all` turns every skip into a failure: a run that must prove everything may leave nothing out.
REQUIRE = "PARITY_TEST_REQUIRE"

#: Settings of whoever runs the tests; none may reach the product under test.
FOREIGN = ("AWS_", "COMPOSE_", "DOCKER_", "PARITY_", "PG", "REDIS_", "SLACK_")


def pytest_configure() -> None:
    for name in list(os.environ):
        if name.startswith(FOREIGN) and not name.startswith("PARITY_TEST_"):
            del os.environ[name]


def must_not_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip into a failure that says what was missing; an expected failure is not a skip."""
    if os.environ.get(REQUIRE) != "all" or not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext
    report.outcome = "failed"
    report.longrepr = f"{REQUIRE}=all allows no skip: {reason.removeprefix('Skipped: ')}"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    must_not_skip(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    must_not_skip(report)
    return report


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Generator[None]:
    """A command sets up logs for its process: to a stream that is closed when its test ends."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)
