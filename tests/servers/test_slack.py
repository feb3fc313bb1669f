import asyncio
import urllib.error
from collections.abc import AsyncIterator

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.http_retry.builtin_interval_calculators import FixedValueRetryIntervalCalculator
from slack_sdk.models.blocks import HeaderBlock, SectionBlock
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from tests.servers.slack import Slack, broken, rate_limited, refused, reset, silence
from tests.servers.slack_process import SlackProcess

CHANNEL = "C0DRIFT"
BLOCKS = [HeaderBlock(text="Drift"), SectionBlock(text="django differs")]


@pytest.fixture
async def client(slack_server: Slack) -> AsyncIterator[AsyncWebClient]:
    async with aiohttp.ClientSession() as session:
        yield AsyncWebClient(slack_server.token, base_url=slack_server.url, session=session, timeout=5)


async def test_an_edit_keeps_the_message_and_every_version(
    slack_server: Slack, client: AsyncWebClient
) -> None:
    posted = await client.chat_postMessage(
        channel=CHANNEL,
        text="drift",
        blocks=BLOCKS,
        metadata={"event_type": "parity", "event_payload": {"comparison": "staging..prod"}},
    )
    await client.chat_update(channel=posted["channel"], ts=posted["ts"], text="in parity")
    (message,) = slack_server.messages
    assert (message.channel, message.ts, message.edits) == (CHANNEL, posted["ts"], 1)
    assert message.versions[0]["blocks"][0]["text"]["text"] == "Drift"
    # Text without blocks removes the blocks; metadata stays.
    assert message.latest["text"] == "in parity"
    assert "blocks" not in message.latest
    assert message.latest["metadata"]["event_type"] == "parity"


async def test_history_finds_a_message_by_its_metadata(client: AsyncWebClient) -> None:
    for number in range(3):
        metadata = {"event_type": "parity", "event_payload": {"number": number}}
        await client.chat_postMessage(channel=CHANNEL, text="drift", metadata=metadata)
    page = await client.conversations_history(channel=CHANNEL, limit=2, include_all_metadata=True)
    assert [row["metadata"]["event_payload"]["number"] for row in page["messages"]] == [2, 1]
    rest = await client.conversations_history(
        channel=CHANNEL, cursor=page["response_metadata"]["next_cursor"]
    )
    assert len(rest["messages"]) == 1
    assert "metadata" not in rest["messages"][0]
    later = await client.conversations_history(channel=CHANNEL, oldest=page["messages"][1]["ts"])
    assert [row["ts"] for row in later["messages"]] == [page["messages"][0]["ts"]]


async def test_a_thread_reply_is_kept_beside_its_parent(slack_server: Slack, client: AsyncWebClient) -> None:
    parent = await client.chat_postMessage(channel=CHANNEL, text="drift")
    await client.chat_postMessage(channel=CHANNEL, text="worse", thread_ts=parent["ts"])
    assert [message.thread_ts for message in slack_server.messages] == [None, parent["ts"]]
    history = await client.conversations_history(channel=CHANNEL)
    assert [row["text"] for row in history["messages"]] == ["drift"]


@pytest.mark.parametrize(
    "content, error",
    [
        ({}, "no_text"),
        ({"text": "x" * 40_001}, "msg_too_long"),
        ({"blocks": [{"type": "divider"}] * 51}, "invalid_blocks"),
        (
            {"blocks": [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}]},
            "invalid_blocks",
        ),
        ({"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": ""}}]}, "invalid_blocks"),
        ({"blocks": [{"type": "banner"}]}, "invalid_blocks"),
        ({"text": "x", "metadata": {"event_type": "parity"}}, "invalid_metadata_format"),
        ({"text": "x", "channel": ""}, "channel_not_found"),
        ({"text": "x", "thread_ts": "1.000001"}, "thread_not_found"),
    ],
)
async def test_what_slack_refuses_is_refused(
    client: AsyncWebClient, content: dict[str, object], error: str
) -> None:
    with pytest.raises(SlackApiError) as refusal:
        await client.api_call("chat.postMessage", json={"channel": CHANNEL} | content)
    assert refusal.value.response["error"] == error


async def test_edits_need_the_id_of_the_channel_and_a_message_of_the_bot(
    slack_server: Slack, client: AsyncWebClient
) -> None:
    posted = await client.chat_postMessage(channel="#drift", text="drift")
    assert posted["channel"] == CHANNEL.replace("0", "")
    for channel, ts, error in [
        ("#drift", posted["ts"], "channel_not_found"),
        (posted["channel"], "1.000001", "message_not_found"),
    ]:
        with pytest.raises(SlackApiError, match=error):
            await client.chat_update(channel=channel, ts=ts, text="x")
    async with aiohttp.ClientSession() as session:
        await AsyncWebhookClient(slack_server.webhook_url, session=session).send(text="digest")
    hooked = slack_server.messages[-1]
    with pytest.raises(SlackApiError, match="cant_update_message"):
        await client.chat_update(channel=hooked.channel, ts=hooked.ts, text="x")


