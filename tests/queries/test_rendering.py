import csv
import io
from typing import Any

import pytest

from detector.queries.rendering import csv_of, csv_table, markdown_of, shown, side_shown


def item(**changes: Any) -> dict[str, Any]:
    return {
        "comparison": "staging..prod",
        "service": "checkout",
        "component": "main",
        "section": "dependencies",
        "item": "pkg:pypi/django",
        "kind": "difference",
        "status": "changed",
        "left": {"present": True, "value": "4.2.26"},
        "right": {"present": True, "value": "5.2.8"},
        "distance": "major",
        "direction": "right_ahead",
        "verdict": "drift",
        "pending_because": None,
        "severity": "high",
        "rule": "default/dependencies",
        "state": "open",
        "opened_at": "2026-11-12T09:15:00Z",
        "owner": "team-payments",
        "remedy": "in staging: uv lock --upgrade-package django==5.2.8   # prod runs it, staging does not",
    } | changes


def diff(*items: dict[str, Any], **changes: Any) -> dict[str, Any]:
    names = ("critical", "high", "medium", "low", "info", "expected", "accepted", "unknown")
    return {
        "left": {"expression": "staging"},
        "right": {"expression": "prod"},
        "complete": True,
        "coverage": {"unseen": []},
        "summary": {**dict.fromkeys(names, 0), "high": len(items), "score": 0.5},
        "items": list(items),
    } | changes


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "none"),
        (True, "true"),  # types are kept: "true" is a text
        ("", ""),
        (3, "3"),
        (["7.24.0", "7.25.2"], "7.24.0, 7.25.2"),
        ([], "none"),
        ({"values": {"5.2.8": 2, "5.2.7": 1}}, "5.2.7 ×1, 5.2.8 ×2"),
        ({"type": "bool"}, "bool"),
        (
            {
                "type": "url",
                "scheme": "postgresql",
                "host": "private",
                "credentials": True,
                "source_class": "secret_ref",
            },
            "postgresql, private, secret ref, credentials",
        ),
        ({"period": 10, "path": "/healthz"}, '{"path":"/healthz","period":10}'),
    ],
)
def test_a_value_reads_as_people_read_it(value: Any, text: str) -> None:
    assert shown(value) == text


def test_absent_unknown_and_a_missing_side_are_three_things() -> None:
    sides: list[Any] = [{"present": False}, {"unknown": "not_in_view"}, None]
    assert [side_shown(side) for side in sides] == ["absent", "unknown: not in view", ""]


@pytest.mark.parametrize("text", ["=cmd|'/c calc'!A1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_nothing_in_a_sheet_is_a_formula(text: str) -> None:
    document = diff(item(item=text, left={"present": True, "value": text}, owner=text))
    row = next(csv.DictReader(io.StringIO(csv_of(document), newline="")))
    assert {row["item"], row["left"], row["owner"]} == {f"'{text}"}


def test_a_sheet_keeps_quotes_commas_and_lines_in_one_cell() -> None:
    text = csv_table(("a", "b"), [{"a": 'x",\r\ny', "b": None}])
    assert list(csv.reader(io.StringIO(text, newline=""))) == [["a", "b"], ['x",\r\ny', ""]]


def test_markdown_has_a_table_for_each_section() -> None:
    config = item(section="config", item="STRIPE_KEY", status="left_only", right={"present": False})
    text = markdown_of(diff(config, item()))
    assert text.index("## Dependencies (II)") < text.index("## Config (III)")
    assert "| high | checkout | django | 4.2.26 | 5.2.8 |" in text
    assert "2 high · score 0.50" in text


def test_markdown_says_what_was_not_seen() -> None:
    blind = {
        "environment": "prod",
        "service": "db",
        "source": "rds",
        "section": "backing_services",
        "reason": "denied",
        "detail": "rds:Describe",
    }
    text = markdown_of(diff(complete=False, coverage={"unseen": [blind]}))
    assert "no drift · score 0.50 · not everything was seen" in text
    assert "denied" in text


@pytest.mark.parametrize(
    "name", ["a | b", "<img src=x onerror=alert(1)>", "[x](javascript:alert(1))", "a\n# b", "`x`"]
)
def test_a_name_stays_a_word_in_markdown(name: str) -> None:
    text = markdown_of(diff(item(item=name, remedy=None)))
    row = next(line for line in text.splitlines() if line.startswith("| high"))
    assert row.replace("\\|", "").count("|") == 7
    for mark in "<[`#":
        assert f" {mark}" not in row
