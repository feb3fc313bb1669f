"""Collect: run one source, and record what it saw, what it could not see, and what is gone."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from detector.collector import Seen
from detector.config.policy import REPOSITORY
from detector.config.records import Source
from detector.errors import NotThereError, Reason, UnseenError
from detector.jobs.look import Host, Look, recorded_as
from detector.jobs.schedule import SourceId, id_of
from detector.model.facts import Observation, Section, failed_section
from detector.model.records import Recorded
from detector.model.words import SectionName, Traffic
from detector.store.store import Store

#: Service, component and traffic: what tells the streams of one source apart.
_Place = tuple[str, str, Traffic]

_COMMIT: Final = ("codebase", "repo#commit")
#: Deployments whose commits a repository is asked about.
_LATELY: Final = timedelta(days=30)
_MOST_COMMITS: Final = 10
#: Of streams that a run did not bring although it succeeded: it says itself that it did not see everything.
HALF_LOOKED: Final = UnseenError("not_in_view", "the source could not look at everything")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What became of one run: the services that were observed, changed or not."""

    source: Source
    result: Reason | None
    observed: tuple[tuple[str, Recorded], ...] = ()
    detail: str = ""
    #: Seconds.
    duration: float = 0.0


class Collect:
    """Runs sources and records what they see."""

    def __init__(self, store: Store, host: Host) -> None:
        self._store = store
        self._look = Look(host)
        #: What each source saw last: the streams that a failure blinds, or that a success proves gone.
        self._streams: dict[SourceId, dict[_Place, Seen]] = {}

    async def run(self, source: Source) -> Ran:
        """Run one source to its end or its deadline, and record the outcome."""
        clock = asyncio.get_running_loop().time
        started = clock()
        looked = await self._look.look(source, await self._commits(source))
        why = looked.why
        observations = _one_each(looked.observations)
        seen = known = await self._known(source)
        at = observations[0].observed_at if observations else datetime.now(UTC)
        whole = looked.complete
        if isinstance(why, NotThereError) and known:
            why, observations, whole = None, (), True
        if why is None:
            seen = {_place(one): _seen(one) for one in observations}
            missing = {place: before for place, before in known.items() if place not in seen}
            if whole:
                others = _gone(source, missing)
                seen = {**others, **seen}
            else:
                others, seen = _blinded(missing, HALF_LOOKED), {**missing, **seen}
            observations = (*observations, *recorded_as(source, others.values(), at))
        elif known:
            observations = tuple(recorded_as(source, _blinded(known, why).values(), at))
        else:
            seen = {_place(one): _seen(one) for one in observations}
        observed = [
            (
                observation.service,
                await self._store.record(
                    observation, received_at=datetime.now(UTC), scheduled=source.scheduled
                ),
            )
            for observation in observations
        ]
        # Not before all of it is recorded: what a failing store did not take is gone at the next run too.
        self._streams[id_of(source)] = seen
        result: Reason | None = why.reason if why is not None else None
        detail = why.detail if why is not None else "" if whole else HALF_LOOKED.detail
        await self._store.record_run(
            source.environment,
            source.service,
            source.name,
            at=datetime.now(UTC),
            result=result or "ok",
            detail=detail,
            duration=clock() - started,
        )
        return Ran(
            source=source,
            result=result,
            observed=tuple(observed),
            detail=detail,
            duration=clock() - started,
        )

    async def _commits(self, source: Source) -> tuple[str, ...]:
        """Return the commits that a repository at hand is asked about: those that run, and were deployed."""
        if source.type != REPOSITORY or source.service is None:
            return ()
        lanes = await self._store.timelines((_COMMIT,), services=(source.service,))
        running = [lane[-1].value for _, lane in sorted(lanes.items()) if lane and lane[-1].closed is None]
        deployed = await self._store.deployments(service=source.service, since=datetime.now(UTC) - _LATELY)
        found = [*running, *(one.commit for one in deployed)]
        return tuple(dict.fromkeys(one for one in found if isinstance(one, str)))[:_MOST_COMMITS]

    async def _known(self, source: Source) -> dict[_Place, Seen]:
        """Return the streams of a source: from the last run, or after a start from the store."""
        known = self._streams.get(id_of(source))
        if known is None:
            services = None if source.service is None else (source.service,)
            streams = await self._store.streams(environments=(source.environment,), services=services)
            known = self._streams[id_of(source)] = {
                (stream.service, stream.component, stream.traffic): Seen(
                    service=stream.service,
                    component=stream.component,
                    component_kind=stream.component_kind,
                    traffic=stream.traffic,
                    sections=stream.sections,
                )
                for stream in streams
                if stream.source == source.name and stream.service not in source.claimed
            }
        return known


def _present(known: Mapping[_Place, Seen]) -> dict[_Place, Seen]:
    """Return the streams that are not gone yet."""
    return {place: before for place, before in known.items() if not _is_gone(before.sections)}


def _blinded(known: Mapping[_Place, Seen], why: UnseenError) -> dict[_Place, Seen]:
    """Return streams with each of their sections unseen. What is gone already cannot be missed."""
    return {
        place: replace(
            before,
            sections={
                name: failed_section(section.basis, why.reason, why.detail)
                for name, section in before.sections.items()
            },
        )
        for place, before in _present(known).items()
    }


def _gone(source: Source, missing: Mapping[_Place, Seen]) -> dict[_Place, Seen]:
    """Return streams as gone: what a whole look did not bring, each whole look says again.

    A preview that is gone is said once.
    """
    return {
        place: replace(
            before,
            sections={
                name: Section(basis=section.basis, gone=True) for name, section in before.sections.items()
            },
        )
        for place, before in missing.items()
        if not (source.is_ephemeral(place[0]) and _is_gone(before.sections))
    }


def _one_each(observations: tuple[Observation, ...]) -> tuple[Observation, ...]:
    """Return one observation of each stream: the first, where several task sets are idle."""
    found: dict[_Place, Observation] = {}
    for one in observations:
        found.setdefault(_place(one), one)
    return tuple(found.values())


def _place(observation: Observation) -> _Place:
    return observation.service, observation.component, observation.traffic


def _seen(observation: Observation) -> Seen:
    return Seen(
        service=observation.service,
        component=observation.component,
        component_kind=observation.component_kind,
        traffic=observation.traffic,
        sections=observation.sections,
    )


def _is_gone(sections: Mapping[SectionName, Section]) -> bool:
    return all(section.gone and not section.facts for section in sections.values())
