"""B8: PuppetDB's workload, facts of nodes over HTTP; beside PuppetDB itself where it is installed."""

import asyncio
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Self
from urllib.parse import quote

import asyncpg
import orjson

from bench.measuring import Contender, Goal, Work, WrongResultError
from bench.servers import PATIENCE, Connections, cpu_of, cpu_with_children, parity
from bench.sizes import Nodes
from tests.servers.postgres import Postgres15
from tests.servers.process import LOOPBACK, ServerFailed, ServerMissing, ServerProcess, free_port

JAR: Final = Path("/usr/share/puppetdb/puppetdb.jar")
_BOOTSTRAP: Final = Path("/etc/puppetdb/bootstrap.cfg")
_SIDE_BY_SIDE: Final = 4
_JSON: Final = {"Content-Type": "application/json", "Accept": "application/json"}
#: Of so many nodes everything that changes is read back.
_READ_BACK: Final = 3
#: Durable as ours: the servers of the tests are not.
_DURABLE: Final = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}

Facts = dict[str, str]
Said = dict[str, str]


def commands(size: Nodes | None) -> Iterator[Work]:
    """Yield B8 on SQLite and on PostgreSQL; nothing but a word where PuppetDB is not installed."""
    if size is None:
        print("B8: skipped, PuppetDB takes minutes to get warm (make bench-full)", file=sys.stderr)
        return
    if not JAR.exists():
        print("B8: skipped, PuppetDB is not installed (apt-get install puppetdb)", file=sys.stderr)
        return
    title = f"{size.nodes} nodes × {size.facts} facts, 1 % of them changed, each node a request"
    try:
        with ExitStack() as stack:
            postgres = stack.enter_context(Postgres15(settings=_DURABLE))
            rival = _PuppetDb(stack.enter_context(_Server(postgres)), size)
            print(f"B8: warming PuppetDB with {size.warm:,} commands", file=sys.stderr)
            for _ in range(-(-size.warm // size.nodes)):
                rival.turn()
            for database, ratios in (("SQLite", (20.0, 30.0)), ("PostgreSQL", (None, 8.0))):
                with _Parity(size, database) as ours:
                    # From here on both are sent the same.
                    rival.nodes, ours.nodes = Fleet(size), Fleet(size)
                    # The first time all facts are new.
                    rival.turn()
                    ours.turn()
                    wall, cpu = ratios
                    yield Work(
                        number="B8",
                        title=f"{title}; {database}",
                        ours=_contender("parity", ours, size),
                        rivals=(_contender("PuppetDB", rival, size),),
                        goals=(
                            *([Goal(against="PuppetDB", ratio=wall, figure="wall")] if wall else []),
                            Goal(against="PuppetDB", ratio=cpu),
                        ),
                        rounds=size.rounds,
                    )
    except ServerMissing as missing:
        print(f"B8: skipped, {missing}", file=sys.stderr)


def _contender(name: str, server: "_Parity | _PuppetDb", size: Nodes) -> Contender:
    return Contender(
        name=name, run=server.turn, answer=lambda _: server.said(), cpu=server.cpu, pieces=size.nodes
    )


class Fleet:
    """What the nodes have: a hundredth of it is another at each turn."""

    def __init__(self, size: Nodes) -> None:
        self._facts = {f"fact-{number}": f"{number}.0" for number in range(size.facts)}
        self.changing = list(self._facts)[: max(1, size.facts // 100)]
        self.names = [f"node-{number}" for number in range(size.nodes)]
        self._turns = count(1)
        self.turn = 0

    def next(self) -> dict[str, Facts]:
        """Return node -> facts of the next turn."""
        self.turn = next(self._turns)
        changed = {name: f"{self.turn}.{position}" for position, name in enumerate(self.changing)}
        return dict.fromkeys(self.names, self._facts | changed)

    def said(self, read: Callable[[str], Mapping[str, str]]) -> Said:
        """Return what a server says of the facts that change, of some nodes."""
        return {
            f"{node} {fact}": found.get(fact, "nothing")
            for node in self.names[:_READ_BACK]
            for found in [read(node)]
            for fact in self.changing
        }


class _Parity:
    """Parity with a token, on a database of its own."""

    def __init__(self, size: Nodes, database: str) -> None:
        self.nodes = Fleet(size)
        self._database = database

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="parity-bench-")))
            url = "sqlite:///parity.db"
            self._postgres: Postgres15 | None = None
            if self._database == "PostgreSQL":
                self._postgres = stack.enter_context(Postgres15(settings=_DURABLE))
                url = self._postgres.dsn
            self._service = stack.enter_context(parity(folder, ["prod"], database=url))
            self._ask = stack.enter_context(
                Connections(self._service.port, _SIDE_BY_SIDE, token=self._service.token)
            )
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def cpu(self) -> float:
        return cpu_of(self._service.pid) + (cpu_with_children(self._postgres.pid) if self._postgres else 0)

    def turn(self) -> None:
        requests = [
            self._ask.request(
                "PUT",
                f"/api/v1/environments/prod/services/{node}/observations/facter",
                body=_observation(node, facts),
                headers=_JSON,
            )
            for node, facts in self.nodes.next().items()
        ]
        for start in range(0, len(requests), _SIDE_BY_SIDE):
            self._ask.ask(requests[start : start + _SIDE_BY_SIDE], 200)

    def said(self) -> Said:
        return self.nodes.said(self._read)

    def _read(self, node: str) -> dict[str, str]:
        found = {}
        for fact in self.nodes.changing:
            path = f"/api/v1/services/{node}/items/{quote(_item(fact), safe='')}/history?limit=1"
            [answer] = self._ask.ask([self._ask.request("GET", path)], 200)
            found[fact] = orjson.loads(answer)["items"][0]["value"]
        return found


def _item(fact: str) -> str:
    return f"pkg:generic/{fact}"


def _observation(node: str, facts: Facts) -> bytes:
    return orjson.dumps(
        {
            "schema": "parity.observation/v1",
            "environment": "prod",
            "service": node,
            "source": "facter",
            "observed_at": _now(),
            "sections": {
                "dependencies": {
                    "basis": "running",
                    "status": "complete",
                    "facts": {_item(fact): value for fact, value in facts.items()},
                }
            },
        }
    )


class _PuppetDb:
    """PuppetDB, which acknowledges a command before it is processed: a turn ends when it is."""

    def __init__(self, server: "_Server", size: Nodes) -> None:
        self.nodes = Fleet(size)
        self._server = server

    def cpu(self) -> float:
        return cpu_of(self._server.pid) + cpu_with_children(self._server.postgres.pid)

    def turn(self) -> None:
        commands = [self._command(node, facts) for node, facts in self.nodes.next().items()]
        # Anew at each turn: it closes connections that wait.
        with Connections(self._server.port, _SIDE_BY_SIDE) as connections:
            requests = [
                connections.request("POST", path, body=body, headers=_JSON) for path, body in commands
            ]
            for start in range(0, len(requests), _SIDE_BY_SIDE):
                connections.ask(requests[start : start + _SIDE_BY_SIDE], 200)
        last = self.nodes.changing[-1]
        awaited = f"/pdb/query/v4/facts/{last}/{self.nodes.turn}.{len(self.nodes.changing) - 1}"
        deadline = time.monotonic() + PATIENCE
        while len(self._get(awaited)) < len(commands):
            if time.monotonic() > deadline:
                raise ServerFailed(f"PuppetDB had not processed its commands after {PATIENCE:g} s")
            time.sleep(0.1)

    def said(self) -> Said:
        return self.nodes.said(
            lambda node: {row["name"]: row["value"] for row in self._get(f"/pdb/query/v4/nodes/{node}/facts")}
        )

    def _command(self, node: str, facts: Facts) -> tuple[str, bytes]:
        body = orjson.dumps(
            {
                "certname": node,
                "environment": "prod",
                "values": facts,
                "producer_timestamp": _now(),
                "producer": None,
            }
        )
        path = f"/pdb/cmd/v1?command=replace_facts&version=5&certname={node}"
        return path, body

    def _get(self, path: str) -> list[dict[str, Any]]:
        with Connections(self._server.port, 1) as connection:
            [answer] = connection.ask([connection.request("GET", path)], 200)
        found: list[dict[str, Any]] = orjson.loads(answer)
        return found


class _Server(ServerProcess):
    """The service of the Debian package as a child of ours, with folders and a database of its own."""

    name = "puppetdb"
    start_seconds = PATIENCE

    def __init__(self, postgres: Postgres15) -> None:
        super().__init__()
        self.postgres = postgres
        self.port = free_port()

    def _prepare(self) -> None:
        asyncio.run(self._make_database())
        (self.folder / "var").mkdir()
        config = self.folder / "conf.d"
        config.mkdir()
        log = self.folder / "logback.xml"
        log.write_text('<configuration><root level="off"/></configuration>')
        (config / "config.ini").write_text(
            f"[global]\nvardir = {self.folder}/var\nlogging-config = {log}\n"
            "[puppetdb]\ndisable-update-checking = true\n"
        )
        (config / "jetty.ini").write_text(f"[jetty]\nhost = {LOOPBACK}\nport = {self.port}\n")
        (config / "database.ini").write_text(
            f"[database]\nsubname = //{LOOPBACK}:{self.postgres.port}/puppetdb\n"
            f"username = admin\npassword = {self.postgres.admin_password}\n"
        )
        everything = (
            "{match-request: {path: '/', type: path}, allow-unauthenticated: true, sort-order: 1, name: all}"
        )
        (config / "auth.conf").write_text(
            f"authorization: {{version: 1, rules: [{everything}]}}\n".replace("'", '"')
        )

    async def _make_database(self) -> None:
        await self.postgres.execute("CREATE DATABASE puppetdb")
        connection = await asyncpg.connect(f"{self.postgres.dsn.rpartition('/')[0]}/puppetdb")
        await connection.execute("CREATE EXTENSION pg_trgm")
        await connection.close()

    def _command(self) -> Sequence[str]:
        main = ["clojure.main", "-m", "puppetlabs.puppetdb.core", "services"]
        options = {
            "config": self.folder / "conf.d",
            "bootstrap-config": _BOOTSTRAP,
            "restart-file": "restart",
        }
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        return ["java", "-Xmx1g", "-cp", str(JAR), *main, *words]

    def _ready(self) -> bool:
        try:
            with Connections(self.port, 1) as asking:
                path = "/status/v1/services/puppetdb-status"
                [answer] = asking.ask([asking.request("GET", path)], 200)
        except (OSError, WrongResultError):
            return False
        return bool(orjson.loads(answer)["state"] == "running")


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
