"""The paths of every change inside a nested value, by DeepDiff, for people to read."""

from typing import Any

from detector.model.canonical import canonical
from detector.model.facts import Value


def detail_of(left: Value, right: Value) -> list[dict[str, Any]] | None:
    """Return one entry for each changed path of two nested values, or None where either is flat.

    An entry is ``{"path": ["probe", "interval"], "change": "values_changed", "left": …, "right": …}``; the
    names of changes are DeepDiff's.
    """
    if not isinstance(left, (dict, list)) or not isinstance(right, (dict, list)):
        return None
    from deepdiff import DeepDiff  # costs 0.4 s, and few differences are nested

    tree = DeepDiff(canonical(left), canonical(right), view="tree", ignore_order=True)
    return sorted(
        (
            {
                "path": [str(step) for step in level.path(output_format="list")],
                "change": change,
                "left": _plain(level.t1),
                "right": _plain(level.t2),
            }
            for change, levels in tree.items()
            for level in levels
        ),
        key=lambda entry: (entry["path"], entry["change"]),
    )


def _plain(value: object) -> object:
    """Return a JSON value; DeepDiff's own mark for "not there" becomes None."""
    return value if isinstance(value, str | int | float | bool | dict | list) else None
