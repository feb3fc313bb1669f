"""A slow and obvious model of a stream: keeps every observation and starts over each time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from detector.model.canonical import observation_digest, value_bytes
from detector.model.facts import Observation, Section
from detector.model.items import matches
from detector.model.words import SectionName

State = dict[str, tuple[dict[str, Any], dict[str, bytes]]]


@dataclass
class Moment:
    """What is settled after one observation: section -> (coverage, item -> value with hints)."""

    at: datetime
    sections: State
    held: dict[str, frozenset[str]]


@dataclass
class ObviousStream:
    """Every observation that was taken, in the order of the world."""

    ring: int
    taken: list[tuple[datetime, str, Observation, bool]] = field(default_factory=list)

    def record(self, observation: Observation, *, scheduled: bool) -> None:
        at, digest = observation.observed_at, observation_digest(observation.sections)
        last = self.taken[-self.ring :]
        same = next((entry for entry in last if entry[0] == at), None)
        if same is not None:
            if digest > same[1]:
                self.taken[self.taken.index(same)] = (at, digest, observation, scheduled)
        elif len(last) < self.ring or at > last[0][0]:
            self.taken.append((at, digest, observation, scheduled))
            self.taken.sort(key=lambda entry: entry[0])

    def moments(self) -> list[Moment]:
        moments: list[Moment] = []
        sections: State = {}
        held: dict[str, frozenset[str]] = {}
        previous = ""
        for at, digest, observation, scheduled in self.taken:
            sections, held = dict(sections), dict(held)
            for name in sections.keys() - observation.sections.keys():
                if sections[name][0]["status"] == "failed" and not sections[name][1]:
                    del sections[name]  # nothing was seen of it, and nobody speaks of it any more
            for name, section in observation.sections.items():
                held.pop(name, None)
                _, old = sections.get(name, ({}, {}))
                new, lost = after(old, section)
                if lost and scheduled and digest != previous and len(old) >= 10 and len(lost) * 2 > len(old):
                    held[name] = frozenset(lost)
                    new |= {item: old[item] for item in lost}
                sections[name] = (coverage(section), new)
            previous = digest
            moments.append(Moment(at=at, sections=sections, held=held))
        return moments

    def as_of(self, at: datetime) -> State:
        return next((moment.sections for moment in reversed(self.moments()) if moment.at <= at), {})


def after(old: dict[str, bytes], section: Section) -> tuple[dict[str, bytes], set[str]]:
    """Return the items after a section was seen, and those that it proves absent."""
    if section.status == "failed":
        return dict(old), set()
    new = facts(section)
    kept, lost = {}, set()
    for item in old.keys() - new.keys():
        covered = any(matches(glob, item) for glob in section.covers)
        blind = any(matches(unseen.item, item) for unseen in section.unseen)
        if section.status == "complete" and covered and not blind:
            lost.add(item)
        else:
            kept[item] = old[item]
    return new | kept, lost


def facts(section: Section) -> dict[str, bytes]:
    """Return item -> canonical value and hints."""
    return {
        item: value_bytes([value_bytes(value).decode(), dict(section.hints.get(item) or {})])
        for item, value in section.facts.items()
    }


def coverage(section: Section) -> dict[str, Any]:
    """Return all that a section says of itself."""
    return {
        "basis": section.basis,
        "status": section.status,
        "covers": sorted(section.covers),
        "sees": sorted(section.sees),
        "unseen": sorted((u.item, u.reason, u.detail) for u in section.unseen),
    }


def state_of(sections: Mapping[SectionName, Section]) -> State:
    """Return what the store says of a stream, in the words of this model."""
    return {name: (coverage(section), facts(section)) for name, section in sections.items()}
