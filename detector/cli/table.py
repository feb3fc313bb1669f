"""A comparison on a terminal: by section, worst first, each finding with the command that would mend it."""

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any, Final

from detector.alerts.wording import difference_of, name_of
from detector.cli.output import styled, width
from detector.model.words import SECTIONS

#: Section -> what people call it, with the factor it measures.
TITLES: Final = {
    "dependencies": "Dependencies (II)",
    "backing_services": "Backing services (IV)",
    "config": "Config (III)",
    "codebase": "Codebase (I)",
    "release": "Release (V)",
    "processes": "Processes (VI)",
    "ports": "Ports (VII)",
    "concurrency": "Scale (VIII)",
    "disposability": "Start & stop (IX)",
    "logs": "Logs (XI)",
    "admin": "Admin processes (XII)",
}
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
    left, right = document["left"]["expression"], document["right"]["expression"]
    lines = [styled(f"{_titled(document['left'])} → {_titled(document['right'])}", bold=True), ""]
    services = {item["service"] for item in document["items"]}
    for section in SECTIONS:
        items = [item for item in document["items"] if item["section"] == section]
        told = [item for item in items if item["verdict"] == "drift"]
        rest = [item for item in items if item["verdict"] != "drift"]
        if not items:
            continue
        lines.append(styled(TITLES[section], underline=True))
        for item in told:
            lines += _item_lines(item, left, right, columns, named=len(services) > 1)
        lines += _quiet_lines(rest, columns, named=len(services) > 1)
        lines.append("")
    lines += _cause_lines(document["causes"])
    lines += _unseen_lines(document["coverage"], columns)
    lines += [f"warning: {warning}" for warning in document["warnings"]]
    lines.append(styled(summary_line(document), bold=True))
    return lines


def summary_line(document: Mapping[str, Any]) -> str:
    """Return the counts in one line."""
    summary = document["summary"]
    drift = sum(summary[name] for name in MARKS)
    parts = ", ".join(f"{summary[name]} {name}" for name in MARKS if summary[name])
    said = [f"{drift} drift{'s' * (drift != 1)}" + (f" ({parts})" if parts else "")]
    said += [
        f"{summary[name]} {name.replace('_', ' ')}"
        for name in ("children", "expected", "accepted", "unknown", "in_sync")
        if summary[name]
    ]
    score = summary["score"]
    return " · ".join(said) + (f" · score {score:.2f}" if score is not None else "")


def _titled(state: Mapping[str, Any]) -> str:
    number = state["snapshot"]
    shown = str(state["expression"])
    return shown if number is None or "#" in shown else f"{shown}#{number}"


def _item_lines(item: Mapping[str, Any], left: str, right: str, columns: int, *, named: bool) -> list[str]:
    severity = item["severity"]
    mark = styled(f"{MARKS[severity]} {severity:<{_SEVERITY_WIDTH - 2}}", **COLOURS[severity])
    here = (item["comparison"], item["comparison"]) if item["left"] is None else (left, right)
    text = difference_of(item, *here)
    facts = [
        word for word in (_distance(item), item["cause"] and f"part of {item['cause']}", _age(item)) if word
    ]
    if named:
        where = item["service"] if item["component"] == "main" else f"{item['service']}/{item['component']}"
        text = f"{where}: {text}"
    if facts:
        text += f"  ({', '.join(facts)})"
    indent = " " * (_SEVERITY_WIDTH + 3)
    first, *more = wrap(text, columns - len(indent)) or [""]
    lines = [f"  {mark} {first}", *(indent + line for line in more)]
    if item["remedy"]:
        hint = wrap(item["remedy"], columns - len(indent) - 2, break_on_hyphens=False, break_long_words=False)
        lines += [
            styled(indent + ("↳ " if number == 0 else "  ") + line, dim=True)
            for number, line in enumerate(hint)
        ]
    return lines


def _distance(item: Mapping[str, Any]) -> str | None:
    if item["direction"] == "right_ahead" and item["distance"]:
        return f"{item['distance']}, right is ahead"
    if item["direction"] == "left_ahead" and item["distance"]:
        return f"{item['distance']}, left is ahead"
    return str(item["distance"]) if item["distance"] else None


def _age(item: Mapping[str, Any]) -> str | None:
    return f"since {item['opened_at'][:10]}" if item["opened_at"] else None


def _quiet_lines(items: Sequence[Mapping[str, Any]], columns: int, *, named: bool) -> list[str]:
    """Return one line for all that is expected, and one for each reason of not knowing."""
    groups: dict[str, list[str]] = {}
    for item in items:
        name = f"{item['service']}: {name_of(item['item'])}" if named else name_of(item["item"])
        if item["verdict"] == "unknown":
            sides = (item["left"] or {}, item["right"])
            reason = next((side["unknown"] for side in sides if side.get("unknown")), "not_in_view")
            groups.setdefault(f"? unknown  {reason.replace('_', ' ')}", []).append(name)
        else:
            groups.setdefault(f"  {item['verdict']}", []).append(name)
    lines = []
    for title, names in groups.items():
        text = f"{title}: {', '.join(names)}"
        if len(names) > 6:
            text = f"{title}: {', '.join(names[:5])} and {len(names) - 5} more"
        lines += [styled(f"  {line}", dim=True) for line in wrap(text, columns - 4, subsequent_indent="    ")]
    return lines


def _cause_lines(causes: Sequence[Mapping[str, Any]]) -> list[str]:
    if not causes:
        return []
    return [
        styled("Causes", underline=True),
        *(f"  {cause['id']}  {cause['title']}  explains {cause['children']}" for cause in causes),
        "",
    ]


def blind_line(blind: Mapping[str, Any]) -> str:
    """Return one unseen part: where, what, why."""
    names = [blind["environment"], blind["service"], blind["source"], blind["section"]]
    if blind["environment"] == blind["source"]:
        # Of a file its name is enough.
        names = [blind["environment"], blind["section"]]
    where = " ".join(name for name in names if name != "*")
    item = "" if blind["item"] == "*" else f" {blind['item']}"
    detail = f" ({blind['detail']})" if blind["detail"] else ""
    return f"{where}{item}: {blind['reason'].replace('_', ' ')}{detail}"


def _unseen_lines(coverage: Mapping[str, Any], columns: int) -> list[str]:
    lines: list[str] = []
    for blind in coverage["unseen"]:
        lines += wrap(blind_line(blind), columns - 4, initial_indent="  ? ", subsequent_indent="    ")
    lines += [
        f"  ? {entry['service']} is only in {entry['environment']}: not compared"
        for entry in coverage["unmatched"]
    ]
    if not lines:
        return []
    return [styled("Not seen", underline=True), *lines, ""]
