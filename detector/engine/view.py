"""The view: all streams of one service in one environment, merged into one truth.

What the looks of several streams say together of one item is in `detector.engine.looks`.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, TypeVar

from detector.engine.interning import Interner, Numbers
from detector.engine.looks import ABSENT, Look, settle, why_unknown
from detector.engine.policy import UNCONFIGURED_VALID, SourcePolicy
from detector.engine.reads import CodeReads, code_reads, only_reads
from detector.engine.sides import At, Place, Sides
from detector.model.facts import Section, Value
from detector.model.records import Side, Stream
from detector.model.words import MAIN, ComponentKind, SectionName, SourceClass

__all__ = ["ABSENT", "Interner", "Look", "Place", "View", "view_of"]

T = TypeVar("T")
_NOT_MEASURED: Final = Side(unknown="not_in_view", source="not_measured")
_NOT_COMPARED: Final = Side(unknown="not_in_view", source="not_compared")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class View:
    """One service in one environment at one moment."""

    environment: str
    service: str
    #: Every item that is present or unknown.
    sides: Sides = field(default_factory=Sides)
    looks: Mapping[At, tuple[Look, ...]]
    kinds: Mapping[str, ComponentKind]
    #: Items that two sources of one basis give different values, with the value that lost.
    contradictions: Mapping[Place, Side] = field(default_factory=dict)
    #: (component, section) -> numbers of the present facts, as bits: what two views are compared by.
    numbers: Mapping[At, int] = field(default_factory=dict)
    #: What gave the numbers.
    interner: Interner = field(default_factory=Interner)
    #: Places whose side is unknown.
    unknown: frozenset[Place] = frozenset()
    #: Components that no stream says anything of, and that were not seen to be gone either.
    silent: frozenset[str] = frozenset()
    #: Component -> what its code reads.
    reads: Mapping[str, CodeReads] = field(default_factory=dict)
    #: Component -> looks that only say what code reads: they see no key, and are part of the coverage.
    readings: Mapping[str, tuple[Look, ...]] = field(default_factory=dict)
    #: Earliest moment at which a stream grows stale.
    fresh_until: datetime | None = None
    #: Places of which replicas hold several values, as they were seen; ``sides`` has what they settle on.
    unsettled: Mapping[Place, Side] = field(default_factory=dict)
    _found: dict[Any, Any] = field(default_factory=dict, repr=False)

    def found(self, find: "Callable[[View], T]") -> T:
        """Return what a function finds in this view: asked once, and forgotten with the view."""
        try:
            known: T = self._found[find]
        except KeyError:
            known = self._found[find] = find(self)
        return known

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
        at = (place.component, place.section)
        return known or self.lacking(at, place.item, basis=basis, source_class=source_class)

    def lacking(
        self, at: At, item: str, *, basis: str | None = None, source_class: SourceClass | None = None
    ) -> Side:
        """Return what this view says of an item that it does not have; see `side`."""
        looks = self.looks.get(at, ())
        if not looks:
            return _NOT_MEASURED
        component, section = at
        if (only := self.found(_telling_absent).get(at)) is not None:
            if section == "config":
                able_alone = source_class is None or source_class in only.sees
            else:
                able_alone = basis is None or basis == only.basis
            return ABSENT if able_alone else _NOT_COMPARED
        able = [look for look in looks if look.covers(item)]
        if section == "config":
            if source_class is not None:
                able = [look for look in able if source_class in look.section.sees]
        elif basis is not None:
            able = [look for look in able if look.section.basis == basis]
            if any(item in look.section.facts for look in able):
                able = []  # a nearer basis, of which the other side says nothing, proved it absent here
        if not able:
            return _NOT_COMPARED
        why = why_unknown(able, item)
        if why is None and component in self.silent:
            why = "not_in_view"
        return Side(unknown=why) if why else ABSENT


def view_of(
    environment: str,
    service: str,
    streams: Iterable[Stream],
    policies: Mapping[str, SourcePolicy],
    *,
    now: datetime,
    interner: Interner,
    intermittent: bool = False,
) -> View:
    """Merge the live streams of a service. ``policies`` are by source name."""
    looks: dict[At, list[Look]] = {}
    readings: dict[str, list[Look]] = {}
    kinds: dict[str, ComponentKind] = {}
    deadlines: list[datetime] = []
    live = [stream for stream in streams if stream.traffic == "live"]
    live.sort(key=lambda stream: policies[stream.source].rank if stream.source in policies else len(policies))
    for stream in live:
        if _is_evidence(stream):
            pass  # where its code is read, nothing is said of what runs
        elif stream.component == MAIN or not _is_gone(stream):
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
            if only_reads(name, section):
                readings.setdefault(stream.component, []).append(look)
            else:
                looks.setdefault((stream.component, name), []).append(look)
    merged = _merged(
        environment,
        service,
        looks,
        kinds,
        silent=frozenset(kinds) - {MAIN} - {stream.component for stream in live if _says_something(stream)},
        fresh_until=min((at for at in deadlines if at >= now), default=None),
        interner=interner,
    )
    reads = _reads(looks, readings)
    if not reads:
        return merged
    return replace(merged, reads=reads, readings={name: tuple(here) for name, here in readings.items()})


def _telling_absent(view: View) -> Mapping[At, Section]:
    """Return what one look alone saw in whole: whatever it does not have is absent."""
    return {
        at: looks[0].section
        for at, looks in view.looks.items()
        if len(looks) == 1 and looks[0].tells_absent and at[0] not in view.silent
    }


def _is_gone(stream: Stream) -> bool:
    """Tell whether a component was looked for everywhere, and nothing of it was there."""
    return all(section.status == "complete" and not section.facts for section in stream.sections.values())


def _says_something(stream: Stream) -> bool:
    return any(section.facts for section in stream.sections.values())


def _fresh_until(stream: Stream, section: Section, policy: SourcePolicy | None) -> datetime | None:
    if policy is not None and not policy.by_basis:
        return None if policy.valid is None else stream.last_seen + policy.valid
    return stream.last_seen + UNCONFIGURED_VALID if section.basis == "running" else None


def _merged(
    environment: str,
    service: str,
    looks: Mapping[At, list[Look]],
    kinds: Mapping[str, ComponentKind],
    *,
    silent: frozenset[str],
    fresh_until: datetime | None,
    interner: Interner,
) -> View:
    sides = Sides()
    contradictions: dict[Place, Side] = {}
    numbers = Numbers()
    for at, here in looks.items():
        component, name = at
        table = interner.table(service, component, name)
        only = here[0]
        plain: Mapping[str, Value] = {}
        doubtful = _items_of(here)
        if len(here) == 1 and only.fresh and only.section.status != "failed":
            sides.take(at, only)
            plain = only.section.facts
            doubtful = [item for item in (*only.held, *only.carried) if item in plain]
        present = {item: value for item, value in plain.items() if item not in doubtful} if doubtful else {}
        for item in doubtful:
            place = Place(component, name, item)
            side, loser = settle(here, name, item)
            if side is None:
                continue
            sides.put(place, side)
            if loser is not None:
                contradictions[place] = loser
            if side.present:
                present[item] = side.value
        numbers.put(at, table, present if doubtful else plain)
    return View(
        environment=environment,
        service=service,
        sides=sides,
        looks={key: tuple(value) for key, value in looks.items()},
        kinds=dict(kinds),
        contradictions=contradictions,
        numbers=numbers,
        interner=interner,
        unknown=frozenset(sides.unknown()),
        silent=silent,
        fresh_until=fresh_until,
    )


def _reads(looks: Mapping[At, list[Look]], readings: Mapping[str, list[Look]]) -> dict[str, CodeReads]:
    found: dict[str, CodeReads] = {}
    for component in dict.fromkeys([*readings, *(component for component, _ in looks)]):
        here = [*looks.get((component, "config"), ()), *readings.get(component, ())]
        code = code_reads((look.section, look.fresh) for look in here)
        if code is not None:
            found[component] = code
    return found


def _is_evidence(stream: Stream) -> bool:
    return bool(stream.sections) and all(only_reads(*each) for each in stream.sections.items())


def _items_of(looks: list[Look]) -> Collection[str]:
    if len(looks) == 1:
        return looks[0].section.facts
    return dict.fromkeys(item for look in looks for item in look.section.facts)
