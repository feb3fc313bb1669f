"""A running service asked over HTTP, with the token of a file or of PARITY_TOKEN."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import aiohttp
import orjson

from detector.errors import NotFoundError, ParityError, StoreBusyError, UsageError

_TIMEOUT_SECONDS = 30


class Remote:
    """One service. Every refusal becomes one of our own errors, in the words of the service."""

    def __init__(self, server: str, token: str | None) -> None:
        self._server = server.rstrip("/")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT_SECONDS)
        self._session = aiohttp.ClientSession(timeout=timeout, headers=headers)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

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
        try:
            async with self._session.request(
                method,
                f"{self._server}/api/v1{path}",
                params=params,
                data=orjson.dumps(body) if body is not None else None,
                headers={
                    **(headers or {}),
                    **({"Content-Type": "application/json"} if body is not None else {}),
                },
                allow_redirects=False,
            ) as response:
                answer = await response.read()
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            kind = type(error).__name__
            raise ParityError(f"the service does not answer ({kind}): is --server right?") from None
        document = _document(answer)
        if response.status >= 300:
            why = document.get("detail") or document.get("title") or "it gave no reason"
            raised = {404: NotFoundError, 422: UsageError, 503: StoreBusyError}.get(
                response.status, ParityError
            )
            raise raised(f"the service refused with {response.status}: {why}")
        return document

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


def _document(answer: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(answer) if answer else {}
    except orjson.JSONDecodeError:
        return {}
    return document if isinstance(document, dict) else {}
