"""The same comparison seen from the other side: left and right change places, and nothing else."""

from dataclasses import replace
from typing import Any, Final

from detector.engine.comparison import Comparison
from detector.model.records import Judged
from detector.model.words import Status

_STATUS: Final[dict[Status, Status]] = {"left_only": "right_only", "right_only": "left_only"}
_DIRECTION: Final = {"left_ahead": "right_ahead", "right_ahead": "left_ahead"}


def swapped(comparison: Comparison) -> Comparison:
    """Return a comparison with its sides exchanged; verdicts were made in promotion order and stay."""
    return replace(
        comparison,
        pair=replace(comparison.pair, left=comparison.pair.right, right=comparison.pair.left),
        left=comparison.right,
        right=comparison.left,
        services=tuple(
            replace(
                service,
                left=service.right,
                right=service.left,
                items=tuple(swapped_item(judged) for judged in service.items),
            )
            for service in comparison.services
        ),
    )


def swapped_item(judged: Judged) -> Judged:
    """Return one verdict with its sides exchanged."""
    if judged.left is None:
        return judged
    return replace(
        judged,
        status=_STATUS.get(judged.status, judged.status),
        left=judged.right,
        right=judged.left,
        direction=_DIRECTION.get(judged.direction or "", judged.direction),
        mend=lambda _: judged.remedy,
        detail=judged.detail and [_swapped_path(entry) for entry in judged.detail],
    )


def _swapped_path(entry: dict[str, Any]) -> dict[str, Any]:
    change = entry["change"]
    for one, other in (("_added", "_removed"), ("_removed", "_added")):
        if change.endswith(one):
            return {
                **entry,
                "change": change.removesuffix(one) + other,
                "left": entry["right"],
                "right": entry["left"],
            }
    return {**entry, "left": entry["right"], "right": entry["left"]}
