"""A double of Slack over HTTP: Web API, one incoming webhook, and failures that a test scripts.

In the loop of a test: `async with Slack() as slack`. As a process of its own: `python -m tests.servers.slack
--port 0` prints its address, and `SlackProcess` in `slack_process.py` speaks to its test endpoints:
GET /_messages, GET /_calls, GET /_wait?messages=&edits=&timeout=, POST /_failures, POST /_outage.
"""

import argparse
import asyncio
import json
import secrets
import socket
import struct
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Any, Literal, Self

from aiohttp import web

from tests.servers.process import LOOPBACK
from tests.servers.slack_workspace import Message, Refused, Workspace


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """One answer that is not the right one; `accepted` says whether the call takes effect all the same.

    `status` answers with that HTTP status, `refused` with 200 and `ok: false`, `silence` never answers,
    `reset` ends the connection with RST. `method` limits it to one method ("chat.update", "webhook").
    """

    answer: Literal["status", "refused", "silence", "reset"]
    status: int = 200
    error: str = "internal_error"
    retry_after: str | None = None
    accepted: bool = False
    method: str | None = None

    @property
    def word(self) -> str:
        """How `Call.answer` records it."""
        return {"status": f"status {self.status}", "refused": self.error}.get(self.answer, self.answer)


def rate_limited(retry_after: str | None = "1", method: str | None = None) -> Failure:
    """429 with this Retry-After, as Slack writes it or otherwise."""
    return Failure(answer="status", status=429, error="ratelimited", retry_after=retry_after, method=method)


def broken(status: int = 503, *, accepted: bool = False, method: str | None = None) -> Failure:
    """A 5xx."""
    return Failure(answer="status", status=status, accepted=accepted, method=method)


def refused(error: str, method: str | None = None) -> Failure:
    """`ok: false` with this error word."""
    return Failure(answer="refused", error=error, method=method)


def silence(*, accepted: bool = True, method: str | None = None) -> Failure:
    """No answer ever: the client times out, after the message was taken."""
    return Failure(answer="silence", accepted=accepted, method=method)


def reset(*, accepted: bool = False, method: str | None = None) -> Failure:
    """The connection is reset."""
    return Failure(answer="reset", accepted=accepted, method=method)


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """A request that came in: the method, its body, and the answer ("ok", an error word, or a failure)."""

    method: str
    body: Mapping[str, Any]
    answer: str


