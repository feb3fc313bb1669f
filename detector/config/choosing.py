"""Which sources of a configuration are meant by names of environments and services."""

from collections.abc import Collection

from detector.config.records import Config, Source
from detector.errors import NotFoundError, UsageError, did_you_mean


def sources_of(config: Config, environments: Collection[str], services: Collection[str]) -> list[Source]:
    """Return the polled sources of some environments and services, of all where none is named.

    Raises NotFoundError for a name that is not there, UsageError where no source is meant.
    """
    for name in environments:
        config.environment(name)
    known = [service.name for service in config.services]
    for name in services:
        if name not in known:
            raise NotFoundError(f"no service {name}{did_you_mean(name, known)}")
    found = [
        source
        for source in config.sources
        if source.polled
        and (not environments or source.environment in environments)
        and (not services or source.service in services)
    ]
    if not found:
        raise UsageError("no source to run: give one under services in parity.yml")
    return found
