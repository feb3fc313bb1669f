"""Who runs what, where, since when: services, environments, snapshots, sources."""

from datetime import datetime, timedelta
from typing import Final

from aiohttp import web

from detector.api.answers import JSON, accepted, cursor_of, json_answer, list_answer, page_of, position_of
from detector.api.asked import Asked
from detector.api.params import AsOf, HistoryParams, Listed, Params, PromotionParams, SearchParams
from detector.errors import NotFoundError
from detector.model.expressions import Numbered
from detector.queries.bom import MEDIA_TYPE

SNAPSHOT_FORMS: Final = (JSON, MEDIA_TYPE)
_STEP: Final = timedelta(microseconds=1)
_MOST_DIGITS: Final = 9


async def services(asked: Asked[Listed]) -> web.StreamResponse:
    """Every service, configured or only seen."""
    found = await asked.reading.inventory.services()
    params = asked.params
    page, following = page_of(
        found, key=lambda one: one["service"], limit=params.limit, cursor=params.cursor, of="services"
    )
    return list_answer(asked.request, page, following)


async def service(asked: Asked[AsOf]) -> web.StreamResponse:
    """One service in every environment."""
    as_of = asked.params.as_of
    document = await asked.reading.inventory.service(asked.name("service"), now=asked.now, as_of=as_of)
    return json_answer(asked.request, document, volatile=() if as_of else ("as_of",))


async def promotion(asked: Asked[PromotionParams]) -> web.StreamResponse:
    """Lead times from environment to environment, and what waits to arrive."""
    params = asked.params
    document = await asked.reading.promotions.promotion(
        now=params.as_of or asked.now, service=params.service, item=params.item, back=params.since
    )
    return json_answer(asked.request, document)


async def search(asked: Asked[SearchParams]) -> web.StreamResponse:
    """Which services run an item in a range of versions, and of which nobody can tell."""
    params = asked.params
    document = await asked.reading.search.search(
        params.item, params.version, now=asked.now, as_of=params.as_of, environments=params.environment
    )
    return json_answer(asked.request, document, volatile=() if params.as_of else ("as_of",))


async def history(asked: Asked[HistoryParams]) -> web.StreamResponse:
    """What an item of a service was, where, from when to when; newest first."""
    params = asked.params
    before, skip = None, 0
    if params.cursor is not None:
        opened, _, passed = position_of(params.cursor, "history").partition(" ")
        # Several streams may open in one instant: the cursor says how many of them were given.
        before, skip = datetime.fromisoformat(opened) + _STEP, int(passed)
    found = await asked.reading.store.history(
        service=asked.name("service"),
        item=asked.name("item"),
        environment=params.environment,
        section=params.section,
        component=params.component,
        limit=params.limit + 1 + skip,
        before=before,
    )
    rows = found[skip:]
    if not found and params.cursor is None and not await _is_known(asked):
        raise NotFoundError("no service of this name was ever seen; /api/v1/services lists them")
    page, following = rows[: params.limit], None
    if len(rows) > params.limit:
        last = page[-1][3].opened
        same = sum(1 for *_, interval in page if interval.opened == last)
        if before is not None and last + _STEP == before:
            same += skip
        following = cursor_of(f"{last.isoformat()} {same}", "history")
    items = [
        {"environment": environment, "component": component, "section": section, **interval.document()}
        for environment, component, section, interval in page
    ]
    return list_answer(asked.request, items, following)


async def _is_known(asked: Asked[HistoryParams]) -> bool:
    name = asked.name("service")
    return name in asked.reading.settings.policy.services or name in dict(
        await asked.reading.store.services()
    )


async def environments(asked: Asked[Listed]) -> web.StreamResponse:
    """The environments in promotion order."""
    params = asked.params
    found = await asked.reading.inventory.environments(now=asked.now)
    page, following = page_of(
        found, key=lambda one: one["name"], limit=params.limit, cursor=params.cursor, of="environments"
    )
    return list_answer(asked.request, page, following)


async def snapshots(asked: Asked[Listed]) -> web.StreamResponse:
    """The snapshots of an environment, newest first."""
    environment, params = asked.name("environment"), asked.params
    of = f"snapshots of {environment}"
    before = int(position_of(params.cursor, of)) if params.cursor else None
    found = await asked.reading.inventory.snapshots(environment, limit=params.limit + 1, before=before)
    page = found[: params.limit]
    following = cursor_of(str(page[-1].number), of) if len(found) > params.limit else None
    return list_answer(asked.request, [one.document() for one in page], following)


async def snapshot(asked: Asked[Params]) -> web.StreamResponse:
    """One snapshot with the facts that it holds, as JSON or as a bill of materials."""
    text = asked.name("number")
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else 0
    if accepted(asked.request, SNAPSHOT_FORMS) == MEDIA_TYPE:
        state = Numbered(environment=asked.name("environment"), number=number, back=False)
        bill = await asked.reading.inventories.cyclonedx(state, now=asked.now)
        return json_answer(asked.request, bill, media_type=MEDIA_TYPE)
    return json_answer(
        asked.request, await asked.reading.inventory.snapshot(asked.name("environment"), number)
    )


async def sources(asked: Asked[Listed]) -> web.StreamResponse:
    """How every source fares, those first that do not see."""
    params = asked.params
    found = await asked.reading.sources.sources(now=asked.now)
    page, following = page_of(
        found,
        key=lambda one: f"{one['environment']}/{one['service'] or '*'}/{one['source']}",
        limit=params.limit,
        cursor=params.cursor,
        of="sources",
    )
    return list_answer(asked.request, page, following)
