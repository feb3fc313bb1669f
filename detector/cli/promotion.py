"""`parity promotion`: how long versions take from environment to environment."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import click

from detector.cli.output import aligned, config_option, finish, output_option, show, styled, width
from detector.errors import UsageError
from detector.model.clock import duration, print_duration

Rows = Sequence[tuple[str, ...]]

_NOTHING = "No version was seen in any environment yet. Collect once: parity once"
_NO_ITEM = "No version of this item was seen in that time"
_HEADER = ("service", "hop", "arrived", "median", "p90", "overtaken", "back", "waiting now")
_CSV = (
    *("service", "section", "item", "left", "right", "arrived", "median_seconds", "p90_seconds"),
    *("overtaken", "withdrawn", "direct", "rolled_back"),
    *("waiting_version", "waiting_versions", "waiting_seconds", "waiting_at_least"),
)


def _span(_ctx: click.Context, _param: click.Parameter, text: str | None) -> timedelta | None:
    if text is None:
        return None
    try:
        return duration(text)
    except UsageError as error:
        raise click.BadParameter(str(error)) from None


@click.command()
@click.option("--service", help="Only this service, with each of its versions.")
@click.option("--item", help="The way of one item, as urllib3 or pkg:pypi/urllib3, not of the release.")
@click.option(
    "--since",
    "back",
    callback=_span,
    metavar="DURATION",
    help="Count what arrived in this time, as in 30d; default: ever.",
)
@config_option
@output_option
def promotion(
    service: str | None, item: str | None, back: timedelta | None, config_path: str | None, output: str
) -> None:
    """Show how long versions take from one environment to the next, and what still waits.

    \b
    parity promotion --since 30d
    parity promotion --service checkout
    parity promotion --item pkg:pypi/django
    """
    from detector.cli.asking import asked

    async def ask() -> dict[str, Any]:
        async with asked(config_path) as (reading, now):
            return await reading.promotions.promotion(now=now, service=service, item=item, back=back)

    document = asyncio.run(ask())
    show(
        document,
        output,
        table=lambda found: _table(found, one=service is not None, empty=_NO_ITEM if item else _NOTHING),
        markdown=_markdown,
        csv=_csv,
    )
    finish(0, _reason(document))


def _reason(document: Mapping[str, Any]) -> str:
    hops = [(way, hop) for way in document["items"] for hop in way["hops"]]
    waiting = [(way, hop) for way, hop in hops if hop["waiting"]]
    if not waiting:
        return f"promotion: {len(hops)} hops, nothing waits"
    way, hop = max(waiting, key=lambda one: one[1]["waiting"]["seconds"])
    oldest = hop["waiting"]
    return (
        f"promotion: {len(waiting)} of {len(hops)} hops wait, longest "
        f"{way['service']} {oldest['version']} for {hop['right']}: {_age(oldest)}"
    )


def _table(document: Mapping[str, Any], *, one: bool, empty: str) -> list[str]:
    if not document["items"]:
        return [empty]
    lines = _cut(aligned(_hops(document)))
    if one:
        for way in document["items"]:
            lines += ["", *_cut(aligned(_versions(way)))]
    return lines


def _cut(lines: list[str]) -> list[str]:
    """Return lines no wider than the terminal, the first of them as a header."""
    room = width()
    kept = [line if len(line) <= room else line[: room - 1] + "…" for line in lines]
    return [styled(kept[0], bold=True), *kept[1:]]


def _hops(document: Mapping[str, Any]) -> Rows:
    """Return a header and one row for each hop."""
    return [
        _HEADER,
        *(
            (
                way["service"],
                f"{hop['left']} → {hop['right']}",
                str(hop["arrived"]),
                _span_of(hop["median_seconds"]),
                _span_of(hop["p90_seconds"]),
                str(hop["overtaken"]),
                str(hop["rolled_back"]),
                _waiting(hop["waiting"]),
            )
            for way in document["items"]
            for hop in way["hops"]
        ),
    ]


def _markdown(document: Mapping[str, Any]) -> str:
    from detector.queries.rendering import markdown_table

    return markdown_table(_hops(document))


def _csv(document: Mapping[str, Any]) -> str:
    """Return one line for each hop, for machines: seconds as numbers, nothing where there is nothing."""
    from detector.queries.rendering import csv_table

    rows = []
    for way in document["items"]:
        for hop in way["hops"]:
            waiting = hop["waiting"] or {}
            clock = {f"waiting_{name}": waiting.get(name) for name in ("version", "versions", "seconds")}
            bound = {"waiting_at_least": not waiting["exact"]} if waiting else {}
            rows.append({**way, **hop, **clock, **bound})
    return csv_table(_CSV, rows)


def _versions(way: Mapping[str, Any]) -> Rows:
    """Return when each version was first seen, and how much later each environment had it."""
    environments = way["environments"]
    rows = [(way["item"], "first seen", *environments)]
    for row in way["versions"]:
        ended = {hop.rpartition("..")[2]: step for hop, step in row["hops"].items()}
        cells = [_cell(row["since"], row["first_seen"].get(name), ended.get(name)) for name in environments]
        known = any(one["exact"] for one in row["first_seen"].values() if one["at"] == row["since"])
        rows.append((row["version"], f"{'' if known else '≤'}{_minute(row['since'])}", *cells))
    return rows


def _cell(first: str, seen: Mapping[str, Any] | None, step: Mapping[str, Any] | None) -> str:
    """Return one version in one environment; what runs there now is marked."""
    match seen, step:
        case {"at": str() as at, "exact": exact, "current": current}, _:
            later = datetime.fromisoformat(at) - datetime.fromisoformat(first)
            text = f"+{print_duration(later)}" if later else "first"
            return f"{text if exact else 'had it'}{' •' if current else ''}"
        case _, {"outcome": "overtaken", "by": by}:
            return f"in {by}"
        case _, {"outcome": "waiting" | "withdrawn" as outcome}:
            return str(outcome)
        case _:
            return "–"


def _waiting(waiting: Mapping[str, Any] | None) -> str:
    if waiting is None:
        return "–"
    more = f" +{waiting['versions'] - 1}" if waiting["versions"] > 1 else ""
    back = ", back" if waiting["taken_back"] else ""
    return f"{waiting['version']}{more} {_age(waiting)}{back}"


def _age(waiting: Mapping[str, Any]) -> str:
    """Return how long the clock runs; of what was there when the watch began at least that long."""
    return f"{'' if waiting['exact'] else '≥'}{_span_of(waiting['seconds'])}"


def _minute(time: str) -> str:
    return time[:16].replace("T", " ")


def _span_of(seconds: float | None) -> str:
    return "–" if seconds is None else print_duration(timedelta(seconds=seconds))
