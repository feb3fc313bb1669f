"""Findings of config keys, substitution, and clients against servers."""
# ruff: noqa: E501 - a row of a table stays on its line

from typing import Any

import pytest

from detector.engine.clients import client_skews, skew_settled
from detector.engine.policy import Pair
from detector.engine.settling import settled
from detector.model.records import Key
from detector.model.words import SOURCE_CLASSES, SourceClass
from tests.builders import (
    DEV,
    DEV_TO_STAGING,
    PROD,
    STAGING_TO_PROD,
    compare,
    failed,
    keys,
    only,
    section,
    stream,
    told,
    view,
)

#: What a task definition shows: values and references, each as what it is.
DEFINED: tuple[SourceClass, ...] = ("literal", "secret_ref")


def config(
    values: dict[str, str] | None = None,
    *,
    of: SourceClass = "literal",
    sees: tuple[SourceClass, ...] = DEFINED,
    **more: str,
) -> Any:
    return {"config": section(keys({**(values or {}), **more}, source_class=of), sees=sees)}


SECRET = {"API_TOKEN": "one secret"}


# -- plain secrets ----------------------------------------------------------------------------------------


def test_a_secret_that_production_takes_in_plain_text() -> None:
    found = only(
        compare(config(SECRET, of="secret_ref"), config(API_TOKEN="other")),
        "API_TOKEN",
        kind="literal_secret",
    )
    assert (found.verdict, found.severity) == ("drift", "medium")
    assert found.remedy == "in prod: hand API_TOKEN over by reference, as staging does"


def test_a_running_process_does_not_tell_what_its_secrets_were_before() -> None:
    """A container shows each key with its value, also where an orchestrator put it in from a secret store."""
    container = config(API_TOKEN="other", sees=SOURCE_CLASSES)
    assert told(compare(config(SECRET, of="secret_ref"), container)) == []


def test_a_file_of_development_with_its_secrets_in_it_is_normal() -> None:
    for pair in (STAGING_TO_PROD, DEV_TO_STAGING, Pair(left=DEV, right=PROD)):
        plain, referred = config(SECRET), config(API_TOKEN="other")
        referred["config"].facts["API_TOKEN"]["source_class"] = "secret_ref"
        assert [
            line for line in told(compare(plain, referred, pair=pair)) if line[1] == "literal_secret"
        ] == []


def test_a_value_that_does_not_say_where_it_comes_from_is_not_taken_for_plain_text() -> None:
    plain = config(SECRET)
    del plain["config"].facts["API_TOKEN"]["source_class"]
    assert told(compare(config(API_TOKEN="x"), plain)) == []


def test_a_secret_by_value_in_one_component_and_by_reference_in_another() -> None:
    both = [
        stream(config(SECRET, of="secret_ref"), component="web"),
        stream(config(SECRET), component="worker"),
    ]
    found = [
        one for one in compare(both, both, pair=DEV_TO_STAGING).items if one.key.kind == "literal_secret"
    ]
    assert [(one.comparison, one.key.component) for one in found] == [
        ("dev", "worker"),
        ("staging", "worker"),
    ]


# -- switches and hosts -----------------------------------------------------------------------------------


def test_a_switch_is_said_and_never_fails_anything() -> None:
    verdicts = compare(config(APP_ENV="staging"), config(APP_ENV="production"))
    assert told(verdicts) == [("APP_ENV", "environment_switch", "drift", "info")] * 2


def test_what_only_looks_like_a_switch() -> None:
    for value in ("3", "true", "https://a.example", ""):
        assert told(compare(config(STAGE=value), config(STAGE=value))) == []
    both = config(NODE_ENV="production", of="image_default")
    assert told(compare(both, both)) == []


@pytest.mark.parametrize(
    ("host", "found"),
    [
        ("db.staging.acme.example", True),
        ("staging-db.acme.example", True),
        ("db-uat.acme.example", True),
        ("api.sandbox.pay.example", True),
        ("db.nonprod.acme.example", True),
        ("db.prod.acme.example", False),
        ("api.acme.dev", False),  # the last label is a registry's
        ("devices.acme.example", False),  # whole words
        ("latest.acme.example", False),
        ("dev.azure.com", False),  # everybody's host of that name
        ("10.0.3.4", False),
    ],
)
def test_production_at_a_host_of_another_environment(host: str, found: Any) -> None:
    staging, prod = config(URL="https://other.acme.example/a"), config(URL=f"https://{host}/a")
    lines = [("URL", "nonproduction_host", "drift", "high")] if found else []
    assert told(compare(staging, prod)) == lines
    assert told(compare(prod, prod, pair=DEV_TO_STAGING)) == []


