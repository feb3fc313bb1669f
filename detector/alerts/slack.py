"""Sends messages to Slack: with a bot token posted once and edited in place, by webhook in a reduced form."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, ClassVar, Final, Self

import aiohttp
from pydantic import Field, SecretStr, model_validator
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse
from slack_sdk.webhook.async_client import AsyncWebhookClient

from detector.alerts import slack_message
from detector.alerts.slack_answers import NO_EDIT, PERMANENT, UNWANTED_FORM, Refusal, seconds_to_wait
from detector.alerts.slack_calls import SILENT, ask, handlers
from detector.alerts.slack_message import SlackMessage
from detector.errors import DeliveryError
from detector.notifier import Message, NotifierOptions, Receipt

#: Seconds that one delivery may take with all its calls and retries.
PATIENCE: Final = 20.0
_LONGEST_REPLY: Final = 600
_GONE: Final = (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.GONE)
_EVENT: Final = "parity_drift"
_PAGE: Final = 200
_MOST_PAGES: Final = 5


class SlackOptions(NotifierOptions):
    """A Slack receiver: a bot token with a channel, or an incoming webhook."""

    channel: str | None = Field(
        default=None,
        pattern=r"^[CGD][A-Z0-9]{1,20}$",
        description="Id of the channel (C…, at the end of its details), not its name: names change.",
    )
    bot_token: SecretStr | None = Field(
        default=None, description="Token xoxb-… with the scopes chat:write and channels:history."
    )
    webhook_url: SecretStr | None = Field(
        default=None, description="Incoming webhook: a reduced form that can neither be edited nor answered."
    )
    api_url: str = Field(
        default="https://slack.com/api/", pattern=r"^https?://", description="Another address of the Web API."
    )
    signing_secret: SecretStr | None = Field(
        default=None, description="Proves that a click or a command comes from Slack."
    )
    interactive: bool = Field(
        default=False, description="Show the button Accept…; Slack must reach this service for it."
    )

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if (self.bot_token is None) == (self.webhook_url is None):
            raise ValueError("give either bot_token with channel, or webhook_url")
        if self.bot_token is not None and self.channel is None:
            raise ValueError("bot_token needs the id of a channel")
        return self


class SlackNotifier:
    """Says the state of one group in one message per receiver.

    With a bot token the message is edited in place, and found again by its metadata when a try may have
    arrived unseen; a webhook posts anew each time.
    """

    API: ClassVar[int] = 1
    name: ClassVar[str] = "slack"
    Options: ClassVar[type[NotifierOptions]] = SlackOptions

    def __init__(
        self, options: SlackOptions, session: aiohttp.ClientSession, *, patience: float = PATIENCE
    ) -> None:
        self._options = options
        self._session = session
        self._patience = patience

    async def send(self, message: Message) -> Receipt:
        """Post or edit. Raises DeliveryError, which holds no text of Slack, no address and no token."""
        try:
            async with asyncio.timeout(self._patience):
                if self._options.webhook_url is not None:
                    return await self._hook(message, self._options.webhook_url)
                return await self._tell(message)
        except TimeoutError:
            raise DeliveryError("Slack did not answer in time", permanent=False) from None

    async def _tell(self, message: Message) -> Receipt:
        handle = message.handle
        if handle is None and message.in_doubt:
            handle = await self._find(message.key)
        said = slack_message.full(message.body, interactive=self._options.interactive)
        if handle is not None and await self._edit(handle, message, said):
            if message.reply is not None:
                await self._reply(handle, message.reply)
            return Receipt(handle=handle)
        if message.body["resolved"]:
            return Receipt()  # nothing stands there that could turn green
        posted = await _say(
            self._client(repeatable=False).chat_postMessage,
            said,
            channel=self._options.channel,
            metadata=_metadata(message),
            unfurl_links=False,
            unfurl_media=False,
        )
        match posted.get("channel"), posted.get("ts"):
            case str() as channel, str() as ts:
                return Receipt(handle={"channel": channel, "ts": ts})
        raise DeliveryError("what answered is not Slack", permanent=False)

    async def _edit(self, handle: Mapping[str, str], message: Message, said: SlackMessage) -> bool:
        """Tell whether the message could be edited: a deleted one, or another bot's, cannot."""
        try:
            await _say(
                self._client(repeatable=True).chat_update,
                said,
                channel=handle["channel"],
                ts=handle["ts"],
                metadata=_metadata(message),
            )
        except Refusal as no:
            if no.error in NO_EDIT:
                return False
            raise
        return True

    async def _reply(self, handle: Mapping[str, str], text: str) -> None:
        client = self._client(repeatable=False)
        await ask(
            client.chat_postMessage(
                channel=handle["channel"],
                thread_ts=handle["ts"],
                text=slack_message.escape(text, _LONGEST_REPLY),
                unfurl_links=False,
                unfurl_media=False,
            )
        )

    async def _find(self, key: str) -> dict[str, str] | None:
        """Return where the open message of a conversation stands, if it can be seen among the last ones."""
        channel = str(self._options.channel)
        client = self._client(repeatable=True)
        cursor: str | None = None
        for _ in range(_MOST_PAGES):
            try:
                page = await ask(
                    client.conversations_history(
                        channel=channel, cursor=cursor, limit=_PAGE, include_all_metadata=True
                    )
                )
            except Refusal as no:
                if no.permanent:  # may not look: posting once too often is better than never
                    return None
                raise
            for row in page["messages"] or ():
                metadata = row.get("metadata") or {}
                payload = metadata.get("event_payload") or {}
                if metadata.get("event_type") == _EVENT and payload.get("conversation") == f"{key} open":
                    return {"channel": channel, "ts": str(row["ts"])}
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return None
        return None

    async def _hook(self, message: Message, address: SecretStr) -> Receipt:
        resolved = message.body["resolved"]
        if resolved and message.handle is None:
            return Receipt()
        said = slack_message.reduced(message.body)
        client = AsyncWebhookClient(
            address.get_secret_value(),
            session=self._session,
            logger=SILENT,
            retry_handlers=handlers(repeatable=False),
        )
        try:
            await _post(client, text=said.text, blocks=said.blocks)
        except Refusal as no:
            if no.error not in UNWANTED_FORM:
                raise
            await _post(client, text=said.text)
        return Receipt(handle={"form": "webhook"})

    def _client(self, *, repeatable: bool) -> AsyncWebClient:
        token = self._options.bot_token
        return AsyncWebClient(
            token.get_secret_value() if token else None,
            base_url=self._options.api_url,
            session=self._session,
            logger=SILENT,
            retry_handlers=handlers(repeatable=repeatable),
        )


def _metadata(message: Message) -> dict[str, Any]:
    state = "resolved" if message.body["resolved"] else "open"
    payload = {"message": message.id, "conversation": f"{message.key} {state}"}
    return {"event_type": _EVENT, "event_payload": payload}


async def _say(
    call: Callable[..., Awaitable[AsyncSlackResponse]], said: SlackMessage, **rest: Any
) -> AsyncSlackResponse:
    """Post or edit; where Slack does not like the blocks, once more as plain text."""
    try:
        return await ask(call(text=said.text, blocks=said.blocks, **rest))
    except Refusal as no:
        if no.error not in UNWANTED_FORM:
            raise
    rest.pop("metadata")
    return await ask(call(text=said.text, **rest))


async def _post(client: AsyncWebhookClient, **content: Any) -> None:
    response = await ask(client.send(**content, unfurl_links=False, unfurl_media=False))
    if response.status_code == HTTPStatus.OK and response.body == "ok":
        return
    gone = response.status_code in _GONE and response.body not in PERMANENT
    raise Refusal(
        "no_service" if gone else response.body,
        status=response.status_code,
        retry_after=seconds_to_wait(response.headers.get("Retry-After"), datetime.now(UTC)),
    )
