"""Asks an address for JSON, once: bounded, without following redirects, errors in our words."""

from collections.abc import Collection, Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import orjson

from detector.collector import Context
from detector.errors import UnseenError

MOST_BYTES: Final = 10 * 1024 * 1024
_CHUNK: Final = 64 * 1024
_DENIED: Final = frozenset(
    {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.PROXY_AUTHENTICATION_REQUIRED}
)


def place_of(url: str) -> str:
    """Return host and path of an address alone: a query may carry a key."""
    parts = urlsplit(url)
    return f"{parts.netloc}{parts.path}"


async def json_at(
    context: Context,
    url: str,
    *,
    headers: Mapping[str, str],
    body: object = None,
    remedy: str = "look at `authorization`",
    fine: Collection[int] = (HTTPStatus.OK,),
) -> tuple[Any, Mapping[str, str]]:
    """Return the document that an address answers, and the headers of the answer.

    It is asked with GET, or with POST where there is a body. ``remedy`` says what to do where it denies;
    statuses other than ``fine`` are errors. Raises UnseenError.
    """
    place = place_of(url)
    method = "GET" if body is None else "POST"
    sent = {"Accept": "application/json", **headers}
    try:
        async with context.session.request(
            method, url, headers=sent, json=body, allow_redirects=False
        ) as response:
            _check(response, place, remedy, fine)
            found = bytearray()
            async for chunk in response.content.iter_chunked(_CHUNK):
                found += chunk
                if len(found) > MOST_BYTES:
                    raise UnseenError("too_large", f"{place}: more than {MOST_BYTES // 2**20} MiB")
            return parsed(bytes(found)), response.headers
    except TimeoutError:
        raise UnseenError("timeout", f"{place} did not answer in time") from None
    except (aiohttp.ClientError, OSError, ValueError):
        raise UnseenError("unreachable", f"no connection to {place}, or none that speaks HTTP") from None


def parsed(body: bytes) -> Any:
    """Return the document; UnseenError where it is no JSON."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise UnseenError("malformed", "the answer is no JSON") from None


def is_masked(found: object) -> bool:
    """Tell whether a text is asterisks alone: that there is a value was shown, and not which."""
    return isinstance(found, str) and len(found) > 2 and set(found) <= {"*"}


def _check(response: aiohttp.ClientResponse, place: str, remedy: str, fine: Collection[int]) -> None:
    status = response.status
    if status in _DENIED:
        raise UnseenError("denied", f"{place} answered {status}: {remedy}")
    if 300 <= status < 400:
        raise UnseenError(
            "denied", f"{place} answered {status}, a redirect such as to a login: give its final address"
        )
    if status not in fine:
        gone = status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)
        raise UnseenError("not_in_view" if gone else "unreachable", f"{place} answered {status}")
    kind = response.content_type
    if kind != "application/json" and not kind.endswith("+json"):
        raise UnseenError("malformed", f"{place} answered another content than JSON, such as a login page")
