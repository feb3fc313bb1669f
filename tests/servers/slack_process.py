"""The Slack double as a process of its own, for a service that runs as a process."""

import json
import os
import secrets
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.servers.process import LOOPBACK, ServerProcess, free_port
from tests.servers.slack import Failure

_ROOT = Path(__file__).parents[2]


class SlackProcess(ServerProcess):
    """Runs `tests.servers.slack`; its messages live as long as the process."""

    name = "slack"

    def __init__(self) -> None:
        super().__init__()
        self.port = free_port()
        self.token = f"xoxb-{secrets.token_hex(12)}"

    @property
    def url(self) -> str:
        """Address of the Web API, as `base_url` of a client."""
        return f"http://{LOOPBACK}:{self.port}/api/"

    @property
    def webhook_url(self) -> str:
        """Address of the incoming webhook."""
        return str(json.loads((self.folder / "output").read_text().splitlines()[-1])["webhook_url"])

    def messages(self) -> list[dict[str, Any]]:
        """All messages, oldest first: channel, ts, thread_ts, via, edits, versions."""
        return self._rows("/_messages")

    def calls(self) -> list[dict[str, Any]]:
        """All requests that came in: method, body, answer."""
        return self._rows("/_calls")

    def wait(self, *, messages: int = 0, edits: int = 0, seconds: float = 10.0) -> list[dict[str, Any]]:
        """Wait for at least so many messages and edits; HTTPError 504 when they do not come."""
        return self._rows(f"/_wait?messages={messages}&edits={edits}&timeout={seconds}", seconds + 5)

    def fail(self, *failures: Failure) -> None:
        """Let the next calls fail in this order."""
        self._post("/_failures", [asdict(failure) for failure in failures])

    def outage(self, failure: Failure | None) -> None:
        """Let every call fail so, until None."""
        self._post("/_outage", None if failure is None else asdict(failure))

    def _rows(self, path: str, seconds: float = 10.0) -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{self.port}{path}", timeout=seconds) as answer:
            rows: list[dict[str, Any]] = json.load(answer)
            return rows

    def _post(self, path: str, body: object) -> None:
        request = urllib.request.Request(
            f"http://{LOOPBACK}:{self.port}{path}",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        urllib.request.urlopen(request, timeout=10).close()

    def _environment(self) -> Mapping[str, str]:
        return os.environ | {"PYTHONPATH": str(_ROOT)}

    def _command(self) -> Sequence[str]:
        return [sys.executable, "-m", "tests.servers.slack", "--port", str(self.port), "--token", self.token]

    def _ready(self) -> bool:
        # The line comes after the port is open, and `webhook_url` reads it.
        return self.output.endswith("}\n")
