"""Globs of items, in linear time; keys that may stand as names."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.model.items import is_config_key, matches
from tests.proof import examples


def slowly(glob: str, item: str) -> bool:
    """Match the obvious way: a star eats every beginning in turn."""
    if not glob:
        return not item
    if glob[0] == "*":
        return any(slowly(glob[1:], item[eaten:]) for eaten in range(len(item) + 1))
    return bool(item) and item[0] == glob[0] and slowly(glob[1:], item[1:])


@settings(max_examples=examples(500), derandomize=True, deadline=None)
@given(st.text("ab*", max_size=8), st.text("ab", max_size=10))
def test_globs_match_as_the_obvious_model_does(glob: str, item: str) -> None:
    assert matches(glob, item) is slowly(glob, item)


@pytest.mark.parametrize(
    ("glob", "item", "is_match"),
    [
        ("*", "", True),
        ("pkg:deb/*", "pkg:deb/debian/openssl", True),
        ("*#setting/*", "main#setting/timezone", True),
        ("ab*ba", "aba", False),  # head and tail may not share a letter
        ("*_TOKEN", "TOKEN", False),
        ("[a]", "a", False),  # only the star means something
    ],
)
def test_only_the_star_means_something(glob: str, item: str, *, is_match: bool) -> None:
    assert matches(glob, item) is is_match


@pytest.mark.timeout(20)
def test_a_hostile_glob_costs_no_more_than_another() -> None:
    # The obvious way would take longer than the universe has.
    assert not matches("*a" * 2_000 + "b", "a" * 20_000)


@pytest.mark.parametrize(
    ("name", "is_key"),
    [
        ("DATABASE_URL", True), ("spring.datasource.url", True), ("shop/billing/key", True), ("_", True),
        ("servers[0].host", True), ("servers[0][12]", True), ("a__b[1]__c", True), ("[0]", False),
        ("a[]", False), ("a[x]", False), ("a[0", False), ("1KEY", False), ("A B", False),
        ("A=B", False), ("", False), ("a..b", False), ("A" * 257, False),
        ("KEY\n", False),
    ],
)  # fmt: skip
def test_what_may_stand_as_a_key(name: str, *, is_key: bool) -> None:
    assert is_config_key(name) is is_key
