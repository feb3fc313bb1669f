"""What is accepted, on a terminal and as rows: whose it is, until when, why, and what it hides."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Final, NoReturn

from detector.alerts.wording import name_of
from detector.cli.output import finish, show_rows, styled, width

if TYPE_CHECKING:
    from detector.cli.doors import Door

_HEADER: Final = ("id", "match", "holds for", "last day", "author", "reason", "hides")
#: What is told of a drift that an acceptance hides.
_TOLD: Final = ("drift_id", "comparison", "service", "component", "section", "item", "kind")
_MOST_NAMES: Final = 6


async def listed(door: "Door", output: str) -> NoReturn:
    """List what is accepted, with the drifts that each acceptance hides."""
    items = await door.acceptances()
    hidden: dict[str, list[Mapping[str, Any]]] = {}
    for drift in await door.drifts(None, None) if items else ():
        if drift["accepted"]:
            told = {name: drift[name] for name in _TOLD}
            hidden.setdefault(drift["accepted"]["id"], []).append(told)
    items = [{**one, "hides": hidden.get(one["id"], [])} for one in items]
    show_rows({"items": items, "next_cursor": None}, output, table=list_lines, rows=list_rows)
    unused = sum(one["unused"] for one in items)
    over = sum(one["state"] == "expired" for one in items)
    held = sum(one["holds_for"] for one in items)
    finish(
        0,
        f"accept: {len(items)} acceptance{'s hold' if len(items) != 1 else ' holds'} for {counted(held)}"
        + (f", {over} expired" if over else "")
        + (f", {unused} matched nothing for 30 days" if unused else ""),
    )


def list_lines(document: Mapping[str, Any]) -> list[str]:
    """Return a few lines for each acceptance, none wider than the terminal."""
    lines = []
    for one in document["items"]:
        over = ", expired" if one["state"] == "expired" else ""
        head = f"{one['place'] or one['id']}  until {last_day_of(one)}{over}, by {one['author']}"
        first, *rest = wrap(head, width(), subsequent_indent="  ")
        lines += [styled(first, bold=True), *rest]
        for text in (one["reason"], _held(one)):
            lines += wrap(text, width(), initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
    return lines or ["Nothing is accepted."]


def list_rows(document: Mapping[str, Any]) -> Sequence[Sequence[str]]:
    """Return a header and a row for each acceptance."""
    return [
        _HEADER,
        *(
            (
                one["place"] or one["id"],
                _scope(one["match"]) or "",
                f"{one['holds_for']} of {one['held_for']}" + (", unused" if one["unused"] else ""),
                last_day_of(one) + (", expired" if one["state"] == "expired" else ""),
                one["author"],
                one["reason"],
                "; ".join(
                    f"{drift['comparison']} {drift['service']} {drift['item']}"
                    for drift in one.get("hides", ())
                ),
            )
            for one in document["items"]
        ),
    ]


def last_day_of(acceptance: Mapping[str, Any]) -> str:
    """Return the last day of an acceptance."""
    from detector.engine.acceptance import last_day

    if acceptance["expires_at"] is None:
        return "unreadable"
    return last_day(datetime.fromisoformat(acceptance["expires_at"]))


def counted(number: int) -> str:
    """Return how many differences there are."""
    return f"{number} difference" + ("s" if number != 1 else "")


def _held(one: Mapping[str, Any]) -> str:
    """Return for how much an acceptance holds, of how much it ever held, and of what."""
    said = [f"holds for {one['holds_for']} of {one['held_for']}"]
    if scope := _scope(one["match"]):
        said.append(f"of all that is {scope}")
    if one["unused"]:
        said.append("unused")
    places: dict[str, list[str]] = {}
    for drift in one.get("hides", ()):
        names = places.setdefault(f"{drift['service']} in {drift['comparison']}", [])
        names.append(name_of(drift["item"]))
    hides = "; ".join(f"{_some(names)} of {place}" for place, names in places.items())
    return ", ".join(said) + (f": {hides}" if hides else "")


def _some(names: Sequence[str]) -> str:
    if len(names) <= _MOST_NAMES:
        return ", ".join(names)
    return f"{', '.join(names[: _MOST_NAMES - 1])} and {len(names) - _MOST_NAMES + 1} more"


def _scope(match: Mapping[str, Any] | None) -> str | None:
    """Return what a wider match says; None of one that holds for what was there when it was made."""
    if match is None:
        return None
    words = (",".join(word) if isinstance(word, list) else str(word) for word in match.values())
    return " ".join(words) or "drift"
