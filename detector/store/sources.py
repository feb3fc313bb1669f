"""The last run of every source: one row each, overwritten."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from detector.errors import Reason
from detector.store.database import Database
from detector.store.location import upsert
from detector.store.tables import source


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """How a source fared: ``service`` is None for a discovery, ``duration`` in seconds."""

    environment: str
    service: str | None
    source: str
    last_run: datetime
    last_success: datetime | None
    last_result: Literal["ok"] | Reason
    detail: str
    duration: float

    @property
    def whole(self) -> bool:
        """Whether it looked at everything: one that did not says what it left out."""
        return self.last_result == "ok" and not self.detail


class Sources:
    """Keeps runs in memory until the next flush: only the last matters, and a lost one is run again."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._runs: dict[tuple[str, str, str], SourceRow] = {}

    async def record_run(
        self,
        environment: str,
        service: str | None,
        source: str,
        *,
        at: datetime,
        result: Literal["ok"] | Reason,
        detail: str = "",
        duration: float = 0.0,
    ) -> None:
        """Keep how a run of a source went; ``duration`` in seconds."""
        key = (environment, service or "", source)
        earlier = self._runs.get(key)
        self._runs[key] = SourceRow(
            environment=environment,
            service=service,
            source=source,
            last_run=at,
            last_success=at if result == "ok" else earlier.last_success if earlier else None,
            last_result=result,
            detail=detail,
            duration=duration,
        )
        self._database.moved["seen"] += 1

    async def sources(self) -> list[SourceRow]:
        """Return all sources that ever ran, by environment, service and name."""
        async with self._database.read() as connection:
            rows = (await connection.execute(select(source))).all()
        found = {(row.environment, row.service, row.source): _row(row) for row in rows}
        for key, run in self._runs.items():
            found[key] = _after(found.get(key), run)
        return [found[key] for key in sorted(found)]

    async def write_runs(self, connection: AsyncConnection) -> list[SourceRow]:
        """Write the runs since the last flush. Returns them, for `written` after the commit."""
        runs = list(self._runs.values())
        if runs:
            statement = upsert(connection, source)
            new = statement.excluded
            kept: dict[str, ColumnElement[Any]] = {
                name: new[name] for name in ("last_run", "last_result", "detail", "duration_ms")
            }
            kept["last_success"] = func.coalesce(new.last_success, source.c.last_success)
            await connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["environment", "service", "source"], set_=kept
                ),
                [
                    {
                        "environment": run.environment,
                        "service": run.service or "",
                        "source": run.source,
                        "last_run": run.last_run,
                        "last_success": run.last_success,
                        "last_result": run.last_result,
                        "detail": run.detail,
                        "duration_ms": round(run.duration * 1000),
                    }
                    for run in runs
                ],
            )
        return runs

    def written(self, runs: list[SourceRow]) -> None:
        """Forget runs that are committed, unless newer ones came meanwhile."""
        for run in runs:
            if self._runs.get(key := _key(run)) is run:
                del self._runs[key]

    def waiting(self) -> bool:
        """Tell whether a flush has something to write."""
        return bool(self._runs)


def _key(run: SourceRow) -> tuple[str, str, str]:
    return run.environment, run.service or "", run.source


def _row(row: Row[Any]) -> SourceRow:
    return SourceRow(
        environment=row.environment,
        service=row.service or None,
        source=row.source,
        last_run=row.last_run,
        last_success=row.last_success,
        last_result=row.last_result,
        detail=row.detail,
        duration=row.duration_ms / 1000,
    )


def _after(stored: SourceRow | None, run: SourceRow) -> SourceRow:
    """Return a run with the last success that is known of its source."""
    if run.last_success is None and stored is not None:
        return replace(run, last_success=stored.last_success)
    return run
