"""Roll-outs: while one is under way, two versions of a service run side by side, and that is no drift.

A roll-out is announced by a pipeline, or seen: replicas of one component that run several versions. Its
window holds alerts. What it settles on is compared where that can be told: the version that was announced, or
else the one that is not what ran before.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from detector.engine.ahead import Histories
from detector.engine.holds import Hold, clock
from detector.engine.values import LOCAL, counts_of
from detector.engine.view import Place, View
from detector.model.deployments import Deployment
from detector.model.facts import Value
from detector.model.records import Interval, Side

#: What says which version runs, the best first. A platform may differ between replicas for ever, and with it
#: the digests.
_TELLING: Final = ("image#tag", "repo#commit", "main#version", "image#digest", "image#id")
_OF_PLATFORM: Final = ("image#digest", "image#id", "image#index")
_LONGEST: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """One service of one environment on its way from one version to another."""

    environment: str
    since: datetime
    #: The end of its window: after it, alerts are sent and mixed versions are drift.
    until: datetime
    #: The version that was announced.
    version: str | None = None
    #: What each mixed place settles on, where that can be told.
    settled: Mapping[Place, str]
    #: How far it is, as in ``3 of 5 on 1.4.3``; empty where nothing is mixed.
    progress: str = ""

    def settled_but(self, places: Container[Place]) -> dict[Place, str]:
        """Return what each mixed place settles on, without some places."""
        return {place: value for place, value in self.settled.items() if place not in places}

    def hold(self, now: datetime) -> Hold | None:
        """Return what holds alerts while the window lasts."""
        if now >= self.until:
            return None
        target = f" {self.version}" if self.version and not self.progress else ""
        because = f"{self.environment} is rolling out{target} since {clock(self.since, now)}"
        return Hold("rollout", f"{because}, {self.progress}" if self.progress else because, self.until)


def rollout_of(
    view: View, histories: Histories, announced: Deployment | None, *, window: timedelta, now: datetime
) -> Rollout | None:
    """Return the roll-out that a service is in or is stuck in; None where it settled.

    ``announced`` is the newest deployment of this service in this environment.
    """
    spans = []
    if announced is not None and announced.at <= now:
        end = announced.at + window
        spans.append((announced.at, min(end, announced.finished_at or end)))
    befores: dict[Place, Value] = {}
    for place in view.found(mixed):
        since, befores[place] = _mixed_since(histories.get((view.environment, place), ()))
        if _tells_version(view, place):
            since = since or now
            spans.append((since, since + window))
    lasting = [span for span in spans if now < span[1]]
    if not lasting and not telling(view):
        return None
    version = announced.version if announced is not None else None
    settled = {}
    for place, side in view.found(mixed).items():
        target = _settles_on(counts_of(side.value), befores[place], version)
        if target is not None:
            settled[place] = target
    return Rollout(
        environment=view.environment,
        since=min(since for since, _ in lasting or spans),
        until=max(end for _, end in spans),
        version=version,
        settled=settled,
        progress=_progress(view, settled),
    )


def mixed(view: View) -> Mapping[Place, Side]:
    """Return the places of which replicas hold several values, as they were seen."""
    found: dict[Place, Side] = {}
    for (component, section), looks in view.looks.items():
        if section == "config":
            continue  # what replicas' shapes agree in is one shape
        for look in looks:
            for item, value in look.section.facts.items():
                if type(value) is dict and len(counts_of(value)) > 1 and item not in LOCAL:
                    place = Place(component, section, item)
                    side = view.unsettled.get(place) or view.sides.get(place)
                    if side is not None and side.present and len(counts_of(side.value)) > 1:
                        found[place] = side
    return found


def settled_view(view: View, settled: Mapping[Place, str]) -> View:
    """Return the view with what each mixed place settles on instead of its count."""
    numbers = dict(view.numbers)
    sides: dict[Place, Side] = {}
    for place, value in settled.items():
        side = view.sides[place]
        table = view.interner.table(view.service, place.component, place.section)
        at = (place.component, place.section)
        numbers[at] = numbers[at] & ~table.bits_of({place.item: side.value})
        numbers[at] |= table.bits_of({place.item: value})
        sides[place] = replace(side, value=value)
    unsettled = {place: view.sides[place] for place in settled}
    # What was found in the one view need not hold in the other.
    return replace(view, sides=view.sides.but(sides), numbers=numbers, unsettled=unsettled, _found={})


def telling(view: View) -> list[Place]:
    """Return the places that tell best of mixed versions, one for each component that runs several."""
    found: dict[str, Place] = {}
    for place in sorted(view.found(mixed), key=_rank):
        if _tells_version(view, place):
            found.setdefault(place.component, place)
    return list(found.values())


def _tells_version(view: View, place: Place) -> bool:
    if place.item in _OF_PLATFORM:
        return Place(place.component, place.section, "image#platform") not in view.found(mixed)
    return place.item in _TELLING or place.item.startswith(("pkg:", "runtime#"))


def _rank(place: Place) -> tuple[int, Place]:
    return _TELLING.index(place.item) if place.item in _TELLING else len(_TELLING), place


def _mixed_since(history: Sequence[Interval]) -> tuple[datetime | None, Value]:
    """Return since when a place is mixed without a break, and what it held before."""
    since = None
    for interval in reversed(history):
        if len(counts_of(interval.value)) < 2:
            return since, interval.value
        since = interval.opened
    return since, None


def _settles_on(counts: Mapping[str, int], before: Value, version: str | None) -> str | None:
    announced = version.removeprefix("v") if version else None
    named = [value for value in counts if value.removeprefix("v") == announced]
    if named:
        return named[0]
    new = [value for value in counts if value != before]
    return new[0] if len(new) == 1 else None


def _progress(view: View, settled: Mapping[Place, str]) -> str:
    place = next(iter(telling(view)), None)
    if place is None:
        return ""
    counts = counts_of(view.found(mixed)[place].value)
    replicas = sum(counts.values())
    if (target := settled.get(place)) is None:
        return f"{len(counts)} versions on {replicas} replicas"
    shown = target if len(target) <= _LONGEST else f"{target[: _LONGEST - 1]}…"
    return f"{counts[target]} of {replicas} on {shown}"


def mixed_in(view: View) -> dict[Place, Side]:
    """Return what is found to be mixed: of each component the place that tells best, as it was seen."""
    return {place: view.found(mixed)[place] for place in telling(view)}
