"""Calls of the Slack SDK: which it may repeat by itself, and what remains of its errors."""

import logging
from collections.abc import Awaitable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final, TypeVar

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from detector.alerts.slack_answers import Refusal, seconds_to_wait
from detector.errors import DeliveryError

#: The SDK logs the webhook's address, which is a secret, and every body. A logger outside of the tree, with a
#: level above all, writes nothing whatever the installation's log level is.
SILENT: Final = logging.Logger("slack_sdk", level=logging.CRITICAL + 1)  # noqa: LOG001

_R = TypeVar("_R")


async def ask(call: Awaitable[_R]) -> _R:
    """Return what a call of the SDK returns; every way in which it fails becomes a DeliveryError of ours."""
    try:
        return await call
    except SlackApiError as error:
        raise _refused(error.response) from None
    except (aiohttp.ClientError, SlackClientError, OSError) as error:
        if isinstance(error, TimeoutError):
            raise
        reason = type(error).__name__
        raise DeliveryError(f"Slack could not be reached ({reason})", permanent=False) from None
    except (AttributeError, TypeError, ValueError):  # the SDK takes every body for a JSON object in UTF-8
        raise DeliveryError("what answered is not Slack", permanent=False) from None


def _refused(response: object) -> Refusal:
    if not isinstance(response, AsyncSlackResponse):  # a body that is no JSON comes without being read
        return Refusal("", status=int(getattr(response, "status", 0)))
    data = response.data
    return Refusal(
        str(data.get("error", "")) if isinstance(data, dict) else "",
        status=response.status_code,
        retry_after=seconds_to_wait(response.headers.get("Retry-After"), datetime.now(UTC)),
    )


class _ShortWaits(AsyncRateLimitErrorRetryHandler):
    """Waits in place for what is short.

    The one of the SDK takes a date for a number, and would sleep through a Retry-After of days.
    """

    async def _can_retry_async(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        if response is None or response.status_code != HTTPStatus.TOO_MANY_REQUESTS:
            return False
        asked = {name.lower(): values for name, values in response.headers.items()}.get("retry-after", [""])
        return asked[0] in ("0", "1")


def handlers(*, repeatable: bool) -> list[AsyncRetryHandler]:
    """Return the SDK's retries that make no second message.

    A 429 was not taken, a connection never made took nothing. After anything else a post may stand there:
    only an edit or a look may be repeated without looking first.
    """
    if not repeatable:
        return [
            _ShortWaits(),
            AsyncConnectionErrorRetryHandler(error_types=[aiohttp.ClientConnectorError]),
        ]
    return [_ShortWaits(), AsyncServerErrorRetryHandler(), AsyncConnectionErrorRetryHandler()]
