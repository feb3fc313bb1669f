"""The Block Kit form of a summary: pure, bounded, and safe from what names may hold.

Limits of Slack: 150 characters in a header, 3,000 in a section, 2,000 in a button's value; ours are 12 blocks
and 6,000 characters. See https://docs.slack.dev/reference/block-kit/blocks.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ContextBlock,
    HeaderBlock,
    InteractiveElement,
    MarkdownTextObject,
    PlainTextObject,
    SectionBlock,
)

from detector.alerts.summary import ending_line

_HEADER: Final = 150
_TEXT: Final = 300
_TITLE: Final = 200
_REMEDY: Final = 400
_MOST_REMEDIES: Final = 3
_MOST_ENDS: Final = 3
_NAME: Final = 80

_GLYPHS: Final[Mapping[str | None, str]] = {
    "critical": "🟥",
    "high": "🟧",
    "medium": "🟨",
    "low": "🟦",
    "info": "⬜",
    None: "⬜",
}
_IN_PARITY: Final = "🟩"
#: What would end or open markup: entities as Slack asks for them, and a backtick would close code.
_IN_CODE: Final[Mapping[str, str]] = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "`": "\u02cb"}
#: A mention needs the @ beside its name. In code none is looked for, and a command must survive the copy.
_IN_TEXT: Final[Mapping[str, str]] = {**_IN_CODE, "@": "@\u200b"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackMessage:
    """A message as Slack takes it. ``text`` is what notifications and old clients show."""

    text: str
    blocks: tuple[dict[str, Any], ...]


def full(body: Mapping[str, Any], *, interactive: bool) -> SlackMessage:
    """Return the message that is edited in place; ``interactive`` adds the button that accepts."""
    if body["resolved"]:
        return _in_parity(body)
    blocks: list[Block] = [_header(body)]
    if body["consequence"]:
        blocks.append(_section(escape(body["consequence"], _TEXT)))
    if body["causes"]:
        blocks.append(_table(body))
    if body["more"]:
        blocks.append(_context(f"+ {body['more']} more"))
    blocks.append(_context(_standing(body)))
    blocks += _ending(body)
    remedies = _remedies(body)
    if remedies:
        blocks.append(_section(f"```{remedies}```"))
    actions = _actions(body, interactive=interactive)
    if actions:
        blocks.append(ActionsBlock(elements=actions))
    return SlackMessage(text=short(body), blocks=tuple(block.to_dict() for block in blocks))


def reduced(body: Mapping[str, Any]) -> SlackMessage:
    """Return the form for an incoming webhook, which can neither edit nor answer: header, causes, a link."""
    if body["resolved"]:
        return _in_parity(body)
    blocks: list[Block] = [_header(body)]
    if body["causes"]:
        blocks.append(_table(body))
    standing = _standing(body) if not body["more"] else f"+ {body['more']} more · {_standing(body)}"
    link = _view(body)
    blocks.append(_context(f"{standing} · <{link}|View diff>" if link else standing))
    blocks += _ending(body)
    return SlackMessage(text=short(body), blocks=tuple(block.to_dict() for block in blocks))


def short(body: Mapping[str, Any]) -> str:
    """Return the message in one line, escaped, for notifications and where blocks were refused."""
    if body["resolved"]:
        return _resolved_line(body)
    line = f"{_GLYPHS[body['worst']]} {_headline(body)}"
    causes = f": {body['causes'][0]['title']}" if body["causes"] else ""
    counts = ", ".join(f"{count} {severity}" for severity, count in body["counts"].items() if count)
    return escape(f"{line}{causes}", _TEXT) + (f" ({counts})" if counts else "")


def escape(text: str, limit: int, escapes: Mapping[str, str] = _IN_TEXT) -> str:
    """Return a text that Slack shows as it stands, at most ``limit`` characters with its entities.

    Control and format characters go (bidi overrides could reverse a line, zero-width ones hide a mention),
    line ends become spaces.
    """
    pieces: list[str] = []
    length = 0
    for character in plain(text):
        piece = escapes.get(character, character)
        if length + len(piece) > limit - 1:
            pieces.append("…")
            break
        pieces.append(piece)
        length += len(piece)
    return "".join(pieces)


def plain(text: str) -> str:
    """Return a text in one line, without control, format, surrogate and private characters."""
    line = "".join(" " if unicodedata.category(c) in ("Zl", "Zp") or c in "\t\r\n" else c for c in text)
    return "".join(c for c in line if not unicodedata.category(c).startswith("C"))


def _in_parity(body: Mapping[str, Any]) -> SlackMessage:
    line = _resolved_line(body)
    return SlackMessage(text=line, blocks=(_section(line).to_dict(),))


def _resolved_line(body: Mapping[str, Any]) -> str:
    line = f"{_IN_PARITY} In parity: {_group(body)}"
    quiet = f" · {body['quiet']} that do not alert stay listed" if body["quiet"] else ""
    return escape(line, _TEXT) + quiet + ("" if body["complete"] else f" · {_coverage(body)}")


def _header(body: Mapping[str, Any]) -> HeaderBlock:
    text = plain(f"{_GLYPHS[body['worst']]} {_headline(body)}")
    # Plain text knows no markup; notifications on some clients do.
    text = text.replace("<", "<\u200b").replace("@", "@\u200b")
    return HeaderBlock(text=PlainTextObject(text=_clipped(text, _HEADER), emoji=True))


def _headline(body: Mapping[str, Any]) -> str:
    calm = "Accepted, ends soon" if body["ending"] and not body["waiting"] else "Not seen now"
    word = f"{body['worst'].capitalize()} drift" if body["worst"] else calm
    return f"{word}: {_group(body)}"


def _group(body: Mapping[str, Any]) -> str:
    sides = f"{body['left']} → {body['right']}" if body["left"] else body["right"]
    who = body["owner"] or body["service"]
    return f"{sides} · {who}" if who else sides


def _table(body: Mapping[str, Any]) -> SectionBlock:
    return _section("\n".join(_row(cause) for cause in body["causes"]))


def _row(cause: Mapping[str, Any]) -> str:
    facts = [f"{_GLYPHS[cause['severity']]} *{cause['severity']}*", escape(cause["title"], _TITLE)]
    if cause["age"]:
        facts.append(cause["age"])
    if cause["children"]:
        facts.append(f"explains {cause['children']}")
    return " · ".join(facts)


def _standing(body: Mapping[str, Any]) -> str:
    """Return worst since, score, coverage, rule and owner in one line."""
    facts = []
    if body["worst_since"]:
        facts.append(f"{body['worst']} since {body['worst_since'][:10]} ({body['worst_age']})")
    if body["waiting"]:
        because = f": {escape(body['waiting_because'], _NAME)}" if body["waiting_because"] else ""
        facts.append(f"{body['waiting']} open, not seen or held now{because}")
    if body["score"] is not None:
        facts.append(f"score {body['score']:.2f}")
    facts.append(_coverage(body))
    if body["rule"]:
        facts.append(f"rule {escape(body['rule'], _NAME)}")
    if body["owner"]:
        facts.append(f"owner {escape(body['owner'], _NAME)}")
    return " · ".join(facts)


def _ending(body: Mapping[str, Any]) -> list[Block]:
    """Return what is accepted for some days more: whoever owns it may mend it or accept it anew."""
    lines = [f"⏳ {escape(ending_line(one), _TEXT)}" for one in body["ending"][:_MOST_ENDS]]
    return [_context("\n".join(lines))] if lines else []


def _coverage(body: Mapping[str, Any]) -> str:
    coverage = body["coverage"]
    seen = f"{coverage['sources_ok']} of {coverage['sources_expected']} sources seen"
    return f"{seen}, {coverage['unseen']} parts unseen" if coverage["unseen"] else seen


def _remedies(body: Mapping[str, Any]) -> str:
    remedies = dict.fromkeys(cause["remedy"] for cause in body["causes"] if cause["remedy"])
    return "\n".join(escape(remedy, _REMEDY, _IN_CODE) for remedy in list(remedies)[:_MOST_REMEDIES])


def _view(body: Mapping[str, Any]) -> str | None:
    """Return the address of the page; percent-encoded as it is, it can end no link."""
    links = body["links"]
    address: str | None = links.get("diff") or links.get("drift")
    return address if address and len(address) <= ButtonElement.url_max_length else None


def _actions(body: Mapping[str, Any], *, interactive: bool) -> list[dict[str, Any] | InteractiveElement]:
    actions: list[dict[str, Any] | InteractiveElement] = []
    address = _view(body)
    if address:
        actions.append(ButtonElement(text=PlainTextObject(text="View diff"), action_id="view", url=address))
    who = body["owner"] or body["service"] or ""
    value = urlencode({"comparison": body["comparison"], "owner": who})
    if interactive and len(value) <= ButtonElement.value_max_length:
        actions.append(ButtonElement(text=PlainTextObject(text="Accept…"), action_id="accept", value=value))
    return actions


def _section(text: str) -> SectionBlock:
    return SectionBlock(text=_literal(text))


def _context(text: str) -> ContextBlock:
    return ContextBlock(elements=[_literal(text)])


def _literal(text: str) -> MarkdownTextObject:
    """Return mrkdwn in which Slack looks for no addresses, channels or people of its own accord."""
    return MarkdownTextObject(text=text, verbatim=True)


def _clipped(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
