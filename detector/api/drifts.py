"""The register of drifts."""

import re
from typing import Any, Final

from aiohttp import web

from detector.api.answers import cursor_of, json_answer, list_answer, position_of
from detector.api.asked import Asked
from detector.api.params import DriftFilters, DriftParams, Params
from detector.errors import NotFoundError
from detector.model.records import Drift

ULID: Final = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
LIST: Final = "drift"


async def drifts(asked: Asked[DriftParams]) -> web.StreamResponse:
    """The register, newest first."""
    params = asked.params
    after = position_of(params.cursor, LIST) if params.cursor else None
    found = await drifts_of(asked, params, limit=params.limit + 1, after=after)
    more = len(found) > params.limit
    page = found[: params.limit]
    return list_answer(
        asked.request, [drift.document() for drift in page], cursor_of(page[-1].id, LIST) if more else None
    )


async def drifts_of(
    asked: Asked[Any], filters: DriftFilters, *, limit: int, after: str | None = None
) -> list[Drift]:
    """Return the drifts that filters mean, newest first, with their events."""
    return await asked.reading.store.register(
        comparison=filters.comparison,
        service=filters.service,
        states=filters.state or None,
        severities=filters.severity or None,
        owner=filters.owner,
        section=filters.section,
        kind=filters.kind,
        opened_before=filters.opened_before,
        limit=limit,
        after=after,
        with_events=True,
    )


async def drift(asked: Asked[Params]) -> web.StreamResponse:
    """One drift with its history."""
    return json_answer(asked.request, (await drift_of(asked)).document())


async def drift_of(asked: Asked[Any]) -> Drift:
    """Return the drift that the path names. Raises NotFoundError."""
    name = asked.name("id")
    found = await asked.reading.store.drift(name) if ULID.fullmatch(name) else None
    if found is None:
        raise NotFoundError("no drift has this id; /api/v1/drift lists them")
    return found
