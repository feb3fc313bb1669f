"""`python -m bench.plans`: how both databases answer the main questions over ten million intervals.

Fills a database in a temporary folder, asks each question through the store, and prints the plan of every
statement that looks at facts, their past or drifts, with the time that the whole question took.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any, Final

from sqlalchemy import event, text
from sqlalchemy.engine import Engine
from sqlalchemy.ext.asyncio import AsyncConnection

from detector.model.facts import Observation, Section
from detector.model.records import Drift, Key
from detector.store.location import locate
from detector.store.register import Settlement
from detector.store.store import Store, open_store

NOW: Final = datetime(2026, 11, 22, tzinfo=UTC)
ITEM: Final = "pkg:pypi/package-7"
#: Tables whose rows grow with history.
GROWING: Final = ("fact", "fact_past", "drift")
_MINUTE: Final = 60_000_000
_PAST: Final = """
INSERT INTO fact_past (stream, item, value, opened, opened_seq, closed, closed_seq)
SELECT stream, item, value, opened - (often - n + 1) * {minute}, n, opened - (often - n) * {minute}, n + 1
FROM fact, (SELECT n, CAST(:often AS BIGINT) AS often FROM ({series}) AS numbers) AS series
ORDER BY stream, item, n
"""
_SERIES: Final = {
    "sqlite": (
        "WITH RECURSIVE t(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM t WHERE n < :often) SELECT n FROM t"
    ),
    "postgresql": "SELECT generate_series(1, :often) AS n",
}

Ask = Callable[[Store], Awaitable[object]]


async def _search(store: Store) -> None:
    await store.items_named([ITEM])
    await store.streams(environments=["prod"])


QUESTIONS: Final[Mapping[str, Ask]] = {
    "state now of a service": lambda store: store.streams(environments=["prod"], services=["service-3"]),
    "state of a service as of T": lambda store: store.streams(
        environments=["prod"], services=["service-3"], as_of=NOW - timedelta(minutes=5)
    ),
    "history of an item": lambda store: store.history(service="service-3", item=ITEM, limit=100),
    "values of items over time": lambda store: store.values_of(
        "prod", [("service-3", "main", "dependencies", ITEM)]
    ),
    "search of an item: names, then every state": _search,
    "open drifts": lambda store: store.register(states=("open",), limit=100),
    "open drifts of a comparison": lambda store: store.register(
        comparison="staging..prod", states=("open", "pending", "accepted")
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One statement as a database got it."""

    statement: str
    parameters: Any

    def looks_at(self, tables: Sequence[str]) -> bool:
        """Whether it reads one of some tables."""
        words = self.statement.replace(",", " ").replace("\n", " ").split()
        return words[0] == "SELECT" and not {*words}.isdisjoint(tables)


