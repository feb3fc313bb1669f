"""`parity db`: care for the database."""

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from detector.cli.output import DRIFT, config_option, finish, output_option, say, show_rows, styled
from detector.errors import UsageError
from detector.model.clock import print_time

if TYPE_CHECKING:
    from detector.store.backup import Resume


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


@db.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@config_option
def backup(file: Path, force: bool, config_path: str | None) -> None:
    """Copy the database to FILE: whole, checked and synced, also while a service writes to it.

    The fingerprint key is not in it: keep a copy of that apart.
    """
    from detector.cli.asking import configuration
    from detector.cli.sizes import size
    from detector.store.backup import back_up, sqlite_file

    config = configuration(config_path)
    instead = f"take pg_dump --format=custom --file={file} DATABASE, or parity db export {file}"
    database = sqlite_file(config.database_url, instead=instead)
    written = asyncio.run(back_up(database, file, force=force))
    finish(0, f"db: {file} is a backup of {database}, {size(written)}, checked")


@db.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--resume-outbox",
    "resume",
    type=click.Choice(["hold", "send"]),
    default="hold",
    show_default=True,
    help="What becomes of alerts that the backup still owes: they may have been sent since.",
)
@config_option
def restore(file: Path, resume: "Resume", config_path: str | None) -> None:
    """Put a backup in the place of the database, which is kept aside. No service may run on it."""
    from detector.cli.asking import configuration
    from detector.store.backup import restore as put_back
    from detector.store.backup import sqlite_file

    config = configuration(config_path)
    instead = "take pg_restore, or parity db import into an empty database"
    database = sqlite_file(config.database_url, instead=instead)
    done = asyncio.run(put_back(file, database, resume=resume, now=datetime.now(UTC)))
    newest = f"its newest snapshot is of {print_time(done.newest)}" if done.newest else "it has no snapshot"
    click.echo(f"{newest}; what was seen since is seen again", err=True)
    if done.owed:
        fate = "held: --resume-outbox=send sends such" if resume == "hold" else "sent at the next start"
        alerts = f"{done.owed} alert{'s' * (done.owed != 1)}"
        click.echo(
            f"{alerts} that it owed may have been sent since, and {'are' if done.owed != 1 else 'is'} {fate}",
            err=True,
        )
    if done.tokens:
        good = f"{done.tokens} token{'s are' if done.tokens != 1 else ' is'} good"
        click.echo(f"{good} as of then: revoke again what was revoked since", err=True)
    aside = f"; what was there is {done.aside}" if done.aside else ""
    finish(0, f"db: {file} is restored to {database}{aside}")


@db.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@config_option
def verify(file: Path | None, config_path: str | None) -> None:
    """Check every page, value and law of the database, or of a backup in FILE. Changes nothing."""
    from detector.cli.asking import configuration
    from detector.store.location import locate
    from detector.store.schema import examined
    from detector.store.verifying import checks

    location = locate(f"sqlite:///{file}" if file is not None else configuration(config_path).database_url)

    async def check() -> int:
        broken = 0
        async with examined(location) as connection:
            async for one in checks(connection, location):
                broken += one.broken > 0
                mark = styled("✖", fg="red") if one.broken else styled("✓", fg="green")
                say(f"{mark} {one.law}" + (f": {one.broken} do not ({one.example})" if one.broken else ""))
        return broken

    if broken := asyncio.run(check()):
        finish(
            DRIFT, f"db: {broken} thing{'s' * (broken != 1)} cannot be true in {location}: restore a backup"
        )
    finish(0, f"db: {location} is sound")


@db.command()
@output_option
@config_option
def stats(output: str, config_path: str | None) -> None:
    """Show what the database holds, how large each part is, and how fast it grows."""
    from detector.cli.asking import configuration
    from detector.cli.sizes import stats_lines, stats_rows
    from detector.store.location import locate
    from detector.store.measuring import Stats, measured
    from detector.store.schema import examined

    location = locate(configuration(config_path).database_url)

    async def measure() -> Stats:
        async with examined(location) as connection:
            return await measured(connection, location)

    document = asyncio.run(measure()).document()
    show_rows(document, output, table=stats_lines, rows=stats_rows)
    finish(0, f"db: {location}")


@db.command()
@click.option("--dry-run", is_flag=True, help="Only count what would be dropped.")
@config_option
def prune(dry_run: bool, config_path: str | None) -> None:
    """Drop what has been over for longer than server.retention keeps it. A service does it once a day."""
    from detector.assembly import reading
    from detector.cli.asking import configuration, service_beside, writing
    from detector.cli.remote import asked_once
    from detector.jobs.prune import Prune

    config = configuration(config_path)

    async def drop() -> dict[str, Any]:
        beside = None if dry_run else service_beside(config)
        if beside is not None:
            return await asked_once("POST", beside, "/-/prune")
        async with reading(config) if dry_run else writing(config) as here:
            prune = Prune(here.store, lambda: config.server.retention)
            return (await prune.now(datetime.now(UTC), dry_run=dry_run)).document()

    done = asyncio.run(drop())
    for table, rows in done["rows"].items():
        say(f"{table:<20} {rows:>14,}")
    what = f"history before {done['history_before']}, messages before {done['messages_before']}"
    verb = ("would be dropped" if dry_run else "is dropped") if done["rows"] else "was dropped before"
    more = "; a run drops 5 % at most: run it again" if done["more"] and not dry_run else ""
    finish(0, f"db: {what} {verb}{more}")


@db.command()
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True), default="-")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@config_option
def export(file: Path, force: bool, config_path: str | None) -> None:
    """Write everything that is stored to FILE, or to stdout: a row a line, the same from every database.

    Tokens are in it as hashes, which open nothing. The fingerprint key is not.
    """
    from detector.assembly import reading
    from detector.cli.asking import configuration

    config = configuration(config_path)

    async def write(out: BinaryIO) -> int:
        count = 0
        async with reading(config) as here:
            async for lines in here.store.export():
                count += lines.count(b"\n")
                await asyncio.to_thread(out.write, lines)
        return count - 2

    with _output(file, force=force) as out:
        count = asyncio.run(write(out))
    finish(0, f"db: {count:,} rows are exported")


@db.command("import")
@click.argument("file", type=click.File("rb"))
@config_option
def import_(file: BinaryIO, config_path: str | None) -> None:
    """Fill an empty database with an export from FILE, or from stdin with -: all of it, or nothing."""
    from detector.cli.asking import configuration
    from detector.store.importing import import_into
    from detector.store.location import locate

    config = configuration(config_path)
    config.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    location = locate(config.database_url)
    count = asyncio.run(import_into(location, file))
    finish(0, f"db: {count:,} rows are imported into {location}")


@contextmanager
def _output(file: Path, *, force: bool) -> Iterator[BinaryIO]:
    """Open a file that only this user reads; under its name it is whole or not there. `-` is stdout."""
    if str(file) == "-":
        yield sys.stdout.buffer
        sys.stdout.flush()
        return
    if file.exists() and not force:
        raise UsageError(f"{file} is there already: name another file, or give --force")
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with open(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        draft.replace(file)
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}") from None
    finally:
        draft.unlink(missing_ok=True)