class Slack:
    """The double in the loop that enters it.

    `failures` are used up, first in first out, each by the next call that it fits; `outage` answers every
    call until it is None again.
    """

    def __init__(self, *, token: str | None = None, port: int = 0) -> None:
        self.token = token or f"xoxb-{secrets.token_hex(12)}"
        self.hook_path = f"/services/T0PARITY/B0PARITY/{secrets.token_hex(12)}"
        self.workspace = Workspace()
        self.failures: deque[Failure] = deque()
        self.outage: Failure | None = None
        self.calls: list[Call] = []
        self.port = port
        self._changed = asyncio.Condition()
        self._closing = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self._methods: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "auth.test": self._who,
            "chat.postMessage": self.workspace.post,
            "chat.update": self.workspace.update,
            "conversations.history": self.workspace.history,
        }

    @property
    def url(self) -> str:
        """Address of the Web API, as `base_url` of a client."""
        return f"http://{LOOPBACK}:{self.port}/api/"

    @property
    def webhook_url(self) -> str:
        """Address of the incoming webhook; its messages go to channel C0WEBHOOK."""
        return f"http://{LOOPBACK}:{self.port}{self.hook_path}"

    @property
    def messages(self) -> list[Message]:
        """All messages, oldest first."""
        return list(self.workspace.messages.values())

    def fail(self, *failures: Failure) -> None:
        """Let the next calls fail in this order."""
        self.failures.extend(failures)

    async def until(self, holds: Callable[[list[Message]], bool], seconds: float = 10.0) -> list[Message]:
        """Wait until the messages are as wanted, and return them; TimeoutError says what was there."""
        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(lambda: holds(self.messages))
        except TimeoutError:
            seen = [(message.channel, message.edits) for message in self.messages]
            raise TimeoutError(f"Slack holds {len(seen)} messages (channel, edits): {seen}") from None
        return self.messages

    async def wait(self, *, messages: int = 0, edits: int = 0, seconds: float = 10.0) -> list[Message]:
        """Wait for at least so many messages, and edits of all messages together."""

        def enough(seen: list[Message]) -> bool:
            return len(seen) >= messages and sum(message.edits for message in seen) >= edits

        return await self.until(enough, seconds)

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_route("*", "/api/{method}", self._api)
        application.router.add_post(self.hook_path, self._webhook)
        application.router.add_post("/services/{rest:.*}", _no_service)
        application.router.add_get("/_messages", self._show_messages)
        application.router.add_get("/_calls", self._show_calls)
        application.router.add_get("/_wait", self._show_when)
        application.router.add_post("/_failures", self._take_failures)
        application.router.add_post("/_outage", self._take_outage)
        self._runner = web.AppRunner(application, shutdown_timeout=1, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, LOOPBACK, self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._closing.set()
        assert self._runner is not None
        await self._runner.cleanup()

    async def _api(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        body = await _body(request)
        authorization = request.headers.get("Authorization", "")
        token = authorization.removeprefix("Bearer ") or body.pop("token", "")

        def act() -> str:
            if not token:
                raise Refused("not_authed")
            if token != self.token:
                raise Refused("invalid_auth")
            if method not in self._methods:
                raise Refused("unknown_method")
            return json.dumps(self._methods[method](body))

        return await self._answer(request, method, body, act)

    async def _webhook(self, request: web.Request) -> web.StreamResponse:
        body = await _body(request)

        def act() -> str:
            self.workspace.hook(body, "C0WEBHOOK")
            return "ok"

        return await self._answer(request, "webhook", body, act)

    async def _answer(
        self, request: web.Request, method: str, body: Mapping[str, Any], act: Callable[[], str]
    ) -> web.StreamResponse:
        failure = self._next_failure(method)
        text, answer = None, "ok"
        if failure is None or failure.accepted:
            try:
                text = act()
            except Refused as no:
                answer = str(no)
        if failure is not None:
            answer = failure.word
        async with self._changed:
            self.calls.append(Call(method=method, body=body, answer=answer))
            self._changed.notify_all()
        if failure is not None and failure.answer != "refused":
            return await self._fail(request, failure)
        if method == "webhook":
            return web.Response(text=text or answer, status=200 if text else 400)
        return web.Response(
            text=text if failure is None and text else json.dumps({"ok": False, "error": answer}),
            content_type="application/json",
        )

    def _next_failure(self, method: str) -> Failure | None:
        for failure in self.failures:
            if failure.method in (None, method):
                self.failures.remove(failure)
                return failure
        return self.outage

    async def _fail(self, request: web.Request, failure: Failure) -> web.Response:
        if failure.answer == "silence":
            await self._closing.wait()
        if failure.answer != "status":
            transport = request.transport
            if transport is not None:
                # A linger of zero seconds turns the end into RST.
                connection = transport.get_extra_info("socket")
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                transport.abort()
            return web.Response()
        headers = {} if failure.retry_after is None else {"Retry-After": failure.retry_after}
        return web.json_response(
            {"ok": False, "error": failure.error}, status=failure.status, headers=headers
        )

    def _who(self, _body: Mapping[str, Any]) -> dict[str, Any]:
        who = {"team": "Parity", "team_id": "T0PARITY", "user": "parity", "user_id": "U0PARITY"}
        return {"ok": True, "url": "https://parity.example/", "bot_id": "B0PARITY"} | who

    async def _show_messages(self, _request: web.Request) -> web.Response:
        return web.json_response([message.to_json() for message in self.messages])

    async def _show_calls(self, _request: web.Request) -> web.Response:
        return web.json_response([asdict(call) for call in self.calls])

    async def _show_when(self, request: web.Request) -> web.Response:
        wanted = {name: int(request.query.get(name, 0)) for name in ("messages", "edits")}
        try:
            seen = await self.wait(**wanted, seconds=min(float(request.query.get("timeout", 10)), 60))
        except TimeoutError as late:
            return web.Response(status=504, text=str(late))
        return web.json_response([message.to_json() for message in seen])

    async def _take_failures(self, request: web.Request) -> web.Response:
        self.fail(*(Failure(**row) for row in await request.json()))
        return web.Response(status=204)

    async def _take_outage(self, request: web.Request) -> web.Response:
        row = await request.json()
        self.outage = None if row is None else Failure(**row)
        return web.Response(status=204)


async def _no_service(_request: web.Request) -> web.Response:
    return web.Response(status=404, text="no_service")


async def _body(request: web.Request) -> dict[str, Any]:
    """The arguments of a call, from JSON, a form or the query; structures in a form are JSON text."""
    if request.content_type == "application/json":
        return dict(await request.json())
    form = {**request.query, **{name: str(value) for name, value in (await request.post()).items()}}
    if "payload" in form:
        return dict(json.loads(form["payload"]))
    structured = {"blocks", "attachments", "metadata"}
    return {name: json.loads(value) if name in structured else value for name, value in form.items()}


async def _serve(port: int, token: str | None) -> None:
    async with Slack(port=port, token=token) as slack:
        print(
            json.dumps({"url": slack.url, "token": slack.token, "webhook_url": slack.webhook_url}), flush=True
        )
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.servers.slack", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--token")
    arguments = parser.parse_args()
    asyncio.run(_serve(arguments.port, arguments.token))
