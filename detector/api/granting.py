"""Tokens of the API: make, list and end them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from aiohttp import web

from detector.api.answers import list_answer, page_of
from detector.api.asked import Asked
from detector.api.bodies import Limits, body_of
from detector.api.idempotency import answered
from detector.api.params import Listed, Params
from detector.api.problems import invalid
from detector.api.tokens import is_scope, mint
from detector.errors import NotFoundError, UsageError
from detector.model.clock import duration, print_time
from detector.model.wire import json_document
from detector.store.tokens import TokenRow

_BODY: Final = Limits(body_bytes=16 * 1024, body_seconds=10)
_MOST_SCOPES: Final = 64
_LONGEST_NAME: Final = 128
_LONGEST_LIFE: Final = timedelta(days=10_000)


async def create(asked: Asked[Params]) -> web.StreamResponse:
    """Make a token and tell it once: only its hash is kept."""
    document = json_document(await body_of(asked.request, _BODY))
    name, scopes, lasts = _wanted(document)
    by = asked.principal.name
    token = await mint(asked.reading.store, name=name, scopes=scopes, now=asked.now, lasts=lasts, by=by)
    return answered({"token": token, "expires_at": print_time(asked.now + lasts)})


async def tokens(asked: Asked[Listed]) -> web.StreamResponse:
    """Tokens with their scopes and ends, newest first; never a token itself."""
    rows = [token_document(row) for row in reversed(await asked.reading.store.tokens())]
    page, following = page_of(
        rows,
        key=lambda one: str(one["id"]),
        limit=asked.params.limit,
        cursor=asked.params.cursor,
        of="tokens",
    )
    return list_answer(asked.request, page, following)


async def revoke(asked: Asked[Params]) -> web.StreamResponse:
    """End a token now."""
    name = asked.name("id")
    row = await asked.reading.store.token(name)
    if row is None:
        raise NotFoundError("no token has this id; parity token list shows them")
    if row.revoked_at is None:
        await asked.reading.store.revoke_token(name, asked.now, by=asked.principal.name)
        row = replace(row, revoked_at=asked.now)
    return answered(token_document(row))


def token_document(row: TokenRow) -> dict[str, Any]:
    """Return a token as JSON shows it, without its hash."""
    return {
        "id": row.id,
        "name": row.name,
        "scopes": list(row.scopes),
        "created_at": print_time(row.created_at),
        "expires_at": print_time(row.expires_at) if row.expires_at else None,
        "revoked_at": print_time(row.revoked_at) if row.revoked_at else None,
    }


def _wanted(document: Any) -> tuple[str, tuple[str, ...], timedelta]:
    """Return name, scopes and lifetime. Raises RefusalError with the field at fault."""
    if not isinstance(document, dict):
        raise invalid("", "an object with name, scopes and for")
    for field in document:
        if field not in ("name", "scopes", "for"):
            raise invalid("", "a token has name, scopes and for, nothing else")
    name, scopes, life = document.get("name"), document.get("scopes"), document.get("for", "1y")
    if not isinstance(name, str) or not name.isprintable() or not 0 < len(name.strip()) <= _LONGEST_NAME:
        raise invalid("/name", f"a printable name of at most {_LONGEST_NAME} characters")
    if not isinstance(scopes, list) or not 0 < len(scopes) <= _MOST_SCOPES:
        raise invalid("/scopes", "a list of read, drift:write, admin, push:ENV or push:ENV/SERVICE")
    for number, scope in enumerate(scopes):
        if not isinstance(scope, str) or not is_scope(scope):
            raise invalid(f"/scopes/{number}", "take read, drift:write, admin, push:ENV or push:ENV/SERVICE")
    try:
        lasts = duration(life) if isinstance(life, str) else None
    except UsageError as error:
        raise invalid("/for", str(error)) from None
    if lasts is None or not timedelta() < lasts <= _LONGEST_LIFE:
        raise invalid("/for", "as in 90d, at most 10000d")
    return name, tuple(scopes), lasts
