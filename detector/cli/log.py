"""`parity log`: what happened, and since when."""

import asyncio
from collections.abc import Mapping
from typing import Any

import click

from detector.cli.output import finish, output_option, show
from detector.errors import UsageError


@click.command()
@click.option("--item", help="The history of one item, such as pkg:pypi/django.")
@click.option("--service", help="Only this service.")
@click.option("--environment", help="Only this environment (with --item).")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="Lines at most.")
@click.option("--config", "config_path", metavar="FILE", help="parity.yml.")
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

    if item is not None and service is None:
        raise UsageError("the history of an item needs its service: parity log --service S --item I")

    async def ask() -> dict[str, Any]:
        async with asked(config_path) as (reading, _):
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
    show(document, output, table=_history if item is not None else _drifts)
    finish(0, f"log: {len(document['items'])} entries")


def _history(document: Mapping[str, Any]) -> list[str]:
    return [
        f"{row['opened'][:19]}  {row['environment']:<12} {_short(row['value'])}"
        + ("" if row["closed"] is None else f"  until {row['closed'][:19]}")
        for row in document["items"]
    ]


def _drifts(document: Mapping[str, Any]) -> list[str]:
    from detector.alerts.wording import difference_of

    lines = []
    for row in document["items"]:
        left, _, right = row["comparison"].partition("..")
        text = difference_of(row, left, right or left)
        lines.append(
            f"{row['opened_at'][:19]}  {row['state']:<9} {row['severity']:<8} {row['comparison']}  "
            f"{row['service']}: {text}"
        )
    return lines


def _short(value: object) -> str:
    text = value if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:59] + "…"
