"""`parity db`: care for the database."""

import asyncio

import click

from detector.cli.output import config_option, finish


@click.group()
def db() -> None:
    """Care for the database."""


@db.command()
@config_option
def upgrade(config_path: str | None) -> None:
    """Bring the database to the schema of this version. Safe to run again."""
    from detector.cli.asking import configuration, writing

    async def bring() -> None:
        async with writing(configuration(config_path)):
            pass

    asyncio.run(bring())
    finish(0, "db: the schema is up to date")
