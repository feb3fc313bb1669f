"""A running service asked over HTTP: with the token of a file or of PARITY_TOKEN, or through its socket."""

import asyncio
import gzip
import os
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import click

from detector.errors import NotFoundError, ParityError, StoreBusyError, UsageError

_TIMEOUT_SECONDS: Final = 30
_RAISED: Final = {404: NotFoundError, 422: UsageError, 503: StoreBusyError}

_OTHER_DIGEST: Final = 412
#: A body from this size on is worth a compression.
_COMPRESSED_FROM: Final = 16 * 1024

token_option = click.option(
    "--token-file", type=click.Path(dir_okay=False), help="File of the token; else PARITY_TOKEN."
)


def token_of(path: str | None) -> str | None:
    """Return the token that a file or PARITY_TOKEN holds. Raises UsageError: the file cannot be read."""
    if path is None:
        return os.environ.get("PARITY_TOKEN")
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().strip()
    except (OSError, UnicodeDecodeError):
        raise UsageError(f"{path} cannot be read: --token-file takes the file that holds the token") from None


class Remote:
    """One service. Every refusal becomes one of our own errors, in the words of the service.

    ``server`` is its address, or the path of its socket on this machine, which asks for no token.
    """

    def __init__(self, server: str | Path, token: str | None = None) -> None:
        # A command that asks no service needs no client: help and usage errors answer at once.
        import aiohttp

        self._held = ExitStack()
        connector = None
        if isinstance(server, Path):
            from detector.api.local_socket import address_of

            connector = aiohttp.UnixConnector(path=self._held.enter_context(address_of(server)))
            server = "http://localhost"
        self._server = server.rstrip("/")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT_SECONDS)
        self._session = aiohttp.ClientSession(connector=connector, timeout=timeout, headers=headers)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()
        self._held.close()

    async def ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Return the document of an answer. Raises NotFoundError, UsageError, StoreBusyError, ParityError."""
        status, document = await self._answer(method, path, params=params, body=body, headers=headers)
        return _taken(status, document)

    async def has(self, path: str, digest: str, *, params: Mapping[str, str] | None = None) -> bool:
        """Tell whether the service has what this digest is of. Raises as `ask`."""
        headers = {"If-Match": f'"{digest}"'}
        status, document = await self._answer("PUT", path, params=params, headers=headers)
        if status == _OTHER_DIGEST:
            return False
        _taken(status, document)
        return True

    async def _answer(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None,
    ) -> tuple[int, dict[str, Any]]:
        import aiohttp
        import orjson

        sent: dict[str, Any] = {"headers": dict(headers or {})}
        if body is not None:
            sent["headers"]["Content-Type"] = "application/json"
            sent["data"] = orjson.dumps(body)
            if len(sent["data"]) >= _COMPRESSED_FROM:
                sent["data"] = await asyncio.to_thread(gzip.compress, sent["data"], 6)
                sent["headers"]["Content-Encoding"] = "gzip"
        # What operates the service stands beside the interface.
        operates = path.startswith(("/-/", "/readyz"))
        address = f"{self._server}{path}" if operates else f"{self._server}/api/v1{path}"
        try:
            async with self._session.request(
                method, address, params=params, allow_redirects=False, **sent
            ) as response:
                answer = await response.read()
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            kind = type(error).__name__
            raise ParityError(f"the service does not answer ({kind}): is --server right?") from None
        try:
            document = orjson.loads(answer) if answer else {}
        except orjson.JSONDecodeError:
            document = {}
        return response.status, document if isinstance(document, dict) else {}

    async def all(self, path: str, params: Mapping[str, str]) -> list[dict[str, Any]]:
        """Return every item of a list, page by page."""
        found: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            page = await self.ask("GET", path, params={**params, "limit": "1000", **cursor})
            found += page["items"]
            if not page["next_cursor"]:
                return found
            cursor = {"cursor": page["next_cursor"]}


def _taken(status: int, document: dict[str, Any]) -> dict[str, Any]:
    """Return the document of an answer that is no refusal."""
    if status >= 300:
        why = document.get("detail") or document.get("title") or "it gave no reason"
        raise _RAISED.get(status, ParityError)(f"the service refused with {status}: {why}")
    return document


async def asked_once(
    method: str,
    server: str | Path,
    path: str,
    body: Mapping[str, Any] | None = None,
    *,
    token: str | None = None,
    params: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Send one document to a service and return its answer. Raises as `Remote.ask`."""
    async with Remote(server, token) as remote:
        return await remote.ask(method, path, params=params, body=body)
