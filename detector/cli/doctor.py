"""`parity doctor`: what is wrong with this installation, and what to do about it."""

import asyncio
import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from textwrap import wrap

import click

from detector.cli.output import ERROR, config_option, finish, say, styled
from detector.errors import ConfigError, ParityError

_PACKAGES = ("detector", "collectors", "dashboards")
_EXTRAS = {"docker": "docker", "aws": "boto3", "postgres": "asyncpg", "redis": "redis"}
#: The defect that can lose a commit when a WAL is reset is mended from these versions on, by branch.
_WAL_MENDED = {(3, 44): 6, (3, 50): 7, (3, 51): 3}
_LEAST_FREE = 256 * 1024 * 1024
#: Of a terminal.
_COLUMNS = 80


@click.command()
@config_option
def doctor(config_path: str | None) -> None:
    """Check this installation: programs, configuration, disk, service, database, clock and lags."""
    wrong = 0
    for fine, text in _findings(config_path):
        wrong += not fine
        first, *more = wrap(text, _COLUMNS - 2, break_long_words=False, break_on_hyphens=False)
        say(f"{styled('✓', fg='green') if fine else styled('✖', fg='red')} {first}")
        for line in more:
            say(f"  {line}")
    if wrong:
        finish(ERROR, f"doctor: {wrong} thing{'s' * (wrong != 1)} to mend")
    finish(0, "doctor: all is well")


def _findings(config_path: str | None) -> Iterator[tuple[bool, str]]:
    yield sys.version_info >= (3, 11), f"Python {sys.version.split()[0]} (3.11 or newer is needed)"
    yield _sqlite()
    yield from _collisions()
    for extra, package in _EXTRAS.items():
        if package not in packages_distributions():
            yield (
                True,
                f"extra {extra} is not installed: pip install 'parity-detector[{extra}]' for its sources",
            )
    from detector.cli.asking import configuration

    try:
        config = configuration(config_path)
    except ConfigError as error:
        for problem in error.problems:
            yield False, str(problem)
        return
    except ParityError as error:
        yield False, str(error)
        return
    yield True, f"{config.path}: the configuration is right"
    folder = config.data_dir
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    yield free >= _LEAST_FREE, f"{free // 1024 // 1024} MB free under {folder} (256 MB are needed)"
    yield os.access(folder, os.W_OK), f"{folder} can be written"
    from detector.cli.health import health

    async def every() -> list[tuple[bool, str]]:
        return [finding async for finding in health(config)]

    yield from asyncio.run(every())


def _sqlite() -> tuple[bool, str]:
    version = sqlite3.sqlite_version_info
    mended = _WAL_MENDED.get((version[0], version[1]))
    sound = version >= (3, 51, 3) or (mended is not None and version[2] >= mended)
    text = f"SQLite {sqlite3.sqlite_version}"
    if sound:
        return True, text
    # One writer that alone checkpoints, as Parity has, does not meet the defect.
    return True, f"{text} is in the range of the WAL-reset defect; Parity's single writer does not meet it"


def _collisions() -> Iterator[tuple[bool, str]]:
    owners = packages_distributions()
    for package in _PACKAGES:
        others = sorted(set(owners.get(package, ())) - {"parity-detector"})
        if others:
            yield (
                False,
                f"{', '.join(others)} also installs a package {package}: use a virtual environment",
            )
