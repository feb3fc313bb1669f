"""Heads of a schema: which is later where their names tell it, and what the running code expects."""

from typing import Any

import pytest

from detector.engine.migrations import head_gap, lag
from tests.builders import compare, drifts, only, section


@pytest.mark.parametrize(
    ("left", "right", "direction"),
    [
        ("0042_add_index", "0041_a", "left_ahead"),  # Django
        ("0009_z", "0010_a", "right_ahead"),
        ("20261122093000", "20261101000000", "left_ahead"),  # Rails
        ("V1.10__x", "V1.9__y", "left_ahead"),  # Flyway
        ("1.2", "1.10", "right_ahead"),
        ("5f0c8d2e91ab", "9be1c0aa1234", "unordered"),  # Alembic
        ("123456789012", "5f0c8d2e91ab", "unordered"),  # a hash of digits alone, beside one with letters
        (["0042_a", "0042_b"], "0041_a", "left_ahead"),
        (["0042_a", "zzz"], "0041_a", "unordered"),
        ("0042_a", "0042_b", "unordered"),
        ("1" * 100, "2" * 100, "unordered"),  # no number that anybody counts to
    ],
)
def test_heads_are_ordered_by_their_numbers(left: Any, right: Any, direction: str) -> None:
    gap = head_gap(left, right)
    assert gap is not None
    assert gap.direction == direction


def test_equal_heads_have_no_gap() -> None:
    assert head_gap("0042_a", "0042_a") is None


@pytest.mark.parametrize(
    ("applied", "expected", "how"),
    [
        ("0041_a", "0042_b", "behind"),
        ("0042_b", "0042_b", None),
        ("0043_c", "0042_b", None),  # the schema goes first
        (["0042_b", "0041_x"], "0042_b", None),
        ("5f0c8d2e91ab", "9be1c0aa1234", "unordered"),
        (None, "0042_b", "unordered"),
    ],
)
def test_a_schema_stands_somewhere_to_its_code(applied: Any, expected: str, how: str | None) -> None:
    assert lag(applied, expected) == how


def admin(head: str, expected: str | None = None) -> Any:
    item = "migration/django"
    hints = {item: {"expected_by": expected}} if expected else {}
    return {"admin": section({item: head}, hints=hints)}


def test_a_schema_behind_what_the_running_code_expects_is_high() -> None:
    found = compare(admin("0042_b"), admin("0041_a", "0042_b"))
    assert only(found, "migration/django", kind="schema_behind").severity == "high"
    assert only(found, "migration/django", kind="schema_behind").comparison == "prod"


def test_hashes_do_not_tell_which_is_later() -> None:
    found = compare(admin("5f0c8d2e91ab"), admin("5f0c8d2e91ab", "9be1c0aa1234"))
    assert drifts(found) == {"migration/django": "medium"}
