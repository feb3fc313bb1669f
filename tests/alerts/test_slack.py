import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from pydantic import ValidationError

from detector.alerts.slack import SlackNotifier, SlackOptions
from detector.errors import DeliveryError
from detector.notifier import Message
from tests.alerts.documents import Document, body_of, drift
from tests.servers.slack import Slack, broken, rate_limited, refused, reset, silence

CHANNEL = "C0DRIFT"
MESSAGE = Message(id="01JD0", key="staging..prod team-payments", body=body_of(drift()))
GREEN = replace(MESSAGE, body=body_of())

Make = Callable[..., SlackNotifier]


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def bot(slack_server: Slack, session: aiohttp.ClientSession) -> Make:
    def make(patience: float = 5.0, **options: Any) -> SlackNotifier:
        ours = {"channel": CHANNEL, "bot_token": slack_server.token, "api_url": slack_server.url}
        return SlackNotifier(SlackOptions(**(ours | options)), session, patience=patience)

    return make


@pytest.fixture
def hook(slack_server: Slack, session: aiohttp.ClientSession) -> Make:
    def make(**options: Any) -> SlackNotifier:
        ours = {"webhook_url": slack_server.webhook_url}
        return SlackNotifier(SlackOptions(**(ours | options)), session, patience=5.0)

    return make


def answers(slack: Slack) -> list[tuple[str, str]]:
    return [(call.method, call.answer) for call in slack.calls]


async def failure_of(notifier: SlackNotifier, message: Message = MESSAGE) -> DeliveryError:
    with pytest.raises(DeliveryError) as failed:
        await notifier.send(message)
    assert failed.value.__cause__ is None
    assert failed.value.__suppress_context__ or failed.value.__context__ is None
    return failed.value


# ------------------------------------------------------------------------------------------ bot token


async def test_the_first_message_is_posted_and_later_ones_edit_it(bot: Make, slack_server: Slack) -> None:
    first = await bot().send(MESSAGE)
    assert first.handle is not None
    again = await bot().send(replace(MESSAGE, handle=first.handle, body=body_of(drift(severity="critical"))))
    assert again.handle == first.handle
    (message,) = slack_server.messages
    assert (message.channel, message.ts) == (first.handle["channel"], first.handle["ts"])
    headers = [version["blocks"][0]["text"]["text"] for version in message.versions]
    assert [header.split(":")[0] for header in headers] == ["🟧 High drift", "🟥 Critical drift"]


async def test_back_in_parity_turns_the_same_message_green(bot: Make, slack_server: Slack) -> None:
    handle = (await bot().send(MESSAGE)).handle
    await bot().send(replace(GREEN, handle=handle))
    (message,) = slack_server.messages
    assert message.latest["text"].startswith("🟩 In parity")
    assert len(message.latest["blocks"]) == 1


async def test_whoever_was_never_told_hears_of_no_end(bot: Make, hook: Make, slack_server: Slack) -> None:
    for notifier in (bot(), hook()):
        for in_doubt in (False, True):
            assert (await notifier.send(replace(GREEN, in_doubt=in_doubt))).handle is None
    assert slack_server.messages == []


async def test_a_reply_stands_in_the_thread_beside_the_edit(bot: Make, slack_server: Slack) -> None:
    handle = (await bot().send(MESSAGE)).handle
    await bot().send(replace(MESSAGE, handle=handle, reply="Worse <!channel>"))
    parent, reply = slack_server.messages
    assert (parent.edits, reply.thread_ts) == (1, parent.ts)
    assert reply.latest["text"] == "Worse &lt;!channel&gt;"


@pytest.mark.parametrize("error", ["message_not_found", "cant_update_message", "edit_window_closed"])
async def test_what_cannot_be_edited_is_posted_anew(bot: Make, slack_server: Slack, error: str) -> None:
    slack_server.fail(refused(error, "chat.update"))
    receipt = await bot().send(replace(MESSAGE, handle={"channel": CHANNEL, "ts": "1.000001"}))
    assert receipt.handle == {"channel": CHANNEL, "ts": slack_server.messages[0].ts}


async def test_in_doubt_it_looks_before_it_posts(bot: Make, slack_server: Slack) -> None:
    slack_server.fail(silence(accepted=True, method="chat.postMessage"))
    late = await failure_of(bot(patience=0.2))
    assert (str(late), late.permanent) == ("Slack did not answer in time", False)
    receipt = await bot().send(replace(MESSAGE, in_doubt=True))
    (message,) = slack_server.messages
    assert receipt.handle == {"channel": CHANNEL, "ts": message.ts}
    assert message.edits == 1


