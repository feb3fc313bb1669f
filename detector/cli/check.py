"""`parity check`: is parity.yml right, and with `--online`, can everything be reached?"""

import asyncio
import logging

import click

from detector.cli.output import ERROR, config_option, finish, say


@click.command()
@click.option("--online", is_flag=True, help="Run every source once, storing nothing.")
@config_option
def check(online: bool, config_path: str | None) -> None:
    """Validate the configuration: every problem at once, each with file, line and column."""
    from detector.cli.asking import configuration

    config = configuration(config_path)
    for warning in config.warnings:
        click.echo(f"warning: {warning}", err=True)
    say(
        f"{config.path}: {len(config.environments)} environments, {len(config.services)} services, "
        f"{len(config.sources)} sources, {len(config.comparisons)} comparisons, {len(config.rules)} rules"
    )
    if not online:
        finish(0, "check: the configuration is right")
    from detector.cli.trying import tried
    from detector.logging import configure

    configure(level=logging.WARNING)
    failed = asyncio.run(tried(config))
    if failed:
        finish(ERROR, f"check: {failed} of {len(config.sources)} sources cannot be seen")
    finish(0, "check: every source can be seen")
