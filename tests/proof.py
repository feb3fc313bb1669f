"""The figures in full size: what `-m proof` adds to the tests it selects, and the table that it prints."""

import re
from collections import Counter, defaultdict
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

#: A proof tries this many times the examples of the suite: the same ones each time, for others to repeat.
TIMES = 5
_EXAMPLES = 100
_MINUTES = 10

#: A busy machine is no failure: nothing is said about wall-clock time.
settings.register_profile("suite", deadline=None)
settings.register_profile(
    "proof",
    max_examples=_EXAMPLES * TIMES,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


def examples(count: int) -> int:
    """How many examples to try where the suite tries so many."""
    return count * settings().max_examples // _EXAMPLES


def _in_full(config: pytest.Config) -> bool:
    return bool(config.option.markexpr == "proof")


def pytest_configure(config: pytest.Config) -> None:
    """Choose the number of examples before a test module asks for it."""
    settings.load_profile("proof" if _in_full(config) else "suite")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Select every property as well, and give each proof its time."""
    if not _in_full(config):
        return
    for item in items:
        if _property(item) is not None:
            item.add_marker("proof")
        item.add_marker(pytest.mark.timeout(_MINUTES * 60))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Count the examples that a property was tried with."""
    tried = _property(item)
    if tried is None or not _in_full(item.config):
        return (yield)
    count, body = 0, tried.inner_test

    def counted(*arguments: object, **named: object) -> object:
        nonlocal count
        count += 1
        return body(*arguments, **named)

    tried.inner_test = counted
    try:
        return (yield)
    finally:
        tried.inner_test = body
        item.user_properties.append(("examples", count))


def _property(item: pytest.Item) -> Any:
    """What Hypothesis made of a test, where it made anything of it."""
    return getattr(getattr(item, "obj", None), "hypothesis", None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print one line for each proof: its cases, their seconds and the sums of what they recorded."""
    if not _in_full(config):
        return
    cases: dict[str, Counter[str]] = defaultdict(Counter)
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    seconds: Counter[str] = Counter()
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            name = re.sub(r"\[.*", "", report.nodeid)
            cases[name][outcome] += report.when == "call"
            seconds[name] += report.duration
            if report.when == "call":
                for what, value in report.user_properties:
                    sums[name][what] += value
    if cases:
        terminalreporter.section("figures")
    for name in sorted(cases):
        figures = ", ".join(f"{what} {value:,}" for what, value in sums[name].items())
        ended = ", ".join(f"{count} {outcome}" for outcome, count in cases[name].items() if count)
        terminalreporter.write_line(f"{name}\n    {ended} in {seconds[name]:.0f} s: {figures}")
