"""How sizes of a database are printed."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

_UNITS: Final = ("B", "kB", "MB", "GB", "TB")


def size(count: float) -> str:
    """Return bytes in the largest unit that leaves a whole number before the point: ``1.4 MB``."""
    unit = 0
    while count >= 999.5 and unit < len(_UNITS) - 1:
        count /= 1000
        unit += 1
    return f"{count:.0f} {_UNITS[unit]}" if unit == 0 or count >= 99.95 else f"{count:.1f} {_UNITS[unit]}"


def stats_rows(document: Mapping[str, Any]) -> Sequence[Sequence[str]]:
    """Return the tables of a database, the largest first, below a header."""
    return [
        ("TABLE", "ROWS", "BYTES", "BYTES/ROW"),
        *(
            (
                one["table"],
                str(one["rows"]),
                "?" if one["bytes"] is None else str(one["bytes"]),
                f"{one['bytes'] / one['rows']:.1f}" if one["bytes"] and one["rows"] else "",
            )
            for one in document["tables"]
        ),
    ]


def stats_lines(document: Mapping[str, Any]) -> list[str]:
    """Return the size of a database as lines of at most 80 columns."""
    facts, snapshots, growth = document["facts"], document["snapshots"], document["growth"]
    journal = document["bytes"]["journal"]
    room = size(document["bytes"]["database"])
    pruned = document["pruned_through"]
    open_each, past_each = _each(facts["bytes_per_open"]), _each(facts["bytes_per_past"])
    said = [
        ("size", room + (f", journal {size(journal)}" if journal is not None else "")),
        ("facts", f"{facts['open']:,} open{open_each}, {facts['past']:,} past{past_each}"),
        ("snapshots", _snapshots(snapshots)),
        ("growth", _growth(growth) if growth else "too young to tell: it takes a day"),
        ("outbox", f"{document['outbox']['owed']:,} owed, {document['outbox']['parked']:,} parked"),
        ("history", f"whole since {pruned}" if pruned else "whole: nothing was pruned"),
    ]
    if document["restored_at"]:
        said.append(("restored", document["restored_at"]))
    rows = [("table", "rows", "size", "bytes/row")]
    rows += [
        (
            one["table"],
            f"{one['rows']:,}",
            "?" if one["bytes"] is None else size(one["bytes"]),
            f"{one['bytes'] / one['rows']:.1f}" if one["bytes"] and one["rows"] else "",
        )
        for one in document["tables"]
        if one["rows"]
    ]
    lines = [f"{name:<10} {text}" for name, text in said]
    return [*lines, "", *(f"{a:<20} {b:>14} {c:>10} {d:>12}" for a, b, c, d in rows)]


def _each(bytes_: float | None) -> str:
    return f" ({bytes_:.1f} B each)" if bytes_ is not None else ""


def _snapshots(snapshots: Mapping[str, Any]) -> str:
    if not snapshots["count"]:
        return "none yet"
    return f"{snapshots['count']:,}, {snapshots['oldest']} to {snapshots['newest']}"


def _growth(growth: Mapping[str, Any]) -> str:
    room = f", {size(growth['bytes_per_day'])}" if growth["bytes_per_day"] is not None else ""
    return (
        f"{growth['snapshots_per_day']:,} snapshots and {growth['changes_per_day']:,} changes{room} a day"
        f" (of {growth['days']:.0f} days)"
    )
