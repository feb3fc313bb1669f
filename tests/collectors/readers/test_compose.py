"""Compose files: what a service declares, what stays unseen, and what is never copied."""

import json
from contextlib import suppress
from pathlib import Path

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from collectors.readers.compose import ComposeReader
from detector.errors import UnseenError
from detector.model.canonical import section_document
from detector.model.facts import Section
from detector.model.fingerprints import Fingerprinter
from detector.model.words import SectionName
from detector.reader import Read
from tests.collectors.readers.cuts import OF_A_HUNDRED_OR_ALL, Cuts, Record

FINGERPRINTER = Fingerprinter(b"k" * 32)
FILES = sorted((Path(__file__).parents[3] / "examples/quickstart").rglob("compose.yaml"))

SHOP = """
x-env: &env
  LOG_LEVEL: info
services:
  checkout:
    image: registry.internal:5000/acme/checkout:1.4.2
    command: ["/app/bin/gunicorn", "--password=C4n4ry", "app:app"]
    user: "1000:1000"
    read_only: true
    stop_signal: TERM
    stop_grace_period: 1m30s
    restart: unless-stopped
    ports: ["127.0.0.1:8080:80", "9000-9001/udp", {target: 443, protocol: tcp}]
    expose: ["9090"]
    volumes:
      - ./conf:/etc/app:ro
      - data:/var/lib/app
      - {type: tmpfs, target: /tmp}
    healthcheck:
      test: ["CMD", "curl", "-u", "C4n4ry", "http://localhost"]
      interval: 10s
      retries: 3
    deploy:
      replicas: 2
      resources: {limits: {memory: 512M, cpus: "0.5"}}
    logging: {driver: json-file, options: {token: C4n4ry}}
    labels: {secret: C4n4ry}
    environment:
      <<: *env
      DATABASE_URL: postgres://app:C4n4ry@db/shop
      PORT: 8080
      VERSION: 1.10
      API_TOKEN: ${API_TOKEN:?C4n4ry}
      PRICE: 5$$
      FROM_SHELL:
  db:
    image: postgres:16.3-alpine
"""


def read(text: str) -> Read:
    return ComposeReader().read(text.encode(), "compose.yml", FINGERPRINTER)


def section(text: str, name: SectionName, service: int = 0) -> Section:
    return read(text).parts[service].sections[name]


def one(entries: str) -> str:
    return f"services:\n  app: {{{entries}}}\n"


def test_each_service_is_a_part() -> None:
    assert [part.service for part in read(SHOP).parts] == ["checkout", "db"]
    assert all(part.component == "main" for part in read(SHOP).parts)
    assert all(s.basis == "declared" for part in read(SHOP).parts for s in part.sections.values())


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("release", {"image#repository": "acme/checkout", "image#tag": "1.4.2"}),
        (
            "processes",
            {
                "command": "gunicorn",
                "server": "gunicorn",
                "user": "1000:1000",
                "read_only": True,
                "mount/etc/app": {"kind": "bind", "read_only": True},
                "mount/var/lib/app": {"kind": "volume", "read_only": False},
                "mount/tmp": {"kind": "tmpfs", "read_only": False},
            },
        ),
        (
            "ports",
            {
                "80/tcp": None,
                "443/tcp": None,
                "9000/udp": None,
                "9001/udp": None,
                "9090/tcp": None,
            },
        ),
        ("concurrency", {"replicas": 2, "limit/memory": 512 * 1024**2, "limit/cpu": 0.5}),
        (
            "disposability",
            {
                "stop_signal": "SIGTERM",
                "grace": 90,
                "restart": "unless-stopped",
                "probe/health": {
                    "kind": "command",
                    "interval": 10,
                    "timeout": 30,
                    "start_period": 0,
                    "retries": 3,
                },
            },
        ),
        ("logs", {"driver": "json-file"}),
    ],
)
def test_a_section_holds_what_the_service_declares(name: SectionName, facts: dict[str, object]) -> None:
    found = section(SHOP, name)
    assert found.facts == facts
    assert found.status == "complete"


