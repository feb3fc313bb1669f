"""The same comparison from the other side, and what DeepDiff says of nested values."""

from typing import Any

import pytest

from detector.engine.detail import detail_of
from detector.engine.swap import swapped
from detector.model.facts import Value
from tests.builders import compare, keys, section, whole

LEFT: Any = {
    "dependencies": section({"pkg:pypi/django": "4.2.26", "pkg:pypi/attrs": "1.0"}),
    "config": section(keys(A="some text", TOKEN="one secret")),
    "disposability": section({"probe/live": {"path": "/livez", "interval": 10, "only": 1}}),
    "release": section({"image#tag": "latest"}),
}
RIGHT: Any = {
    "dependencies": section({"pkg:pypi/django": "5.2.8"}),
    "config": section(keys(B="some text", TOKEN="one secret")),
    "disposability": section({"probe/live": {"path": "/livez", "interval": 30}}),
    "release": section({"image#tag": "1.4.2"}),
}


def test_swapping_changes_sides_and_directions_and_nothing_else() -> None:
    straight = whole(compare(LEFT, RIGHT))
    turned = swapped(straight)
    assert (turned.pair.left.name, turned.pair.right.name) == ("prod", "staging")
    for one, other in zip(straight.items, turned.items, strict=True):
        assert (one.key, one.verdict, one.severity, one.rule) == (
            other.key,
            other.verdict,
            other.severity,
            other.rule,
        )
        if one.left is not None:
            assert (one.left, one.right) == (other.right, other.left)
    found = {one.key.item: one for one in turned.items}
    assert found["pkg:pypi/django"].direction == "left_ahead"
    assert (found["A"].status, found["B"].status) == ("right_only", "left_only")
    assert turned.score == straight.score


def test_paths_of_nested_values_change_sides_too() -> None:
    (turned,) = [one for one in swapped(whole(compare(LEFT, RIGHT))).items if one.key.item == "probe/live"]
    assert turned.detail == [
        {"path": ["interval"], "change": "values_changed", "left": 30, "right": 10},
        {"path": ["only"], "change": "dictionary_item_added", "left": None, "right": 1},
    ]


def test_swapping_twice_changes_nothing() -> None:
    straight = whole(compare(LEFT, RIGHT))
    assert swapped(swapped(straight)) == straight


@pytest.mark.parametrize(
    ("left", "right", "paths"),
    [
        ("a", "b", None),
        ({"a": 1}, "b", None),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, [(["a", "b"], "values_changed", 1, 2)]),
        ({"a": 1}, {"a": "1"}, [(["a"], "type_changes", 1, "1")]),
        ({"a": 1}, {}, [(["a"], "dictionary_item_removed", 1, None)]),
        (["a", "b"], ["b", "a"], []),  # a set has no order
        (["a"], ["a", "b"], [(["1"], "iterable_item_added", None, "b")]),
    ],
)
def test_every_changed_path_of_nested_values(left: Value, right: Value, paths: Any) -> None:
    found = detail_of(left, right)
    if paths is None:
        assert found is None
    else:
        assert found is not None
        assert [(one["path"], one["change"], one["left"], one["right"]) for one in found] == paths