# -- substitution -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "left", "right", "kind", "severity"),
    [
        ("DATABASE_URL", "sqlite:///db", "postgresql://db/shop", "substitution", "critical"),
        ("DATABASE_URL", "spatialite:///db", "postgis://db/shop", "substitution", "critical"),
        ("DB_ENGINE", "django.db.backends.sqlite3", "django.db.backends.postgresql", "substitution", "critical"),
        ("DB_CONNECTION", "sqlite", "pgsql", "substitution", "critical"),
        ("EMAIL_URL", "consolemail://", "smtp://mail:25", "substitution", "medium"),
        (
            "EMAIL_BACKEND", "django.core.mail.backends.console.EmailBackend",
            "django.core.mail.backends.smtp.EmailBackend", "substitution", "medium",
        ),
        ("MAIL_MAILER", "log", "smtp", "substitution", "medium"),
        ("CACHE_URL", "locmemcache://", "rediscache://cache:6379/1", "substitution", "high"),
        ("CACHE_STORE", "memory_store", "redis_cache_store", "substitution", "high"),
        ("CACHE_URL", "memcache://cache", "redis://cache", "substitution", "high"),
        ("MEDIA_URL", "file:///var/media", "s3://media", "substitution", "critical"),
        ("MEDIA", "/var/media", "s3://media", "substitution", "critical"),
        ("FILESYSTEM_DISK", "local", "s3", "substitution", "critical"),
        ("QUEUE_URL", "memory://", "amqp://queue", "substitution", "critical"),
        ("QUEUE_CONNECTION", "sync", "sqs", "substitution", "critical"),
        ("S3_URL", "http://localstack:4566", "https://s3.eu-central-1.aws.example", "emulator", "high"),
        ("MAIL_HOST_URL", "http://mailhog:1025", "https://mail.acme.example", "emulator", "high"),
        ("GCS_URL", "http://fake-gcs-server:4443", "https://storage.example", "emulator", "high"),
    ],
)  # fmt: skip
def test_something_else_behind_one_key(name: str, left: str, right: str, kind: str, severity: str) -> None:
    ours, theirs = config({name: left}), config({name: right})
    assert told(compare(ours, theirs)) == [(name, kind, "drift", severity)]
    assert told(compare(theirs, ours, pair=DEV_TO_STAGING))[0][:3] == (name, kind, "drift")
    assert told(compare(ours, ours, pair=DEV_TO_STAGING)) == []


@pytest.mark.parametrize(
    ("name", "left", "right"),
    [
        ("DATABASE_URL", "postgres://a/b", "postgresql+asyncpg://c/d"),
        ("DB_ENGINE", "django.db.backends.postgresql", "django.contrib.gis.db.backends.postgis"),
        ("CACHE_URL", "redis://a", "valkey://b"),
        ("S3_URL", "http://localstack:4566", "http://moto:5000"),
        ("LOG_BACKEND", "acme.logs", "acme.other"),  # no word that is known
    ],
)
def test_the_same_thing_behind_one_key(name: str, left: str, right: str) -> None:
    assert told(compare(config({name: left}), config({name: right}))) == []


def test_a_file_here_and_by_its_handshake_a_server_there() -> None:
    here: Any = config(DATABASE_URL="sqlite:///db.sqlite3")
    there: Any = {
        **config(DB_HOST="db", DB_NAME="shop"),
        "backing_services": section({"main#product": "postgresql", "main#version": "16.3"}),
    }
    found = only(compare(here, there), "DATABASE_URL", kind="substitution")
    assert (found.verdict, found.severity, found.right.value) == ("drift", "critical", "postgresql")
    # A file beside a server is an extra.
    beside = {**config(DATABASE_URL="postgres://db/shop", JOBS_URL="sqlite:///jobs")}
    assert [line for line in told(compare(beside, there)) if line[1] == "substitution"] == []


# -- clients ----------------------------------------------------------------------------------------------


def service(*, server: str = "16.3", product: str = "postgresql", **packages: str) -> Any:
    items = {
        f"pkg:{name.replace('__', '/').replace('_', '-')}": version for name, version in packages.items()
    }
    return {
        "dependencies": section(items),
        "backing_services": section({"main#product": product, "main#version": server}),
    }


