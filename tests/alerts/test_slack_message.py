import json
from collections.abc import Iterator
from typing import Any

import pytest
from slack_sdk.models.blocks import Block

from detector.alerts.slack_message import SlackMessage, escape, full, plain, reduced, short
from tests.alerts.documents import Document, body_of, drift

HOSTILE = [
    "<!channel>",
    "<@U0ADMIN>",
    "@here @channel",
    "<https://evil.example|prod>",
    "```*bold*``` & co",
    "safe\u202egnp.exe\u2066",
    "line\nbreak\r\n\u2028and\x00\x1b[31mred",
    "<" * 5_000,
    "𝓹" * 5_000,
]


def texts(said: SlackMessage) -> Iterator[str]:
    """Every text that a person sees, and the addresses and values behind buttons."""
    yield said.text

    def inside(value: Any) -> Iterator[str]:
        if isinstance(value, str):
            yield value
        for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            yield from inside(child)

    yield from inside(list(said.blocks))


def seen(said: SlackMessage) -> str:
    return "\n".join(texts(said))


def forms(body: Document) -> list[SlackMessage]:
    return [full(body, interactive=True), reduced(body)]


def test_the_message_has_the_parts_that_people_need() -> None:
    body = body_of(
        *(drift(f"pkg:pypi/p{number:02}", severity="medium") for number in range(36)),
        drift(
            "STRIPE_KEY", section="config", right=None, severity="critical", remedy="in prod: set STRIPE_KEY"
        ),
        complete=False,
        coverage={"sources_ok": 5, "sources_expected": 6, "unseen": [{}]},
    )
    said = full(body, interactive=True)
    assert [block["type"] for block in said.blocks] == [
        *("header", "section", "section", "context", "context", "section", "actions")
    ]
    header, consequence, table, more, standing, remedy, actions = said.blocks
    assert header["text"]["text"] == "🟥 Critical drift: staging → prod · team-payments"
    assert consequence["text"]["text"] == "prod lacks a key that staging has."
    rows = table["text"]["text"].splitlines()
    assert rows[0] == "🟥 *critical* · checkout · STRIPE_KEY missing in prod · 10d"
    assert len(rows) == 8
    assert more["elements"][0]["text"] == "+ 29 more"
    assert standing["elements"][0]["text"] == (
        "critical since 2026-11-12 (10d) · score 0.50 · 5 of 6 sources seen, 1 parts unseen"
        " · rule default/dependencies · owner team-payments"
    )
    assert remedy["text"]["text"].startswith("```in prod: set STRIPE_KEY\n")
    view, accept = actions["elements"]
    assert view["url"] == "https://parity.example/diff/staging..prod?owner=team-payments"
    assert (accept["action_id"], accept["value"]) == (
        "accept",
        "comparison=staging..prod&owner=team-payments",
    )
    assert said.text == (
        "🟥 Critical drift: staging → prod · team-payments: checkout · STRIPE_KEY missing in prod"
        " (1 critical, 36 medium)"
    )


def test_accept_is_offered_only_where_a_click_is_answered() -> None:
    said = full(body_of(drift()), interactive=False)
    assert [element["action_id"] for element in said.blocks[-1]["elements"]] == ["view"]


def test_back_in_parity_is_one_green_line() -> None:
    for said in forms(body_of()):
        (block,) = said.blocks
        assert block["text"]["text"] == said.text == "🟩 In parity: staging → prod · team-payments"


def test_the_green_line_says_what_it_did_not_see_and_what_does_not_alert() -> None:
    body = body_of(
        drift("CMD", section="processes", severity="info"),
        complete=False,
        coverage={"sources_ok": 5, "sources_expected": 6, "unseen": []},
    )
    assert short(body).endswith("· 1 that do not alert stay listed · 5 of 6 sources seen")


def test_open_drift_that_cannot_be_seen_now_is_not_green() -> None:
    body = body_of(drift(verdict="unknown", severity="info"))
    for said in forms(body):
        assert "🟩" not in seen(said)
        assert "Not seen now" in said.text
        assert "1 open, not seen or held now" in seen(said)


@pytest.mark.parametrize("name, count", [*((name, 30) for name in HOSTILE), ("p", 10_000)])
def test_every_message_is_within_all_limits(name: str, count: int) -> None:
    items = [
        drift(f"pkg:pypi/{name}{number}", left=name, right=name[::-1], rule=name, remedy=f"{name}{number}")
        for number in range(count)
    ]
    for said in forms(body_of(*items)):
        assert len(said.blocks) <= 12
        assert sum(map(len, texts(said))) <= 6_000
        for block in said.blocks:
            Block.parse(block).validate_json()  # type: ignore[union-attr]  # each is a known block
            text = block.get("text", {}).get("text", "x")
            assert 0 < len(text) <= (150 if block["type"] == "header" else 3_000)


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_shown_as_they_are_and_do_nothing(name: str) -> None:
    hostile = drift(name, left=name, right=name, service=name, owner=name, rule=name, remedy=name)
    for said in forms(body_of(hostile, owner=name)):
        ours = seen(said).replace("<https://parity.example/", "").replace("|View diff>", "")
        assert "<" not in ours.replace("<\u200b", "")
        for text in texts(said):
            assert not any(ord(letter) < 32 and letter != "\n" for letter in text)
            assert not set(text) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\x7f")
        for block in said.blocks:
            for text in [block.get("text", {}), *block.get("elements", [])]:
                if text.get("type") == "mrkdwn":
                    assert text["verbatim"] is True
                    assert text["text"].count("```") in (0, 2)
        # Only code, where nobody is mentioned, has the sign as it is.
        outside = [text for text in texts(said) if not text.startswith("```")]
        assert not any("@" in text.replace("@\u200b", "") for text in outside)


def test_a_command_survives_the_copy() -> None:
    said = full(body_of(drift(remedy="in prod: npm install @babel/core@7.25")), interactive=False)
    assert "```in prod: npm install @babel/core@7.25```" in seen(said)


def test_escaping_never_cuts_an_entity() -> None:
    for limit in range(1, 30):
        text = escape("&<>@`" * 9, limit)
        assert len(text) <= limit
        assert text.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "").count("&") == 0


def test_plain_text_is_one_line_without_control_characters() -> None:
    assert plain("a\nb\tc\u2028d\x00\u202ee\ud800") == "a b c de"


def test_without_an_address_there_is_no_link_and_no_button() -> None:
    body = body_of(drift()) | {"links": {}}
    assert [block["type"] for block in full(body, interactive=False).blocks][-1] == "section"
    assert "<" not in seen(reduced(body))


def test_no_canary_reaches_the_payload() -> None:
    shape = {"type": "url", "fingerprint": "k1:CANARY", "host": "CANARY"}
    body = body_of(drift("DATABASE_URL", section="config", left=shape, right=shape, detail=[{"x": "CANARY"}]))
    for said in forms(body):
        assert "DATABASE_URL" in json.dumps(said.blocks)
        assert "CANARY" not in json.dumps(said.blocks) + said.text
