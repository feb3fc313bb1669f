"""`parity diff A B`: one comparison, with no server and no config where both are files."""

from collections.abc import Mapping
from typing import Any

import click

from detector.cli.output import (
    config_option,
    fail_on_option,
    finish,
    incomplete_option,
    output_option,
    show,
)
from detector.errors import UsageError, did_you_mean
from detector.model.expressions import Expression, Locator, StandardInput, both_of, parse
from detector.model.words import TIERS, Severity, Tier

#: Short names of tiers that `--as` takes beside the full ones.
_TIER_NAMES: dict[str, Tier] = {
    **{tier: tier for tier in TIERS},
    "prod": "production",
    "stage": "staging",
    "dev": "development",
}


def _tiers(_ctx: click.Context, _param: click.Parameter, text: str | None) -> tuple[Tier, Tier] | None:
    if text is None:
        return None
    words = text.split(",")
    if len(words) != 2:
        raise click.BadParameter("give two tiers, as in --as staging,prod")
    for word in words:
        if word not in _TIER_NAMES:
            raise click.BadParameter(f"no tier {word}{did_you_mean(word, list(_TIER_NAMES))}")
    return _TIER_NAMES[words[0]], _TIER_NAMES[words[1]]


tiers_option = click.option(
    "--as", "tiers", callback=_tiers, metavar="TIER,TIER", help="Tiers of both, as in staging,prod."
)


@click.command()
@click.argument("left")
@click.argument("right", required=False)
@tiers_option
@fail_on_option("low")
@incomplete_option
@click.option("--all", "everything", is_flag=True, help="Show items in sync as well.")
@click.option("--service", "services", multiple=True, help="Only this service (repeatable).")
@config_option
@output_option
def diff(
    left: str,
    right: str | None,
    tiers: tuple[Tier, Tier] | None,
    fail_on: Severity,
    allow_incomplete: bool,
    everything: bool,
    services: tuple[str, ...],
    config_path: str | None,
    output: str,
) -> None:
    """Compare two expressions: files, containers, environments, snapshots, or - for standard input.

    \b
    parity diff .env.staging .env.prod
    parity diff uv.lock docker:checkout
    heroku config --json | parity diff .env -
    parity diff prod@{2.days.ago} prod
    parity diff prod#12..prod#15
    """
    from detector.cli.table import comparison_lines
    from detector.queries.answering import answer_of

    ours, theirs = both_of(left) if right is None else (parse(left), parse(right))
    document = _document(
        ours, theirs, tiers=tiers, services=services, config_path=config_path, everything=everything
    )
    show(document, output, table=comparison_lines, markdown=_markdown, csv=_csv)
    finish(*answer_of(document, fail_on=fail_on, allow_incomplete=allow_incomplete))


def _document(
    ours: Expression,
    theirs: Expression,
    *,
    tiers: tuple[Tier, Tier] | None,
    services: tuple[str, ...],
    config_path: str | None,
    everything: bool,
) -> dict[str, Any]:
    if isinstance(ours, Locator | StandardInput) and isinstance(theirs, Locator | StandardInput):
        return _of_files(ours, theirs, tiers, services, everything=everything)
    if isinstance(ours, Locator | StandardInput) or isinstance(theirs, Locator | StandardInput):
        raise UsageError(
            "a file is compared with a file: write snapshot:FILE made by parity snapshot ENV --format json"
        )
    import asyncio

    if tiers is not None:
        raise UsageError("--as is for files: the tier of an environment stands in parity.yml")
    from detector.cli.asking import asked
    from detector.queries.names import require_services

    async def ask() -> dict[str, Any]:
        async with asked(config_path) as (reading, now):
            await require_services(reading.store, reading.settings.policy, services)
            found = await reading.comparisons.compare(ours, theirs, now=now, services=services or None)
            return found.document(everything=everything)

    return asyncio.run(ask())


def _of_files(
    ours: Locator | StandardInput,
    theirs: Locator | StandardInput,
    tiers: tuple[Tier, Tier] | None,
    services: tuple[str, ...],
    *,
    everything: bool,
) -> dict[str, Any]:
    from datetime import UTC, datetime

    from detector.cli.locators import both_files, only
    from detector.queries.files import compare_files

    left, right = only(*both_files(ours, theirs, tiers), services)
    return compare_files(left, right, now=datetime.now(UTC)).document(everything=everything)


def _markdown(document: Mapping[str, Any]) -> str:
    from detector.queries.rendering import markdown_of

    return markdown_of(document)


def _csv(document: Mapping[str, Any]) -> str:
    from detector.queries.rendering import csv_of

    return csv_of(document)
