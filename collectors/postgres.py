"""Sees a PostgreSQL server: version, settings, extensions and the migrations that were applied."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from pydantic import Field, SecretStr

from collectors._extras import missing_extra
from collectors._postgres_queries import (
    EXTENSIONS,
    MIGRATION_TABLES,
    MIGRATIONS,
    SERVER,
    SETTINGS,
)
from collectors._server_settings import POSTGRESQL, setting
from collectors._unseen import unseen_part
from detector.collector import Collected, CollectorOptions, Context, Seen
from detector.errors import UnseenError
from detector.model.facts import Section, Unseen, Value
from detector.model.words import MAIN, Basis, SectionName

_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}")
_CONNECT_SECONDS: Final = 10.0
_STATEMENT_MILLISECONDS: Final = 5000


class PostgresOptions(CollectorOptions):
    """Which database."""

    dsn: SecretStr = Field(
        description="postgresql://user:password@host:port/database of a role that may only read."
    )
    alias: str = Field(
        MAIN, alias="as", description="Name of this server in items, where a service has several."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What a server said; a row is a mapping of the columns of its query."""

    server: Mapping[str, Any]
    settings: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    #: Whether the server speaks TLS.
    tls: bool | None = None
    extensions: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    #: Tool -> heads, or why they could not be read.
    migrations: Mapping[str, Sequence[str] | UnseenError] = field(default_factory=dict)


class PostgresCollector:
    """Sees one database in one read-only transaction."""

    API: ClassVar[int] = 1
    name: ClassVar[str] = "postgres"
    Options: ClassVar[type[PostgresOptions]] = PostgresOptions
    basis: ClassVar[Basis] = "running"
    sections: ClassVar[tuple[SectionName, ...]] = ("backing_services", "admin")
    cannot_see: ClassVar[tuple[str, ...]] = (
        "databases other than the one it connects to",
        "what a pooler between app and server changes",
    )

    async def collect(self, options: PostgresOptions, context: Context) -> Collected:
        left = context.deadline - asyncio.get_running_loop().time()
        async with _connected(
            options.dsn.get_secret_value(), max(0.5, min(_CONNECT_SECONDS, left))
        ) as connection:
            answers = await _fetch(connection)
        return Collected(seen=(Seen(sections=facts_from_answers(answers, options.alias)),))


@asynccontextmanager
async def _connected(dsn: str, seconds: float) -> AsyncIterator[Any]:
    """Yield a connection, and turn what fails on it into an UnseenError without its text."""
    try:
        import asyncpg  # noqa: PLC0415 - an extra
    except ImportError:
        raise missing_extra("postgres", "postgres") from None
    try:
        # No prepared statements: a pooler in between may give each query another server process.
        connection = await asyncpg.connect(
            dsn, timeout=seconds, command_timeout=seconds, statement_cache_size=0
        )
        try:
            yield connection
        finally:
            await connection.close(timeout=seconds)
    except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError):
        raise UnseenError("denied", "the server refused the user or its password: look at `dsn`") from None
    except asyncpg.InsufficientPrivilegeError:
        raise UnseenError("denied", "the role may not connect: GRANT CONNECT ON DATABASE … TO …") from None
    except asyncpg.InvalidCatalogNameError:
        raise UnseenError("not_in_view", "the server has no database of this name: look at `dsn`") from None
    except (TimeoutError, asyncpg.QueryCanceledError):
        raise UnseenError("timeout", "the server did not answer in time") from None
    except asyncpg.PostgresError:
        raise UnseenError(
            "unreachable", "the server refused: it starts, stops or has no place left"
        ) from None
    except OSError:
        raise UnseenError("unreachable", "no PostgreSQL server answers at the address of `dsn`") from None
    except (asyncpg.InterfaceError, ValueError):
        raise UnseenError(
            "malformed", "`dsn` is no postgresql:// address, or no PostgreSQL answers there"
        ) from None


