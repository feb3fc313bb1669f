"""How large a database is, of what, and how fast it grows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

import detector.store.register_tables as r
from detector.model.clock import print_time
from detector.store import tables as t
from detector.store.location import Location
from detector.store.milestones import PRUNED, RESTORED, Milestone, read_milestone
from detector.store.outbox import OWED
from detector.store.sizes import Sizes

#: Growth is told of the days before the newest snapshot.
_GROWTH: Final = timedelta(days=7)
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """What came in a day, on average over ``days``."""

    days: float
    snapshots: float
    changes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """The size of a database."""

    sizes: Sizes
    rows: Mapping[str, int]
    #: When the first snapshot that is kept and the newest were taken.
    oldest: datetime | None
    newest: datetime | None
    growth: Growth | None
    owed: int
    parked: int
    pruned: Milestone | None
    restored: Milestone | None

    def document(self) -> dict[str, Any]:
        """Return it as JSON shows it; a size that nobody can tell is null."""
        sizes = self.sizes.tables
        largest = sorted(self.rows, key=lambda name: (-(sizes or {}).get(name, 0), name))
        tables = [
            {
                "table": name,
                "rows": self.rows[name],
                "bytes": sizes.get(name, 0) if sizes is not None else None,
            }
            for name in largest
        ]
        past = self._each("fact_past")
        growth = self.growth and {
            "days": round(self.growth.days, 2),
            "snapshots_per_day": round(self.growth.snapshots, 1),
            "changes_per_day": round(self.growth.changes, 1),
            "bytes_per_day": self._growing(self.growth),
        }
        return {
            "bytes": {"database": self.sizes.database, "journal": self.sizes.journal},
            "facts": {
                "open": self.rows["fact"],
                "past": self.rows["fact_past"],
                "bytes_per_open": self._each("fact"),
                "bytes_per_past": past,
            },
            "snapshots": {
                "count": self.rows["snapshot"],
                "oldest": _time(self.oldest),
                "newest": _time(self.newest),
            },
            "growth": growth,
            "outbox": {"owed": self.owed, "parked": self.parked},
            "pruned_through": _time(self.pruned.at if self.pruned else None),
            "restored_at": _time(self.restored.at if self.restored else None),
            "tables": tables,
        }

    def _each(self, table: str) -> float | None:
        rows, sizes = self.rows[table], self.sizes.tables
        return round(sizes[table] / rows, 1) if rows and sizes is not None and table in sizes else None

    def _growing(self, growth: Growth) -> int | None:
        """Return the bytes of a day: what closes one value and says so."""
        past, snapshot = self._each("fact_past") or self._each("fact"), self._each("snapshot")
        if past is None or snapshot is None:
            return None
        return round(growth.changes * past + growth.snapshots * snapshot)


async def measured(connection: AsyncConnection, location: Location) -> Stats:
    """Return the size of a database."""
    rows = {
        table.name: (await connection.execute(select(func.count()).select_from(table))).scalar_one()
        for table in t.metadata.sorted_tables
    }
    at = t.snapshot.c.received_at
    oldest, newest = (await connection.execute(select(func.min(at), func.max(at)))).one()
    states = select(r.outbox.c.state, func.count()).group_by(r.outbox.c.state)
    outbox = {row[0]: int(row[1]) for row in await connection.execute(states)}
    return Stats(
        sizes=await location.sizes(connection),
        rows=rows,
        oldest=oldest,
        newest=newest,
        growth=await _growth(connection, oldest, newest),
        owed=sum(outbox.get(state, 0) for state in OWED),
        parked=outbox.get("parked", 0),
        pruned=await read_milestone(connection, PRUNED),
        restored=await read_milestone(connection, RESTORED),
    )


async def _growth(
    connection: AsyncConnection, oldest: datetime | None, newest: datetime | None
) -> Growth | None:
    """Return what came in the last days. Of less than a day nothing can be told: all was new then."""
    if oldest is None or newest is None or newest - oldest < _DAY:
        return None
    since = max(oldest, newest - _GROWTH)
    s = t.snapshot.c
    changes = func.coalesce(func.sum(s.added + s.removed + s.changed), 0)
    query = select(func.count(), changes).where(s.received_at > since)
    count, changed = (await connection.execute(query)).one()
    days = (newest - since) / _DAY
    return Growth(days=days, snapshots=count / days, changes=int(changed) / days)


def _time(at: datetime | None) -> str | None:
    return print_time(at) if at is not None else None