def test_config_keys_are_shaped_and_what_comes_from_elsewhere_is_unseen() -> None:
    config = section(SHOP, "config")
    assert sorted(config.facts) == ["API_TOKEN", "DATABASE_URL", "LOG_LEVEL", "PORT", "PRICE", "VERSION"]
    assert config.facts["API_TOKEN"] == {"type": "template", "source_class": "literal", "opaque": True}
    # Numbers stay as written, and `$$` is a dollar.
    assert config.facts["VERSION"]["fingerprint"] == FINGERPRINTER.of("VERSION", "1.10")  # type: ignore[index, call-overload]
    assert config.facts["PRICE"]["fingerprint"] == FINGERPRINTER.of("PRICE", "5$")  # type: ignore[index, call-overload]
    assert [(entry.item, entry.reason) for entry in config.unseen] == [("FROM_SHELL", "not_in_view")]
    assert config.status == "partial"


@pytest.mark.parametrize(
    ("image", "facts"),
    [
        (
            "postgres:16.3-alpine",
            {"main#product": "postgresql", "main#version": "16.3", "main#variant": "alpine"},
        ),
        ("docker.io/library/postgres:16", {"main#product": "postgresql", "main#version": "16"}),
        ("postgres", {"main#product": "postgresql", "main#version": "latest"}),
        ("postgres:alpine", {"main#product": "postgresql", "main#version": "alpine"}),
        ("redis@sha256:" + "a" * 64, {"main#product": "redis"}),  # no tag: the version is not known
        ("pgvector/pgvector:0.8.0-pg16", {"main#product": "postgresql"}),  # the extension's version
        ("valkey/valkey:8.0.1", {"main#product": "valkey", "main#version": "8.0.1"}),
    ],
)
def test_a_known_image_is_a_backing_service_at_the_precision_of_its_tag(
    image: str, facts: dict[str, object]
) -> None:
    assert section(one(f'image: "{image}"'), "backing_services").facts == facts


def test_an_application_image_is_no_backing_service() -> None:
    assert "backing_services" not in read(one("image: acme/postgres-exporter:1")).parts[0].sections


@pytest.mark.parametrize(
    ("image", "facts", "unseen"),
    [
        (
            "localhost:5000/a/b:c@sha256:" + "f" * 64,
            {"image#repository": "a/b", "image#tag": "c", "image#index": "sha256:" + "f" * 64},
            [],
        ),
        ("acme/app:${TAG:-1.0}", {"image#repository": "acme/app"}, ["image#tag"]),
        ("${IMAGE}", {}, ["image#*"]),
    ],
)
def test_a_port_of_a_registry_is_no_tag_and_a_variable_is_unseen(
    image: str, facts: dict[str, object], unseen: list[str]
) -> None:
    release = section(one(f'image: "{image}"'), "release")
    assert release.facts == facts
    assert [entry.item for entry in release.unseen] == unseen


def test_a_service_built_here_says_nothing_of_its_release() -> None:
    assert "release" not in read(one("build: .")).parts[0].sections


def test_an_env_file_gives_keys_when_it_can_be_read_and_hides_absence_when_not() -> None:
    text = one("env_file: [base.env, {path: more.env}], environment: [A=from-compose-1, B]")
    files = {"base.env": b"A=1234\nX=1234\n", "more.env": b"Y=1234\n"}
    found = ComposeReader().read_beside(text.encode(), "compose.yml", FINGERPRINTER, files.__getitem__)
    config = found.parts[0].sections["config"]
    assert {key: value["source_class"] for key, value in config.facts.items()} == {  # type: ignore[index, call-overload]
        "A": "literal",  # `environment` stands over `env_file`
        "X": "env_file",
        "Y": "env_file",
    }
    assert [entry.item for entry in config.unseen] == ["B"]

    alone = section(text, "config")
    assert list(alone.facts) == ["A"]
    assert [(entry.item, entry.reason) for entry in alone.unseen][:2] == [("*", "not_in_view")] * 2


