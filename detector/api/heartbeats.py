"""Many digests at once: which streams are as their sources last said, and which observations to send."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import orjson
from aiohttp import web

from detector.api.asked import Asked
from detector.api.bodies import Limits, body_of
from detector.api.keys import SAYS_NOTHING_NEW
from detector.api.params import Params
from detector.api.problems import RefusalError, invalid
from detector.api.pushing import is_scheduled, note, present
from detector.errors import did_you_mean
from detector.model.wire import json_document
from detector.model.words import MAIN, TRAFFIC
from detector.store.memory import StreamKey

MOST: Final = 10_000
#: Others get their turn after so many.
_AT_A_TIME: Final = 500
_BODY: Final = Limits(body_bytes=4 * 2**20, body_seconds=10)
_NEEDED: Final = frozenset({"environment", "service", "source", "digest"})
_FIELDS: Final = _NEEDED | {"component", "traffic"}


async def heartbeats(asked: Asked[Params]) -> web.StreamResponse:
    """Note of many streams at once that nothing changed, by their digests. Says which are to be sent."""
    streams = _streams(json_document(await body_of(asked.request, _BODY)))
    send: list[int] = []
    forbidden: list[int] = []
    allowed: dict[tuple[str, str], bool] = {}
    for position, (stream, digest) in enumerate(streams):
        whose = (stream.environment, stream.service)
        may = allowed.get(whose)
        if may is None:
            may = allowed[whose] = asked.principal.may_push(*whose)
        if not may:
            forbidden.append(position)
        elif not await _is_unchanged(asked, stream, digest):
            send.append(position)
        if position % _AT_A_TIME == 0:
            await asyncio.sleep(0)
    asked.request[SAYS_NOTHING_NEW] = True
    unchanged = len(streams) - len(send) - len(forbidden)
    body = orjson.dumps({"unchanged": unchanged, "send": send, "forbidden": forbidden})
    return web.Response(body=body, headers={"Content-Type": "application/json", "Cache-Control": "no-store"})


async def _is_unchanged(asked: Asked[Params], stream: StreamKey, digest: str) -> bool:
    """Tell whether a stream still has a digest, and note that it was seen."""
    if stream.environment not in asked.reading.settings.policy.environments:
        return False
    stream = present(asked, stream)
    recorded = await asked.reading.store.record_again(
        stream,
        digest=digest,
        observed_at=asked.now,
        received_at=asked.now,
        scheduled=is_scheduled(asked, stream),
    )
    if recorded is not None:
        await note(asked, stream, recorded)
    return recorded is not None


def _streams(document: Any) -> list[tuple[StreamKey, str]]:
    """Return what a body names: streams with the digests that their sources hold. Raises RefusalError."""
    if not isinstance(document, dict) or document.keys() != {"streams"}:
        raise invalid("", '{"streams": [{"environment", "service", "source", "digest"}, …]}')
    entries = document["streams"]
    if not isinstance(entries, list):
        raise invalid("/streams", "a list")
    if len(entries) > MOST:
        raise RefusalError(413, "too-many-items", f"at most {MOST} streams at a time; send the rest after")
    return [_stream(position, entry) for position, entry in enumerate(entries)]


def _stream(position: int, entry: Any) -> tuple[StreamKey, str]:
    if not isinstance(entry, dict):
        raise invalid(f"/streams/{position}", "an object")
    if not entry.keys() <= _FIELDS or not entry.keys() >= _NEEDED:
        raise _misshapen(position, entry)
    for field, value in entry.items():
        if not isinstance(value, str):
            raise invalid(f"/streams/{position}/{field}", "a text")
    traffic = entry.get("traffic", "live")
    if traffic not in TRAFFIC:
        raise invalid(f"/streams/{position}/traffic", f"one of {', '.join(TRAFFIC)}")
    stream = StreamKey(
        entry["environment"], entry["service"], entry.get("component", MAIN), entry["source"], traffic
    )
    return stream, entry["digest"]


def _misshapen(position: int, entry: Mapping[str, Any]) -> RefusalError:
    for field in entry:
        if field not in _FIELDS:
            shown = field if len(field) <= 64 and field.isprintable() else "…"
            hint = did_you_mean(field, sorted(_FIELDS)) if len(field) <= 64 else ""
            return invalid(f"/streams/{position}/{shown}", f"no field of a stream{hint}")
    (missing, *_) = sorted(_NEEDED - entry.keys())
    return invalid(f"/streams/{position}/{missing}", "is missing")
