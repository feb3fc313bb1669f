"""What stands beside what is compared: releases that take no traffic yet or any more, and previews."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from detector.config.policy import Policy
from detector.model.clock import print_time
from detector.model.records import Stream
from detector.model.words import SectionName
from detector.store.store import Store

#: How long a preview is listed after it was last seen.
PREVIEWS: Final = timedelta(days=7)
#: What people call the version, first of all the tag of the image.
VERSIONS: Final[tuple[tuple[SectionName, str], ...]] = (
    ("release", "image#tag"),
    ("backing_services", "main#version"),
    ("codebase", "repo#commit"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What is listed and never compared, of some environments or of one service in them."""

    not_live: tuple[Stream, ...]
    previews: tuple[Stream, ...]

    def of(self, environment: str) -> dict[str, list[dict[str, Any]]]:
        """Return what stands beside one environment, as JSON shows it."""
        return {
            "not_live": [
                {"service": one.service, "component": one.component, "traffic": one.traffic, **_told(one)}
                for one in _ordered(self.not_live, environment)
            ],
            "ephemeral": [
                {"service": one.service, "component": one.component, **_told(one)}
                for one in _ordered(self.previews, environment)
            ],
        }


async def beside(store: Store, policy: Policy, *, now: datetime, service: str | None = None) -> Beside:
    """Return what is idle or a canary now, and the previews of the last days."""
    services = None if service is None else (service,)
    found = await store.streams(services=services, traffic=("idle", "canary"))
    previews = {
        name: [environment for environment in where if policy.is_ephemeral(environment, name)]
        for name, where in await store.services()
        if service in (None, name)
    }
    places = {(name, environment) for name, where in previews.items() for environment in where}
    seen: list[Stream] = []
    if places:
        seen = await store.streams(
            environments={environment for _, environment in places}, services={name for name, _ in places}
        )
    return Beside(
        not_live=tuple(one for one in found if not _is_gone(one)),
        previews=tuple(
            one for one in seen if (one.service, one.environment) in places and now - one.last_seen < PREVIEWS
        ),
    )


def version_of(stream: Stream) -> str | None:
    """Return what people call the version of what a stream sees."""
    for name, item in VERSIONS:
        section = stream.sections.get(name)
        value = section.facts.get(item) if section is not None else None
        if isinstance(value, str):
            return value[:12] if item == "repo#commit" else value
    return None


def _told(stream: Stream) -> dict[str, Any]:
    return {
        "source": stream.source,
        "version": version_of(stream),
        "observed_at": print_time(stream.last_seen),
    }


def _ordered(streams: Iterable[Stream], environment: str) -> list[Stream]:
    here = (one for one in streams if one.environment == environment)
    return sorted(here, key=lambda one: (one.service, one.component, one.traffic))


def _is_gone(stream: Stream) -> bool:
    return all(section.gone for section in stream.sections.values())
