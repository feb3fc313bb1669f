"""`parity status`: the matrix on a terminal."""

import asyncio
from collections.abc import Mapping
from typing import Any

import click

from detector.cli.output import finish, output_option, show, styled
from detector.cli.table import COLOURS, MARKS, blind_line

_STALE = {"stale": " (stale)", "unknown": " (unknown)"}


@click.command()
@click.option("--config", "config_path", metavar="FILE", help="parity.yml.")
@output_option
def status(config_path: str | None, output: str) -> None:
    """Show services and environments with the worst that is open between them."""
    from detector.cli.asking import asked

    async def ask() -> dict[str, Any]:
        async with asked(config_path) as (reading, now):
            return await reading.overview.matrix(now=now)

    document = asyncio.run(ask())
    show(document, output, table=_lines)
    worst = [
        column["worst"]
        for row in document["rows"]
        for column in row["comparisons"].values()
        if column["worst"]
    ]
    finish(0, f"status: {len(document['rows'])} services, {len(worst)} comparisons with open drift")


def _lines(document: Mapping[str, Any]) -> list[str]:
    environments = [entry["name"] for entry in document["environments"]]
    if not document["rows"]:
        return ["No service was seen yet. Collect once: parity once"]
    rows = [["service", *environments]]
    rows += [
        [row["service"], *(_cell(row["cells"][name]) for name in environments)] for row in document["rows"]
    ]
    widths = [max(len(row[number]) for row in rows) for number in range(len(rows[0]))]
    lines = [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    lines[0] = styled(lines[0], bold=True)
    lines.append("")
    for row in document["rows"]:
        for name, column in row["comparisons"].items():
            lines.append(_column(row["service"], name, column))
    coverage = document["coverage"]
    lines += ["", f"{coverage['sources_ok']} of {coverage['sources_expected']} sources seen"]
    lines += [f"  ? {blind_line(blind)}" for blind in coverage["unseen"][:10]]
    if len(coverage["unseen"]) > 10:
        lines.append(f"  and {len(coverage['unseen']) - 10} more: parity status -o json")
    return lines


def _cell(cell: Mapping[str, Any]) -> str:
    if cell["freshness"] == "not_deployed":
        return "–"
    return f"{cell['version'] or 'seen'}{_STALE.get(cell['freshness'], '')}"


def _column(service: str, name: str, column: Mapping[str, Any]) -> str:
    if column["worst"] is None:
        state = "? unknown parts" if column["unknown"] or not column["complete"] else "✓ in sync"
        if column["expected"]:
            state += f", {column['expected']} expected"
        return f"  {service}  {name}  {state}"
    counts = ", ".join(f"{count} {severity}" for severity, count in column["summary"].items())
    since = f" since {column['worst_since'][:16].replace('T', ' ')}" if column["worst_since"] else ""
    mark = styled(f"{MARKS[column['worst']]} {counts}", **COLOURS[column["worst"]])
    unknown = f", {column['unknown']} unknown" if column["unknown"] else ""
    score = f"  score {column['score']:.2f}" if column["score"] is not None else ""
    return f"  {service}  {name}  {mark}{since}{unknown}{score}"
