"""One server as a foreground child: started, awaited until it answers, ended, its output kept."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

LOOPBACK = "127.0.0.1"
_POLL_SECONDS = 0.02
_OUTPUT_SHOWN = 4000


class ServerMissing(Exception):
    """A server that a test needs cannot run here; the message names it and the command that mends it."""

    def __init__(self, server: str, remedy: str) -> None:
        super().__init__(f"{server} is not available here: {remedy}")


class ServerFailed(Exception):
    """An installed server did not start; the message ends with its output."""


def free_port() -> int:
    """A loopback TCP port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def listens(port: int) -> bool:
    """Whether something accepts connections on this loopback port."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1):
            return True
    except OSError:
        return False


def required(program: str, server: str, remedy: str) -> str:
    """The path of `program`; ServerMissing when it is not installed."""
    path = shutil.which(program) or shutil.which(program, path="/usr/local/sbin:/usr/sbin:/sbin")
    if path is None:
        raise ServerMissing(server, remedy)
    return path


class ServerProcess(ABC):
    """A server with its own folder, started as a foreground child and ended with SIGTERM, then SIGKILL.

    A context manager; `stop` and `start` in between model an outage, the folder stays until the end.
    Subclasses give `_command`, `_ready` and, where they need a prepared folder, `_prepare`.
    Start it from the main thread: the kernel ends the child together with the thread that made it.
    """

    name: str
    start_seconds = 30.0
    stop_seconds = 10.0
    stop_signal = signal.SIGTERM
    orphan_signal = "TERM"

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"parity-{self.name}-"))
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def _command(self) -> Sequence[str]: ...

    @abstractmethod
    def _ready(self) -> bool: ...

    def _prepare(self) -> None:  # noqa: B027 - most servers need nothing in their folder
        """Fill the folder before the first start."""

    def _environment(self) -> Mapping[str, str]:
        return os.environ

    def _user(self) -> str | None:
        """The user to run as where the tests run as root."""
        return None

    def __enter__(self) -> Self:
        try:
            self._prepare()
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """Process id of the running child."""
        assert self._process is not None, f"{self.name} is not running"
        return self._process.pid

    @property
    def output(self) -> str:
        """The last lines that the server wrote."""
        path = self.folder / "output"
        return path.read_text(errors="replace")[-_OUTPUT_SHOWN:] if path.exists() else ""

    def start(self) -> None:
        """Start the child and wait until it answers; ServerFailed when it does not."""
        with (self.folder / "output").open("ab") as output:
            self._process = subprocess.Popen(
                [*_ended_with_us(self.orphan_signal, self._user()), *self._command()],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._environment(),
                cwd=self.folder,
                start_new_session=True,
            )
        self._await(self._ready)

    def _await(self, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + self.start_seconds
        while not ready():
            assert self._process is not None
            if self._process.poll() is not None:
                raise ServerFailed(f"{self.name} ended with {self._process.returncode}:\n{self.output}")
            if time.monotonic() > deadline:
                raise ServerFailed(f"{self.name} not ready in {self.start_seconds:g} s:\n{self.output}")
            time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """End the child; SIGKILL when it does not follow `stop_signal` in time."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._ask_to_stop()
            try:
                self._process.wait(self.stop_seconds)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None

    def kill(self) -> None:
        """End the child with SIGKILL, as a crash does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _ask_to_stop(self) -> None:
        os.kill(self.pid, self.stop_signal)

    def close(self) -> None:
        """Stop and remove the folder."""
        try:
            self.stop()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)


def _ended_with_us(orphan_signal: str, user: str | None) -> list[str]:
    """Command prefix that drops root and that signals the child when the test run is killed."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        if user is not None:
            raise ServerMissing("setpriv", "apt-get install util-linux")
        return []
    prefix = [setpriv, "--pdeathsig", orphan_signal]
    if user is not None:
        account = pwd.getpwnam(user)
        prefix += [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
    return [*prefix, "--"]
