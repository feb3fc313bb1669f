"""What judgement needs to know beside the facts: environments, services, sources and their validity."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from detector.engine.calendars import ALWAYS, Calendar
from detector.model.words import ServiceKind, Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """One environment: its tier decides who is production, its place in the config the promotion order."""

    name: str
    tier: Tier = "unknown"
    group: str | None = None
    #: Laptops: never stale, last known with its age.
    intermittent: bool = False
    #: When the clocks of what this environment has to catch up with stand still.
    calendar: Calendar = ALWAYS


class Placed(Protocol):
    """An environment as far as the promotion order knows it."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def group(self) -> str | None:
        """The group of peers that it belongs to."""


def stages_of(environments: Iterable[Placed]) -> list[list[str]]:
    """Return the stages of the promotion order: the members of a group are one, in the place of the first."""
    stages: dict[str, list[str]] = {}
    for environment in environments:
        # No environment's name holds a blank, so a group cannot be taken for one.
        stage = f"group {environment.group}" if environment.group else environment.name
        stages.setdefault(stage, []).append(environment.name)
    return list(stages.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two environments that are compared: left is the earlier in promotion order."""

    left: Environment
    right: Environment
    #: Members of one group: symmetric, no promotion between them.
    peers: bool = False
    #: Of peers: tenants, each at a version of its own. Only what lags for longer than a lead may is drift.
    spread: bool = False

    @property
    def name(self) -> str:
        """``left..right``, as everywhere."""
        return f"{self.left.name}..{self.right.name}"

    @property
    def crosses_production(self) -> bool:
        """Whether exactly one side is production."""
        tiers = {self.left.tier, self.right.tier}
        return "production" in tiers and len(tiers) == 2 and "unknown" not in tiers


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePolicy:
    """How far one configured source may be trusted."""

    environment: str
    service: str
    source: str
    #: Its place among the sources of the service: the first listed wins a contradiction.
    rank: int = 0
    #: How long an observation counts; None: until replaced.
    valid: timedelta | None = None
    #: A push without a validity of its own: a week for what runs, until replaced for the rest.
    by_basis: bool = False
    #: Whether it runs on a schedule: what confirmation waits for.
    scheduled: bool = False
    #: The longest time between two of its runs; None without a schedule.
    every: timedelta | None = None


#: For a source that the config does not name: a push of a running system counts for a week.
UNCONFIGURED_VALID = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What is compared under one name in every environment."""

    name: str
    kind: ServiceKind = "app"
    owner: str | None = None
    used_by: tuple[str, ...] = ()
    #: Environments it is meant to be in; empty: all.
    only_in: tuple[str, ...] = ()
    #: Addresses of its one repository, as `detector.model.addresses.repository_url` gives them.
    repositories: tuple[str, ...] = ()
    #: Environments of which a source has its repository at hand.
    repository_in: tuple[str, ...] = ()
    sources: Mapping[str, tuple[SourcePolicy, ...]] = field(default_factory=dict)

    def expected_in(self, environment: str) -> bool:
        """Tell whether the service is meant to run there."""
        return not self.only_in or environment in self.only_in
