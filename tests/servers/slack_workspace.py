"""What a Slack workspace keeps and refuses: messages with all their versions, and the rules of the methods.

Rules after https://docs.slack.dev/reference/methods and https://docs.slack.dev/reference/block-kit/blocks.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_LONGEST_IN_BLOCK = {"header": 150, "section": 3000, "markdown": 12000}  # longest text, in characters
_OTHER_BLOCKS = frozenset({"actions", "context", "divider", "image", "input", "rich_text", "table", "video"})
_MOST_BLOCKS = 50
_LONGEST_TEXT = 40_000
_MOST_ELEMENTS = {"context": 10, "actions": 25}


class Refused(Exception):
    """The workspace says no; the text is Slack's error word."""


@dataclass(kw_only=True, slots=True)
class Message:
    """A message and each content it had, oldest first."""

    channel: str
    ts: str
    thread_ts: str | None = None
    via: str = "bot"  # or "webhook"
    versions: list[dict[str, Any]] = field(default_factory=list)

    @property
    def latest(self) -> dict[str, Any]:
        """The content that people see now: text, blocks, attachments, metadata."""
        return self.versions[-1]

    @property
    def edits(self) -> int:
        """How often it was edited."""
        return len(self.versions) - 1

    def to_json(self) -> dict[str, Any]:
        """The message as the test endpoints show it."""
        names = ("channel", "ts", "thread_ts", "via", "versions")
        return {name: getattr(self, name) for name in names} | {"edits": self.edits}


class Workspace:
    """Channels and messages. A channel's id starts with C; its name is also taken, but not for an edit."""

    def __init__(self) -> None:
        self.messages: dict[tuple[str, str], Message] = {}
        self._last_ts = (0, 0)

    def post(self, call: Mapping[str, Any]) -> dict[str, Any]:
        """chat.postMessage."""
        channel = _channel(call)
        message = Message(
            channel=channel, ts=self._next_ts(), thread_ts=call.get("thread_ts"), versions=[_content(call)]
        )
        if message.thread_ts is not None and (channel, message.thread_ts) not in self.messages:
            raise Refused("thread_not_found")
        self.messages[channel, message.ts] = message
        return {"ok": True, "channel": channel, "ts": message.ts, "message": _shown(message, metadata=True)}

    def update(self, call: Mapping[str, Any]) -> dict[str, Any]:
        """chat.update: text without blocks removes the blocks, attachments and metadata stay unless given."""
        channel = str(call.get("channel") or "")
        if not channel.startswith("C"):
            raise Refused("channel_not_found")
        message = self.messages.get((channel, str(call.get("ts"))))
        if message is None:
            raise Refused("message_not_found")
        if message.via != "bot":
            raise Refused("cant_update_message")
        before = message.latest
        kept: dict[str, Any] = {name: before[name] for name in ("attachments", "metadata") if name in before}
        if not call.get("text") and "blocks" not in call:
            kept = {**before}
        message.versions.append(_content({**kept, **call}))
        shown = _shown(message, metadata=True)
        return {"ok": True, "channel": channel, "ts": message.ts, "text": shown["text"], "message": shown}

    def history(self, call: Mapping[str, Any]) -> dict[str, Any]:
        """conversations.history: newest first, without replies in threads; metadata only when asked for."""
        channel = str(call.get("channel") or "")
        if not channel.startswith("C"):
            raise Refused("channel_not_found")
        inclusive = _true(call.get("inclusive"))
        oldest, latest = _ts(call.get("oldest") or "0"), _ts(call.get("latest") or "9999999999")
        limit = min(int(call.get("limit") or 100), 999)
        before = _ts(call["cursor"]) if call.get("cursor") else (10**10, 0)
        found = []
        for message in sorted(self.messages.values(), key=lambda one: _ts(one.ts), reverse=True):
            at = _ts(message.ts)
            within = oldest <= at <= latest if inclusive else oldest < at < latest
            if message.channel == channel and message.thread_ts is None and within and at < before:
                found.append(message)
        page, more = found[:limit], len(found) > limit
        metadata = _true(call.get("include_all_metadata"))
        return {
            "ok": True,
            "messages": [_shown(message, metadata=metadata) for message in page],
            "has_more": more,
            "response_metadata": {"next_cursor": page[-1].ts if more else ""},
        }

    def hook(self, call: Mapping[str, Any], channel: str) -> None:
        """An incoming webhook posts into the channel that it belongs to."""
        message = Message(channel=channel, ts=self._next_ts(), via="webhook", versions=[_content(call)])
        self.messages[channel, message.ts] = message

    def _next_ts(self) -> str:
        """A ts that no message has: seconds, and six digits that make it unique."""
        now = int(time.time())
        second, count = self._last_ts
        self._last_ts = (now, 100) if now > second else (second, count + 100)
        return f"{self._last_ts[0]}.{self._last_ts[1]:06d}"


def _channel(call: Mapping[str, Any]) -> str:
    channel = str(call.get("channel") or "").removeprefix("#")
    if not channel:
        raise Refused("channel_not_found")
    return channel if channel.startswith("C") else "C" + channel.upper().replace("-", "")


def _content(call: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a message; Refused when Slack would not take it."""
    content = {name: call[name] for name in ("text", "blocks", "attachments", "metadata") if call.get(name)}
    if not {"text", "blocks", "attachments"} & content.keys():
        raise Refused("no_text")
    if len(content.get("text", "")) > _LONGEST_TEXT:
        raise Refused("msg_too_long")
    blocks = content.get("blocks", [])
    if not isinstance(blocks, list) or len(blocks) > _MOST_BLOCKS or not all(map(_block_is_valid, blocks)):
        raise Refused("invalid_blocks")
    metadata = content.get("metadata")
    if metadata is not None and not (
        isinstance(metadata.get("event_type"), str) and isinstance(metadata.get("event_payload"), dict)
    ):
        raise Refused("invalid_metadata_format")
    return content


def _block_is_valid(block: Any) -> bool:
    kind = block.get("type") if isinstance(block, dict) else None
    if kind in _LONGEST_IN_BLOCK:
        text = block.get("text")
        words = text.get("text", "") if isinstance(text, dict) else text or ""
        fields = block.get("fields", [])
        short = all(0 < len(one.get("text", "")) <= 2000 for one in fields) and len(fields) <= 10
        return len(words) <= _LONGEST_IN_BLOCK[kind] and bool(words or fields) and short
    return kind in _OTHER_BLOCKS and len(block.get("elements", [])) <= _MOST_ELEMENTS.get(kind, 10**6)


def _shown(message: Message, *, metadata: bool) -> dict[str, Any]:
    content = {name: value for name, value in message.latest.items() if metadata or name != "metadata"}
    shown = {
        "type": "message",
        "user": "U0PARITY",
        "bot_id": "B0PARITY",
        "ts": message.ts,
        "text": "",
    } | content
    if message.edits:
        shown["edited"] = {"user": "U0PARITY", "ts": message.ts}
    if message.thread_ts:
        shown["thread_ts"] = message.thread_ts
    # What goes out is a copy: the caller cannot change what is kept.
    copy: dict[str, Any] = json.loads(json.dumps(shown))
    return copy


def _ts(text: str) -> tuple[int, int]:
    seconds, _, rest = str(text).partition(".")
    return int(seconds), int(rest or 0)


def _true(value: object) -> bool:
    return str(value).lower() in {"1", "true"}
