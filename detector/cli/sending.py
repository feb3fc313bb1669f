"""Sending to a running service: the token, one request, and what its answer means."""

import os
from collections.abc import Mapping
from typing import Any, Literal

import click

from detector.errors import ParityError, UsageError

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


async def sent(
    method: Literal["PUT", "POST"],
    server: str,
    path: str,
    body: Mapping[str, Any],
    *,
    token: str | None,
    query: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Send a document and return the answer. Raises ParityError: nobody answers, or it is refused."""
    import aiohttp
    import orjson

    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    timeout = aiohttp.ClientTimeout(total=30)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.request(
                method,
                f"{server.rstrip('/')}{path}",
                params=query or {},
                data=orjson.dumps(body),
                headers=headers,
                allow_redirects=False,
            ) as response,
        ):
            answer = await response.read()
    except (aiohttp.ClientError, TimeoutError) as error:
        raise ParityError(
            f"the service does not answer ({type(error).__name__}): is --server right?"
        ) from None
    try:
        document = orjson.loads(answer) if answer else {}
    except orjson.JSONDecodeError:
        document = {}
    if not isinstance(document, dict):
        document = {}
    if response.status >= 300:
        why = document.get("detail") or document.get("title") or "it gave no reason"
        raise ParityError(f"the service refused with {response.status}: {why}")
    return document
