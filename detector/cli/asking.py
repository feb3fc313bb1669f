"""How commands reach what is stored: the configuration, and the database opened to read."""

import getpass
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from detector.assembly import Reading, reading
from detector.config.load import find, load
from detector.config.records import Config
from detector.errors import StoreInUseError


def configuration(path: str | None) -> Config:
    """Return the configuration that the options or the environment name. Raises ConfigError, UsageError."""
    return load(find(path, os.environ), os.environ)


@asynccontextmanager
async def asked(path: str | None) -> AsyncIterator[tuple[Reading, datetime]]:
    """Open the store of a configuration to read, beside a running service or without one."""
    async with reading(configuration(path)) as here:
        yield here, datetime.now(UTC)


@asynccontextmanager
async def writing(config: Config) -> AsyncIterator[Reading]:
    """Open the store of a configuration as its only writer. Raises StoreInUseError beside a service."""
    async with reading(config, read_only=False) as here:
        yield here


def whoami() -> str:
    """Return who runs this command, as ``USER@HOST``."""
    return f"{getpass.getuser()}@{socket.gethostname()}"


def service_beside(config: Config) -> Path | None:
    """Return the socket of the service that runs on this configuration, None where none runs.

    Raises StoreError where its socket is not for this user.
    """
    # What only compares files must not load a web server.
    from detector.api.local_socket import answers, socket_path

    path = socket_path(config)
    return path if answers(path) else None


@contextmanager
def collecting() -> Iterator[None]:
    """Say of a database that a service has open what to do instead of collecting beside it."""
    try:
        yield
    except StoreInUseError as error:
        instead = "or let it: a service does all this by itself; parity snapshot asks it to look now"
        raise StoreInUseError(f"{error}, {instead}") from None
