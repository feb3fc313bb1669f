"""What `parity doctor` finds out about the service and the database of a configuration."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from detector.assembly import Reading, reading
from detector.cli.asking import service_beside
from detector.cli.remote import asked_once
from detector.config.records import Config
from detector.errors import ParityError, StoreError
from detector.jobs.compare import Compare
from detector.model.clock import print_duration
from detector.store.location import locate
from detector.store.schema import HEAD, examined

#: Whether all is well, and what was looked at.
Finding = tuple[bool, str]
#: What the database saw last may be so much later than the clock here.
_SKEW: Final = timedelta(minutes=5)
#: Alerts may wait for so long before somebody should know.
_WAITS: Final = timedelta(minutes=30)


async def health(config: Config) -> AsyncIterator[Finding]:
    """Look at the service and the database, without changing anything."""
    runs = False
    try:
        socket = service_beside(config)
        runs = socket is not None
        if socket is not None:
            yield await _service(socket)
        else:
            yield True, "no service runs on this database: parity serve starts one"
    except StoreError as error:
        yield False, str(error)
    location = locate(config.database_url)
    if not runs and _is_missing(config):
        yield True, f"there is no database {location} yet: parity serve makes it"
        return
    try:
        async with examined(location) as connection:
            yield True, f"{location} has the schema {HEAD}, the one of this version"
            for finding in await location.conditions(connection):
                yield finding
        async with reading(config) as here:
            async for finding in _lags(here, datetime.now(UTC), runs=runs):
                yield finding
    except ParityError as error:
        yield False, str(error)


def _is_missing(config: Config) -> bool:
    try:
        locate(config.database_url).require(may_make=False)
    except StoreError:
        return True
    return False


async def _service(socket: Path) -> Finding:
    from detector.api.local_socket import pid_at

    pid = pid_at(socket)
    try:
        await asked_once("GET", socket, "/readyz")
    except ParityError as error:
        return False, f"the service runs as process {pid} and is not ready: {error}"
    return True, f"the service runs as process {pid}, and its socket answers"


async def _lags(here: Reading, now: datetime, *, runs: bool) -> AsyncIterator[Finding]:
    sources = await here.sources.sources(now=now)
    yield _clock(sources, now)
    yield _overdue(sources, runs=runs)
    compare = Compare(here.store, here.comparisons, here.views, here.settings.current_policy, str)
    behind = len({service for _, service in await compare.behind()})
    yield (
        not behind or runs,
        f"{behind} services have news that is not judged" + ("" if runs else ": parity once judges it")
        if behind
        else "all that was seen is judged",
    )
    owed, oldest, parked = await here.store.backlog()
    waits = now - oldest if oldest is not None else timedelta()
    yield (
        waits < _WAITS,
        f"{_alerts(owed)} owed, the oldest for {print_duration(waits)}"
        + ("" if waits < _WAITS else ": parity_notifications_total and the log say why")
        if owed
        else "no alert is owed",
    )
    if parked:
        yield False, f"{_alerts(parked)} parked: a receiver refused them for good, mend it"


def _clock(sources: list[dict[str, Any]], now: datetime) -> Finding:
    newest = max((datetime.fromisoformat(one["last_run"]) for one in sources if one["last_run"]), default=now)
    if newest <= now + _SKEW:
        return True, "the clock is not behind what the database saw last"
    return False, f"the clock is {print_duration(newest - now)} behind what the database saw last: set it"


def _overdue(sources: list[dict[str, Any]], *, runs: bool) -> Finding:
    ran = [one for one in sources if one["state"] != "never"]
    stale = sum(one["state"] == "stale" for one in ran)
    failing = sum(one["state"] == "failing" for one in ran)
    if not stale and not failing:
        return True, f"{len(ran)} of {len(sources)} sources ran, none is overdue"
    late = [f"{stale} of {len(sources)} sources are overdue"] if stale else []
    blind = [f"{failing} of {len(sources)} failed at their last run"] if failing else []
    remedy = "parity check --online says why" if failing else "parity serve looks at them"
    return False, f"{' and '.join([*late, *blind])}: {'the log says why' if runs else remedy}"


def _alerts(count: int) -> str:
    return f"{count} alert{'s are' if count != 1 else ' is'}"