@contextmanager
def listening() -> Iterator[list[Asked]]:
    """Every statement that is sent meanwhile."""
    heard: list[Asked] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        heard.append(Asked(statement=statement, parameters=parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield heard
    finally:
        event.remove(Engine, "before_cursor_execute", note)


async def plan_of(connection: AsyncConnection, asked: Asked) -> list[str]:
    """Return the plan of a statement, a line for each step."""
    sqlite = connection.dialect.name == "sqlite"
    explain = "EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN "
    rows = (await connection.exec_driver_sql(explain + asked.statement, asked.parameters)).all()
    return [str(row[3] if sqlite else row[0]) for row in rows]


async def fill(url: str, *, services: int, facts: int, often: int) -> int:
    """Fill an empty database; returns how many closed intervals it holds."""
    store = await open_store(url)
    for service in range(services):
        for environment in ("staging", "prod"):
            found = {
                f"pkg:pypi/package-{number}": f"1.{service % 7}.{number % 50}" for number in range(facts)
            }
            observation = Observation(
                environment=environment,
                service=f"service-{service}",
                source="bench",
                observed_at=NOW - timedelta(minutes=1),
                sections={"dependencies": Section(basis="running", facts=found)},
            )
            await store.record(observation, received_at=NOW, scheduled=False)
    await store.settle([_settlement(service, drifts=5) for service in range(services)])
    await store.close()
    location = locate(url)
    engine = location.inspector()
    try:
        async with engine.begin() as connection:
            dialect = connection.dialect.name
            if dialect == "postgresql":
                # What the rows refer to is there: they are copies.
                await connection.execute(text("SET LOCAL session_replication_role = replica"))
            copied = text(_PAST.format(minute=_MINUTE, series=_SERIES[dialect]))
            await connection.execute(copied, {"often": often})
            count = await connection.scalar(text("SELECT count(*) FROM fact_past"))
        if dialect == "postgresql":
            async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
                await connection.execute(text("VACUUM ANALYZE"))
    finally:
        await engine.dispose()
    return int(count or 0)


def _settlement(service: int, *, drifts: int) -> Settlement:
    rows = [
        Drift(
            id=f"{service:013}{number:013}",
            comparison="staging..prod",
            key=Key(f"service-{service}", "main", "dependencies", f"pkg:pypi/package-{number}"),
            state="open" if number == 0 else "resolved",
            severity="high",
            owner=None,
            opened_at=NOW,
            item={},
        )
        for number in range(drifts)
    ]
    return Settlement(comparison="staging..prod", service=f"service-{service}", judged_through=1, drifts=rows)


async def plans(url: str) -> dict[str, tuple[float, list[tuple[Asked, list[str]]]]]:
    """Return question -> seconds that it took, and the plans of what it asked of growing tables."""
    found: dict[str, tuple[float, list[tuple[Asked, list[str]]]]] = {}
    store = await open_store(url, read_only=True)
    engine = locate(url).readers()
    try:
        for question, ask in QUESTIONS.items():
            with listening() as heard:
                begun = perf_counter()
                await ask(store)
                took = perf_counter() - begun
            async with engine.begin() as connection:
                statements = {one.statement: one for one in heard if one.looks_at(GROWING)}
                shown = [(one, await plan_of(connection, one)) for one in statements.values()]
            found[question] = (took, shown)
    finally:
        await engine.dispose()
        await store.close()
    return found


async def _report(name: str, url: str, *, services: int, facts: int, often: int) -> None:
    begun = perf_counter()
    count = await fill(url, services=services, facts=facts, often=often)
    print(f"\n## {name}: {count:,} closed intervals, filled in {perf_counter() - begun:.0f} s", flush=True)
    for question, (took, shown) in (await plans(url)).items():
        print(f"\n{question}: {took * 1000:.1f} ms")
        for asked, lines in shown:
            words = " ".join(asked.statement.split())
            print(f"  {words[:100]}{'…' if len(words) > 100 else ''}")
            for line in lines:
                print(f"    {line[:150]}")


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.plans", description=__doc__)
    parser.add_argument("--services", type=int, default=100, help="in two environments each")
    parser.add_argument("--facts", type=int, default=1000)
    parser.add_argument("--often", type=int, default=50, help="closed intervals of each fact")
    parser.add_argument("--folder", type=Path, help="for the file of SQLite; default: a temporary one")
    parser.add_argument("--postgres", metavar="URL", action="append", default=[], help="an empty database")
    asked = parser.parse_args(arguments)
    size = {"services": asked.services, "facts": asked.facts, "often": asked.often}
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        path = Path(folder) / "parity.db"
        asyncio.run(_report("SQLite", f"sqlite:///{path}", **size))
        print(f"\nthe file has {path.stat().st_size / 1e6:,.0f} MB")
    if asked.postgres:
        for url in asked.postgres:
            asyncio.run(_report("PostgreSQL", url, **size))
        return 0
    from tests.servers.postgres import Postgres15, Postgres18  # noqa: PLC0415 - where no address was given

    for kind in (Postgres15, Postgres18):
        with kind() as server:
            asyncio.run(_report(server.name, server.dsn, **size))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
