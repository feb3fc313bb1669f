"""Clients that push without a pause, each to a service of its own, and know what was acknowledged."""

import asyncio
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

from detector.store.store import open_store
from tests.faults.shop import PATIENCE, ask

_CLIENTS = 4


class Load:
    """Pushes as long as the block lasts. A client says again what was not acknowledged."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._ended = threading.Event()
        self._began = datetime.now(UTC) - timedelta(days=3)
        self._clients = [threading.Thread(target=self._push, args=(number,)) for number in range(_CLIENTS)]
        #: Client -> how many of its pushes were acknowledged, one after the other.
        self.acknowledged = [0] * _CLIENTS
        self.answers: Counter[int | None] = Counter()

    def __enter__(self) -> Self:
        for client in self._clients:
            client.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._ended.set()
        for client in self._clients:
            client.join()

    def until_acknowledged(self, seconds: float = PATIENCE) -> None:
        """Wait until every client was told of success once more."""
        before = list(self.acknowledged)
        deadline = time.monotonic() + seconds
        while any(now == then for now, then in zip(self.acknowledged, before, strict=True)):
            assert time.monotonic() < deadline, f"no success any more: {self.answers}"
            time.sleep(0.02)

    def _push(self, client: int) -> None:
        while not self._ended.is_set():
            number = self.acknowledged[client] + 1
            path = f"/api/v1/environments/prod/services/load-{client}/observations/ci"
            document = {
                "schema": "parity.observation/v1",
                "environment": "prod",
                "service": f"load-{client}",
                "source": "ci",
                "observed_at": self._at(number).isoformat(),
                "sections": {
                    "dependencies": {
                        "basis": "running",
                        "status": "complete",
                        "facts": {"pkg:npm/load": f"{number}.0.0"},
                    }
                },
            }
            answer = ask(self._port, "PUT", path, document, seconds=10)
            self.answers[None if answer is None else answer.status] += 1
            if answer is not None and answer.status == 200:
                self.acknowledged[client] = number
            else:
                self._ended.wait(0.02)

    def _at(self, number: int) -> datetime:
        return self._began + timedelta(seconds=number)

    def wrong(self, database: str) -> list[str]:
        """Return what was acknowledged and is not stored, or stored twice."""
        return asyncio.run(self._wrong(database))

    async def _wrong(self, database: str) -> list[str]:
        found = []
        store = await open_store(database, read_only=True)
        try:
            for client, count in enumerate(self.acknowledged):
                rows = await store.history(service=f"load-{client}", item="pkg:npm/load", limit=1_000_000)
                values = [interval.value for *_, interval in reversed(rows)]
                wanted = [f"{number}.0.0" for number in range(1, count + 1)]
                if values[:count] != wanted or len(values) > count + 1:
                    found.append(f"client {client}: {count} acknowledged, {len(values)} stored")
        finally:
            await store.close()
        return found
