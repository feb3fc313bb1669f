"""A comparison as text for people and sheets: Markdown and CSV, out of ``parity.diff/v1`` alone.

Names in it come from packages, images and labels, which anyone may have written: they are made inert.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import orjson

from detector.alerts.wording import difference_of, name_of
from detector.model.words import SECTIONS, SEVERITIES

#: Section -> what people call it, with the factor that it measures.
TITLES: Final[Mapping[str, str]] = {
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
_COLUMNS: Final = (
    "service", "component", "section", "item", "kind", "comparison", "status", "verdict", "pending",
    "severity", "left", "right", "distance", "direction", "rule", "state", "opened_at", "owner", "remedy",
)  # fmt: skip
#: What a spreadsheet takes for a formula at the start of a cell.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_ESCAPED: Final = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_{}[]<>|#~!"} | {"\n": " ", "\r": " "})


def shown(value: Any) -> str:
    """Return a value of a fact as people read it: a set as a list, a shape of config as its words."""
    match value:
        case None:
            return "none"
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case {"values": dict() as counts}:
            return ", ".join(f"{name} ×{count}" for name, count in sorted(counts.items()))
        case {"type": str() as type_}:
            return ", ".join(_shape_words(type_, value))
        case list():
            return ", ".join(shown(one) for one in value) or "none"
        case dict():
            return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
        case _:
            return str(value)


def _shape_words(type_: str, shape: Mapping[str, Any]) -> Iterable[str]:
    yield shape.get("scheme") or type_
    yield from (str(shape[field]).replace("_", " ") for field in ("host", "source_class") if shape.get(field))
    yield from (field for field in ("credentials", "placeholder", "opaque") if shape.get(field))


def side_shown(side: Mapping[str, Any] | None) -> str:
    """Return one side of an item in a few words: its value, that it is absent, or why it is unknown."""
    if side is None:
        return ""
    if "unknown" in side:
        return f"unknown: {side['unknown'].replace('_', ' ')}"
    if not side["present"]:
        return "absent"
    value = shown(side["value"])
    return f"{name_of(side['item'])} {value}" if side.get("item") else value


def finding_of(item: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    """Return one finding in words, with its service where the comparison has several."""
    left, right = sides_of(item, document)
    text = difference_of(item, left, right)
    return f"{where_of(item)}: {text}" if names_services(document) else text


def sides_of(item: Mapping[str, Any], document: Mapping[str, Any]) -> tuple[str, str]:
    """Return what the sides of an item are called; of a finding of one environment both are that one."""
    if item["left"] is None:
        return item["comparison"], item["comparison"]
    return document["left"]["expression"], document["right"]["expression"]


def names_services(document: Mapping[str, Any]) -> bool:
    """Tell whether a service must be named: files of one service have no name worth saying."""
    of_environments = document["left"]["environment"] is not None
    return of_environments or len({item["service"] for item in document["items"]}) > 1


def where_of(item: Mapping[str, Any]) -> str:
    """Return the service of an item, with its component where that is not the only one."""
    return item["service"] if item["component"] == "main" else f"{item['service']}/{item['component']}"


def without_name(detail: str, name: str) -> str:
    """Return a detail without the name of the file that its line begins with anyway."""
    return detail.removeprefix(f"{name}: ").removeprefix(f"{name.partition(':')[2]}: ")


def why_incomplete(document: Mapping[str, Any]) -> str:
    """Return the first reason for which something was not seen, and how many more there are."""
    unseen = document["coverage"]["unseen"]
    if not unseen:
        count = document["summary"]["unknown"]
        return f"{count} item{'s' * (count != 1)} unknown"
    first = unseen[0]
    more = f" and {len(unseen) - 1} more" if len(unseen) > 1 else ""
    where = f"{first['environment']} {first['section']}".removesuffix(" *")
    detail = f" ({without_name(first['detail'], first['environment'])})" if first["detail"] else ""
    return f"{where} {first['reason'].replace('_', ' ')}{detail}{more}"


def csv_of(document: Mapping[str, Any]) -> str:
    """Return a comparison as CSV (RFC 4180), one line for each item; nothing in it is a formula."""
    rows = (
        {**item, "left": side_shown(item["left"]), "right": side_shown(item["right"])}
        for item in document["items"]
    )
    return csv_table(_COLUMNS, rows)


def csv_table(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Return rows as CSV: every cell quoted, none of them a formula."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row.get(column)) for column in columns])
    return text.getvalue()


def _cell(value: Any) -> str:
    text = "" if value is None else shown(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def markdown_of(document: Mapping[str, Any]) -> str:
    """Return a comparison as Markdown: the counts, a table for each section, and what was not seen."""
    left, right = (inert(document[side]["expression"]) for side in ("left", "right"))
    lines = [f"# {left} → {right}", "", _counts(document), ""]
    for section in SECTIONS:
        items = [item for item in document["items"] if item["section"] == section]
        if items:
            lines += [f"## {TITLES[section]}", "", f"| | service | item | {left} | {right} | remedy |"]
            lines += ["|---|---|---|---|---|---|", *map(_row, items), ""]
    unseen = document["coverage"]["unseen"]
    if unseen:
        lines += ["## Not seen", ""]
        for blind in unseen:
            where = f"{blind['environment']} · {blind['service']} · {blind['source']} · {blind['section']}"
            why = blind["reason"].replace("_", " ") + (f" ({blind['detail']})" if blind["detail"] else "")
            lines.append(f"- {inert(where)}: {inert(why)}")
        lines.append("")
    return "\n".join(lines)


def markdown_table(rows: Iterable[Sequence[str]]) -> str:
    """Return rows, the first of them the header, as a table in Markdown."""
    header, *rest = [f"| {' | '.join(inert(cell) for cell in row)} |" for row in rows]
    return "\n".join([header, f"|{'---|' * (header.count(' | ') + 1)}", *rest, ""])


def _counts(document: Mapping[str, Any]) -> str:
    summary = document["summary"]
    parts = [f"{summary[name]} {name}" for name in reversed(SEVERITIES) if summary[name]]
    said = [", ".join(parts) or "no drift"]
    said += [f"{summary[name]} {name}" for name in ("expected", "accepted", "unknown") if summary[name]]
    if summary["score"] is not None:
        said.append(f"score {summary['score']:.2f}")
    if not document["complete"]:
        said.append("not everything was seen")
    return " · ".join(said)


def _row(item: Mapping[str, Any]) -> str:
    verdict = item["severity"] if item["verdict"] == "drift" else item["verdict"]
    if item["pending_because"]:
        verdict += f" ({item['pending_because']})"
    where = item["service"] if item["component"] == "main" else f"{item['service']}/{item['component']}"
    cells = (verdict, where, name_of(item["item"]), side_shown(item["left"]), side_shown(item["right"]))
    return f"| {' | '.join(inert(cell) for cell in (*cells, item['remedy'] or ''))} |"


def inert(text: str) -> str:
    """Return a text of a stranger as Markdown that is nothing but text."""
    return "".join(mark for mark in text.translate(_ESCAPED) if mark.isprintable())
