"""A comparison on a terminal: by section, worst first, each finding with the command that would mend it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from textwrap import wrap
from typing import Any, Final

from detector.alerts.wording import affected, name_of
from detector.cli.output import styled, width
from detector.engine.acceptance import last_day
from detector.model.words import SECTIONS
from detector.queries.rendering import TITLES, finding_of, names_services, sides_of, where_of, without_name

MARKS: Final = {"critical": "✖", "high": "▲", "medium": "●", "low": "○", "info": "·"}
COLOURS: Final[dict[str, dict[str, Any]]] = {
    "critical": {"fg": "red", "bold": True},
    "high": {"fg": "red"},
    "medium": {"fg": "yellow"},
    "low": {"fg": "cyan"},
    "info": {"dim": True},
}
_SEVERITY_WIDTH: Final = 10


def comparison_lines(document: Mapping[str, Any]) -> list[str]:
    """Return ``parity.diff/v1`` as lines for a terminal."""
    columns = width()
    lines = [styled(f"{_titled(document['left'])} → {_titled(document['right'])}", bold=True), ""]
    for section in SECTIONS:
        items = [item for item in document["items"] if item["section"] == section]
        if not items:
            continue
        lines.append(styled(TITLES[section], underline=True))
        for item in items:
            if item["verdict"] == "drift":
                lines += _item_lines(item, document, columns)
        rest = [item for item in items if item["verdict"] != "drift"]
        lines += _quiet_lines(rest, columns, named=names_services(document))
        lines.append("")
    lines += _cause_lines(document, columns)
    lines += _unseen_lines(document["coverage"], columns)
    for warning in document["warnings"]:
        lines += wrap(f"warning: {warning}", columns, subsequent_indent="  ")
    # A count stays beside what it counts.
    counts = wrap(summary_line(document).replace(" ", "\xa0").replace("·\xa0", "· "), columns)
    lines += [styled(line.replace("\xa0", " "), bold=True) for line in counts]
    return lines


def summary_line(document: Mapping[str, Any]) -> str:
    """Return the counts in one line."""
    summary = document["summary"]
    drift = sum(summary[name] for name in MARKS)
    parts = ", ".join(f"{summary[name]} {name}" for name in MARKS if summary[name])
    said = [f"{drift} drift{'s' * (drift != 1)}" + (f" ({parts})" if parts else "")]
    said += [
        f"{summary[name]} {name.replace('_', ' ')}"
        for name in ("children", "pending", "expected", "accepted", "unknown", "in_sync")
        if summary[name]
    ]
    score = summary["score"]
    if score is not None and document["coverage"]["items_compared"]:
        said.append(f"score {score:.2f}")
    return " · ".join(said)


def _titled(state: Mapping[str, Any]) -> str:
    number = state["snapshot"]
    shown = str(state["expression"])
    return shown if number is None or "#" in shown else f"{shown}#{number}"


def _item_lines(item: Mapping[str, Any], document: Mapping[str, Any], columns: int) -> list[str]:
    severity = item["severity"]
    mark = styled(f"{MARKS[severity]} {severity:<{_SEVERITY_WIDTH - 2}}", **COLOURS[severity])
    indent = " " * (_SEVERITY_WIDTH + 3)
    room = columns - len(indent)
    cause = item["cause"] and f"part of {item['cause']}"
    inside = item["left"] is None and f"in {item['comparison']}"
    facts = ", ".join(
        word for word in (inside, _distance(item, document), affected(item), cause, _age(item)) if word
    )
    first, *more = _filled(finding_of(item, document), f"  ({facts})" if facts else "", room)
    lines = [f"  {mark} {first}", *(indent + line for line in more)]
    if item["pending"] and item["pending"] != "confirm":
        lines += [indent + line for line in wrap(f"nobody is told yet: {item['pending_because']}", room)]
    if item["remedy"]:
        command, mark, comment = item["remedy"].partition("   #")
        hint = _filled(command, mark + comment, room - 2)
        lines += [
            styled(indent + ("↳ " if number == 0 else "  ") + line, dim=True)
            for number, line in enumerate(hint)
        ]
    return lines


def _filled(text: str, aside: str, room: int) -> list[str]:
    """Return a text in lines with what is said aside: behind it where it fits, else on a line of its own."""
    lines = wrap(text, room, break_on_hyphens=False) or [""]
    if len(lines[-1]) + len(aside) <= room:
        lines[-1] += aside
        return lines
    return [*lines, *wrap(aside.strip(), room, break_on_hyphens=False)]


def _distance(item: Mapping[str, Any], document: Mapping[str, Any]) -> str | None:
    if not item["distance"]:
        return None
    left, right = sides_of(item, document)
    ahead = {"left_ahead": f", {left} is ahead", "right_ahead": f", {right} is ahead"}
    return f"{item['distance']}{ahead.get(item['direction'], '')}"


def _age(item: Mapping[str, Any]) -> str | None:
    return f"since {item['opened_at'][:10]}" if item["opened_at"] else None


def _quiet_lines(items: Sequence[Mapping[str, Any]], columns: int, *, named: bool) -> list[str]:
    """Return one line for all that is expected, and one for each reason of not knowing."""
    groups: dict[str, dict[str, list[str]]] = {}
    for item in items:
        title = f"  {item['verdict'].replace('_', ' ')}"
        if item["pending"]:
            title += f", {item['pending_because']}"
        if item["verdict"] == "unknown":
            sides = (item["left"] or {}, item["right"])
            reason = next((side["unknown"] for side in sides if side.get("unknown")), "not_in_view")
            title = f"? unknown, {reason.replace('_', ' ')}"
        elif item["accepted"]:
            by = item["accepted"]
            title = f"  accepted by {by['author']} until {last_day(datetime.fromisoformat(by['expires_at']))}"
        where = where_of(item) if named else ""
        groups.setdefault(title, {}).setdefault(where, []).append(name_of(item["item"]))
    lines = []
    for title, by_service in groups.items():
        names = "; ".join(
            f"{where}: {_some(found)}" if where else _some(found) for where, found in by_service.items()
        )
        text = wrap(f"{title}: {names}", columns - 2, subsequent_indent="    ", break_on_hyphens=False)
        lines += [styled(f"  {line}", dim=True) for line in text]
    return lines


def _some(names: Sequence[str]) -> str:
    """Return the first names of many, each once, and how many more there are."""
    names = list(dict.fromkeys(names))
    return ", ".join(names) if len(names) <= 6 else f"{', '.join(names[:5])} and {len(names) - 5} more"


def _cause_lines(document: Mapping[str, Any], columns: int) -> list[str]:
    if not document["causes"]:
        return []
    lines = [styled("Causes", underline=True)]
    for cause in document["causes"]:
        of = f"{cause['service']}: " if names_services(document) else ""
        allowed = f" ({cause['verdict']})" if cause["verdict"] != "drift" else ""
        text = f"{cause['id']}  {of}{cause['title']}, explains {cause['children']}{allowed}"
        lines += wrap(text, columns, initial_indent="  ", subsequent_indent=" " * 6)
    return [*lines, ""]


def blind_lines(unseen: Sequence[Mapping[str, Any]], columns: int) -> list[str]:
    """Return what was not seen: where, what, why. What shares place and reason is one entry."""
    entries: dict[tuple[str, str], dict[str, list[str]]] = {}
    for blind in unseen:
        # Of a file its name is enough.
        source = "" if blind["source"] == blind["environment"] else blind["source"]
        names = [blind["environment"], blind["service"] if source else "*"]
        where = " ".join(name for name in names if name != "*")
        detail = f" ({without_name(blind['detail'], blind['environment'])})" if blind["detail"] else ""
        why = f"{blind['reason'].replace('_', ' ')}{detail}"
        parts = entries.setdefault((where, why), {}).setdefault(source, [])
        if part := " ".join(word for word in (blind["section"], blind["item"]) if word != "*"):
            parts.append(part)
    lines = []
    for (where, why), sources in entries.items():
        said = [
            f"{source} ({_some(parts)})" if source and parts else source or _some(parts)
            for source, parts in sources.items()
        ]
        text = f"{' '.join([where, ', '.join(said)]).rstrip()}: {why}"
        lines += wrap(text, columns, initial_indent="  ? ", subsequent_indent="    ", break_on_hyphens=False)
    return lines


def _unseen_lines(coverage: Mapping[str, Any], columns: int) -> list[str]:
    lines = blind_lines(coverage["unseen"], columns)
    for entry in coverage["unmatched"]:
        text = f"{entry['service']} is only in {entry['environment']}: not compared"
        if entry["did_you_mean"]:
            text += f" (did you mean {entry['did_you_mean']}? {entry['hint']})"
        lines += wrap(text, columns, initial_indent="  ? ", subsequent_indent="    ", break_on_hyphens=False)
    if not lines:
        return []
    return [styled("Not seen", underline=True), *lines, ""]
