"""`parity status`: the matrix on a terminal."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from textwrap import wrap
from typing import Any

import click

from detector.cli.output import aligned, config_option, finish, output_option, show_rows, styled, width
from detector.cli.table import COLOURS, MARKS, blind_lines
from detector.engine.acceptance import last_day
from detector.model.clock import print_duration

_HEADER = ("service", "between", "open, worst first", "since", "score", "unknown")
_MOST_BLIND = 12
_MOST_ENDS = 4
_STALE = {"stale": " (stale)", "unknown": " (unknown)"}
_UNVERSIONED = {"stale": "stale", "unknown": "?"}


@click.command()
@config_option
@output_option
def status(config_path: str | None, output: str) -> None:
    """Show services and environments with the worst that is open between them."""
    from detector.cli.asking import asked

    async def ask() -> tuple[dict[str, Any], list[str]]:
        async with asked(config_path) as (reading, now):
            accepted = accepted_lines(await reading.accepted.documents(now=now), now)
            return await reading.overview.matrix(now=now), accepted

    document, accepted = asyncio.run(ask())
    show_rows(document, output, table=lambda found: [*_lines(found), *accepted], rows=_between)
    columns = [column for row in document["rows"] for column in row["comparisons"].values()]
    drifting = sum(column["worst"] is not None for column in columns)
    blind = sum(not column["complete"] for column in columns)
    finish(
        0,
        f"status: {len(document['rows'])} services, {drifting} of {len(columns)} comparisons with open drift"
        + (f", {blind} not all seen" if blind else ""),
    )


def _lines(document: Mapping[str, Any]) -> list[str]:
    environments = [entry["name"] for entry in document["environments"]]
    if not document["rows"]:
        return ["No service was seen yet. Collect once: parity once"]
    table = [["service", *environments]]
    table += [
        [row["service"], *(_cell(row["cells"][name]) for name in environments)] for row in document["rows"]
    ]
    lines = aligned(table)
    lines[0] = styled(lines[0], bold=True)
    columns = [column for row in document["rows"] for column in row["comparisons"].values()]
    styles = [{"bold": True}, *(COLOURS.get(column["worst"] or "", {}) for column in columns)]
    below = aligned(_between(document))
    lines += ["", *(styled(line, **style) for line, style in zip(below, styles, strict=True))]
    lines += _spread_lines(document)
    lines += _held_lines(document)
    coverage = document["coverage"]
    lines += ["", f"{coverage['sources_ok']} of {coverage['sources_expected']} sources seen"]
    blind = blind_lines(coverage["unseen"], width())
    lines += blind[:_MOST_BLIND]
    if len(blind) > _MOST_BLIND:
        lines.append("  and more: parity status -o json")
    return lines


def _spread_lines(document: Mapping[str, Any]) -> list[str]:
    """Return which peers run what, of services that peers run in several versions."""
    lines = []
    for row in document["rows"]:
        for group, versions in row["spread"].items():
            if len(versions) > 1:
                said = "; ".join(f"{one['version']} in {', '.join(one['environments'])}" for one in versions)
                text = f"{row['service']} runs {len(versions)} versions in {group}: {said}"
                lines += wrap(text, width(), subsequent_indent="  ", break_on_hyphens=False)
    return ["", *lines] if lines else []


def _held_lines(document: Mapping[str, Any]) -> list[str]:
    """Return why nobody is told yet of what is open, for each service and comparison of which that is so."""
    lines = []
    for row in document["rows"]:
        for name, column in row["comparisons"].items():
            if column["pending_because"]:
                text = f"{row['service']}, {name.replace('..', ' → ')}: {column['pending_because']}"
                lines += wrap(text, width(), initial_indent="  ◔ ", subsequent_indent="    ")
    return ["", "Alerts wait", *lines] if lines else []


def accepted_lines(acceptances: Sequence[Mapping[str, Any]], now: datetime) -> list[str]:
    """Return how much is accepted and when it ends, soonest first, and what has expired in the files."""
    held: Counter[str] = Counter()
    over = []
    for one in acceptances:
        if one["state"] == "expired":
            over += (
                [f"{one['place']} has expired: take it out, or give it another day"] if one["place"] else []
            )
        elif one["holds_for"]:
            held[one["expires_at"]] += one["holds_for"]
    ends = [(datetime.fromisoformat(at), count) for at, count in sorted(held.items())]
    lines = [
        f"{count} accepted until {last_day(at)} (ends in {print_duration(at - now)})"
        for at, count in ends[:_MOST_ENDS]
    ]
    if len(ends) > _MOST_ENDS:
        lines.append("  and later: parity accept --list")
    return lines + over


def _between(document: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return a header and one row for each service and comparison."""
    return [
        _HEADER,
        *(
            (row["service"], name.replace("..", " → "), *_state(column))
            for row in document["rows"]
            for name, column in row["comparisons"].items()
        ),
    ]


def _cell(cell: Mapping[str, Any]) -> str:
    if cell["freshness"] == "not_deployed":
        return "–"
    if cell["version"] is None:
        return _UNVERSIONED.get(cell["freshness"], "seen")
    return f"{cell['version']}{_STALE.get(cell['freshness'], '')}"


def _state(column: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """Return what is open between two environments: the worst, since when, the score, what is unknown."""
    score = f"{column['score']:.2f}" if column["score"] is not None else ""
    unknown = str(column["unknown"] or "")
    if column["worst"] is None:
        seen = column["complete"] and not column["unknown"]
        state = "✓ in sync" if seen else "? not all seen"
        quiet = [f", {column[name]} {name}" for name in ("accepted", "expected") if column[name]]
        return state + "".join(quiet), "", score, unknown
    counts = [(count, severity) for severity, count in column["summary"].items() if count]
    state = f"{MARKS[column['worst']]} {', '.join(f'{count} {severity}' for count, severity in counts[:2])}"
    if len(counts) > 2:
        state += f", {sum(count for count, _ in counts[2:])} less"
    return state, (column["worst_since"] or "")[:10], score, unknown
