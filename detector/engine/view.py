"""The view: all streams of one service in one environment, merged into one truth.

An item is present when a fresh stream of the nearest basis (running > built > declared) that covers it has
it; absent when all fresh, complete streams of that basis that cover it lack it, and there is one; else
unknown. What a stream only remembers, since its last run failed or saw a part, it does not have. Two values
that no rule of their kind calls equal are a contradiction: of one basis the source listed first wins.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from detector.engine.policy import UNCONFIGURED_VALID, SourcePolicy
from detector.model.canonical import canonical, value_bytes
from detector.model.facts import Section, Value
from detector.model.items import matches
from detector.model.records import Side, Stream
from detector.model.words import BASES, ComponentKind, Reason, SectionName, SourceClass

ABSENT = Side()
#: Tells whether a place must be judged although both sides are equal: a secret, a floating tag.
Watch = Callable[["Place", Value], bool]


class Place(NamedTuple):
    """Where a fact stands inside one service."""

    component: str
    section: SectionName
    item: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one stream can say of one section of one component."""

    stream: Stream
    section: Section
    fresh: bool
    held: frozenset[str] = frozenset()
    #: Items in ``section.facts`` that are only remembered: the last observation did not say them.
    carried: frozenset[str] = frozenset()

    @property
    def basis_rank(self) -> int:
        """How near to reality: running is the highest."""
        return BASES.index(self.section.basis)

    def covers(self, item: str) -> bool:
        """Tell whether it could have seen this item."""
        return item in self.section.facts or any(matches(glob, item) for glob in self.section.covers)

    def says(self, item: str) -> bool:
        """Tell whether it has the item, seen by a fresh look and not only remembered."""
        return (
            self.fresh
            and item in self.section.facts
            and self.section.status != "failed"
            and item not in self.held
            and item not in self.carried
        )

    def why_unknown(self, item: str) -> Reason | None:
        """Return why this look cannot prove that the item is absent, or None when it can."""
        if not self.fresh:
            return "stale"
        if item in self.held:
            return "held"
        for unseen in self.section.unseen:
            if matches(unseen.item, item):
                return unseen.reason
        return None if self.section.status == "complete" else "not_in_view"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One service in one environment at one moment."""

    environment: str
    service: str
    #: Every item that is present or unknown.
    sides: Mapping[Place, Side]
    looks: Mapping[tuple[str, SectionName], tuple[Look, ...]]
    kinds: Mapping[str, ComponentKind]
    #: Items that two sources of one basis give different values, with the value that lost.
    contradictions: Mapping[Place, Side] = field(default_factory=dict)
    #: Interned (place, value) of every present item: what two views are compared by.
    ids: frozenset[int] = frozenset()
    #: Places that must be judged although equal on both sides.
    watched: frozenset[Place] = frozenset()
    #: Places whose side is unknown.
    unknown: frozenset[Place] = frozenset()
    #: Earliest moment at which a stream grows stale.
    fresh_until: datetime | None = None

    def components(self, section: SectionName) -> list[str]:
        """Return the components that some stream looks at in this section."""
        return sorted({component for component, name in self.looks if name == section})

    def side(
        self, place: Place, *, basis: str | None = None, source_class: SourceClass | None = None
    ) -> Side:
        """Return what this view says of a place that the other side has.

        ``basis`` and ``source_class`` are the other side's: what could not have been seen here is neither
        absent nor unknown but not compared, which is said by an unknown side of reason ``not_in_view``
        whose ``basis`` is None and ``source`` is ``not_compared``; a section without any source is
        ``not_measured`` in the same place.
        """
        known = self.sides.get(place)
        if known is not None:
            return known
        looks = self.looks.get((place.component, place.section), ())
        if not looks:
            return Side(unknown="not_in_view", source="not_measured")
        able = [look for look in looks if look.covers(place.item)]
        if place.section == "config":
            if source_class is not None:
                able = [look for look in able if source_class in look.section.sees]
        elif basis is not None:
            able = [look for look in able if look.section.basis == basis]
            if any(place.item in look.section.facts for look in able):
                able = []  # a nearer basis, of which the other side says nothing, proved it absent here
        if not able:
            return Side(unknown="not_in_view", source="not_compared")
        why = _why_unknown(able, place.item)
        return Side(unknown=why) if why else ABSENT


class Interner:
    """Gives each distinct (place, value) a small number, once. Bounded: see ``full``."""

    def __init__(self, bound: int = 5_000_000) -> None:
        self._ids: dict[tuple[str, str, str, bytes], int] = {}
        self.places: list[Place] = []
        self._bound = bound

    @property
    def full(self) -> bool:
        """Whether the owner should start a new one and drop all views made with this one."""
        return len(self.places) >= self._bound

    def id_of(self, place: Place, value: Value) -> int:
        """Return the number of a fact; equal facts have equal numbers."""
        key = (*place, value_bytes(value))
        number = self._ids.get(key)
        if number is None:
            number = self._ids[key] = len(self.places)
            self.places.append(place)
        return number


def view_of(
    environment: str,
    service: str,
    streams: Iterable[Stream],
    policies: Mapping[str, SourcePolicy],
    *,
    now: datetime,
    interner: Interner,
    watch: Watch,
    intermittent: bool = False,
) -> View:
    """Merge the live streams of a service. ``policies`` are by source name."""
    looks: dict[tuple[str, SectionName], list[Look]] = {}
    kinds: dict[str, ComponentKind] = {}
    deadlines: list[datetime] = []
    live = [stream for stream in streams if stream.traffic == "live"]
    live.sort(key=lambda stream: policies[stream.source].rank if stream.source in policies else len(policies))
    for stream in live:
        kinds[stream.component] = stream.component_kind
        policy = policies.get(stream.source)
        for name, section in stream.sections.items():
            fresh_until = None if intermittent else _fresh_until(stream, section, policy)
            if fresh_until is not None:
                deadlines.append(fresh_until)
            look = Look(
                stream=stream,
                section=section,
                fresh=fresh_until is None or now <= fresh_until,
                held=stream.held.get(name, frozenset()),
                carried=stream.carried.get(name, frozenset()),
            )
            looks.setdefault((stream.component, name), []).append(look)
    return _merged(
        environment,
        service,
        looks,
        kinds,
        fresh_until=min((at for at in deadlines if at >= now), default=None),
        interner=interner,
        watch=watch,
    )


def _fresh_until(stream: Stream, section: Section, policy: SourcePolicy | None) -> datetime | None:
    if policy is not None and not policy.by_basis:
        return None if policy.valid is None else stream.last_seen + policy.valid
    return stream.last_seen + UNCONFIGURED_VALID if section.basis == "running" else None


def _merged(
    environment: str,
    service: str,
    looks: Mapping[tuple[str, SectionName], list[Look]],
    kinds: Mapping[str, ComponentKind],
    *,
    fresh_until: datetime | None,
    interner: Interner,
    watch: Watch,
) -> View:
    sides: dict[Place, Side] = {}
    contradictions: dict[Place, Side] = {}
    ids: set[int] = set()
    watched: set[Place] = set()
    unknown: set[Place] = set()
    for (component, name), here in looks.items():
        for item in _items_of(here):
            place = Place(component, name, item)
            side, loser = _settle(here, item)
            if side is None:
                continue
            sides[place] = side
            if loser is not None:
                contradictions[place] = loser
            if side.unknown is not None:
                unknown.add(place)
                continue
            ids.add(interner.id_of(place, side.value))
            if watch(place, side.value):
                watched.add(place)
    return View(
        environment=environment,
        service=service,
        sides=sides,
        looks={key: tuple(value) for key, value in looks.items()},
        kinds=dict(kinds),
        contradictions=contradictions,
        ids=frozenset(ids),
        watched=frozenset(watched),
        unknown=frozenset(unknown),
        fresh_until=fresh_until,
    )


def _items_of(looks: list[Look]) -> Iterable[str]:
    if len(looks) == 1:
        return looks[0].section.facts
    return dict.fromkeys(item for look in looks for item in look.section.facts)


def _settle(looks: list[Look], item: str) -> tuple[Side | None, Side | None]:
    """Return what the looks together say of an item that at least one of them has, and the value that lost.

    None: nearer sources proved that it is absent.
    """
    able = looks if len(looks) == 1 else [look for look in looks if look.covers(item)]
    nearest = max(look.basis_rank for look in able)
    near = [look for look in able if look.basis_rank == nearest]
    holders = [look for look in near if item in look.section.facts]
    fresh = [look for look in holders if look.fresh and item not in look.held]
    if fresh:
        winner = _side_of(fresh[0], item)
        for other in fresh[1:]:
            if _said(other.section.facts[item]) != _said(winner.value):
                return winner, _side_of(other, item)
        return winner, None
    if holders:
        last = holders[0]
        return Side(unknown=last.why_unknown(item) or "stale", last=last.section.facts[item]), None
    why = _why_unknown(near, item)
    return (Side(unknown=why, last=_farther(able, item)), None) if why else (None, None)


def _why_unknown(able: list[Look], item: str) -> Reason | None:
    """Return why the nearest of these looks do not prove that an item is absent, or None when they do.

    One fresh, complete look is proof; a part that a fresh look names as unseen takes the proof away.
    """
    nearest = max(look.basis_rank for look in able)
    reasons = [(look, look.why_unknown(item)) for look in able if look.basis_rank == nearest]
    for look, why in reasons:
        if why is not None and look.fresh and any(matches(part.item, item) for part in look.section.unseen):
            return why
    return None if any(why is None for _, why in reasons) else reasons[0][1]


def _said(value: Value) -> Value:
    """Return what a value says, whoever says it: of a config shape all but the class of its source."""
    if isinstance(value, dict) and "source_class" in value:
        value = {name: part for name, part in value.items() if name != "source_class"}
    return canonical(value)


def _farther(looks: list[Look], item: str) -> Value:
    return next((look.section.facts[item] for look in looks if item in look.section.facts), None)


def _side_of(look: Look, item: str) -> Side:
    section = look.section
    return Side(
        present=True,
        value=section.facts[item],
        basis=section.basis,
        source=look.stream.source,
        observed_at=look.stream.last_seen,
        hints=section.hints.get(item, {}),
    )
