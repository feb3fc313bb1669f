"""How people come in: a one-time link out of the log, or a token; both become a session in a cookie.

A session is a token of its own, made at each sign-in, which ends by itself and can be revoked like any other.
"""

from datetime import timedelta
from typing import Final

from aiohttp import hdrs, web

from detector.api.asked import Asked
from detector.api.forms import fields_of
from detector.api.keys import ACCESS, LINKS, PAGES
from detector.api.params import LoginParams, Params
from detector.api.problems import RefusalError
from detector.api.tokens import SESSION, mint, parts_of

#: How long a browser stays signed in.
SESSION_LASTS: Final = timedelta(hours=12)


async def login(asked: Asked[LoginParams]) -> web.StreamResponse:
    """Sign in by the link of the log, or show the form that takes a token."""
    params = asked.params
    if asked.request.app[ACCESS].is_open:
        return _to(params.next)
    if params.code is None or asked.request.method != "GET":
        return _form(asked, params.next)
    if not asked.request.app[LINKS].use(params.code, asked.now):
        return _form(asked, params.next, refused="This link was used already or is too old.")
    return await _signed_in(asked, "link", ("admin",), params.next, SESSION_LASTS)


async def sign_in(asked: Asked[LoginParams]) -> web.StreamResponse:
    """Sign in by a token out of the form."""
    form = await fields_of(asked.request)
    token = form.get("token", [""])[0].strip()
    following = asked.params.next
    try:
        principal = await asked.request.app[ACCESS].holder(token, asked.request, asked.now)
    except RefusalError as refused:
        return _form(
            asked,
            following,
            refused=f"{refused.detail[:1].upper()}{refused.detail[1:]}.",
            status=refused.status,
        )
    lasts = SESSION_LASTS
    if principal.expires_at is not None:
        lasts = min(lasts, principal.expires_at - asked.now)
    return await _signed_in(asked, principal.name, principal.scopes, following, lasts)


async def sign_out(asked: Asked[Params]) -> web.StreamResponse:
    """End the session of this browser."""
    access = asked.request.app[ACCESS]
    parts = parts_of(asked.request.cookies.get(access.cookie, ""))
    if parts is not None and parts[0] == asked.principal.id:
        await asked.reading.store.revoke_token(parts[0], asked.now)
    response = _to("/login")
    response.del_cookie(access.cookie, path="/", secure=access.secure, httponly=True, samesite="Lax")
    return response


async def _signed_in(
    asked: Asked[LoginParams], name: str, scopes: tuple[str, ...], following: str, lasts: timedelta
) -> web.Response:
    token = await mint(asked.reading.store, name=SESSION + name, scopes=scopes, now=asked.now, lasts=lasts)
    access = asked.request.app[ACCESS]
    response = _to(following)
    response.set_cookie(
        access.cookie,
        token,
        max_age=int(lasts.total_seconds()),
        path="/",
        secure=access.secure,
        httponly=True,
        samesite="Lax",
    )
    return response


def _form(
    asked: Asked[LoginParams], following: str, *, refused: str | None = None, status: int | None = None
) -> web.Response:
    status = status or (401 if refused else 200)
    return asked.request.app[PAGES].page("login.html", status=status, refused=refused, following=following)


def _to(path: str) -> web.Response:
    return web.Response(status=303, headers={hdrs.LOCATION: path, hdrs.CACHE_CONTROL: "no-store"})