def test_extends_makes_every_section_of_its_service_partial() -> None:
    found = read("services:\n  app: {extends: base, image: a:1}\n  other: {image: b:1}\n")
    app, other = (part.sections for part in found.parts)
    assert {("*", "unsupported")} == {(s.unseen[-1].item, s.unseen[-1].reason) for s in app.values()}
    assert all(s.status == "complete" for s in other.values())


def test_include_is_told_and_leaves_the_file_incomplete() -> None:
    found = read("include: [other.yml]\nservices:\n  app: {image: a:1}\n")
    processes = found.parts[0].sections["processes"]
    assert (processes.status, processes.unseen[0].reason) == ("partial", "unsupported")
    assert "include" in found.warnings[0]
    with pytest.raises(UnseenError) as caught:
        read("include: [other.yml]\n")
    assert caught.value.reason == "unsupported"


@pytest.mark.parametrize(
    "text", ["", "[]", "a: 1", "services: []", "services: {a: {image: x}, a: {image: y}}"]
)
def test_what_is_no_compose_file_is_malformed(text: str) -> None:
    with pytest.raises(UnseenError) as caught:
        read(text)
    assert caught.value.reason == "malformed"


KEYS = [
    "image",
    "environment",
    "env_file",
    "ports",
    "expose",
    "volumes",
    "tmpfs",
    "command",
    "user",
    "read_only",
    "stop_signal",
    "restart",
    "healthcheck",
    "stop_grace_period",
    "deploy",
    "scale",
    "mem_limit",
    "cpus",
    "logging",
    "extends",
    "target",
    "type",
    "path",
    "test",
    "interval",
    "retries",
    "disable",
    "replicas",
    "resources",
    "limits",
    "memory",
    "mode",
    "driver",
]
WORDS = [
    "",
    "1",
    "-1",
    "x",
    "true",
    "a:b",
    "/a:/b:ro",
    "80-81/udp",
    "CMD",
    "NONE",
    "1m",
    "${A}",
    "9" * 20,
    "é",
]
TREES = st.recursive(
    st.none() | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(KEYS), TREES, max_size=6))
@example({"volumes": [{"target": "/a", "type": ["x"]}], "read_only": ["x"]})
@example({"deploy": {"mode": ["x"], "replicas": "9" * 5_000}, "mem_limit": "9" * 5_000, "stop_signal": "x"})
def test_a_wrong_type_is_left_out_without_a_traceback(service: dict[str, object]) -> None:
    for part in read(json.dumps({"services": {"app": service}})).parts:
        for found in part.sections.values():
            orjson.dumps(section_document(found))


@pytest.mark.parametrize("cuts", OF_A_HUNDRED_OR_ALL)
def test_a_file_that_was_cut_has_no_key_that_its_whole_has_not(cuts: Cuts, record_property: Record) -> None:
    assert len(FILES) == 3
    for whole in (SHOP.encode(), *(path.read_bytes() for path in FILES)):
        known = keys(whole)
        for data in cuts(whole, record_property):
            with suppress(UnseenError):
                assert keys(data) <= known, len(data)


def keys(data: bytes) -> set[tuple[str | None, str]]:
    """The keys of each service."""
    return {
        (part.service, key)
        for part in read(data.decode()).parts
        if "config" in part.sections
        for key in part.sections["config"].facts
    }


def test_no_secret_of_a_compose_file_comes_out() -> None:
    canary = "C4n4ry"
    assert canary in SHOP
    found = read(SHOP)
    assert canary not in str(found)
    for part in found.parts:
        for s in part.sections.values():
            assert canary not in json.dumps(section_document(s))


@pytest.mark.parametrize("name", ["compose.yaml", "a/docker-compose.yml", "docker-compose.prod.yml"])
def test_it_knows_its_files_by_name(name: str) -> None:
    assert ComposeReader().matches(name)
    assert not ComposeReader().matches("values.yaml")
