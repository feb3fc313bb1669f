"""`parity version`."""

import click


@click.command()
def version() -> None:
    """Print the version, and those of Python and SQLite."""
    import platform
    import sqlite3
    from importlib.metadata import version as installed

    click.echo(f"parity {installed('parity-detector')}")
    click.echo(f"python {platform.python_version()}, sqlite {sqlite3.sqlite_version}")
