"""etcd on loopback, one member, in memory as far as it lets itself."""

import json
import urllib.request
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from tests.servers.process import LOOPBACK, ServerProcess, free_port, listens, required


class Etcd(ServerProcess):
    """Keys are written through the same JSON gateway that is read."""

    name = "etcd"

    def __init__(self) -> None:
        self._program = required("etcd", "etcd", "apt-get install etcd-server")
        super().__init__()
        self.port, self._peers = free_port(), free_port()

    @property
    def url(self) -> str:
        """Where clients ask."""
        return f"http://{LOOPBACK}:{self.port}"

    def put(self, pairs: Mapping[str, bytes], token: str = "") -> None:
        """Write keys and their values."""
        for key, value in pairs.items():
            self.ask("kv/put", {"key": _encoded(key.encode()), "value": _encoded(value)}, token)

    def ask(self, path: str, body: Mapping[str, Any], token: str = "") -> Any:
        """Send one request to the gateway."""
        request = urllib.request.Request(
            f"{self.url}/v3/{path}", json.dumps(body).encode(), {"Authorization": token} if token else {}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def _command(self) -> Sequence[str]:
        clients, peers = self.url, f"http://{LOOPBACK}:{self._peers}"
        return [
            *(self._program, "--name", "one", "--data-dir", f"{self.folder}/data", "--log-level", "error"),
            *("--listen-client-urls", clients, "--advertise-client-urls", clients),
            *("--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers),
            *("--initial-cluster", f"one={peers}"),
        ]

    def _ready(self) -> bool:
        return listens(self.port)


def _encoded(data: bytes) -> str:
    return b64encode(data).decode()