async def test_a_look_finds_the_open_message_of_this_conversation_on_any_page(
    bot: Make, slack_server: Slack
) -> None:
    receipt = await bot().send(MESSAGE)
    for number in range(205):
        slack_server.workspace.post({"channel": CHANNEL, "text": f"talk {number}"})
    await bot().send(replace(MESSAGE, key="another"))
    assert (await bot().send(replace(MESSAGE, in_doubt=True))).handle == receipt.handle


async def test_a_closed_conversation_is_not_taken_up_again(bot: Make, slack_server: Slack) -> None:
    first = await bot().send(MESSAGE)
    await bot().send(replace(GREEN, handle=first.handle))
    second = await bot().send(replace(MESSAGE, in_doubt=True))
    assert second.handle != first.handle


async def test_who_may_not_look_posts(bot: Make, slack_server: Slack) -> None:
    slack_server.fail(refused("missing_scope", "conversations.history"))
    await bot().send(replace(MESSAGE, in_doubt=True))
    assert len(slack_server.messages) == 1


async def test_who_cannot_look_now_does_not_post(bot: Make, slack_server: Slack) -> None:
    slack_server.fail(refused("internal_error", "conversations.history"))
    assert not (await failure_of(bot(), replace(MESSAGE, in_doubt=True))).permanent
    assert slack_server.messages == []


@pytest.mark.parametrize("error", ["invalid_blocks", "msg_too_long", "invalid_metadata_format"])
async def test_a_form_that_is_refused_is_said_once_more_in_short(
    bot: Make, slack_server: Slack, error: str
) -> None:
    slack_server.fail(refused(error))
    receipt = await bot().send(MESSAGE)
    (message,) = slack_server.messages
    assert receipt.handle is not None
    assert "blocks" not in message.latest
    assert message.latest["text"].startswith("🟧 High drift: staging → prod")
    slack_server.fail(refused(error), refused(error))
    assert (await failure_of(bot())).permanent


@pytest.mark.parametrize(
    "header, asked",
    [
        ("30", 30.0),
        ("1000000000", 1e9),
        ("-5", None),
        ("garbage", None),
        (None, None),
    ],
)
async def test_a_429_hands_on_what_slack_asked_for(
    bot: Make, slack_server: Slack, header: str | None, asked: float | None
) -> None:
    slack_server.fail(rate_limited(header))
    limited = await failure_of(bot())
    assert (limited.retry_after, limited.permanent) == (asked, False)
    assert len(slack_server.calls) == 1


async def test_a_429_with_a_date_is_understood(bot: Make, slack_server: Slack) -> None:
    slack_server.fail(rate_limited("Fri, 22 Nov 2999 10:02:00 GMT"))
    assert ((await failure_of(bot())).retry_after or 0) > 1e9


async def test_a_short_429_is_waited_for_in_place(bot: Make, slack_server: Slack) -> None:
    slack_server.fail(rate_limited("0"))
    await bot().send(MESSAGE)
    assert answers(slack_server) == [("chat.postMessage", "status 429"), ("chat.postMessage", "ok")]


async def test_a_post_that_may_have_arrived_is_never_repeated_blindly(bot: Make, slack_server: Slack) -> None:
    for failure in (broken(500, accepted=True), broken(503, accepted=True), reset(accepted=True)):
        slack_server.fail(failure)
        assert not (await failure_of(bot(), replace(MESSAGE, key=failure.word))).permanent
    assert len(slack_server.messages) == 3
    assert len(slack_server.calls) == 3


async def test_an_edit_is_repeated_in_place(bot: Make, slack_server: Slack) -> None:
    handle = (await bot().send(MESSAGE)).handle
    for failure in (broken(503), reset()):
        slack_server.fail(failure)
        await bot().send(replace(MESSAGE, handle=handle))
    assert slack_server.messages[0].edits == 2


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_5xx_is_tried_again_later(bot: Make, slack_server: Slack, status: int) -> None:
    slack_server.fail(broken(status))
    failed = await failure_of(bot())
    assert (failed.permanent, failed.retry_after) == (False, None)


async def test_a_dead_token_is_permanent_and_not_printed(bot: Make) -> None:
    failed = await failure_of(bot(bot_token="xoxb-CANARY"))
    assert failed.permanent
    assert "bot token" in str(failed)
    assert "CANARY" not in str(failed)


