"""Looking when somebody asks, beside the schedule: a run that can be watched until it has ended."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final

from detector.config.choosing import sources_of
from detector.config.records import Config, Source
from detector.errors import NotFoundError
from detector.jobs.collect import Ran
from detector.jobs.watch import Watch
from detector.model.clock import print_time

#: Runs that are remembered; a restart forgets them all.
_REMEMBERED: Final = 100
_NOT_RECORDED: Final = "what it saw could not be recorded; the log says why"


@dataclass(slots=True, kw_only=True)
class Run:
    """Some sources of an environment, run because somebody asked."""

    id: str
    environment: str
    asked_at: datetime
    waiting: int
    #: In the order of their end.
    sources: list[dict[str, Any]] = field(default_factory=list)
    ended_at: datetime | None = None

    def note(self, source: Source, *, result: str, detail: str = "", changed: bool = False) -> None:
        """Note what became of one source."""
        self.sources.append(
            {
                "service": source.service,
                "source": source.name,
                "result": result,
                "detail": detail,
                "changed": changed,
            }
        )
        self.waiting -= 1
        if not self.waiting:
            self.ended_at = datetime.now(UTC)

    def document(self) -> dict[str, Any]:
        """Return it as the interface shows it."""
        return {
            "id": self.id,
            "environment": self.environment,
            "asked_at": print_time(self.asked_at),
            "ended_at": print_time(self.ended_at) if self.ended_at else None,
            "waiting": self.waiting,
            "sources": self.sources,
        }


class LookNow:
    """Runs sources at once; one that the schedule runs at the moment is run again after that."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._runs: dict[str, Run] = {}
        self._numbers = count(1)

    def begin(self, config: Config, environment: str, services: Collection[str], *, now: datetime) -> Run:
        """Begin to run the polled sources of an environment, or of some of its services.

        Raises NotFoundError for a name that is not there, UsageError where there is nothing to run.
        """
        wanted = sources_of(config, (environment,), services)
        run = Run(id=str(next(self._numbers)), environment=environment, asked_at=now, waiting=len(wanted))
        self._runs[run.id] = run
        while len(self._runs) > _REMEMBERED:
            del self._runs[next(iter(self._runs))]
        for source in wanted:
            self._watch.begin(self._look(run, source))
        return run

    def run(self, name: str) -> Run:
        """Return a run that began here. Raises NotFoundError for one that nobody remembers."""
        run = self._runs.get(name)
        if run is None:
            raise NotFoundError(f"no run of this id: the last {_REMEMBERED} since the start are known")
        return run

    async def _look(self, run: Run, source: Source) -> None:
        while not self._watch.schedule.begin(source):
            # What it sees now may be from before somebody asked. It ends at its deadline.
            await self._watch.schedule.ended(source)
        ran: Ran | None = None
        try:
            ran = await self._watch.run_begun(source)
        finally:
            if ran is None:
                run.note(source, result="not_recorded", detail=_NOT_RECORDED)
            else:
                changed = any(recorded.changed for _, recorded in ran.observed)
                run.note(source, result=ran.result or "ok", detail=ran.detail, changed=changed)
