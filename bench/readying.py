"""B13: from the start of the service to ready on a full database, and the memory that it holds then."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import orjson

from bench.fleet import ENVIRONMENTS, Targets, address, seen
from bench.made_up import NOW
from bench.measuring import Contender, Limit, Work, WrongResultError
from bench.servers import PATIENCE, Connections, await_quiet, cpu_of, memory_of, parity
from bench.sizes import Fleet
from detector.store.store import open_store

_AT_ONCE: Final = 4


@dataclass(frozen=True, slots=True)
class Started:
    """Seconds from the start to ready, and bytes of memory when everything was quiet."""

    wall: float
    cpu: float
    memory: float
    token: str | None


def start(fleet: Fleet) -> Iterator[Work]:
    """Yield B13. Memory is that after every target said once more that it is as it was."""
    with TemporaryDirectory(prefix="parity-bench-") as name:
        folder = Path(name)
        digests = asyncio.run(_filled(folder, fleet))
        # What is measured is a start after a crash, not the first one, which judges everything.
        token = _started(folder, digests).token
        yield Work(
            number="B13",
            title=f"start to ready on {fleet.targets:,} targets × {fleet.facts:,} facts",
            ours=Contender(
                name="parity",
                run=partial(_started, folder, digests, token),
                figures=lambda found: {"cpu": found.cpu, "wall": found.wall, "memory": found.memory},
            ),
            goals=(Limit(figure="wall", most=3.0), Limit(figure="memory", most=350e6, about="steady memory")),
            figure="wall",
            rounds=2,
        )


async def _filled(folder: Path, fleet: Fleet) -> list[str]:
    """Record every target, a hundredth of its facts its own. Returns their digests."""
    targets = Targets(fleet.targets, fleet.facts)
    store = await open_store(f"sqlite:///{folder}/parity.db")
    digests = []
    for target, facts in enumerate(targets.states):
        for _ in range(fleet.facts // 100):
            targets.change(target)
        recorded = await store.record(seen(target, facts, NOW), received_at=NOW, scheduled=True)
        digests.append(recorded.digest)
    await store.close()
    return digests


def _started(folder: Path, digests: Sequence[str], token: str | None = None) -> Started:
    service = parity(folder, ENVIRONMENTS)
    service.start_seconds = PATIENCE
    began = time.perf_counter()
    with service:
        wall, cpu = time.perf_counter() - began, cpu_of(service.pid)
        token = service.token or token  # it is shown at the first start alone
        with Connections(service.port, _AT_ONCE, token=token) as connections:
            for first in range(0, len(digests), _AT_ONCE):
                connections.ask(
                    [
                        _same(connections, target, digest)
                        for target, digest in enumerate(digests[first : first + _AT_ONCE], first)
                    ],
                    204,
                )
            await_quiet(service.pid)
            memory = memory_of(service.pid)
            [answer] = connections.ask([connections.request("GET", "/api/v1/services?limit=1000")], 200)
        services = len(orjson.loads(answer)["items"])
        expected = len({address(target)[1] for target in range(len(digests))})
        if services != expected:
            raise WrongResultError(f"B13: {services} services are shown instead of {expected}")
        return Started(wall, cpu, memory, token)


def _same(connections: Connections, target: int, digest: str) -> bytes:
    environment, service = address(target)
    path = f"/api/v1/environments/{environment}/services/{service}/observations/bench"
    return connections.request("PUT", path, headers={"If-Match": f'"{digest}"'})
