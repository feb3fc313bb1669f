"""What judgement needs of parity.yml: environments, pairs, services and sources as the engine knows them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from detector.config.models import Environment as EnvironmentEntry
from detector.config.records import Config, Source
from detector.config.schedule import next_cron_time, zone
from detector.engine.acceptance import Acceptance
from detector.engine.calendars import Calendar
from detector.engine.pack import PACK
from detector.engine.policy import Environment, Pair, Service, SourcePolicy
from detector.engine.rules import Rule
from detector.errors import NotFoundError, did_you_mean
from detector.model.items import matches

#: The collector that knows how the commits of a service follow each other.
REPOSITORY: Final = "git"
#: Comes after every source that a service lists itself.
_DISCOVERED: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How facts are judged, as one frozen record: replaced whole when the configuration is reloaded."""

    #: In promotion order.
    environments: Mapping[str, Environment]
    pairs: tuple[Pair, ...]
    services: Mapping[str, Service]
    rules: tuple[Rule, ...] = PACK
    #: Complete observations that an alert waits for.
    confirm_after: int = 2
    #: How long a deployment, or replicas of several versions, hold alerts.
    rollout: timedelta = timedelta(minutes=30)
    gated: frozenset[str] = field(default_factory=frozenset)
    #: What the files of the configuration let be.
    accepted: tuple[Acceptance, ...] = ()
    #: Groups of tenants: peers that may be at versions of their own.
    spread: frozenset[str] = field(default_factory=frozenset)
    #: Environment -> its discoveries, which name services themselves.
    discoveries: Mapping[str, tuple[SourcePolicy, ...]] = field(default_factory=dict)
    #: Environment -> globs of services that are previews there.
    ephemeral: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: Former and other names of services -> the name they go by.
    names: Mapping[str, str] = field(default_factory=dict)

    def environment(self, name: str) -> Environment:
        """Return an environment. Raises NotFoundError that lists what there is."""
        found = self.environments.get(name)
        if found is None:
            raise NotFoundError(f"no environment {name}{did_you_mean(name, list(self.environments))}")
        return found

    def service(self, name: str) -> Service:
        """Return a service; one that only observations know has no owner and no expectations."""
        return self.services.get(name) or Service(name=name)

    def name_of(self, service: str) -> str:
        """Return the name that a service goes by: its own, unless it is a former or another one."""
        return self.names.get(service, service)

    def trusted(self, name: str, environment: str) -> dict[str, SourcePolicy]:
        """Return how far each source may be trusted that can speak of a service there, by its name."""
        known = (*self.discoveries.get(environment, ()), *self.service(name).sources.get(environment, ()))
        return {source.source: source for source in known}

    def is_ephemeral(self, environment: str, service: str) -> bool:
        """Tell whether a service is a preview there: listed, never compared."""
        if service in self.services:
            return False
        return any(matches(glob, service) for glob in self.ephemeral.get(environment, ()))

    def servers_of(self, name: str) -> tuple[str, ...]:
        """Return the backing services that say that a service uses them."""
        return tuple(server.name for server in self.services.values() if name in server.used_by)

    def pair(self, left: str, right: str) -> tuple[Pair, bool]:
        """Return the pair in promotion order, and whether it was asked the other way round."""
        ours, theirs = self.environment(left), self.environment(right)
        order = list(self.environments)
        swapped = order.index(left) > order.index(right)
        first, second = (theirs, ours) if swapped else (ours, theirs)
        peers = first.group is not None and first.group == second.group and first.name != second.name
        spread = peers and first.group in self.spread
        return Pair(left=first, right=second, peers=peers, spread=spread), swapped


def policy_of(config: Config) -> Policy:
    """Return the policy that a configuration states, after the shipped pack."""
    environments = {
        entry.name: Environment(
            name=entry.name,
            tier=entry.tier,
            group=entry.group,
            intermittent=entry.presence == "intermittent",
            calendar=_calendar(entry),
        )
        for entry in config.environments
    }
    sources: dict[str, dict[str, list[SourcePolicy]]] = {}
    discoveries: dict[str, tuple[SourcePolicy, ...]] = {}
    ephemeral: dict[str, tuple[str, ...]] = {}
    for source in config.sources:
        if source.service is None:
            known = discoveries.get(source.environment, ())
            # Whatever a service's own sources say comes first.
            discoveries[source.environment] = (*known, replace(_source_policy(source), rank=_DISCOVERED))
            globs = source.discover.ephemeral if source.discover is not None else ()
            ephemeral[source.environment] = (*ephemeral.get(source.environment, ()), *globs)
        else:
            here = sources.setdefault(source.service, {}).setdefault(source.environment, [])
            here.append(_source_policy(source))
    repositories = {(one.service, one.environment) for one in config.sources if one.type == REPOSITORY}
    spread = frozenset(name for name, group in config.groups.items() if group.spread == "allowed")
    return Policy(
        environments=environments,
        spread=spread,
        pairs=tuple(
            Pair(
                left=environments[entry.left],
                right=environments[entry.right],
                peers=entry.peer,
                spread=entry.peer and environments[entry.left].group in spread,
            )
            for entry in config.comparisons
        ),
        services={
            entry.name: Service(
                name=entry.name,
                kind=entry.kind,
                owner=entry.owner if isinstance(entry.owner, str) else None,
                used_by=entry.used_by,
                only_in=entry.only_in,
                repositories=entry.repositories,
                repository_in=tuple(name for name in environments if (entry.name, name) in repositories),
                sources={name: tuple(found) for name, found in sources.get(entry.name, {}).items()},
            )
            for entry in config.services
        },
        rules=(*PACK, *config.rules),
        confirm_after=config.alerting.confirm_after,
        rollout=config.alerting.rollout,
        gated=frozenset(entry.name for entry in config.comparisons if entry.gate),
        accepted=config.accepted,
        discoveries=discoveries,
        ephemeral=ephemeral,
        names={name: one.name for one in config.services for name in (*one.was, *one.aliases)},
    )


def _calendar(entry: EnvironmentEntry) -> Calendar:
    said = entry.calendar
    return Calendar(
        freeze=tuple((days.first, days.last) for days in said.freeze),
        business_days=said.business_days,
        timezone=zone(said.timezone),
    )


def _source_policy(source: Source) -> SourcePolicy:
    return SourcePolicy(
        environment=source.environment,
        service=source.service or "",
        source=source.name,
        rank=source.rank,
        valid=_valid(source),
        by_basis=source.valid is None,
        scheduled=source.scheduled,
        every=_interval(source),
    )


def _valid(source: Source) -> timedelta | None:
    if source.valid is None or (source.valid.runs is None and source.valid.age is None):
        return None
    if source.valid.age is not None:
        return source.valid.age
    interval = _interval(source)
    return None if interval is None else interval * (source.valid.runs or 1) + source.timeout


def _interval(source: Source) -> timedelta | None:
    """Return the time between two runs; of a cron schedule the longest of its next week."""
    if source.every is not None:
        return source.every
    if source.cron is None:
        return None
    at, longest = datetime(2026, 1, 5, tzinfo=UTC), timedelta()
    for _ in range(10):
        following = next_cron_time(source.cron, source.timezone, after=at)
        longest = max(longest, following - at)
        at = following
    return longest
