"""The three gaps of factor X: time, tools and personnel between two environments."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from detector.engine.promotion import MEDIAN, P90, Promotion, Waiting, hop_between, quantile
from detector.model.records import Judged

#: Facts that say with which tools an environment works, by section; ``*`` ends or begins a name.
_TOOLS: Final[Mapping[str, tuple[str, ...]]] = {
    "backing_services": ("#product", "#version", "#variant"),
    "dependencies": ("runtime#", "tool#", "os#release", "os#arch"),
    "release": ("image#platform",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeGap:
    """How long changes take from left to right, over all services, and what has waited longest."""

    arrived: int
    timed: int
    median: timedelta | None
    p90: timedelta | None
    overtaken: int
    #: Services in which right has not reached left, and the oldest change among them.
    waiting: int
    oldest: tuple[str, Waiting] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolsGap:
    """Which tools are the same on both sides: servers, runtimes, operating systems."""

    same: int
    unknown: int
    #: What differs, in the order of every screen.
    differ: tuple[Judged, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonnelGap:
    """Whether who writes the code deploys it."""

    deployments: int
    #: Deployments of which both the actor and the authors of the commit are known.
    known: int
    by_author: int

    @property
    def share(self) -> float | None:
        """Share of the known deployments made by an author; None where none is known."""
        return self.by_author / self.known if self.known else None


class Deployed(Protocol):
    """A deployment as far as this gap needs it."""

    @property
    def service(self) -> str:
        """What was deployed."""

    @property
    def commit(self) -> str | None:
        """Which commit, where the announcement says so."""

    @property
    def actor(self) -> str | None:
        """Who did it."""


#: (service, commit) -> its authors.
Authors = Mapping[tuple[str, str], Iterable[str]]


def time_gap(
    promotions: Mapping[str, Promotion], left: str, right: str, *, since: datetime | None = None
) -> TimeGap:
    """Return the time gap between two environments. ``promotions`` are those of the services by name."""
    hops = {
        service: hop_between(left, right, one.lanes[left], one.lanes[right], since=since, item=one.item)
        for service, one in promotions.items()
        if left in one.lanes and right in one.lanes
    }
    leads = sorted(
        step.lead
        for hop in hops.values()
        for step in hop.counted
        if step.outcome == "arrived" and step.lead is not None
    )
    waits = [(service, hop.waiting) for service, hop in hops.items() if hop.waiting is not None]
    return TimeGap(
        arrived=sum(hop.arrived for hop in hops.values()),
        timed=len(leads),
        median=quantile(leads, MEDIAN),
        p90=quantile(leads, P90),
        overtaken=sum(hop.overtaken for hop in hops.values()),
        waiting=len(waits),
        oldest=min(waits, key=lambda one: (one[1].since, one[0]), default=None),
    )


def tools_gap(items: Iterable[Judged]) -> ToolsGap:
    """Return the tools gap of a comparison. ``items`` are all of it, equal ones too."""
    tools = [judged for judged in items if judged.left is not None and is_tool(judged)]
    return ToolsGap(
        same=sum(1 for judged in tools if judged.status == "same"),
        unknown=sum(1 for judged in tools if judged.status == "unknown"),
        differ=tuple(judged for judged in tools if judged.status not in ("same", "unknown")),
    )


def is_tool(judged: Judged) -> bool:
    """Tell whether an item says with which tools an environment works: the server of a port is one too."""
    section, item = judged.key.section, judged.key.item
    if section == "ports":
        return True
    return any(
        item.endswith(name) if name.startswith("#") else item.startswith(name)
        for name in _TOOLS.get(section, ())
    )


def personnel_gap(deployments: Sequence[Deployed], authors: Authors) -> PersonnelGap:
    """Return the personnel gap: what nobody reports is unknown, and never counted as a gap."""
    known = by_author = 0
    for one in deployments:
        wrote = {name.casefold() for name in authors.get((one.service, one.commit or ""), ())}
        if one.actor is not None and wrote:
            known += 1
            by_author += one.actor.casefold() in wrote
    return PersonnelGap(deployments=len(deployments), known=known, by_author=by_author)