async def _fetch(connection: Any) -> Answers:
    async with connection.transaction(readonly=True):
        await connection.execute(f"SET LOCAL statement_timeout = {_STATEMENT_MILLISECONDS}")
        server = await connection.fetchrow(SERVER)
        settings = await connection.fetch(SETTINGS, [*sorted(POSTGRESQL), "ssl"])
        extensions = await connection.fetch(EXTENSIONS)
        tables = await connection.fetch(MIGRATION_TABLES, list(MIGRATIONS))
        migrations: dict[str, Sequence[str] | UnseenError] = {}
        for table in tables:
            known = MIGRATIONS[table["name"]]
            heads = await _heads(connection, table, known.heads)
            before = migrations.get(known.tool, ())
            if isinstance(heads, UnseenError) or isinstance(before, UnseenError):
                migrations[known.tool] = heads if isinstance(heads, UnseenError) else before
            else:
                migrations[known.tool] = [*before, *heads]
    tls = next((row["value"] == "on" for row in settings if row["name"] == "ssl"), None)
    return Answers(
        server=server,
        settings=[row for row in settings if row["name"] != "ssl"],
        tls=tls,
        extensions=extensions,
        migrations=migrations,
    )


async def _heads(connection: Any, table: Mapping[str, Any], query: str) -> list[str] | UnseenError:
    import asyncpg  # noqa: PLC0415 - an extra

    path = str(table["path"])
    if not table["readable"]:
        return UnseenError("denied", f"GRANT SELECT ON {path}" if path.isprintable() else "GRANT SELECT")
    try:
        async with connection.transaction():  # a savepoint: an error ends this query alone
            # The server itself quoted the path of the table.
            rows = await connection.fetch(query.replace("{}", path))
    except asyncpg.UndefinedColumnError:
        return UnseenError("unsupported", "the table of this name belongs to another program")
    return [str(row["head"]) for row in rows]


def facts_from_answers(answers: Answers, alias: str = MAIN) -> dict[SectionName, Section]:
    """Return what a server says of itself, and of the migrations that were applied to its database."""
    server = answers.server
    facts: dict[str, Value] = {
        f"{alias}#product": "aurora-postgresql" if server["aurora"] else "postgresql",
        f"{alias}#version": server["version"],
        f"{alias}#setting/server_encoding": server["encoding"],
        f"{alias}#setting/lc_collate": server["collate"],
        f"{alias}#setting/lc_ctype": server["ctype"],
    }
    if answers.tls is not None:
        facts[f"{alias}#tls"] = answers.tls
    for row in answers.extensions:
        facts[f"{alias}#extension/{row['name']}"] = row["version"]
    for row in answers.settings:
        name = str(row["name"])
        value = setting(name, str(row["value"]), boolean=row["boolean"], unit=row["unit"])
        facts[f"{alias}#setting/{name}"] = value
    unseen: list[Unseen] = []
    if f"{alias}#setting/shared_preload_libraries" not in facts:
        grant = "GRANT pg_read_all_settings TO the role of `dsn`"
        unseen.append(Unseen(item=f"{alias}#setting/shared_preload_libraries", reason="denied", detail=grant))
    backing = Section(
        basis="running",
        status="partial" if unseen else "complete",
        facts=facts,
        covers=(f"{alias}#extension/*", f"{alias}#tls"),
        unseen=tuple(unseen),
    )
    return {"backing_services": backing, "admin": _admin(answers.migrations)}


def _admin(migrations: Mapping[str, Sequence[str] | UnseenError]) -> Section:
    facts: dict[str, Value] = {}
    unseen: list[Unseen] = []
    for tool, heads in migrations.items():
        item = f"migration/{tool}"
        if isinstance(heads, UnseenError):
            unseen.append(unseen_part(item, heads))
        elif all(_NAME.fullmatch(head) for head in heads):
            names = sorted(set(heads))
            facts[item] = names[0] if len(names) == 1 else list(names) or None
        else:
            unseen.append(
                Unseen(item=item, reason="malformed", detail="a revision that no tool could have named")
            )
    return Section(
        basis="running",
        status="partial" if unseen else "complete",
        facts=facts,
        covers=("migration/*",),
        unseen=tuple(unseen),
    )
