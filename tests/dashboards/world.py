"""Sixty days in the life of a small shop: what every page has to show at least once."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from detector.model.facts import Section, Unseen
from detector.model.words import SectionName
from tests.api.house import House, record

HEAD = """\
version: 1
server: {listen: "127.0.0.1:8080", public_url: "PUBLIC_URL", auth: AUTH}
groups: {prod: {spread: flagged}}
environments:
  - {name: dev, tier: development, presence: intermittent}
  - {name: staging, tier: staging}
  - {name: prod-eu, tier: production, group: prod}
  - {name: prod-us, tier: production, group: prod}
services:
"""
_USUAL = {"dev": "compose", "staging": "docker", "prod-eu": "ecs", "prod-us": "ecs"}
#: Service -> its part of parity.yml, and source by environment.
_SERVICES: dict[str, tuple[str, dict[str, str]]] = {
    "checkout": ("owner: team-payments", _USUAL),
    "search": ("owner: team-discovery", _USUAL),
    "storefront": ("owner: team-web", _USUAL),
    "mailer": ("owner: team-platform, only_in: [staging, prod-eu]", {"staging": "docker", "prod-eu": "ecs"}),
    "shop-db": (
        "kind: backing_service, used_by: [checkout, search]",
        {"staging": "postgres", "prod-eu": "rds", "prod-us": "rds"},
    ),
    "shop-cache": ("kind: backing_service, used_by: [checkout]", {"staging": "redis", "prod-eu": "redis"}),
    "reports": ("owner: team-discovery", {"staging": "docker", "prod-eu": "ecs"}),
}


def _service_entry(name: str) -> str:
    described, sources = _SERVICES[name]
    # The mailer is polled, so that silence makes it stale; the others keep what they said.
    valid = "every: 15m" if name == "mailer" else "valid: until_replaced"
    lines = [f"      {where}: [{{type: push, name: {source}, {valid}}}]" for where, source in sources.items()]
    if name == "checkout":
        lines[0] = lines[0].replace("]", f", {{type: push, name: lockfile, {valid}}}]")
    body = "".join(f"    {part.strip()}\n" for part in re.split(r", (?=[a-z_]+:)", described))
    return f"  - name: {name}\n{body}    sources:\n" + "\n".join(lines) + "\n"


CONFIG = HEAD + "".join(map(_service_entry, _SERVICES))

_FINGERPRINTS = {"shared": "k1:" + "5f0c" * 8, "own": "k1:" + "77ab" * 8, "other": "k1:" + "03de" * 8}


def _url(
    host: str, fingerprint: str, *, endpoint: str | None = None, scheme: str = "postgresql"
) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "type": "url",
        "scheme": scheme,
        "host": host,
        "credentials": True,
        "source_class": "secret_ref" if host == "private" else "env_file",
        "fingerprint": _FINGERPRINTS[fingerprint],
    }
    return shape | ({"endpoint": _FINGERPRINTS[endpoint]} if endpoint else {})


def _packages(django: str, urllib3: str = "2.5.0", openssl: str = "3.0.17-1~deb12u3") -> dict[str, Any]:
    return {
        "runtime#python": "3.12.8" if django.startswith("5") else "3.11.9",
        "pkg:pypi/django": django,
        "pkg:pypi/urllib3": urllib3,
        "pkg:pypi/celery": "5.4.0",
        "pkg:pypi/psycopg": "3.2.3",
        "pkg:pypi/stripe": "11.3.0",
        "pkg:deb/debian/openssl": openssl,
        "pkg:deb/debian/libpq5": "16.4-1" if django.startswith("5") else "15.8-0+deb12u1",
    }


def _config(environment: str) -> dict[str, Any]:
    host = {"dev": "container", "staging": "private"}.get(environment, "private")
    own = {"dev": "other", "staging": "shared"}.get(environment, "own")
    keys: dict[str, Any] = {
        "DATABASE_URL": _url(host, own, endpoint="shared" if environment != "dev" else "other"),
        "REDIS_URL": _url(host, own, scheme="redis"),
        "SECRET_KEY": {
            "type": "text",
            "source_class": "secret_ref",
            "fingerprint": _FINGERPRINTS["shared" if environment != "dev" else "other"],
        },
        "DEBUG": {"type": "bool", "source_class": "literal"},
        "EMAIL_HOST": {"type": "text", "source_class": "literal", "placeholder": environment == "prod-us"},
        "STRIPE_API_KEY": {"type": "text", "source_class": "secret_ref", "fingerprint": _FINGERPRINTS[own]},
    }
    if environment in ("dev", "staging"):
        keys["STRIPE_WEBHOOK_SECRET"] = {
            "type": "text",
            "source_class": "secret_ref",
            "fingerprint": _FINGERPRINTS["other"],
        }
        keys["FEATURE_NEW_CART"] = {"type": "bool", "source_class": "literal"}
    if environment.startswith("prod"):
        keys["SENTRY_DSN"] = {
            "type": "url",
            "scheme": "https",
            "host": "public",
            "source_class": "secret_ref",
        }
    return keys


def _running(
    environment: str, *, django: str, tag: str, replicas: int = 2, image: str = "9c1e", **packages: str
) -> dict[SectionName, Mapping[str, Any]]:
    return {
        "dependencies": _packages(django, **packages),
        "config": _config(environment),
        "release": {
            "image#repository": "acme/checkout",
            "image#tag": tag,
            "image#id": f"sha256:{image * 16}",
        },
        "processes": {
            "command": ["gunicorn", "shop.wsgi"],
            "user": "1000",
            "read_only": environment != "dev",
        },
        "ports": {"8000/tcp": "gunicorn"},
        "concurrency": {"replicas": replicas},
        "disposability": {
            "stop_signal": "SIGTERM",
            "grace": 10 if environment != "prod-eu" else 30,
            "probe/health": {
                "path": "/healthz",
                "period": 10,
                "timeout": 1 if environment == "staging" else 3,
            },
        },
        "logs": {"driver": "json-file" if environment in ("dev", "staging") else "awslogs", "level": "INFO"},
    }


async def fill(here: House, *, now: datetime | None = None) -> None:
    """Record sixty days, judged as they went."""
    now = now or datetime.now(UTC)
    releases = [
        (58, "1.2.0", "4.2.26"),
        (40, "1.3.0", "4.2.26"),
        (22, "1.4.0", "5.2.8"),
        (2, "1.4.2", "5.2.8"),
    ]
    for days, tag, django in releases:
        at = now - timedelta(days=days)
        await _see(
            here,
            "dev",
            "checkout",
            _running("dev", django=django, tag=tag, replicas=1),
            at - timedelta(days=3),
        )
        await _see(here, "staging", "checkout", _running("staging", django=django, tag=tag), at)
        if days > 22:
            for region in ("prod-eu", "prod-us"):
                await _see(
                    here,
                    region,
                    "checkout",
                    _running(region, django=django, tag=tag, replicas=6, openssl="3.0.15-1~deb12u1"),
                    at + timedelta(days=4),
                )
    await _see(
        here,
        "prod-us",
        "checkout",
        _running("prod-us", django="4.2.26", tag="1.3.1", replicas=4, openssl="3.0.17-1~deb12u3"),
        now - timedelta(days=5),
    )
    for environment, version, extension in (
        ("staging", "16.4", "1.6"),
        ("prod-eu", "14.11", "1.5"),
        ("prod-us", "14.11", "1.5"),
    ):
        facts: dict[str, Any] = {
            "main#product": "postgresql",
            "main#version": version,
            "main#tls": environment != "staging",
            "main#extension/pg_trgm": extension,
            "main#extension/uuid-ossp": "1.1",
            "main#setting/timezone": "UTC",
            "main#setting/lc_collate": "C.UTF-8" if environment == "staging" else "en_US.UTF-8",
        }
        await _see(here, environment, "shop-db", {"backing_services": facts}, now - timedelta(days=41))
    await _see(
        here,
        "staging",
        "shop-cache",
        {"backing_services": {"main#product": "redis", "main#version": "7.4.1"}},
        now - timedelta(days=30),
    )
    await _see(
        here,
        "prod-eu",
        "shop-cache",
        {"backing_services": {"main#product": "valkey", "main#version": "8.0.1"}},
        now - timedelta(days=12),
    )
    for environment in ("dev", "staging", "prod-eu", "prod-us"):
        for service, tag in (("search", "3.1.0"), ("storefront", "2026.11.1")):
            if environment == "dev" and service == "storefront":
                continue
            lead = environment == "staging" and service == "storefront"
            facts = {
                "pkg:npm/react": "19.1.0" if lead else "19.0.0",
                "pkg:npm/vite": "7.1.0",
                "runtime#node": "22.11.0",
            }
            sections: dict[SectionName, Mapping[str, Any]] = {
                "dependencies": facts,
                "release": {"image#tag": "2026.11.2" if lead else tag},
                "config": {"PORT": {"type": "int"}},
            }
            await _see(here, environment, service, sections, now - timedelta(days=3 if lead else 9))
    for environment in ("staging", "prod-eu"):
        await _see(
            here,
            environment,
            "mailer",
            {"dependencies": {"pkg:pypi/aiosmtplib": "3.0.2"}, "release": {"image#tag": "0.9.3"}},
            now - timedelta(days=33),
        )
    await _see(
        here,
        "staging",
        "reports",
        {"dependencies": {"pkg:pypi/polars": "1.14.0"}, "release": {"image#tag": "5.0.0"}},
        now - timedelta(days=8),
    )
    await _see(
        here, "dev", "legacy-cron", {"dependencies": {"pkg:pypi/requests": "2.32.3"}}, now - timedelta(days=1)
    )
    await _again(here, now)


async def _again(here: House, now: datetime) -> None:
    """See everything once more a few minutes ago: two observations confirm, and nothing is stale."""
    store = here.running.reading.store
    for stream in await store.streams():
        if (stream.service, stream.environment) == ("mailer", "prod-eu"):
            continue  # went silent: stale
        at = now - timedelta(minutes=4)
        sections = dict(stream.sections)
        if stream.service == "shop-db" and stream.environment == "prod-us":
            section = sections["backing_services"]
            sections["backing_services"] = Section(
                basis=section.basis,
                status="partial",
                facts=section.facts,
                unseen=(Unseen(item="main#setting/*", reason="denied", detail="rds:DescribeDBParameters"),),
            )
        for step in (2, 0):
            await record(
                here,
                stream.environment,
                stream.service,
                sections,
                at=at - timedelta(minutes=step),
                source=stream.source,
            )
        await here.running.compare.judge(stream.environment, stream.service, now=at)
    await store.record_run(
        "prod-eu",
        "reports",
        "ecs",
        at=now - timedelta(minutes=3),
        result="denied",
        detail="ecs:DescribeServices is missing",
        duration=0.4,
    )
    await store.record_run(
        "prod-eu",
        "mailer",
        "ecs",
        at=now - timedelta(days=2),
        result="timeout",
        detail="no answer within 30 s",
        duration=30.0,
    )


async def _see(
    here: House,
    environment: str,
    service: str,
    sections: Mapping[SectionName, Mapping[str, Any]],
    at: datetime,
) -> None:
    source = _SERVICES[service][1][environment] if service in _SERVICES else _USUAL[environment]
    for step in (0, 20):
        moment = at + timedelta(minutes=step)
        await record(
            here,
            environment,
            service,
            sections,
            at=moment,
            source=source,
            basis="declared" if environment == "dev" else "running",
        )
        await here.running.compare.judge(environment, service, now=moment)
