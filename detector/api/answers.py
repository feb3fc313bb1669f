"""Answers: JSON with its ETag, lists page by page, and the form that was asked for."""

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final, TypeVar

import orjson
from aiohttp import hdrs, web
from yarl import URL

from detector.api.problems import RefusalError

T = TypeVar("T")

JSON: Final = "application/json"
MARKDOWN: Final = "text/markdown"
CSV: Final = "text/csv"
HTML: Final = "text/html"
#: Read again each time, but not sent again when it is the same.
_CACHING: Final = {"Cache-Control": "private, no-cache", "Vary": "Accept, Authorization, Cookie"}
_ETAG_BYTES: Final = 16


def json_answer(
    request: web.Request,
    document: Mapping[str, Any],
    *,
    volatile: Sequence[str] = (),
    headers: Mapping[str, str] | None = None,
    media_type: str = JSON,
) -> web.Response:
    """Return a document, or 304 where the client has it. ``volatile`` fields do not make it another one."""
    body = orjson.dumps(document)
    lasting = (
        orjson.dumps({key: document[key] for key in document if key not in volatile}) if volatile else body
    )
    return _answer(request, body, media_type, lasting, headers)


def text_answer(request: web.Request, text: str, media_type: str, *, name: str | None = None) -> web.Response:
    """Return a text, or 304 where the client has it. ``name`` is what it is called when it is saved."""
    body = text.encode()
    headers = {} if name is None else {"Content-Disposition": f'attachment; filename="{_plain(name)}"'}
    return _answer(request, body, f"{media_type}; charset=utf-8", body, headers)


def _answer(
    request: web.Request, body: bytes, media_type: str, lasting: bytes, headers: Mapping[str, str] | None
) -> web.Response:
    etag = f'"{sha256(lasting).digest()[:_ETAG_BYTES].hex()}"'
    always = {**_CACHING, **(headers or {}), "ETag": f"W/{etag}" if lasting is not body else etag}
    known = request.headers.getall(hdrs.IF_NONE_MATCH, [])
    tags = {tag.strip().removeprefix("W/") for line in known for tag in line.split(",")}
    if request.method in ("GET", "HEAD") and not tags.isdisjoint({etag, "*"}):
        return web.Response(status=304, headers=always)
    return web.Response(body=body, headers={**always, "Content-Type": media_type})


def _plain(name: str) -> str:
    """Return a file name without anything a header or a file system could take for more than a name."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in name)[:128]


def list_answer(
    request: web.Request, items: Sequence[Mapping[str, Any]], next_cursor: str | None
) -> web.Response:
    """Return one page of a list, with the address of the next one."""
    headers = {}
    if next_cursor is not None:
        following = request.rel_url.update_query(cursor=next_cursor)
        headers["Link"] = f'<{_raw(following)}>; rel="next"'
    return json_answer(request, {"items": list(items), "next_cursor": next_cursor}, headers=headers)


def _raw(address: URL) -> str:
    return f"{address.raw_path}?{address.raw_query_string}"


def page_of(
    items: Iterable[T], *, key: Callable[[T], str], limit: int, cursor: str | None, of: str
) -> tuple[list[T], str | None]:
    """Return one page out of a whole list, and where the next one begins. ``of`` names the list."""
    found = list(items)
    if cursor is not None:
        last = position_of(cursor, of)
        places = [place for place, item in enumerate(found) if key(item) == last]
        if not places:
            raise _invalid_cursor()
        found = found[places[0] + 1 :]
    page = found[:limit]
    return page, cursor_of(key(page[-1]), of) if len(found) > limit else None


def cursor_of(position: str, of: str) -> str:
    """Return a position in a list as an opaque text."""
    return base64.urlsafe_b64encode(_seal(position, of) + position.encode()).decode().rstrip("=")


def position_of(cursor: str, of: str) -> str:
    """Return the position that a cursor holds. Raises RefusalError where it is altered or of another list."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        position = raw[_SEAL_BYTES:].decode()
    except (binascii.Error, ValueError):
        raise _invalid_cursor() from None
    if raw[:_SEAL_BYTES] != _seal(position, of):
        raise _invalid_cursor()
    return position


_SEAL_BYTES: Final = 6


def _seal(position: str, of: str) -> bytes:
    # A cursor tells a position and nothing secret: the seal finds slips, it keeps nobody out.
    return sha256(f"{of}\n{position}".encode()).digest()[:_SEAL_BYTES]


def _invalid_cursor() -> RefusalError:
    return RefusalError(400, "invalid-cursor", "this cursor is of another list; begin without one")


def accepted(request: web.Request, offered: Sequence[str]) -> str:
    """Return which of the offered media types the client wants most. Raises RefusalError for none (406)."""
    wanted = request.headers.getall(hdrs.ACCEPT, [])
    if not wanted:
        return offered[0]
    best, best_rank = None, (0.0, 0)
    for range_, quality in _ranges(",".join(wanted)):
        for place, offer in enumerate(offered):
            specific = 2 if range_ == offer else 1 if range_ == f"{offer.split('/')[0]}/*" else 0
            if (specific or range_ == "*/*") and (rank := (quality, specific * 100 - place)) > best_rank:
                best, best_rank = offer, rank
    if best is None:
        raise RefusalError(406, "not-acceptable", f"this address speaks {', '.join(offered)}")
    return best


def _ranges(accept: str) -> Iterable[tuple[str, float]]:
    for part in accept.split(",")[:32]:
        range_, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = 1.0
        for parameter in parameters:
            name, _, number = parameter.partition("=")
            if name == "q":
                try:
                    quality = min(1.0, max(0.0, float(number)))
                except ValueError:
                    quality = 0.0
        # NaN compares with nothing: it is no quality.
        if range_ and quality > 0:
            yield range_, quality
