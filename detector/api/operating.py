"""Is it alive, is it ready, what does it measure, and take the configuration over anew."""

import os

import orjson
from aiohttp import web

from dashboards import MEDIA_TYPES
from detector.api.answers import json_answer
from detector.api.asked import Asked
from detector.api.idempotency import answered
from detector.api.keys import METRICS, OPENAPI, PAGES
from detector.api.metrics import CONTENT_TYPE
from detector.api.params import Params, StaticParams
from detector.api.problems import RefusalError
from detector.config.show import show
from detector.errors import ConfigError, NotFoundError
from detector.model.clock import print_time


async def livez(_asked: Asked[Params]) -> web.StreamResponse:
    """Say that the process answers."""
    return _said({"status": "ok"})


async def readyz(asked: Asked[Params]) -> web.StreamResponse:
    """Say that the store can be read and written too; one that cannot is a problem of status 503."""
    await asked.reading.store.ready()
    return _said({"status": "ok"})


async def metrics(asked: Asked[Params]) -> web.StreamResponse:
    """What Prometheus reads."""
    text = await asked.request.app[METRICS].scraped(asked.reading, now=asked.now)
    return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"})


async def reload(asked: Asked[Params]) -> web.StreamResponse:
    """Read parity.yml again. A bad file changes nothing, and every problem of it is named."""
    try:
        asked.running.reload(os.environ)
    except ConfigError as error:
        errors = [
            {"pointer": problem.path, "code": problem.code, "message": str(problem)}
            for problem in error.problems
        ]
        raise RefusalError(
            422, "config-invalid", "parity.yml has problems; the old one stays in force", errors=errors
        ) from None
    return _said({"loaded_at": print_time(asked.reading.settings.loaded_at)})


async def prune(asked: Asked[Params]) -> web.StreamResponse:
    """Drop now what has been over for longer than `server.retention` keeps it; says what that was."""
    return answered((await asked.running.prune.now(asked.now)).document())


async def rules(asked: Asked[Params]) -> web.StreamResponse:
    """Every rule in force, the shipped ones first; those of parity.yml with what they match and hide now."""
    items = await asked.reading.previews.rules(now=asked.now)
    return json_answer(asked.request, {"items": items, "next_cursor": None})


async def config(asked: Asked[Params]) -> web.StreamResponse:
    """The configuration in force with every default filled in and every secret masked."""
    return json_answer(asked.request, show(asked.reading.settings.config))


async def openapi(asked: Asked[Params]) -> web.StreamResponse:
    """The interface as OpenAPI 3.1."""
    return json_answer(asked.request, asked.request.app[OPENAPI])


async def static(asked: Asked[StaticParams]) -> web.StreamResponse:
    """A style, script or picture of the pages."""
    name = asked.name("name")
    body = asked.request.app[PAGES].static.get(name)
    if body is None:
        raise NotFoundError("no file of this name")
    media_type = MEDIA_TYPES[f".{name.rpartition('.')[2]}"]
    # The address changes with the content, so that a browser may keep it.
    caching = "public, max-age=31536000, immutable" if asked.params.v else "no-cache"
    return web.Response(
        body=body, headers={"Content-Type": f"{media_type}; charset=utf-8", "Cache-Control": caching}
    )


def _said(document: dict[str, str]) -> web.Response:
    return web.Response(
        body=orjson.dumps(document), headers={"Content-Type": "application/json", "Cache-Control": "no-store"}
    )
