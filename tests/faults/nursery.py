"""Services forked from a process that has imported everything: each starts in a tenth of the time.

A service is `parity serve` itself, with two changes: what it does every second it does every 100 ms, and it
wakes its loop by a call that is no send. It may be broken by one named mutation, which a harness must find.
"""

import asyncio
import ctypes
import json
import os
import select
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, Final

from tests.servers.process import ServerFailed, ServerProcess

_ROOT = Path(__file__).parents[2]
#: prctl(2): a child ends with its parent, and any process of this user may trace it.
_DEATH_SIGNAL: Final = 1
_TRACER: Final = 0x59616D61
_FIRST: Final = """\
version: 1
server: {database_url: "sqlite:///parity.db", auth: none}
environments: [{name: staging, tier: staging}, {name: prod, tier: production}]
services: [{name: shop, sources: {prod: [{type: push, name: ci}]}}]
alerting: {receivers: [{name: shop, slack: {channel: C0SHOP, bot_token_file: secret}}]}
"""
_ANYONE: Final = ctypes.c_ulong(-1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """A disk of so many bytes that one service alone sees at a folder; gone with it."""

    folder: Path
    size: int


class Nursery(ServerProcess):
    """The process that services are forked from."""

    name = "nursery"

    def serve(self, config: Path, output: Path, **more: Any) -> "Forked":
        """Start a service and wait until it is ready; ServerFailed with its log when it is not."""
        service = self.begin(config, output, **more)
        service.until_ready()
        return service

    def begin(
        self,
        config: Path,
        output: Path,
        *,
        words: Sequence[str] = ("serve",),
        mutation: str | None = None,
        disk: Disk | None = None,
        clock: Path | None = None,
        stopped: bool = False,
    ) -> "Forked":
        """Start a service, or another command, without waiting for it.

        ``clock`` is a file that says by how many seconds its wall clock is wrong; ``stopped`` waits for
        SIGCONT.
        """
        output.touch()
        began = output.stat().st_size
        with socket.socket(socket.AF_UNIX) as door:
            door.settimeout(30)
            door.connect(str(self.folder / "door"))
            order = {
                "words": [*words, "--config", str(config)],
                "output": str(output),
                "mutation": mutation,
                "disk": disk and [str(disk.folder), disk.size],
                "clock": clock and str(clock),
                "stopped": stopped,
            }
            door.sendall(json.dumps(order).encode() + b"\n")
            return Forked(int(door.makefile().readline()), output, began)

    def _command(self) -> Sequence[str]:
        return [sys.executable, "-m", "tests.faults.nursery", str(self.folder / "door")]

    def _environment(self) -> Mapping[str, str]:
        return os.environ | {"PYTHONPATH": str(_ROOT), "NO_COLOR": "1"}

    def _ready(self) -> bool:
        return self.output.endswith("open\n")


class Forked:
    """A service of the nursery."""

    def __init__(self, pid: int, output: Path, began: int) -> None:
        self.pid = pid
        self._output = output
        self._began = began
        self._fd: int | None = None
        # One that refuses to start may be gone by now.
        with suppress(ProcessLookupError):
            self._fd = os.pidfd_open(pid)

    @property
    def log(self) -> list[dict[str, Any]]:
        """The events of this one."""
        lines = self._output.read_bytes()[self._began :].decode(errors="replace").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]

    def lives(self, seconds: float = 0) -> bool:
        """Tell whether it runs; waits so long for its end."""
        if self._fd is None:
            return False
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        return not poll.poll(seconds * 1000)

    def until_ready(self, seconds: float = 30) -> None:
        """Wait until it says that it is ready."""
        deadline = time.monotonic() + seconds
        while not any(line["event"] == "ready" for line in self.log):
            if not self.lives(0.01) or time.monotonic() > deadline:
                self.kill()
                raise ServerFailed(f"not ready:\n{self._output.read_text()[-4000:]}")

    def until_stopped(self) -> None:
        """Wait until it stands still, before it has done anything."""
        status = Path(f"/proc/{self.pid}/stat")
        while status.read_text().rpartition(")")[2].split()[0] != "T":
            time.sleep(0.005)

    def go_on(self) -> None:
        """Let it go on."""
        self.signal(signal.SIGCONT)

    def code(self, seconds: float = 30) -> int:
        """Return the exit code, when it has ended by itself."""
        assert not self.lives(seconds), f"still runs:\n{self._output.read_text()[-4000:]}"
        return int(self.log[-1]["code"])

    @property
    def said(self) -> str:
        """All that this one printed."""
        return self._output.read_bytes()[self._began :].decode(errors="replace")

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal if it still runs: this very process, never one that has its number now."""
        if self._fd is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._fd, number)

    def kill(self) -> None:
        """End it as a crash does, and wait for its end."""
        self.signal(signal.SIGKILL)
        assert not self.lives(10)

    def end(self) -> None:
        """Ask it to stop, and wait for its end."""
        self.signal(signal.SIGTERM)
        if self.lives(15):
            self.kill()
            raise ServerFailed(f"did not stop:\n{self._output.read_text()[-4000:]}")


# --- in the process of its own ----------------------------------------------------------------------------


def _run(door: str) -> None:
    from detector.cli import main

    asyncio.run(_warm(Path(door).with_name("warm")))
    for thread in threading.enumerate():
        if thread is not threading.main_thread():
            thread.join(10)
    assert threading.active_count() == 1, "a fork takes one thread along"
    # The kernel takes note of the ends of children, nobody waits for them.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(door)
        listening.listen()
        print("open", flush=True)
        while True:
            connection, _ = listening.accept()
            with connection:
                order = json.loads(connection.makefile().readline())
                pid = os.fork()
                if pid == 0:
                    listening.close()
                    connection.close()
                    _be_a_service(main, order)
                connection.sendall(f"{pid}\n".encode())


async def _warm(folder: Path) -> None:
    """Go through one start, so that what is imported and compiled late is there."""
    from detector.api.app import create_app
    from detector.assembly import running
    from detector.config.load import load
    from detector.store import postgres  # noqa: F401

    folder.mkdir()
    config, secret = folder / "parity.yml", folder / "secret"
    secret.touch(mode=0o600)
    secret.write_text("made-up")
    config.write_text(_FIRST)
    async with running(load(config, {})) as here:
        create_app(here)
        await here.watch.start()
        await here.watch.stop()


def _be_a_service(main: Callable[[], None], order: Mapping[str, Any]) -> None:
    from tests.faults.mutations import MUTATIONS

    kernel = ctypes.CDLL(None, use_errno=True)
    kernel.prctl(_DEATH_SIGNAL, signal.SIGKILL)
    kernel.prctl(_TRACER, _ANYONE, 0, 0, 0)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    output = os.open(order["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (1, 2):
        os.dup2(output, stream)
    code = 0
    try:
        if order["disk"]:
            _mount(kernel, *order["disk"])
        if order["stopped"]:
            os.kill(os.getpid(), signal.SIGSTOP)
        _hurry()
        if order["clock"]:
            _set_clock(Path(order["clock"]))
        if order["mutation"] is not None:
            MUTATIONS[order["mutation"]]()
        sys.argv = ["parity", *order["words"]]
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - told, whatever it is; the fork must not go on as its parent
        traceback.print_exc()
        code = 70
    finally:
        print("", json.dumps({"event": "ended", "code": code}), sep="\n", flush=True)
        sys.stderr.flush()
        os._exit(code)


def _mount(kernel: Any, folder: str, size: int) -> None:
    """Put a disk of its own under a folder, seen by this process alone."""
    private = 1 << 18 | 1 << 14  # MS_PRIVATE | MS_REC
    if (
        kernel.unshare(0x00020000)  # CLONE_NEWNS
        or kernel.mount(b"none", b"/", None, private, None)
        or kernel.mount(b"tmpfs", folder.encode(), b"tmpfs", 0, f"size={size}".encode())
    ):
        raise OSError(ctypes.get_errno(), "a mount of its own")


def _hurry() -> None:
    """Do at once what is done each second, so that a cycle takes as long as its work."""
    from asyncio.selector_events import BaseSelectorEventLoop

    from detector.jobs import outgoing, watch

    def wake(self: Any) -> None:
        with suppress(OSError, AttributeError):
            os.write(self._csock.fileno(), b"\0")

    # How often a loop is woken is an accident: among the sends of a cycle it would hide those to others.
    BaseSelectorEventLoop._write_to_self = wake  # type: ignore[attr-defined]

    soon = timedelta(milliseconds=100)
    watch.FLUSH = watch.REVIEW = watch.DELIVER = soon  # type: ignore[misc]
    outgoing.PACE_SECONDS = 0.0  # type: ignore[misc]


def _set_clock(wrong_by: Path) -> None:
    """Let what the product and its scheduler take for the time be wrong, from moment to moment."""

    class Kind(type):
        def __instancecheck__(cls, value: object) -> bool:
            return isinstance(value, datetime)

    class Wrong(datetime, metaclass=Kind):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + timedelta(seconds=float(wrong_by.read_text()))

    for name, module in list(sys.modules.items()):
        if name.startswith(("detector.", "apscheduler.")) and vars(module).get("datetime") is datetime:
            vars(module)["datetime"] = Wrong


if __name__ == "__main__":
    _run(sys.argv[1])
