"""The collector `postgres` against real servers of two majors."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import SecretStr

from collectors.postgres import Answers, PostgresCollector, PostgresOptions, facts_from_answers
from detector.collector import Collected
from detector.errors import UnseenError
from detector.model.words import SectionName
from tests.collectors.lent import context
from tests.servers.postgres import Postgres15, Postgres18

SERVER = {"version": "16.3", "aurora": False, "encoding": "UTF8", "collate": "C.UTF-8", "ctype": "C.UTF-8"}


async def _collect(dsn: str, **more: Any) -> Collected:
    return await PostgresCollector().collect(PostgresOptions(dsn=SecretStr(dsn), **more), context("shop-db"))


def _section(collected: Collected, name: SectionName) -> Any:
    return collected.seen[0].sections[name]


async def test_two_majors_say_what_differs(postgres15: Postgres15, postgres18: Postgres18) -> None:
    older = _section(await _collect(postgres15.dsn), "backing_services").facts
    newer = _section(await _collect(postgres18.dsn), "backing_services").facts
    assert older["main#product"] == newer["main#product"] == "postgresql"
    assert older["main#version"].startswith("15.")
    assert newer["main#version"].startswith("18.")
    assert older["main#setting/lc_collate"] == newer["main#setting/lc_collate"] == "C.UTF-8"
    assert older["main#setting/server_encoding"] == "UTF8"
    assert older["main#setting/shared_preload_libraries"] == []
    assert older["main#setting/max_connections"] >= 10
    assert older["main#setting/shared_buffers"] % 8192 == 0  # bytes, whatever unit the server thinks in
    assert older["main#setting/standard_conforming_strings"] is True
    assert older["main#setting/statement_timeout"] == 0  # the server's, not that of our own session
    assert "main#extension/plpgsql" in older
    assert older["main#tls"] is False


async def test_an_alias_names_the_server(postgres15: Postgres15) -> None:
    facts = _section(await _collect(postgres15.dsn, **{"as": "primary"}), "backing_services").facts
    assert {item.partition("#")[0] for item in facts} == {"primary"}


@pytest.fixture
async def migrated(postgres15: Postgres15) -> AsyncIterator[Postgres15]:
    await postgres15.execute("""
        CREATE TABLE alembic_version (version_num text);
        INSERT INTO alembic_version VALUES ('ae1027a6acf'), ('0b5c3d1e');
        CREATE TABLE django_migrations (id serial, app text, name text);
        INSERT INTO django_migrations (app, name) VALUES
            ('shop', '0001_initial'), ('shop', '0002_price'), ('auth', '0012_user');
        CREATE SCHEMA "odd "" schema";
        CREATE TABLE "odd "" schema".schema_migrations (version bigint, dirty boolean);
        INSERT INTO "odd "" schema".schema_migrations VALUES (7, false);
        CREATE TABLE flyway_schema_history (canary text);
        GRANT SELECT ON django_migrations, flyway_schema_history TO reader;
    """)
    yield postgres15
    await postgres15.execute("""
        DROP TABLE alembic_version, django_migrations, flyway_schema_history;
        DROP SCHEMA "odd "" schema" CASCADE;
    """)


async def test_heads_of_migrations(migrated: Postgres15) -> None:
    admin = _section(await _collect(migrated.dsn), "admin")
    assert admin.facts == {
        "migration/alembic": ["0b5c3d1e", "ae1027a6acf"],
        "migration/django": ["auth.0012_user", "shop.0002_price"],
        "migration/schema_migrations": "7",
    }
    # a table of flyway's name that is none of flyway's
    assert [(part.item, part.reason) for part in admin.unseen] == [("migration/flyway", "unsupported")]


async def test_a_role_without_grants_names_each_of_them(migrated: Postgres15) -> None:
    collected = await _collect(migrated.reader_dsn)
    backing, admin = _section(collected, "backing_services"), _section(collected, "admin")
    assert backing.facts["main#version"].startswith("15.")
    assert [(part.item, part.reason) for part in backing.unseen] == [
        ("main#setting/shared_preload_libraries", "denied")
    ]
    assert "pg_read_all_settings" in backing.unseen[0].detail
    assert admin.facts == {"migration/django": ["auth.0012_user", "shop.0002_price"]}
    denied = {part.item: part.detail for part in admin.unseen if part.reason == "denied"}
    assert denied == {
        "migration/alembic": "GRANT SELECT ON public.alembic_version",
        "migration/schema_migrations": 'GRANT SELECT ON "odd "" schema".schema_migrations',
    }


def test_a_revision_that_no_tool_names_is_not_shown() -> None:
    answers = Answers(server=SERVER, migrations={"alembic": ["canary = secret"], "django": []})
    admin = facts_from_answers(answers)["admin"]
    assert [(part.item, part.reason) for part in admin.unseen] == [("migration/alembic", "malformed")]
    assert admin.facts == {"migration/django": None}  # the table is there, nothing was applied
    assert "canary" not in repr(admin)


def test_aurora_is_a_product_of_its_own() -> None:
    facts = facts_from_answers(Answers(server={**SERVER, "aurora": True}))["backing_services"].facts
    assert facts["main#product"] == "aurora-postgresql"


async def test_what_the_server_refuses_in_our_words(postgres15: Postgres15) -> None:
    wrong = postgres15.dsn.replace(postgres15.admin_password, "canary-password")
    missing = postgres15.dsn.rpartition("/")[0] + "/canary_database"
    for dsn, reason in ((wrong, "denied"), (missing, "not_in_view"), ("mysql://canary@x/y", "malformed")):
        with pytest.raises(UnseenError) as caught:
            await _collect(dsn)
        assert caught.value.reason == reason
        assert "canary" not in str(caught.value)
        assert caught.value.__suppress_context__


async def test_nobody_answers_and_somebody_hangs() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        options = PostgresOptions(dsn=SecretStr(f"postgresql://u:canary@127.0.0.1:{port}/x"))
        with pytest.raises(UnseenError, match="timeout"):
            await PostgresCollector().collect(options, context(seconds=0.1))
    with pytest.raises(UnseenError, match="unreachable"):
        await PostgresCollector().collect(options, context())


async def test_what_is_no_postgresql_is_unseen() -> None:
    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request canary\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(reply, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(UnseenError) as caught:
            await _collect(f"postgresql://u:p@127.0.0.1:{port}/x?sslmode=disable")
    assert caught.value.reason in {"malformed", "unreachable"}
    assert "canary" not in str(caught.value)


def test_the_password_shows_nowhere() -> None:
    assert "canary" not in repr(PostgresOptions(dsn=SecretStr("postgresql://u:canary@h/d")))
