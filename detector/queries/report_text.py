"""A report as text: Markdown and CSV, out of ``parity.report/v1`` alone."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from detector.alerts.wording import name_of
from detector.model.clock import print_duration
from detector.queries.rendering import csv_of, csv_table, inert, markdown_of, markdown_table, side_shown

_FACTOR_COLUMNS: Final = (
    "left", "right", "factor", "name", "measured", "left_measured", "right_measured", "critical", "high",
    "medium", "low", "info", "expected", "accepted", "unknown", "would_measure",
)  # fmt: skip
#: Items that a line names.
_MOST: Final = 3


def measured_shown(seen: Mapping[str, Any]) -> str:
    """Return how much was seen in one environment: in words, and of how many where it was not all.

    What is not measured any more, for nobody looked again, is stale.
    """
    stale = "stale" in seen["reasons"]
    if seen["measured"] == "partly":
        many = f" {seen['seen']}/{seen['of']}" if seen["seen"] < seen["of"] else ""
        return f"partly{many}{', stale' * stale}"
    if seen["measured"] == "not_measured" and stale:
        return "stale"
    return str(seen["measured"]).replace("_", " ")


def drift_shown(drift: Mapping[str, int]) -> str:
    """Return counts of drift, worst first."""
    return ", ".join(f"{count} {severity}" for severity, count in drift.items()) or "–"


def span_shown(seconds: float | None) -> str:
    """Return a duration of a document in its largest unit."""
    return "–" if seconds is None else print_duration(timedelta(seconds=seconds))


def gap_lines(gaps: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return each of the three gaps in one sentence."""
    return [
        ("Time", _time(gaps["time"])),
        ("Tools", _tools(gaps["tools"])),
        ("Personnel", _personnel(gaps["personnel"])),
    ]


def _time(gap: Mapping[str, Any]) -> str:
    said = "unknown: no version was seen to arrive"
    if gap["timed"]:
        said = (
            f"{span_shown(gap['median_seconds'])} in the median, {span_shown(gap['p90_seconds'])} for 90 of"
            f" 100, over {gap['timed']} arrival{'s' * (gap['timed'] != 1)}"
        )
    if gap["overtaken"]:
        said += f"; {gap['overtaken']} overtaken"
    oldest = gap["oldest"]
    if oldest is None:
        return f"{said}; nothing waits"
    least = "" if oldest["exact"] else "at least "
    return (
        f"{said}; oldest wait {least}{span_shown(oldest['seconds'])}: {oldest['service']} {oldest['version']}"
    )


def _tools(gap: Mapping[str, Any]) -> str:
    if not gap["same"] and not gap["differ"] and not gap["unknown"]:
        return "unknown: no server, runtime or system was seen on both sides"
    said = [f"{gap['same']} same"]
    if gap["differ"]:
        names = [
            f"{one['service']} {name_of(one['item'])} {side_shown(one['left'])} → {side_shown(one['right'])}"
            for one in gap["differ"]
        ]
        more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
        said.append(f"{len(names)} differ: {', '.join(names[:_MOST])}{more}")
    if gap["unknown"]:
        said.append(f"{gap['unknown']} unknown")
    return "; ".join(said)


def _personnel(gap: Mapping[str, Any]) -> str:
    if not gap["deployments"]:
        return "unknown: no deployment was announced"
    if not gap["known"]:
        return f"unknown: of {gap['deployments']} deployments nobody says both who deployed and who wrote"
    rest = gap["deployments"] - gap["known"]
    unknown = f"; {rest} unknown" if rest else ""
    return f"{gap['by_author']} of {gap['known']} deployments by an author of the commit{unknown}"


def sides_of(comparison: Mapping[str, Any]) -> tuple[str, str]:
    """Return what both sides are called."""
    return comparison["left"]["expression"], comparison["right"]["expression"]


def factor_table(comparison: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return a header and one row for each factor."""
    left, right = sides_of(comparison)
    return [
        ("", "factor", left, right, "drift", "worst", "would measure it"),
        *(
            (
                row["factor"],
                row["name"],
                *(measured_shown(seen) for seen in row["environments"]),
                drift_shown(row["drift"]),
                f"{row['items'][0]['service']}: {name_of(row['items'][0]['item'])}" if row["items"] else "–",
                ", ".join(row["would_measure"]) or "–",
            )
            for row in comparison["factors"]
        ),
    ]


def report_markdown(document: Mapping[str, Any], *, factors: bool) -> str:
    """Return a report as Markdown; with ``factors`` without the findings one by one."""
    parts: list[str] = []
    for comparison in document["comparisons"]:
        left, right = (inert(side) for side in sides_of(comparison))
        parts += [f"# {left} → {right} by the twelve factors", "", markdown_table(factor_table(comparison))]
        parts += ["## The three gaps", ""]
        parts += [f"- **{name}**: {inert(text)}" for name, text in gap_lines(comparison["gaps"])]
        if comparison["cannot_see"]:
            parts += ["", "## What nobody could see", ""]
            parts += [
                f"- `{one['collector']}`: {inert('; '.join(one['parts']))}"
                for one in comparison["cannot_see"]
            ]
        parts.append("")
        if not factors:
            parts.append(markdown_of(comparison))
    return "\n".join(parts)


def report_csv(document: Mapping[str, Any], *, factors: bool) -> str:
    """Return a report as CSV: a line for each finding, or with ``factors`` one for each factor."""
    if factors:
        return csv_table(_FACTOR_COLUMNS, _factor_rows(document))
    tables = [csv_of(comparison) for comparison in document["comparisons"]]
    return "".join(tables[:1]) + "".join(table.partition("\r\n")[2] for table in tables[1:])


def _factor_rows(document: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    for comparison in document["comparisons"]:
        left, right = sides_of(comparison)
        for row in comparison["factors"]:
            ours, theirs = row["environments"]
            yield {
                **row,
                **row["drift"],
                "left": left,
                "right": right,
                "left_measured": measured_shown(ours),
                "right_measured": measured_shown(theirs),
                "would_measure": _joined(row["would_measure"]),
            }


def _joined(names: Sequence[str]) -> str:
    return " ".join(names)
