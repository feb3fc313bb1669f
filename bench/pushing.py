"""B4 and B5: pushes to a running service, beside a server that only says hello."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Self

import orjson

from bench.made_up import Facts, mixed, observation
from bench.measuring import Contender, Goal, Work, WrongResultError
from bench.servers import Connections, Hello, await_quiet, cpu_of, parity
from bench.sizes import Pushes
from detector.model.canonical import observation_document
from tests.e2e.service import Service

_SIDE_BY_SIDE: Final = 4
_ITEM: Final = "pkg:pypi/asked-for"
_JSON: Final = {"Content-Type": "application/json"}


def unchanged(size: Pushes) -> Iterator[Work]:
    """Yield B4: nothing changed, said by a digest; and said of many targets in one request."""
    with _Both() as both:
        pushers = [_Pusher(both, f"service-{number}", mixed(size.few).left) for number in range(size.targets)]
        for pusher in pushers:
            pusher.push()
        await_quiet(both.service.pid)
        some = [pusher.same() for pusher in pushers[:_SIDE_BY_SIDE]]
        yield Work(
            number="B4",
            title="unchanged push: PUT with the digest alone, with a token",
            ours=both.ours(partial(both.parity.ask, some, 204), turns=size.at_once),
            rivals=(both.hello(size.at_once),),
            goals=(Goal(against="aiohttp", most=1.6),),
        )
        batch = both.parity.request("POST", "/api/v1/heartbeats", body=_batch(pushers), headers=_JSON)
        yield Work(
            number="B4",
            title=f"the same said of {size.targets:,} targets in one request, per target",
            ours=Contender(
                name="parity",
                run=partial(_said_together, both, batch, size.targets),
                cpu=partial(cpu_of, both.service.pid),
                pieces=size.targets,
            ),
            rivals=(both.hello(size.at_once),),
            goals=(Goal(against="aiohttp", most=0.03),),
        )


def whole(size: Pushes) -> Iterator[Work]:
    """Yield B5: all facts are sent, and nothing or one fact changed."""
    with _Both() as both:
        pushers = [
            _Pusher(both, f"service-{number}", mixed(size.facts).left) for number in range(_SIDE_BY_SIDE)
        ]
        for pusher in pushers:
            pusher.push()
        await_quiet(both.service.pid)
        for title, most, changing in (("unchanged", 7, False), ("one fact changed and committed", 14, True)):
            yield Work(
                number="B5",
                title=f"push of {size.facts:,} facts, {title}",
                ours=both.ours(partial(_pushed, both, pushers, changing=changing), turns=1),
                rivals=(both.hello(size.at_once),),
                goals=(Goal(against="aiohttp", most=most),),
            )
        for pusher in pushers:
            pusher.check()


class _Both:
    """A service and the bare server, with connections to both."""

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="parity-bench-")))
            self.service: Service = stack.enter_context(parity(folder, ["staging"]))
            self._bare = stack.enter_context(Hello())
            self.parity = stack.enter_context(
                Connections(self.service.port, _SIDE_BY_SIDE, token=self.service.token)
            )
            self._connections = stack.enter_context(Connections(self._bare.port, _SIDE_BY_SIDE))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def ours(self, ask: Callable[[], Any], *, turns: int) -> Contender:
        """Return ours: so many times one request on each connection."""
        return Contender(
            name="parity",
            run=lambda: [ask() for _ in range(turns)],
            cpu=partial(cpu_of, self.service.pid),
            pieces=turns * _SIDE_BY_SIDE,
        )

    def hello(self, turns: int) -> Contender:
        """Return the rival, who says nothing that could be compared."""
        requests = [self._connections.request("GET", "/")] * _SIDE_BY_SIDE
        return Contender(
            name="aiohttp hello",
            run=lambda: [self._connections.ask(requests, 200) for _ in range(turns)],
            cpu=partial(cpu_of, self._bare.pid),
            pieces=turns * _SIDE_BY_SIDE,
        )


class _Pusher:
    """One source that pushes."""

    def __init__(self, both: _Both, service: str, facts: Facts) -> None:
        self._both = both
        self.service = service
        self._path = f"/api/v1/environments/staging/services/{service}/observations/bench"
        self._history = (
            f"/api/v1/services/{service}/items/{_ITEM.replace(':', '%3A').replace('/', '%2F')}/history"
        )
        document = observation_document(observation(facts, "staging")) | {"service": service}
        document["sections"]["dependencies"]["facts"][_ITEM] = "1.0.VERSION"
        document["observed_at"] = "OBSERVED-AT"
        self._body = orjson.dumps(document)
        self._version = count()
        self._now = 0
        self.digest = ""

    def whole(self, *, changing: bool) -> bytes:
        """Return a push of all facts, seen now."""
        if changing:
            self._now = next(self._version)
        seen = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        body = self._body.replace(b"OBSERVED-AT", seen.encode()).replace(b"VERSION", str(self._now).encode())
        return self._both.parity.request("PUT", self._path, body=body, headers=_JSON)

    def push(self) -> None:
        """Push for the first time."""
        [answer] = self._both.parity.ask([self.whole(changing=True)], 200)
        self.digest = orjson.loads(answer)["digest"]

    def same(self) -> bytes:
        """Return the request that says nothing changed."""
        return self._both.parity.request("PUT", self._path, headers={"If-Match": f'"{self.digest}"'})

    def check(self) -> None:
        """Raise WrongResultError where the last version that was pushed is not the newest in history."""
        [answer] = self._both.parity.ask([self._both.parity.request("GET", self._history)], 200)
        newest = orjson.loads(answer)["items"][0]["value"]
        if newest != f"1.0.{self._now}":
            raise WrongResultError(f"B5: {newest} was read back instead of 1.0.{self._now}")


def _batch(pushers: Sequence[_Pusher]) -> bytes:
    streams = [
        {"environment": "staging", "service": one.service, "source": "bench", "digest": one.digest}
        for one in pushers
    ]
    return orjson.dumps({"streams": streams})


def _said_together(both: _Both, batch: bytes, targets: int) -> None:
    [answer] = both.parity.ask([batch], 200)
    if orjson.loads(answer)["unchanged"] != targets:
        raise WrongResultError("B4: not all of a batch were known to be unchanged")


def _pushed(both: _Both, pushers: list[_Pusher], *, changing: bool) -> None:
    answers = both.parity.ask([pusher.whole(changing=changing) for pusher in pushers], 200)
    for answer in answers:
        if orjson.loads(answer)["changed"] is not changing:
            raise WrongResultError(f"B5: a push was acknowledged with changed = {not changing}")
