"""The aiohttp application: every request is admitted, understood, answered, and noted without its query."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any, Final
from urllib.parse import quote

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler as AnyHandler

from detector.api.access import Access
from detector.api.answers import accepted
from detector.api.asked import Asked
from detector.api.bodies import Limits
from detector.api.idempotency import PushKeys
from detector.api.keys import (
    ACCESS,
    KEYS,
    LIMITS,
    LINKS,
    METRICS,
    OPENAPI,
    PAGES,
    PUSHES,
    RUNNING,
    SAYS_NOTHING_NEW,
)
from detector.api.links import Links
from detector.api.metrics import Metrics, own_version
from detector.api.openapi import openapi
from detector.api.params import params_of
from detector.api.problems import RefusalError, refusal_of, refusal_of_http
from detector.api.route import Route
from detector.api.routes import INTERFACE, OPERATION, ROUTES
from detector.api.templates import Templates
from detector.assembly import Running
from detector.errors import ParityError
from detector.logging import place_of

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
REQUEST_ID: Final = web.RequestKey("request_id", str)
ROUTE: Final = web.RequestKey("route", Route)
_WHO: Final = web.RequestKey("who", str)
#: Nothing is loaded from elsewhere, nothing runs that is not a file of ours, nobody frames us.
SECURITY_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: with it browsers post our own forms with `Origin: null`, and nobody could sign in.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_KEEPALIVE_SECONDS: Final = 30


def create_app(running: Running, *, limits: Limits | None = None) -> web.Application:
    """Return the application that answers for a running Parity."""
    limits = limits or Limits()
    server = running.reading.settings.config.server
    app = web.Application(
        middlewares=[_answering],
        client_max_size=limits.body_bytes,
        handler_args={
            # Bodies are inflated by us alone, counted while they grow.
            "auto_decompress": False,
            "max_line_size": limits.header_bytes,
            "max_field_size": limits.header_bytes,
            "max_headers": limits.headers,
            "keepalive_timeout": _KEEPALIVE_SECONDS,
            # Its lines would hold the query, and with it what somebody pasted there.
            "access_log": None,
        },
    )
    app[RUNNING] = running
    app[LIMITS] = limits
    app[ACCESS] = Access(running.reading.store, server)
    app[METRICS] = Metrics()
    app[LINKS] = Links()
    app[PAGES] = Templates(running.reading.settings, signs_in=not app[ACCESS].is_open)
    app[PUSHES] = asyncio.Semaphore(limits.pushes)
    app[KEYS] = PushKeys()
    app[OPENAPI] = openapi((*INTERFACE, *OPERATION), version=own_version(), server=server.public_url)
    running.watch.on_run = app[METRICS].ran
    running.watch.on_delivery = app[METRICS].delivered
    for route in ROUTES:
        if route.method == "GET":
            app.router.add_get(route.path, _handler(route), allow_head=True)
        else:
            app.router.add_route(route.method, route.path, _handler(route))
    app.on_response_prepare.append(_secure)
    return app


def sign_in_link(app: web.Application) -> str | None:
    """Return a link that signs a browser in once, or None where nobody needs to sign in."""
    if app[ACCESS].is_open:
        return None
    code = app[LINKS].new(datetime.now(UTC))
    return f"{app[RUNNING].reading.settings.config.server.public_url}/login?code={code}"


def _handler(route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        request[ROUTE] = route
        now = datetime.now(UTC)
        access = request.app[ACCESS]
        access.check_host(request)
        access.check_origin(request)
        principal = await access.admit(request, route.scope, now)
        request[_WHO] = principal.id
        accepted(request, route.forms)
        asked: Asked[Any] = Asked(
            request=request,
            params=params_of(route.params, request.query, form=route.form),
            running=request.app[RUNNING],
            principal=principal,
            now=now,
        )
        return await route.handler(asked)

    return handle


@web.middleware
async def _answering(request: web.Request, handler: AnyHandler) -> web.StreamResponse:
    """Turn whatever happens into one answer with a request id, and one line of the log."""
    given = request.headers.get("X-Request-Id")
    request[REQUEST_ID] = request_id = given if given and _REQUEST_ID.fullmatch(given) else token_hex(10)
    started = asyncio.get_running_loop().time()
    try:
        response = await handler(request)
    except ParityError as error:
        response = _refused(request, refusal_of(error))
    except web.HTTPException as error:
        response = _refused(request, refusal_of_http(error))
    except Exception as error:  # noqa: BLE001 - a defect of ours ends one request, and its text may hold anything
        kind, at = type(error).__name__, place_of(error)
        log = structlog.get_logger("parity.api")
        log.error("defect", request_id=request_id, error=kind, at=at)  # noqa: TRY400 - no traceback: it may too
        response = _refused(
            request, RefusalError(500, "internal-error", "a defect of Parity; the log names its place")
        )
    response.headers["X-Request-Id"] = request_id
    # Reads, and pushes of what did not change, are most of the traffic and say nothing new.
    quiet = request.method in ("GET", "HEAD") or response.status == 204 or SAYS_NOTHING_NEW in request
    if not quiet or response.status >= 400:
        structlog.get_logger("parity.api").info(
            "answered",
            request_id=request_id,
            method=request.method,
            path=request.path[:256],
            status=response.status,
            ms=round((asyncio.get_running_loop().time() - started) * 1000),
            who=request.get(_WHO),
            remote=request.remote,
        )
    return response


def _refused(request: web.Request, refusal: RefusalError) -> web.StreamResponse:
    route = request.get(ROUTE)
    if route.page if route is not None else _reads_html(request):
        response = _refusal_page(request, refusal)
    else:
        response = refusal.response(request[REQUEST_ID])
    if refusal.headers.get("Connection") == "close":
        response.force_close()
    return response


def _refusal_page(request: web.Request, refusal: RefusalError) -> web.Response:
    if refusal.status == 401 and request.method == "GET":
        following = quote(request.raw_path[:512], safe="/")
        return web.Response(status=303, headers={hdrs.LOCATION: f"/login?next={following}"})
    response = request.app[PAGES].page(
        "refusal.html", status=refusal.status, refusal=refusal.document(request[REQUEST_ID])
    )
    response.headers.update(refusal.headers)
    return response


def _reads_html(request: web.Request) -> bool:
    return "text/html" in request.headers.get(hdrs.ACCEPT, "") and not request.path.startswith("/api/")


async def _secure(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(SECURITY_HEADERS)
    response.headers.pop(hdrs.SERVER, None)
