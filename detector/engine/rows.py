"""Rows of the register beside the items of a comparison: state, id and age, and drifts nobody can see now."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from detector.engine.components import joins_of, sides_at
from detector.engine.settling import settled
from detector.engine.view import Place, View
from detector.model.records import Drift, Judged, Key, Side

Rows = Mapping[tuple[str, Key], Drift]
_DRIFTING = ("pending", "open")


def with_rows(items: Iterable[Judged], rows: Rows, views: Mapping[str, tuple[View, View]]) -> list[Judged]:
    """Return the items with what the register knows of them, and its drifts that went out of sight.

    ``views`` holds the two views of a comparison by its name; of one environment, its view twice. A drift
    whose source went blind stays as grave as it was: a dead collector never raises a score.
    """
    if not rows:
        return list(items)
    found = {(one.comparison, one.key): _with_row(one, rows.get((one.comparison, one.key))) for one in items}
    for (comparison, key), row in rows.items():
        if row.state not in _DRIFTING or (comparison, key) in found or comparison not in views:
            continue
        left, right = views[comparison]
        if settled(left, right, key) is not None:
            continue
        plain = (comparison, key._replace(kind="difference"))
        if plain in found and found[plain].verdict == "unknown" and plain not in rows:
            del found[plain]  # the same place, said once
        found[comparison, key] = _with_row(_out_of_sight(row, left, right), row)
    return list(found.values())


def _with_row(judged: Judged, row: Drift | None) -> Judged:
    if row is None:
        return judged
    pending = judged.pending
    because = judged.pending_because
    if row.state == "pending" and judged.verdict == "drift" and pending is None:
        pending, because = "confirm", "to be confirmed by another look"
    blind = judged.verdict == "unknown" and row.state in _DRIFTING
    return replace(
        judged,
        state=row.state,
        drift_id=row.id,
        opened_at=row.opened_at if row.state != "resolved" else None,
        pending=pending,
        pending_because=because,
        severity=row.severity if blind else judged.severity,
    )


def _out_of_sight(row: Drift, left: View, right: View) -> Judged:
    """Return a drift of the register as an item of which one side cannot be seen."""
    place = Place(row.key.component, row.key.section, row.key.item)
    ours, theirs = sides_at(left, right, place, joins_of(left, right))
    if not ours.unknown and not theirs.unknown:
        theirs = Side(unknown="not_in_view")
    return Judged(
        key=row.key,
        comparison=row.comparison,
        status="unknown",
        left=None if left is right else ours,
        right=theirs,
        verdict="unknown",
        severity=row.severity,
        rule=str(row.item.get("rule", "default")),
        owner=row.owner,
        affects=tuple(row.item.get("affects", ())),
    )
