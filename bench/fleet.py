"""A made-up fleet: what each of its targets has, poll by poll."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Final

from bench.made_up import NOW, Facts, mixed
from detector.model.facts import Observation, Section, Value
from detector.model.words import SectionName

#: The environments of a fleet; targets are their services, in turn.
ENVIRONMENTS: Final = ("dev", "staging", "prod")
EVERY: Final = timedelta(minutes=1)


class Targets:
    """The states of targets over time: the same for everyone who plays the same seed.

    They begin alike, as on one base image; with ``own_names`` no two share an item.
    """

    def __init__(self, count: int, facts: int, *, seed: int = 1, own_names: bool = False) -> None:
        self._random = Random(seed)
        self.states: list[Facts] = []
        base = mixed(facts).left
        for number in range(count):
            facts_of = mixed(facts, seed=number).left if own_names else base
            self.states.append({section: dict(found) for section, found in facts_of.items()})
        self._packages = [list(state["dependencies"]) for state in self.states]

    def change(self, target: int) -> tuple[SectionName, str]:
        """Give one package of a target another version, and return which."""
        facts = self.states[target]["dependencies"]
        item = self._random.choice(self._packages[target])
        before = facts[item]
        while facts[item] == before:
            version = (self._random.randrange(below) for below in (9, 30, 20))
            facts[item] = ".".join(map(str, version))
        return "dependencies", item


def moments(polls: int) -> Iterator[tuple[int, datetime]]:
    """Yield the number and the time of each poll, the last one just now."""
    for number in range(polls):
        yield number, NOW - EVERY * (polls - 1 - number)


def address(target: int) -> tuple[str, str]:
    """Return the environment and the service that a target is."""
    return ENVIRONMENTS[target % len(ENVIRONMENTS)], f"service-{target // len(ENVIRONMENTS)}"


def seen(target: int, facts: Mapping[SectionName, Mapping[str, Value]], at: datetime) -> Observation:
    """Return what a poll of a target saw."""
    environment, service = address(target)
    return Observation(
        environment=environment,
        service=service,
        source="bench",
        observed_at=at,
        sections={name: Section(basis="running", facts=dict(found)) for name, found in facts.items()},
    )
