"""`parity serve` as a process: its log awaited event by event, its answers over HTTP, commands beside it."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar, get_args
from urllib.parse import urlencode

from detector.model.words import State
from tests.servers.process import LOOPBACK, ServerFailed, ServerProcess

PARITY = Path(sys.executable).with_name("parity")
#: Every state that a drift can have.
STATES: Final[tuple[str, ...]] = get_args(State)
#: Longer than anything that is waited for takes on a busy machine.
PATIENCE = 30.0
_POLL_SECONDS = 0.02
_TOKEN_LINE = "first admin token, shown only now: "

Found = TypeVar("Found")
Record = dict[str, Any]
#: (comparison, service, kind, item): what names a drift to a person.
Named = tuple[str, str, str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a command or a request gave back; `code` is an exit code or a status of HTTP."""

    code: int
    out: str
    err: str = ""

    def json(self) -> Any:
        return json.loads(self.out)


class Service(ServerProcess):
    """Runs the service of one configuration. Its folder holds what it printed, of every start."""

    name = "serve"
    stop_seconds = 15.0

    def __init__(self, config: Path, port: int, *, environment: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self.config = config
        self.port = port
        self.token: str | None = None
        self._more = dict(environment or {})
        self._began = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def printed(self) -> str:
        """All that it printed since it was first started, but for the token that it shows once."""
        text = (self.folder / "output").read_text(errors="replace")
        return "".join(line for line in text.splitlines(keepends=True) if not line.startswith(_TOKEN_LINE))

    @property
    def log(self) -> list[Record]:
        """Its log since it was first started; lines that are no JSON are no log."""
        return [json.loads(line) for line in self.printed.splitlines() if _is_whole(line)]

    def start(self) -> None:
        """Start it and wait until it says that it is ready."""
        output = self.folder / "output"
        self._began = output.stat().st_size if output.exists() else 0
        super().start()

    def until(self, look: Callable[[], Found | None], what: str, seconds: float = PATIENCE) -> Found:
        """Look again and again until something is found; ServerFailed with the log when it is not in time."""
        deadline = time.monotonic() + seconds
        while not (found := look()):
            if self._process is not None and self._process.poll() is not None:
                raise ServerFailed(f"it ended before {what}:\n{self.output}")
            if time.monotonic() > deadline:
                raise ServerFailed(f"no {what} within {seconds:g} s:\n{self.output}")
            time.sleep(_POLL_SECONDS)
        return found

    def wait(self, event: str, *, after: int = 0, seconds: float = PATIENCE, **fields: object) -> Record:
        """Wait for an event with these fields in the log, from its line number `after` on."""

        def look() -> Record | None:
            wanted = {"event": event, **fields}
            return next((one for one in self.log[after:] if wanted.items() <= one.items()), None)

        return self.until(look, f"{event} {fields}", seconds)

    def end(self, seconds: float = 10.0) -> int:
        """Ask it to stop with SIGTERM, and return its exit code; TimeoutExpired when it takes longer."""
        assert self._process is not None
        self._process.terminate()
        code = self._process.wait(seconds)
        self._process = None
        return code

    def hang_up(self) -> None:
        """Tell it to read its configuration again."""
        os.kill(self.pid, signal.SIGHUP)

    def get(self, path: str, *, accept: str = "application/json", **query: str | Sequence[str]) -> Answer:
        """Ask for an address, with the token where there is one."""
        address = f"{self.url}{path}?{urlencode(query, doseq=True)}" if query else f"{self.url}{path}"
        request = urllib.request.Request(address, headers={"Accept": accept})
        if self.token is not None:
            request.add_header("Authorization", f"Bearer {self.token}")
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return Answer(code=answer.status, out=answer.read().decode())
        except urllib.error.HTTPError as refused:
            with refused:
                return Answer(code=refused.code, out=refused.read().decode())

    def drifts(self, *states: str) -> list[Record]:
        """The drifts of the register in these states, of REST."""
        rows: list[Record] = self.get("/api/v1/drift", limit="1000", state=states or ("open",)).json()[
            "items"
        ]
        return rows

    def until_open(self, wanted: set[Named], *, seconds: float = PATIENCE) -> list[Record]:
        """Wait until exactly these drifts live, all of them open; the rows. Names what is wrong with them."""
        deadline = time.monotonic() + seconds
        while True:
            rows = self.drifts("pending", "open")
            if named(rows) == wanted and all(row["state"] == "open" for row in rows):
                return rows
            if time.monotonic() > deadline:
                break
            time.sleep(_POLL_SECONDS * 5)
        have, waiting = named(rows), sorted(name_of(row) for row in rows if row["state"] != "open")
        raise ServerFailed(
            f"missing: {sorted(wanted - have)}\nextra: {sorted(have - wanted)}\nunconfirmed: {waiting}"
        )

    def runs(self) -> int:
        """How many runs of collectors it has counted since it was last started."""
        lines = self.get("/metrics", accept="text/plain").out.splitlines()
        return int(
            sum(float(line.split()[-1]) for line in lines if line.startswith("parity_collector_runs_total{"))
        )

    def cli(self, *words: str) -> Answer:
        """Run a command beside the service, on its configuration."""
        return parity(*words, "--config", str(self.config), environment=self._more)

    def _command(self) -> Sequence[str]:
        return [str(PARITY), "serve", "--config", str(self.config)]

    def _environment(self) -> Mapping[str, str]:
        return os.environ | {"NO_COLOR": "1"} | self._more

    def _ready(self) -> bool:
        raw = (self.folder / "output").read_bytes()
        for line in raw[self._began :].decode(errors="replace").splitlines():
            if line.startswith(_TOKEN_LINE):
                self.token = line.removeprefix(_TOKEN_LINE).strip()
            if _is_whole(line) and json.loads(line)["event"] == "ready":
                return True
        return False


def parity(*words: str, environment: Mapping[str, str] | None = None, stdin: str | None = None) -> Answer:
    """Run one command to its end."""
    done = subprocess.run(
        [str(PARITY), *words],
        input=stdin if stdin is not None else "",
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env=os.environ | {"NO_COLOR": "1", "COLUMNS": "160"} | dict(environment or {}),
    )
    return Answer(code=done.returncode, out=done.stdout, err=done.stderr)


def name_of(row: Mapping[str, Any]) -> Named:
    """What names a drift, an item of a comparison or an event of the log to a person."""
    return row["comparison"], row["service"], row["kind"], row["item"]


def named(rows: Iterable[Mapping[str, Any]]) -> set[Named]:
    """The names of drifts or items."""
    return {name_of(row) for row in rows}


def _is_whole(line: str) -> bool:
    return line.startswith("{") and line.endswith("}")