@pytest.mark.parametrize(
    "status, kind, body",
    [
        (200, "text/html", b"<h1>proxy CANARY</h1>"),
        (200, "text/plain", b"CANARY"),
        (200, "application/json", b"{CANARY"),
        (200, "application/json", b'["CANARY"]'),
        (200, "application/json", b"null"),
        (200, "application/json", b"\xff\xfeCANARY"),
        (200, "application/json", b'{"ok": true}'),  # no ts
        (502, "text/html", b"<h1>CANARY</h1>"),
        (503, "text/plain", b"CANARY"),
        (407, "text/plain", b"CANARY"),
    ],
)
async def test_whatever_answers_instead_of_slack_is_tried_again(
    session: aiohttp.ClientSession, aiohttp_server: Any, status: int, kind: str, body: bytes
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, body=body, content_type=kind)

    application = web.Application()
    application.router.add_post("/api/{method}", answer)
    application.router.add_post("/hook", answer)
    server = await aiohttp_server(application)
    ours = {"channel": CHANNEL, "bot_token": "xoxb-x", "api_url": str(server.make_url("/api/"))}
    for options in (ours, {"webhook_url": str(server.make_url("/hook"))}):
        failed = await failure_of(SlackNotifier(SlackOptions.model_validate(options), session))
        assert not failed.permanent
        assert "CANARY" not in str(failed)


async def test_nobody_at_home_is_tried_again_and_no_address_is_said(session: aiohttp.ClientSession) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}/services/CANARY"
        failed = await failure_of(
            SlackNotifier(SlackOptions.model_validate({"webhook_url": address}), session)
        )
    assert (failed.permanent, str(failed)) == (
        False,
        "Slack could not be reached (ClientConnectorError)",
    )


# -------------------------------------------------------------------------------------------- webhook


async def test_a_webhook_posts_the_reduced_form_each_time(hook: Make, slack_server: Slack) -> None:
    handle = (await hook().send(MESSAGE)).handle
    await hook().send(replace(MESSAGE, handle=handle))
    await hook().send(replace(GREEN, handle=handle))
    kinds = [[block["type"] for block in message.latest["blocks"]] for message in slack_server.messages]
    assert kinds == [["header", "section", "context"], ["header", "section", "context"], ["section"]]


async def test_a_webhook_says_in_short_what_is_refused_in_blocks(
    session: aiohttp.ClientSession, aiohttp_server: Any
) -> None:
    bodies: list[Document] = []

    async def answer(request: web.Request) -> web.Response:
        bodies.append(await request.json())
        if "blocks" in bodies[-1]:
            return web.Response(status=400, text="invalid_blocks")
        return web.Response(text="ok")

    application = web.Application()
    application.router.add_post("/hook", answer)
    server = await aiohttp_server(application)
    options = SlackOptions.model_validate({"webhook_url": str(server.make_url("/hook"))})
    await SlackNotifier(options, session).send(MESSAGE)
    assert [("blocks" in body) for body in bodies] == [True, False]


async def test_a_webhook_that_is_gone_is_permanent(hook: Make, slack_server: Slack) -> None:
    failed = await failure_of(hook(webhook_url=slack_server.webhook_url + "x"))
    assert failed.permanent
    slack_server.fail(broken(410))
    assert (await failure_of(hook())).permanent


async def test_a_limited_webhook_waits_as_long_as_it_is_asked(hook: Make, slack_server: Slack) -> None:
    slack_server.fail(rate_limited("30"))
    assert (await failure_of(hook())).retry_after == 30


# -------------------------------------------------------------------------------------------- secrets


async def test_no_log_level_shows_a_token_or_a_webhook(
    bot: Make, hook: Make, slack_server: Slack, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    slack_server.fail(rate_limited("0"), broken(503), broken(503))
    for notifier in (bot(), bot(), hook()):
        with contextlib.suppress(DeliveryError):
            await notifier.send(MESSAGE)
    await hook().send(MESSAGE)
    assert len(slack_server.calls) == 5
    assert slack_server.token not in caplog.text
    assert slack_server.hook_path not in caplog.text


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"bot_token": "xoxb-CANARY"},
        {"channel": CHANNEL},
        {"channel": CHANNEL, "bot_token": "xoxb-CANARY", "webhook_url": "https://CANARY"},
        {"channel": "#drift", "bot_token": "xoxb-CANARY"},
        {"channel": CHANNEL, "bot_token": "xoxb-CANARY", "api_url": "ftp://CANARY"},
        {"channel": CHANNEL, "bot_token": "xoxb-CANARY", "color": "red"},
    ],
)
def test_options_name_one_way_in_and_errors_no_secret(options: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as wrong:
        SlackOptions.model_validate(options)
    assert "CANARY" not in str(wrong.value)
