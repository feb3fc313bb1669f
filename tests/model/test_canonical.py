"""The canonical form: equal facts, equal bytes, and nothing else."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.model.canonical import (
    canonical,
    observation_digest,
    observation_document,
    same_value,
    section_document,
    value_bytes,
)
from detector.model.facts import Observation, Section, Unseen, Value
from tests.proof import examples

SEEDED = settings(max_examples=examples(300), derandomize=True, deadline=None)
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | NUMBERS | st.text(st.characters(codec="utf-8"), max_size=8)
NAMES = st.text("abcv", max_size=3)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (["b", "a"], ["a", "b"], True),  # a list is a set
        (["a", "a"], ["a"], True),
        ([["b", "a"]], [["a", "b"]], True),
        ({"x": 1, "y": 2}, {"y": 2, "x": 1}, True),
        (1.0, 1, True),
        (1.5, 1, False),
        (True, 1, False),  # types are kept
        (True, "true", False),
        (0, False, False),
        ("1", 1, False),
        (None, "", False),
        (None, [], False),
        ([True, 1], [1], False),
        (2.0**53, 2**53, True),
        (1e300, 1e300, True),  # far beyond the integers of JSON
        (1e300, 1e301, False),
    ],
)
def test_what_is_one_value(one: Value, other: Value, *, same: bool) -> None:
    assert same_value(one, other) is same
    assert (value_bytes(one) == value_bytes(other)) is same


def obvious(value: Any) -> Any:
    """Return a value as something that Python compares as facts are meant, the slow way."""
    if isinstance(value, list):
        return ("set", frozenset(map(obvious, value)))
    if isinstance(value, dict):
        return ("document", frozenset((key, obvious(inner)) for key, inner in value.items()))
    if isinstance(value, float) and value.is_integer() and abs(value) <= 2**53:
        return ("int", int(value))
    return (type(value).__name__, value)


@SEEDED
@given(VALUES, VALUES)
def test_canonical_bytes_are_equal_exactly_where_facts_are(one: Value, other: Value) -> None:
    """Canonical digest equal ⇔ facts equal."""
    assert same_value(one, other) is (obvious(one) == obvious(other))
    assert same_value(one, canonical(one))


@SEEDED
@given(
    st.dictionaries(st.sampled_from(["a", "b"]), VALUES, max_size=2),
    st.dictionaries(st.sampled_from(["a", "b"]), VALUES, max_size=2),
)
def test_digests_of_sections_are_equal_exactly_where_their_facts_are(one: Any, other: Any) -> None:
    """Canonical digest equal ⇔ facts equal, also where a value looks like a value with its hints."""
    digests = {observation_digest({"admin": Section(basis="running", facts=facts)}) for facts in (one, other)}
    same = {name: obvious(value) for name, value in one.items()} == {
        name: obvious(value) for name, value in other.items()
    }
    assert (len(digests) == 1) is same


def test_a_value_with_hints_is_not_a_document_that_looks_like_one() -> None:
    hinted = Section(basis="running", facts={"a": "1"}, hints={"a": {"scope": ["dev"]}})
    nested = Section(basis="running", facts={"a": {"value": "1", "scope": ["dev"]}})
    assert section_document(hinted)["facts"] == {"a": {"value": "1", "scope": ["dev"]}}
    assert section_document(nested)["facts"] == {"a": {"value": {"value": "1", "scope": ["dev"]}}}


@pytest.mark.parametrize(
    "other",
    [
        Section(basis="declared", facts={"a": "1"}),
        Section(basis="running", status="partial", facts={"a": "1"}),
        Section(basis="running", facts={"a": "1"}, covers=("a",)),
        Section(basis="running", facts={"a": "1"}, sees=("literal",)),
        Section(basis="running", facts={"a": "1"}, unseen=(Unseen(item="b", reason="denied"),)),
        Section(basis="running", facts={"a": "1"}, hints={"a": {"direct": True}}),
    ],
)
def test_what_was_seen_includes_how_far(other: Section) -> None:
    seen = Section(basis="running", facts={"a": "1"})
    assert observation_digest({"admin": seen}) != observation_digest({"admin": other})


def test_order_of_what_was_seen_does_not_count() -> None:
    parts = (Unseen(item="b", reason="denied"), Unseen(item="a", reason="denied"))
    one = Section(basis="running", facts={"a": 1, "b": 2}, covers=("a", "b"), unseen=parts)
    other = Section(basis="running", facts={"b": 2, "a": 1}, covers=("b", "a"), unseen=parts[::-1])
    assert observation_digest({"admin": one}) == observation_digest({"admin": other})


def test_time_and_names_of_the_source_do_not_enter_the_digest_and_stand_in_the_document() -> None:
    seen = Observation(
        environment="prod",
        service="shop",
        source="docker",
        observed_at=datetime(2026, 11, 22, 12, 0, tzinfo=UTC),
        sections={"admin": Section(basis="running", facts={"a": 1})},
    )
    document = observation_document(seen)
    assert (document["schema"], document["observed_at"]) == ("parity.observation/v1", "2026-11-22T12:00:00Z")
    assert document["sections"]["admin"]["facts"] == {"a": 1}


def test_an_observation_without_a_time_zone_is_refused() -> None:
    naive = datetime(2026, 11, 22, tzinfo=UTC).replace(tzinfo=None)
    with pytest.raises(ValueError, match="time zone"):
        Observation(environment="prod", service="shop", source="s", observed_at=naive, sections={})