async def test_a_wrong_token_is_invalid(slack_server: Slack) -> None:
    async with aiohttp.ClientSession() as session:
        for token, error in [("xoxb-wrong", "invalid_auth"), (None, "not_authed")]:
            stranger = AsyncWebClient(token, base_url=slack_server.url, session=session)
            with pytest.raises(SlackApiError, match=error):
                await stranger.auth_test()
        friend = AsyncWebClient(slack_server.token, base_url=slack_server.url, session=session)
        assert (await friend.auth_test())["user_id"] == "U0PARITY"


async def test_the_webhook_posts_and_unknown_ones_do_not(slack_server: Slack) -> None:
    async with aiohttp.ClientSession() as session:
        answer = await AsyncWebhookClient(slack_server.webhook_url, session=session).send(text="digest")
        assert (answer.status_code, answer.body) == (200, "ok")
        empty = await AsyncWebhookClient(slack_server.webhook_url, session=session).send(text="")
        assert (empty.status_code, empty.body) == (400, "no_text")
        unknown = await AsyncWebhookClient(slack_server.webhook_url + "x", session=session).send(text="x")
        assert (unknown.status_code, unknown.body) == (404, "no_service")
    assert [(message.via, message.latest) for message in slack_server.messages] == [
        ("webhook", {"text": "digest"})
    ]


async def test_scripted_failures_come_in_order_and_the_retry_handlers_get_through(
    slack_server: Slack, client: AsyncWebClient
) -> None:
    at_once = FixedValueRetryIntervalCalculator(fixed_internal=0)
    client.retry_handlers = [
        # The handlers count their attempts together.
        AsyncRateLimitErrorRetryHandler(max_retry_count=3),
        AsyncServerErrorRetryHandler(max_retry_count=3, interval_calculator=at_once),
        AsyncConnectionErrorRetryHandler(max_retry_count=3, interval_calculator=at_once),
    ]
    slack_server.fail(rate_limited("0"), broken(503), reset(), broken(method="chat.update"))
    await client.chat_postMessage(channel=CHANNEL, text="drift")
    assert [call.answer for call in slack_server.calls] == ["status 429", "status 503", "reset", "ok"]
    assert len(slack_server.messages) == 1
    assert len(slack_server.failures) == 1


async def test_a_refusal_names_its_error_and_nothing_is_kept(
    slack_server: Slack, client: AsyncWebClient
) -> None:
    slack_server.fail(refused("is_archived"))
    with pytest.raises(SlackApiError, match="is_archived"):
        await client.chat_postMessage(channel=CHANNEL, text="drift")
    assert slack_server.messages == []


async def test_a_silent_slack_has_taken_the_message(slack_server: Slack, client: AsyncWebClient) -> None:
    slack_server.fail(silence())
    call = asyncio.create_task(client.chat_postMessage(channel=CHANNEL, text="drift"))
    await slack_server.wait(messages=1)
    assert not call.done()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call


async def test_an_outage_lasts_until_it_ends(slack_server: Slack, client: AsyncWebClient) -> None:
    slack_server.outage = broken(500)
    for _ in range(2):
        with pytest.raises(SlackApiError):
            await client.chat_postMessage(channel=CHANNEL, text="drift")
    slack_server.outage = None
    await client.chat_postMessage(channel=CHANNEL, text="drift")
    assert len(slack_server.messages) == 1


async def test_waiting_ends_with_the_edit_or_says_what_was_there(
    slack_server: Slack, client: AsyncWebClient
) -> None:
    waiting = asyncio.create_task(slack_server.wait(messages=1, edits=1))
    posted = await client.chat_postMessage(channel=CHANNEL, text="drift")
    assert not waiting.done()
    await client.chat_update(channel=CHANNEL, ts=posted["ts"], text="in parity")
    assert [message.edits for message in await waiting] == [1]
    with pytest.raises(TimeoutError, match="1 messages"):
        await slack_server.wait(messages=2, seconds=0.01)


async def test_as_a_process_it_shows_its_messages_and_takes_failures() -> None:
    with SlackProcess() as slack:
        async with aiohttp.ClientSession() as session:
            client = AsyncWebClient(slack.token, base_url=slack.url, session=session)
            waiting = asyncio.create_task(asyncio.to_thread(slack.wait, messages=1, edits=1))
            slack.fail(rate_limited("7"))
            with pytest.raises(SlackApiError) as limited:
                await client.chat_postMessage(channel=CHANNEL, text="drift")
            assert limited.value.response.headers["Retry-After"] == "7"
            posted = await client.chat_postMessage(channel=CHANNEL, text="drift")
            await client.chat_update(channel=CHANNEL, ts=posted["ts"], text="in parity")
            (message,) = await waiting
            await AsyncWebhookClient(slack.webhook_url, session=session).send(text="digest")
        assert [version["text"] for version in message["versions"]] == ["drift", "in parity"]
        assert [row["via"] for row in slack.messages()] == ["bot", "webhook"]
        assert [row["answer"] for row in slack.calls()] == ["status 429", "ok", "ok", "ok"]
        with pytest.raises(urllib.error.HTTPError, match="504"):
            slack.wait(messages=9, seconds=0.01)
        slack.outage(broken(503))
        with pytest.raises(urllib.error.HTTPError, match="503"):
            await asyncio.to_thread(slack._rows, "/api/auth.test")
