"""`parity search ITEM [VERSION]`: which services run it."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import click

from detector.cli.output import (
    CANNOT_TELL,
    PARITY,
    aligned,
    config_option,
    finish,
    incomplete_option,
    output_option,
    show_rows,
    styled,
    width,
)
from detector.errors import UsageError
from detector.model.expressions import Ago, AsOf, parse
from detector.queries.rendering import shown

Rows = Sequence[tuple[str, ...]]

_HEADER = ("service", "environment", "value", "from", "item")


def _time(_ctx: click.Context, _param: click.Parameter, text: str | None) -> AsOf | Ago | None:
    if text is None:
        return None
    try:
        found = parse(f"it@{{{text}}}")
    except UsageError:
        found = None
    if not isinstance(found, AsOf | Ago):
        raise click.BadParameter("a time such as 2026-11-01T00:00Z, or 3.days.ago")
    return found


@click.command()
@click.argument("item")
@click.argument("version", required=False)
@click.option("--environment", "environments", multiple=True, help="Only this environment; repeatable.")
@click.option("--as-of", metavar="TIME", callback=_time, help="As it was: 2026-11-01T00:00Z, or 3.days.ago.")
@incomplete_option
@config_option
@output_option
def search(
    item: str,
    version: str | None,
    environments: tuple[str, ...],
    as_of: AsOf | Ago | None,
    allow_incomplete: bool,
    config_path: str | None,
    output: str,
) -> None:
    """Say which services run ITEM, in the versions of a range, and of which nobody can tell.

    \b
    parity search django '<4.2.27'
    parity search pkg:npm/%40babel/core '>=7.20,<7.24'
    parity search runtime#python --as-of 2026-11-01T00:00Z
    """
    from detector.cli.asking import asked

    async def ask() -> dict[str, Any]:
        async with asked(config_path) as (reading, now):
            at = as_of.at if isinstance(as_of, AsOf) else now - as_of.delta if as_of is not None else None
            return await reading.search.search(item, version, now=now, as_of=at, environments=environments)

    document = asyncio.run(ask())
    show_rows(document, output, table=_table, rows=_rows)
    finish(*_answer(document, allow_incomplete=allow_incomplete))


def _rows(document: Mapping[str, Any]) -> Rows:
    return [_HEADER, *(_row(row) for row in (*document["items"], *document["unordered"]))]


def _row(row: Mapping[str, Any]) -> tuple[str, ...]:
    component = "" if row["component"] == "main" else f"/{row['component']}"
    return (
        f"{row['service']}{component}",
        row["environment"],
        shown(row["value"]),
        f"{row['source']} ({row['basis']})",
        row["item"],
    )


def _table(document: Mapping[str, Any]) -> list[str]:
    lines: list[str] = []
    several = len(document["meant"]) > 1
    for rows, title in ((document["items"], ""), (document["unordered"], "without a place in the order:")):
        if not rows:
            continue
        if title:
            lines += ["", styled(title, bold=True)]
        cells = [_HEADER, *(_row(row) for row in rows)]
        table = aligned([row if several else row[:-1] for row in cells])
        lines += [styled(table[0], bold=True), *table[1:]]
    return [*(line[: width()] for line in lines), *_blind_lines(document["unknown"])]


def _blind_lines(unknown: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return why nobody can tell, each reason once with all whom it is about."""
    from textwrap import wrap

    reasons: dict[str, list[str]] = {}
    for row in unknown:
        why = row["detail"] or row["reason"].replace("_", " ")
        last = f" (last {shown(row['last'])})" if row["last"] is not None else ""
        reasons.setdefault(why, []).append(f"{row['service']} {row['environment']}{last}")
    lines = []
    for why, whom in reasons.items():
        lines += ["", f"? {styled(why, fg='yellow')}"]
        lines += wrap(
            ", ".join(dict.fromkeys(whom)),
            max(width() - 2, 24),
            initial_indent="  ",
            subsequent_indent="  ",
            break_on_hyphens=False,
        )
    return lines


def _answer(document: Mapping[str, Any], *, allow_incomplete: bool) -> tuple[int, str]:
    running = {row["service"] for row in document["items"]}
    what = " ".join(filter(None, (document["item"], document["version"])))
    many = f"{len(running)} service{'s' * (len(running) != 1)}" if running else "no service that was seen"
    text = f"search: {many} run{'s' * (len(running) < 2)} {what}"
    blind = {(row["service"], row["environment"]) for row in (*document["unknown"], *document["unordered"])}
    if not blind:
        return PARITY, text
    text += f"; of {len(blind)} nobody can tell"
    return (PARITY if allow_incomplete else CANNOT_TELL), text
