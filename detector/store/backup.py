"""Copies of a database file: taken while it is in use, and put back in its place.

A copy is made under another name, checked, synced to the disk and renamed: under its name it is whole or
not there. SQLite alone: PostgreSQL has tools of its own.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal
from urllib.parse import quote

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from detector.errors import StoreBusyError, StoreError, StoreSchemaError, UsageError
from detector.model.clock import print_time
from detector.store import register_tables as r
from detector.store.location import locate
from detector.store.lock import OwnerLock
from detector.store.milestones import RESTORED, Milestone, write_milestone
from detector.store.outbox import OWED
from detector.store.schema import bring_up_to_date, looking_at, revision_of
from detector.store.sqlite import SqliteFile
from detector.store.tables import snapshot

#: Steps of SQLite's machine after which Python looks whether somebody wants it to stop.
_LOOK_EVERY: Final = 100_000
#: What becomes of alerts that a backup still owes: held until a person looks, or sent.
Resume = Literal["hold", "send"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What a restore did."""

    #: Where what was there before is now; None where nothing was.
    aside: Path | None
    #: When the newest snapshot of the backup was taken.
    newest: datetime | None
    #: Alerts that the backup owed.
    owed: int
    #: Tokens that were good when it was made: one revoked later is good again.
    tokens: int


def sqlite_file(url: str, *, instead: str) -> Path:
    """Return the database file of a URL. Raises UsageError with what to do ``instead`` on PostgreSQL."""
    location = locate(url)
    if not isinstance(location, SqliteFile):
        raise UsageError(f"{location} is on PostgreSQL: {instead}")
    return location.path


async def back_up(database: Path, to: Path, *, force: bool) -> int:
    """Copy a database, also one in use, and return the bytes of the copy.

    Raises UsageError where ``to`` is taken, StoreError where it cannot be written, StoreSchemaError where the
    database is damaged or of another program.
    """
    _require_free(to, database, force=force)
    await revision_of(SqliteFile(str(database)))
    with _draft(to) as draft:
        _copy(database, draft)
        _sync(draft)
        size = draft.stat().st_size
        draft.replace(to)
        _sync(to.parent)
    return size


async def restore(backup: Path, database: Path, *, resume: Resume, now: datetime) -> Restored:
    """Put a backup in the place of a database, which is kept aside under another name.

    Alerts that the backup owes may have been sent after it was made: they are parked, unless ``resume`` says
    to send them. Raises StoreInUseError while a service owns the database, and StoreSchemaError for a file
    that is damaged, newer or not of Parity: then nothing has changed.
    """
    _require_other(backup, database)
    await revision_of(SqliteFile(str(backup)))
    lock = OwnerLock(database)
    try:
        with _draft(database) as draft:
            _copy(backup, draft)
            made = SqliteFile(str(draft))
            await bring_up_to_date(made)
            async with looking_at(made, made.inspector()) as connection:
                told = await _mark(connection, resume=resume, now=now)
            _sync(draft)
            aside = _put_aside(database, now)
            draft.replace(database)
            _sync(database.parent)
    finally:
        await lock.release()
    return Restored(aside=aside, newest=told[0], owed=told[1], tokens=told[2])


def _require_free(to: Path, database: Path, *, force: bool) -> None:
    if to.exists() and (not to.is_file() or to.samefile(database)):
        raise UsageError(f"{to} cannot be written over: name another file")
    if to.exists() and not force:
        raise UsageError(f"{to} is there already: name another file, or give --force")


def _require_other(backup: Path, database: Path) -> None:
    if database.exists() and backup.exists() and backup.samefile(database):
        raise UsageError(f"{backup} is the database itself: name a backup of it")


