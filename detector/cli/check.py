"""`parity check`: is parity.yml right, and with `--online`, can everything be reached?"""

import asyncio
import logging

import click

from detector.cli.output import ERROR, config_option, finish, say
from detector.config.records import Config


@click.command()
@click.option("--online", is_flag=True, help="Run every source once, storing nothing.")
@config_option
def check(online: bool, config_path: str | None) -> None:
    """Validate the configuration: every problem at once, each with file, line and column.

    Where something was collected before, it says how many open drifts each rule hides.
    """
    from detector.cli.asking import configuration

    config = configuration(config_path)
    for warning in config.warnings:
        click.echo(f"warning: {warning}", err=True)
    say(
        f"{config.path}: {len(config.environments)} environments, {len(config.services)} services, "
        f"{len(config.sources)} sources, {len(config.comparisons)} comparisons, {len(config.rules)} rules"
    )
    if config.rules:
        asyncio.run(_preview(config))
    if not online:
        finish(0, "check: the configuration is right")
    from detector.cli.trying import tried
    from detector.logging import configure

    configure(level=logging.WARNING)
    failed = asyncio.run(tried(config))
    if failed:
        finish(ERROR, f"check: {failed} of {len(config.sources)} sources cannot be seen")
    finish(0, "check: every source can be seen")


async def _preview(config: Config) -> None:
    """Say what each rule of the file hides now; without a store that cannot be told."""
    from datetime import UTC, datetime

    from detector.assembly import reading
    from detector.errors import StoreError
    from detector.queries.previewing import sentence_of

    try:
        async with reading(config) as here:
            for rule in await here.previews.rules(now=datetime.now(UTC)):
                if not rule["shipped"]:
                    say(f"  {sentence_of(rule)}")
    except StoreError as error:
        click.echo(f"note: what the rules hide cannot be told: {error}", err=True)
