"""Generic difference libraries, and what each says in one form: the top-level key -> its status."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import dictdiffer  # type: ignore[import-untyped]
import jsondiff
from deepdiff import DeepDiff

Answer = dict[str, str]
Plain = Mapping[str, Any]

#: Name -> options. Whoever compares facts with DeepDiff would take the fastest one.
DEEPDIFF_MODES: Final[Mapping[str, Mapping[str, Any]]] = {
    "DeepDiff": {},
    "DeepDiff tree": {"view": "tree"},
    "DeepDiff ignore_order": {"ignore_order": True},
    "DeepDiff exclude_regex": {"exclude_regex_paths": [r"\['observed_at'\]"]},
    "DeepDiff verbose_level=0": {"verbose_level": 0},
}
_STATUS: Final = {
    "dictionary_item_added": "right_only",
    "dictionary_item_removed": "left_only",
    "values_changed": "changed",
    "type_changes": "changed",
}


def deepdiff(left: Plain, right: Plain, mode: str) -> Any:
    """Return the differences as DeepDiff tells them in one of its modes."""
    return DeepDiff(left, right, **DEEPDIFF_MODES[mode])


def from_deepdiff(mode: str, below: tuple[str, ...] = ()) -> Callable[[Any], Answer]:
    """Return what reads an outcome of that mode; ``below`` are levels of keys that are no fact's own."""

    def answer(found: Any) -> Answer:
        tree = found if DEEPDIFF_MODES[mode].get("view") == "tree" else found.tree
        return _statuses(
            (level.path(output_format="list"), _STATUS[kind])
            for kind, levels in tree.items()
            for level in levels
        )

    def _statuses(entries: Iterable[tuple[list[Any], str]]) -> Answer:
        said = {}
        for path, status in entries:
            keys = [key for key in path if key not in below]
            top = min(2 if below else 1, len(keys))
            said[" ".join(keys[:top])] = status if len(keys) == top else "changed"
        return said

    return answer


def with_dictdiffer(left: Plain, right: Plain) -> list[Any]:
    """Return the differences as dictdiffer tells them."""
    return list(dictdiffer.diff(left, right, dot_notation=False))


def from_dictdiffer(found: list[Any]) -> Answer:
    """Read an outcome of dictdiffer."""
    said: Answer = {}
    for kind, path, what in found:
        if path:
            said[path[0]] = "changed"
        else:
            said |= {key: "right_only" if kind == "add" else "left_only" for key, _ in what}
    return said


def with_jsondiff(left: Plain, right: Plain) -> Any:
    """Return the differences as jsondiff tells them in its explicit form."""
    return jsondiff.diff(left, right, syntax="explicit")


def from_jsondiff(found: Any) -> Answer:
    """Read an outcome of jsondiff."""
    said = dict.fromkeys(found.get(jsondiff.update, {}), "changed")
    said |= dict.fromkeys(found.get(jsondiff.insert, {}), "right_only")
    said |= dict.fromkeys(found.get(jsondiff.delete, ()), "left_only")
    return said