async def _mark(
    connection: AsyncConnection, *, resume: Resume, now: datetime
) -> tuple[datetime | None, int, int]:
    """Begin a new epoch: what happened after the backup is not known, and may have been said."""
    newest = select(snapshot.c.received_at).order_by(snapshot.c.seq.desc()).limit(1)
    taken: datetime | None = (await connection.execute(newest)).scalar_one_or_none()
    due = r.outbox.c.state.in_(OWED)
    owed = (await connection.execute(select(r.outbox.c.id).where(due))).scalars().all()
    if owed:
        # Sent or held, a try of before the restore may have arrived: a receiver that can look it up does.
        state = {"state": "parked"} if resume == "hold" else {"state": "due", "next_try": now}
        tried = {**state, "tries": r.outbox.c.tries + 1}
        await connection.execute(update(r.outbox).where(due).values(tried))
    if owed and resume == "hold":
        error = "held at a restore: it may have been sent after the backup was made"
        await connection.execute(
            insert(r.delivery),
            [{"owed": one, "at": now, "result": "parked", "receiver": None, "error": error} for one in owed],
        )
    good = select(r.token.c.id).where(r.token.c.revoked_at.is_(None))
    tokens = len((await connection.execute(good)).all())
    await write_milestone(connection, RESTORED, Milestone(at=now))
    return taken, len(owed), tokens


@contextmanager
def _draft(target: Path) -> Iterator[Path]:
    """Make an empty file beside the target that only this user reads; it is gone at the end."""
    path = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        os.close(os.open(path, os.O_CREAT | os.O_TRUNC | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
    except OSError as error:
        raise StoreError(f"{target} cannot be made: {error.strerror}") from None
    try:
        yield path
    finally:
        for end in ("", "-journal", "-wal", "-shm"):
            path.with_name(path.name + end).unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> None:
    """Copy one committed state of a database into an empty file, and check every page of the copy.

    A writer is not held up: it goes on beside this read.
    """
    address = f"file:{quote(str(source.absolute()))}?mode=ro"
    try:
        with _connected(address) as connection:
            connection.execute("VACUUM INTO ?", (str(target),))
        with _connected(f"file:{quote(str(target.absolute()))}?mode=ro") as copy:
            found = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        raise _refusal(error, source, target) from None
    if found != "ok":
        raise StoreSchemaError(f"{source} is damaged: its copy is not sound. parity db verify says more")


@contextmanager
def _connected(address: str) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(address, uri=True, timeout=5, isolation_level=None)
    # A long statement looks up now and then, so that Ctrl-C ends it.
    connection.set_progress_handler(lambda: 0, _LOOK_EVERY)
    try:
        yield connection
    finally:
        connection.close()


def _refusal(error: sqlite3.Error, source: Path, target: Path) -> BaseException:
    name = getattr(error, "sqlite_errorname", "")
    if name == "SQLITE_INTERRUPT":
        return KeyboardInterrupt()
    if name == "SQLITE_FULL":
        return StoreBusyError(f"no space left for {target.parent}: free some, then try again")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return StoreBusyError(f"{source} is locked by another process: try again")
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_FORMAT")):
        return StoreSchemaError(f"{source} is damaged: it cannot be copied. parity db verify says more")
    return StoreError(f"{source} cannot be copied to {target.parent} ({name or type(error).__name__})")


def _put_aside(database: Path, now: datetime) -> Path | None:
    """Give the present file a second name, with all that was committed; the first is never empty."""
    if not database.exists():
        return None
    journals = [database.with_name(database.name + end) for end in ("-wal", "-shm")]
    address = f"file:{quote(str(database.absolute()))}?mode=rw"
    with suppress(sqlite3.Error), _connected(address) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    stamp = print_time(now.replace(microsecond=0)).replace(":", "").replace("-", "")
    aside = database.with_name(f"{database.name}.replaced-{stamp}")
    try:
        aside.hardlink_to(database)
    except FileExistsError:
        raise UsageError(f"{aside} is there already: try again in a second") from None
    except OSError:  # a file system without links
        shutil.copy2(database, aside)
        _sync(aside)
    # Only of a database too damaged to be opened is a journal left. It must not meet the new file.
    for journal in journals:
        with suppress(FileNotFoundError):
            journal.replace(aside.with_name(aside.name + journal.name.removeprefix(database.name)))
    return aside


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        raise StoreError(f"the disk failed under {path}: {error.strerror}") from None
    finally:
        os.close(descriptor)
