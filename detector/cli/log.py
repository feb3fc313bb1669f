"""`parity log`: what happened, and since when."""

import asyncio
from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

import click

from detector.cli.output import aligned, config_option, finish, output_option, show_rows, styled, width
from detector.errors import UsageError
from detector.queries.rendering import shown

Rows = Sequence[tuple[str, ...]]

_NO_DRIFT = "No drift was ever recorded. Collect and compare once: parity once"
_NO_HISTORY = (
    "Nothing was ever seen of this item; its name is the one of parity diff -o json: pkg:pypi/django"
)


@click.command()
@click.option("--item", help="The history of one item, such as pkg:pypi/django.")
@click.option("--service", help="Only this service.")
@click.option("--environment", help="Only this environment (with --item).")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="Lines at most.")
@config_option
@output_option
def log(
    item: str | None,
    service: str | None,
    environment: str | None,
    limit: int,
    config_path: str | None,
    output: str,
) -> None:
    """Show the newest drifts and how they stand, or every value that one item ever had."""
    from detector.cli.asking import asked
    from detector.queries.names import require_services

    if item is not None and service is None:
        raise UsageError("the history of an item needs its service: parity log --service S --item I")
    if environment is not None and item is None:
        raise UsageError("--environment narrows the history of one item: give --item as well")

    async def ask() -> dict[str, Any]:
        async with asked(config_path) as (reading, _):
            if environment is not None:
                reading.settings.config.environment(environment)
            await require_services(reading.store, reading.settings.policy, [service] if service else [])
            if item is not None and service is not None:
                rows = await reading.store.history(
                    service=service, item=item, environment=environment, limit=limit
                )
                return {
                    "items": [
                        {"environment": where, "component": component, "section": section, **row.document()}
                        for where, component, section, row in rows
                    ]
                }
            drifts = await reading.store.register(service=service, limit=limit)
            return {"items": [drift.document() for drift in drifts]}

    document = asyncio.run(ask())
    rows, empty = (_drifts, _NO_DRIFT) if item is None else (_history, _NO_HISTORY)
    show_rows(document, output, table=lambda found: _table(rows(found), empty), rows=rows)
    count = len(document["items"])
    finish(0, f"log: {count} entr{'y' if count == 1 else 'ies'}")


def _history(document: Mapping[str, Any]) -> Rows:
    return [
        ("from", "until", "environment", "value"),
        *(
            (
                _minute(row["opened"]),
                _minute(row["closed"]) or "now",
                row["environment"],
                _short(row["value"]),
            )
            for row in document["items"]
        ),
    ]


def _drifts(document: Mapping[str, Any]) -> Rows:
    from detector.alerts.wording import difference_of

    rows = [("since", "state", "severity", "where", "what")]
    for row in document["items"]:
        left, _, right = row["comparison"].partition("..")
        text = f"{row['service']}: {difference_of(row, left, right or left)}"
        rows.append((_minute(row["opened_at"]), row["state"], row["severity"], row["comparison"], text))
    return rows


def _table(rows: Rows, empty: str) -> list[str]:
    """Return rows below their header; where the terminal is narrow the last cell goes on below itself."""
    if len(rows) == 1:
        return [empty]
    heads = aligned([row[:-1] for row in rows])
    indent = max(len(head) for head in heads) + 2
    room = max(width() - indent, 24)
    lines = []
    for head, row in zip(heads, rows, strict=True):
        first, *more = wrap(row[-1], room, break_on_hyphens=False) or [""]
        lines += [f"{head:<{indent}}{first}", *(" " * (indent + 2) + line for line in more)]
    lines[0] = styled(lines[0], bold=True)
    return lines


def _minute(time: str | None) -> str:
    return time[:16].replace("T", " ") if time else ""


def _short(value: object) -> str:
    text = shown(value)
    return text if len(text) <= 60 else text[:59] + "…"