@pytest.mark.parametrize(
    ("item", "client", "product", "server", "severity"),
    [
        ("deb__debian__postgresql_client_15", "15.8-0+deb12u1", "postgresql", "16.3", "medium"),
        ("deb__debian__postgresql_client_15", "15.8-0+deb12u1", "postgresql", "15.9", None),
        ("deb__debian__postgresql_client_17", "17.1-1", "postgresql", "16.3", None),  # newer is well
        ("deb__debian__libpq5", "15.8-0+deb12u1", "postgresql", "16.3 (Debian 16.3-1.pgdg120+1)", "low"),
        ("deb__debian__libpq5", "15.8-0+deb12u1", "aurora-postgresql", "16.3", None),  # numbers of its own
        ("deb__debian__postgresql_client_9.6", "9.6.24-1", "postgresql", "10.1", "medium"),
        ("deb__debian__postgresql_client_9.5", "9.5.1", "postgresql", "9.6.2", "medium"),
        ("apk__alpine__postgresql15_client", "15.8-r0", "postgresql", "16.3", "medium"),
        ("deb__debian__redis_tools", "5:7.0.15-1~deb12u1", "redis", "8.0.1", "medium"),
        ("deb__debian__mysql_client_core_8.0", "8.0.36-1", "mysql", "8.4.2", "medium"),
        ("deb__debian__redis_tools", "7.0.15", "postgresql", "16.3", None),  # another family
        ("deb__debian__libpq5", "odd", "postgresql", "16.3", None),
        ("deb__debian__libpq5", "15.8", "postgresql", "latest", None),
    ],
)
def test_a_client_that_is_older_than_its_server(
    item: str, client: str, product: str, server: str, severity: str | None
) -> None:
    side = service(server=server, product=product, **{item: client})
    found = [one for one in compare(side, side, pair=STAGING_TO_PROD).items if one.key.kind == "client_skew"]
    assert [(one.comparison, one.severity) for one in found] == (
        [("staging", severity), ("prod", severity)] if severity else []
    )
    if found:
        value: Any = found[1].right.value
        assert (value["client"], value["server"]) == (client, server)
        assert found[1].remedy is not None
        assert found[1].remedy.endswith(f"of {server} or newer")


def test_the_server_may_be_a_service_of_its_own() -> None:
    app = view(stream({"dependencies": section({"pkg:deb/debian/postgresql-client-15": "15.8"})}))
    old, new = (
        view(stream({"backing_services": section({"main#product": "postgresql", "main#version": version})}))
        for version in ("15.2", "16.3")
    )
    assert list(client_skews(app)) == []
    assert list(client_skews(app, [old])) == []
    assert len(list(client_skews(app, [old, new]))) == 1, "it must be able to talk to each"
    key = Key("shop", "main", "dependencies", "pkg:deb/debian/postgresql-client-15", "client_skew")
    assert skew_settled(app, [new], key) is False
    assert skew_settled(app, [old], key) is True
    assert skew_settled(app, [], key) is None, "the server is out of sight"
    assert skew_settled(view(stream({"dependencies": section({})})), [new], key) is True
    assert skew_settled(view(stream({"dependencies": failed()})), [new], key) is None


# -- what becomes of them ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "item", "still", "gone"),
    [
        ("environment_switch", "APP_ENV", "production", "3"),
        ("nonproduction_host", "URL", "https://a.staging.acme.example", "https://a.acme.example"),
    ],
)
def test_a_finding_of_one_environment_is_over_when_its_key_says_something_else(
    kind: Any, item: str, still: str, gone: str
) -> None:
    for value, answer in ((still, False), (gone, True)):
        here = view(stream(config({item: value})))
        assert settled(here, here, Key("shop", "main", "config", item, kind)) is answer
    blind = view(
        stream({"config": section(keys({item: still}), status="failed", unseen=[("*", "unreachable")])})
    )
    assert settled(blind, blind, Key("shop", "main", "config", item, kind)) is None


def test_a_finding_between_two_is_over_when_either_side_moved() -> None:
    def after(left: Any, right: Any, kind: Any, item: str = "KEY_URL") -> bool | None:
        return settled(view(stream(left)), view(stream(right)), Key("shop", "main", "config", item, kind))

    file, server = config(KEY_URL="sqlite:///a"), config(KEY_URL="postgres://db/a")
    assert after(file, server, "substitution") is False
    assert after(server, server, "substitution") is True
    emulated, real = config(KEY_URL="http://localstack:1"), config(KEY_URL="https://s3.example")
    assert after(emulated, real, "emulator") is False
    assert after(real, real, "emulator") is True
    plain, referred = config(SECRET), config(SECRET, of="secret_ref")
    assert after(referred, plain, "literal_secret", "API_TOKEN") is False
    assert after(referred, referred, "literal_secret", "API_TOKEN") is True
