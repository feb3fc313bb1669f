"""`parity version`."""

import click

from detector.cli.output import say


@click.command()
def version() -> None:
    """Print the version, and those of Python and SQLite."""
    import platform
    import sqlite3
    from importlib.metadata import version as installed

    say(f"parity {installed('parity-detector')}")
    say(f"python {platform.python_version()}, sqlite {sqlite3.sqlite_version}")
