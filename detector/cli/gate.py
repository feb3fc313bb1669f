"""`parity gate`: one answer for a pipeline."""

import asyncio
from collections.abc import Mapping
from textwrap import wrap
from typing import Any

import click

from detector.cli.output import (
    config_option,
    fail_on_option,
    finish,
    incomplete_option,
    output_option,
    show,
    styled,
    width,
)
from detector.cli.table import comparison_lines
from detector.errors import UsageError
from detector.model.words import Severity
from detector.queries.rendering import csv_of, markdown_of


@click.command()
@fail_on_option("high")
@incomplete_option
@click.option(
    "--promote",
    metavar="ENV|IMAGE",
    help="Judge what would be after this environment's releases, or this image, were promoted.",
)
@click.option("--to", metavar="ENV", help="Where to (with --promote); default: where its comparisons lead.")
@config_option
@output_option
def gate(
    fail_on: Severity,
    allow_incomplete: bool,
    promote: str | None,
    to: str | None,
    config_path: str | None,
    output: str,
) -> None:
    """Compare every pair marked `gate: true`, else those into production, and answer 0, 1 or 3.

    A key that a leading release needs and production lacks counts as drift here. While a roll-out is under
    way, the drift that it may bring is no answer yet: 3.

    \b
    parity gate
    parity gate --promote staging
    parity gate --promote acme/checkout:1.5 --to prod
    """
    from detector.cli.asking import asked

    if to is not None and promote is None:
        raise UsageError("--to says where --promote leads: give --promote as well")

    async def ask() -> dict[str, Any]:
        async with asked(config_path) as (reading, now):
            if promote is None:
                return await reading.gate.standing(
                    fail_on=fail_on, allow_incomplete=allow_incomplete, now=now
                )
            return await reading.gate.promoting(
                promote, to=to, fail_on=fail_on, allow_incomplete=allow_incomplete, now=now
            )

    document = asyncio.run(ask())
    show(document, output, table=_lines, markdown=_markdown, csv=_csv)
    finish(document["exit_code"], f"gate: {document['reason']}")


def _lines(document: Mapping[str, Any]) -> list[str]:
    lines = _sentences(document)
    for comparison in document["comparisons"]:
        lines += ["", *comparison_lines(comparison)]
    return lines[1:] if not _sentences(document) else lines


def _sentences(document: Mapping[str, Any]) -> list[str]:
    """Return what stands against each service, and what each missing key and migration asks for."""
    lines = []
    for service in document.get("services", ()):
        lines += [
            styled(line, bold=True) for line in wrap(service["sentence"], width(), subsequent_indent="  ")
        ]
        for item in (*service["missing"], *service["migrations"]):
            if item["remedy"]:
                lines += wrap(item["remedy"], width(), initial_indent="  ↳ ", subsequent_indent="    ")
    return lines


def _markdown(document: Mapping[str, Any]) -> str:
    sentences = "".join(f"- {service['sentence']}\n" for service in document.get("services", ()))
    return "\n".join([*([sentences] if sentences else []), *map(markdown_of, document["comparisons"])])


def _csv(document: Mapping[str, Any]) -> str:
    """Return every comparison below one header: each line names its comparison."""
    first, *more = (csv_of(comparison) for comparison in document["comparisons"])
    return first + "".join(table.partition("\r\n")[2] for table in more)
