"""Bills of materials as bodies of pushes: they name no stream, so that the address alone does."""

import asyncio
from typing import Any, Final, NamedTuple

from detector import plugins
from detector.api.asked import Asked
from detector.api.problems import RefusalError, invalid
from detector.model.facts import Observation
from detector.model.wire import MOST_FACTS, Fault, WireError
from detector.store.memory import StreamKey

#: What the media types of every format of bills have in them.
_FAMILIES: Final = ("cyclonedx", "spdx", "in-toto", "dsse")


class Sent(NamedTuple):
    """A bill as an observation, and what is odd in it."""

    observation: Observation
    warnings: tuple[str, ...]


def media_types() -> tuple[str, ...]:
    """Return what bills are sent as."""
    known: tuple[str, ...] = _reader().MEDIA_TYPES
    return known


def check_media_type(media_type: str) -> None:
    """Raise RefusalError for what no reader of bills takes."""
    if media_type in media_types():
        return
    slug = "unsupported-format" if any(word in media_type for word in _FAMILIES) else "unsupported-media-type"
    taken = ", ".join(media_types())
    message = f"send parity.observation/v1 as application/json, or a bill of materials as {taken}"
    raise RefusalError(415, slug, message)


async def sent(asked: Asked[Any], key: StreamKey, body: bytes) -> Sent:
    """Return what a bill says, as seen now. Raises WireError, RefusalError.

    The time inside a bill is when it was written: an old release that is deployed again is news all the same.
    """
    if not asked.principal.may_push(key.environment, key.service):
        raise RefusalError(403, "scope-mismatch", "this token pushes for another environment or service")
    read = await asyncio.to_thread(_reader().read_sent, body, asked.request.content_type)
    parts = [part for part in read.parts if part.service in {None, key.service}]
    if not parts:
        raise invalid("", "a bill of other services than the address names")
    sections = {name: section for part in parts for name, section in part.sections.items()}
    if sum(len(section.facts) for section in sections.values()) > MOST_FACTS:
        message = f"more than {MOST_FACTS} facts"
        raise WireError([Fault(pointer="", code="too-many-items", message=message)])
    return Sent(Observation(**key._asdict(), observed_at=asked.now, sections=sections), read.warnings)


def _reader() -> Any:
    return plugins.load("parity.readers", "sbom")()
