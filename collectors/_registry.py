"""Asks a registry for an image: documents and blobs, by GET and HEAD alone.

API: OCI distribution-spec 1.1, with tokens as registries hand them out (``WWW-Authenticate: Bearer``).
Credentials go to the registry and to where it sends for tokens, never to where it redirects.
"""

import asyncio
import io
import re
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import aiohttp
from yarl import URL

from collectors._containers import image_reference
from collectors._image import INDEXES, MANIFESTS, MOST_DOCUMENT, Descriptor, document, short
from detector.errors import NotThereError, UnseenError
from detector.model.wire_json import WireError, json_document

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession, StreamReader

_MOST_HOPS: Final = 6
_MOST_TOKEN: Final = 64 * 1024
_LONGEST_SILENCE: Final = 20.0
_TIMEOUT: Final = aiohttp.ClientTimeout(total=None, connect=10, sock_read=_LONGEST_SILENCE)
_HOST: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}(?::[0-9]{1,5})?")
_CHALLENGE: Final = re.compile(r'([a-z_]{1,32})="([^"]{0,1024})"')
_LOOPBACK: Final = re.compile(r"(?:localhost|127(?:\.[0-9]{1,3}){3})(?::[0-9]{1,5})?")
_DOCUMENT: Final = ", ".join((*INDEXES, *MANIFESTS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where an image is: ``registry.example:5000/acme/api:1.4.2``."""

    host: str
    repository: str
    #: A tag, or a digest, which wins.
    reference: str

    @property
    def is_loopback(self) -> bool:
        """Whether it is on this machine."""
        return _LOOPBACK.fullmatch(self.host) is not None


def address_of(text: str) -> Address | None:
    """Return the parts of an image's name with its registry, or None where it names none."""
    host, slash, name = text.partition("/")
    parsed = image_reference(text)
    is_host = _HOST.fullmatch(host) and ("." in host or ":" in host or host == "localhost")
    reference = parsed and (parsed.digest or parsed.tag)
    if not (slash and is_host and reference):
        return None
    repository = name.partition("@")[0]
    if ":" in repository:
        repository = repository.rpartition(":")[0]
    return Address(host=host, repository=repository, reference=reference)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Who asks."""

    username: str
    password: str = field(repr=False)

    @property
    def basic(self) -> str:
        """The header that says so (RFC 7617)."""
        return f"Basic {b64encode(f'{self.username}:{self.password}'.encode()).decode()}"


class Registry:
    """One repository of a registry, for one run."""

    def __init__(
        self, session: "ClientSession", address: Address, credentials: Credentials | None, *, plain_http: bool
    ) -> None:
        self._session = session
        self._base = URL(f"{'http' if plain_http else 'https'}://{address.host}")
        self._repository = address.repository
        self._credentials = credentials
        self._authorization: str | None = None
        self.place = f"{address.host}/{address.repository}"

    async def current(self, reference: str) -> str | None:
        """Return the digest that a reference has now, as the registry says it; None where it does not say."""
        async with self._answer("HEAD", f"manifests/{reference}") as response:
            if response.status != HTTPStatus.OK:
                return None
            return response.headers.get("Docker-Content-Digest")

    async def manifest(self, reference: str) -> bytes:
        """Return a manifest or an index by tag or digest. Raises UnseenError."""
        async with self._answer("GET", f"manifests/{reference}") as response:
            await self._check(response, reference)
            return await _body(response, MOST_DOCUMENT, self.place)

    async def document(self, descriptor: Descriptor) -> bytes:
        """Return a small blob. Raises UnseenError."""
        async with self.blob(descriptor) as content:
            return await _read(content, MOST_DOCUMENT, self.place)

    @asynccontextmanager
    async def blob(self, descriptor: Descriptor) -> AsyncIterator["StreamReader"]:
        """Open a blob, wherever the registry redirects to. Raises UnseenError."""
        async with self._answer("GET", f"blobs/{descriptor.digest}") as response:
            await self._check(response, short(descriptor.digest))
            yield response.content

    @asynccontextmanager
    async def _answer(self, method: str, path: str) -> AsyncIterator["ClientResponse"]:
        """Yield the answer, once signed in and redirected. Errors of the connection are told in our words."""
        url = self._base / "v2" / self._repository / path
        try:
            for _ in range(_MOST_HOPS):
                own = url.origin() == self._base.origin()
                headers = {"Accept": _DOCUMENT, "Accept-Encoding": "identity"}
                if own and self._authorization:
                    headers["Authorization"] = self._authorization
                async with self._session.request(
                    method, url, headers=headers, allow_redirects=False, timeout=_TIMEOUT
                ) as response:
                    signed_in = "Authorization" in headers
                    if response.status == HTTPStatus.UNAUTHORIZED and own and not signed_in:
                        challenge = response.headers.get("WWW-Authenticate", "")
                    elif 300 <= response.status < 400:
                        url = self._redirected(url, response)
                        continue
                    else:
                        yield response
                        return
                self._authorization = await self._signed_in(challenge)
                if self._authorization is None:
                    raise self._denied(HTTPStatus.UNAUTHORIZED)
        except TimeoutError:
            raise UnseenError("timeout", f"{self.place} did not answer in time") from None
        except aiohttp.ClientConnectorCertificateError:
            raise UnseenError("denied", f"the certificate of {self._base.host} is not trusted") from None
        except (aiohttp.ClientError, OSError, ValueError):
            raise UnseenError("unreachable", f"no connection to {self.place}, or it broke") from None
        raise UnseenError("unreachable", f"{self.place} redirects in a circle")

    def _redirected(self, url: URL, response: "ClientResponse") -> URL:
        target = url.join(URL(response.headers.get("Location", ""), encoded=True))
        if target.scheme not in ("http", "https") or (url.scheme == "https" and target.scheme != "https"):
            raise UnseenError("denied", f"{self.place} redirects to an address without encryption")
        return target.with_user(None)

    async def _signed_in(self, challenge: str) -> str | None:
        """Return the header that answers a challenge, or None where there is no answer."""
        scheme, _, rest = challenge.partition(" ")
        if scheme.lower() == "basic" and self._credentials:
            return self._credentials.basic
        said = dict(_CHALLENGE.findall(rest[:4096]))
        if scheme.lower() != "bearer" or "realm" not in said:
            return None
        realm = URL(said["realm"])
        if realm.scheme not in ("http", "https") or (
            self._base.scheme == "https" and realm.scheme != "https"
        ):
            raise UnseenError("denied", f"{self.place} sends for a token to an address without encryption")
        # Never more than reading this repository, whatever the challenge asks for.
        asked = {"scope": f"repository:{self._repository}:pull"}
        if "service" in said:
            asked["service"] = said["service"]
        headers = {"Authorization": self._credentials.basic} if self._credentials else {}
        async with self._session.get(
            realm.update_query(asked), headers=headers, allow_redirects=False, timeout=_TIMEOUT
        ) as response:
            if response.status != HTTPStatus.OK:
                raise self._denied(response.status)
            answer = await _body(response, _MOST_TOKEN, self.place)
        return _bearer(answer)

    async def _check(self, response: "ClientResponse", what: str) -> None:
        status = response.status
        if status == HTTPStatus.OK:
            return
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            raise self._denied(status)
        if status == HTTPStatus.NOT_FOUND:
            # Registries also say so of what one may not see: only a manifest that is not known is gone.
            if await _code(response) == "MANIFEST_UNKNOWN":
                raise NotThereError(f"{self.place} has no {what}")
            raise UnseenError("not_in_view", f"{self.place}: no {what}, or not for this user")
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            asked = response.headers.get("Retry-After", "")
            wait = f" for {asked} s" if asked.isdecimal() and len(asked) < 7 else ""
            raise UnseenError("unreachable", f"{self.place} asks to wait{wait}: sign in, or look less often")
        raise UnseenError("unreachable", f"{self.place} answered {status}")

    def _denied(self, status: int) -> UnseenError:
        remedy = (
            "look at `username` and `password`" if self._credentials else "give `username` and `password`"
        )
        return UnseenError("denied", f"{self.place} answered {status}: {remedy}")


class Fetched(io.RawIOBase):
    """A blob that the loop receives, as a stream for a thread."""

    def __init__(
        self, content: "StreamReader", size: int, place: str, check: Callable[[], None] = lambda: None
    ) -> None:
        self._content = content
        self._left = size
        self._place = place
        self._check = check
        self._loop = asyncio.get_running_loop()
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        self._check()
        if self._ended:
            return 0
        reading = asyncio.run_coroutine_threadsafe(self._content.read(len(buffer)), self._loop)
        data = reading.result(2 * _LONGEST_SILENCE)
        self._ended = not data
        self._left -= len(data)
        if self._left < 0:
            raise UnseenError("malformed", f"{self._place}: a layer is longer than its manifest says")
        buffer[: len(data)] = data
        return len(data)


async def _body(response: "ClientResponse", most: int, place: str) -> bytes:
    return await _read(response.content, most, place)


async def _read(content: "StreamReader", most: int, place: str) -> bytes:
    body = bytearray()
    while piece := await content.read(64 * 1024):
        body += piece
        if len(body) > most:
            raise UnseenError("too_large", f"{place}: a document of more than {most // 1024} KiB")
    return bytes(body)


async def _code(response: "ClientResponse") -> str:
    """Return the first error code of an answer, nothing where it has none."""
    try:
        found = json_document(await _body(response, _MOST_TOKEN, ""))
        return str(found["errors"][0]["code"])
    except (UnseenError, WireError, LookupError, TypeError):
        return ""


def _bearer(answer: bytes) -> str | None:
    found = document(answer, "the token")
    token = found.get("token") or found.get("access_token")
    if not (isinstance(token, str) and token.isascii() and token.isprintable()):
        return None
    return f"Bearer {token}"
