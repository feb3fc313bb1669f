"""Compose files: what a service declares, what stays unseen, and what is never copied."""

import json
from contextlib import suppress
from pathlib import Path

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from collectors.readers.compose import ComposeReader
from collectors.readers.composefiles.project import Beside
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
volumes: {data: {}}
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
        ("logs", {"driver": "json-file", "options": ["token"]}),
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
    assert "API_TOKEN is set nowhere that was read" in " ".join(read(SHOP).warnings)
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


def beside(files: dict[str, str]) -> Beside:
    """Files by their path from the folder of the compose file."""

    def opened(path: str) -> bytes:
        if path.startswith(".."):
            raise UnseenError("denied", "it leads out of this folder")
        if path not in files:
            raise UnseenError("unreachable", "there is no such file")
        return files[path].encode()

    return opened


def together(text: str, files: dict[str, str]) -> Read:
    return ComposeReader().read_beside(text.encode(), "compose.yml", FINGERPRINTER, beside(files))


def config_of(text: str, files: dict[str, str]) -> Section:
    return together(text, files).parts[0].sections["config"]


def test_an_env_file_gives_keys_when_it_can_be_read_and_hides_absence_when_not() -> None:
    text = one("env_file: [base.env, {path: more.env}], environment: [A=from-compose-1, B]")
    config = config_of(text, {"base.env": "A=1234\nX=1234\n", "more.env": "Y=1234\n"})
    assert {key: value["source_class"] for key, value in config.facts.items()} == {  # type: ignore[index, call-overload]
        "A": "literal",  # `environment` stands over `env_file`
        "X": "env_file",
        "Y": "env_file",
    }
    assert [entry.item for entry in config.unseen] == ["B"]

    alone = section(text, "config")
    assert list(alone.facts) == ["A"]
    assert [(entry.item, entry.reason) for entry in alone.unseen][:2] == [("*", "not_in_view")] * 2


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("../other.env", "env_file ../other.env: it leads out of this folder"),
        ("/etc/passwd", "env_file /etc/passwd: it leads out of the folder of the project"),
        ("a/../../b.env", "env_file a/../../b.env: it leads out of this folder"),
        ("missing.env", "env_file missing.env: there is no such file"),
        ("${SECRET}.env", "env_file ${SECRET}.env: it cannot be read here"),  # not what the variable holds
        ("${NOBODY}.env", "env_file ${NOBODY}.env: its path waits for NOBODY"),
    ],
)
def test_an_env_file_out_of_reach_is_named_as_it_is_written(entry: str, said: str) -> None:
    config = config_of(one(f'env_file: "{entry}"'), {".env": "SECRET=C4n4ry\n"})
    assert [(entry.item, entry.detail) for entry in config.unseen] == [("*", said)]


def test_an_env_file_that_is_cut_in_the_middle_of_a_name_leaves_keys_unknown() -> None:
    config = config_of(one("env_file: a.env"), {"a.env": "A=1234\nDATABASE_U"})
    assert list(config.facts) == ["A"]
    assert [entry.detail for entry in config.unseen] == ["a.env: line 2: not NAME=value"]


@pytest.mark.parametrize(
    ("extends", "said"),
    [
        ("base", "extends: compose.yml has no service base"),
        ("app", "extends: it extends itself"),
        ("{service: b, file: ../x.yml}", "extends: ../x.yml: it leads out of this folder"),
        ("{service: b, file: /x.yml}", "extends: /x.yml: it leads out of the folder of the project"),
        ("{service: b, file: none.yml}", "extends: none.yml: there is no such file"),
        ("{service: loop, file: loop.yml}", "loop.yml: extends: it extends itself"),
        ("{service: b, file: loop.yml}", "extends: loop.yml has no service b"),
        ("{file: loop.yml}", "extends: the service is not named"),
    ],
)
def test_what_cannot_be_extended_makes_every_section_of_its_service_partial(extends: str, said: str) -> None:
    text = f"services:\n  app: {{extends: {extends}, image: 'a:1'}}\n  other: {{image: 'b:1'}}\n"
    found = together(text, {"loop.yml": "services: {loop: {extends: {service: loop, file: loop.yml}}}"})
    app, other = (part.sections for part in found.parts)
    assert app["release"].facts["image#tag"] == "1"
    assert all(s.status == "partial" and said in s.unseen[-1].detail for s in app.values())
    assert all(s.status == "complete" for s in other.values())


@pytest.mark.parametrize(
    ("include", "said"),
    [
        ("other.yml", "include: other.yml: there is no such file"),
        ("../other.yml", "include: ../other.yml: it leads out of this folder"),
        ("{path: [/other.yml]}", "include: /other.yml: it leads out of the folder of the project"),
        ("loop.yml", "loop.yml: include: loop.yml includes itself"),
        ("{env_file: a}", "include: an entry without a path"),
        ("'${WHAT}.yml'", "include: a file whose name waits for WHAT"),
    ],
)
def test_what_cannot_be_included_leaves_the_project_incomplete(include: str, said: str) -> None:
    files = {"loop.yml": "include: [loop.yml]"}
    composed = ComposeReader().read_project(
        [("compose.yml", f"include: [{include}]\nservices:\n  app: {{image: a:1}}\n".encode())],
        FINGERPRINTER,
        beside(files),
    )
    assert not composed.complete
    assert all(said in s.unseen[-1].detail for s in composed.read.parts[0].sections.values())
    with pytest.raises(UnseenError) as caught:
        together(f"include: [{include}]\n", files)
    assert said in caught.value.detail


def test_a_service_that_is_also_included_is_unsure() -> None:
    text = "include: [a.yml]\nservices:\n  app: {image: 'a:1'}\n"
    (part,) = together(text, {"a.yml": "services: {app: {image: 'a:2'}}"}).parts
    assert "which compose refuses" in part.sections["release"].unseen[0].detail


def test_without_a_look_at_variables_not_even_a_default_is_sure() -> None:
    found = read(one('image: "acme/app:${TAG:-1.0}", environment: {A: "${B:-1}"}')).parts[0].sections
    assert [entry.item for entry in found["release"].unseen] == ["image#tag"]
    assert found["config"].facts["A"] == {"type": "template", "source_class": "literal", "opaque": True}


@pytest.mark.parametrize(
    ("entry", "name", "items"),
    [
        ("image: 'acme/app:${TAG}'", "release", ["image#tag"]),
        ("image: '${IMAGE}'", "release", ["image#*"]),
        ("ports: ['${PORT}:80']", "ports", []),  # only where it is published is open
        ("ports: ['80:${PORT}']", "ports", ["*"]),
        ("user: $USER", "processes", ["user"]),
        ("read_only: $RO", "processes", ["read_only"]),
        ("volumes: ['$DATA:/data']", "processes", ["mount/*"]),
        ("command: gunicorn $ARGS", "processes", []),
        ("command: $ARGS", "processes", ["command", "server"]),
        ("deploy: {replicas: $N}", "concurrency", ["*"]),
        ("stop_grace_period: $GRACE", "disposability", ["grace"]),
        ("healthcheck: {interval: $I, test: x}", "disposability", ["probe/*"]),
        ("healthcheck: {interval: 5s, test: pg_isready -U $U}", "disposability", []),
        ("logging: {driver: $D}", "logs", ["*"]),
    ],
)
def test_what_waits_for_a_variable_is_unseen(entry: str, name: SectionName, items: list[str]) -> None:
    found = together(one(entry), {}).parts[0].sections[name]
    assert [gap.item for gap in found.unseen] == items
    assert found.status == ("partial" if items else "complete")


def test_what_stands_behind_a_dollar_is_never_told() -> None:
    # A password with a dollar in it, whose second half compose takes for a variable.
    found = together(one("environment: {PASSWORD: pa$C4n4ry, OTHER: 'a${}C4n4ry', LAST: 'a${C4n4ry'}"), {})
    assert "C4n4ry" not in str(found)
    assert found.warnings == ("compose.yml: app: a variable is set nowhere that was read",)


def test_services_of_profiles_are_left_out_and_told() -> None:
    found = read("services:\n  app: {image: a}\n  debug: {image: b, profiles: [tools]}\n")
    assert [part.service for part in found.parts] == ["app"]
    assert found.warnings[-1] == "services of profiles are left out, as compose does: tools"


def test_an_override_file_that_compose_would_find_is_told() -> None:
    files = {"compose.override.yml": "services: {app: {user: nobody}}", ".env": "P=C4n4ry\n"}
    found = together(one("image: a"), files)
    assert "user" not in found.parts[0].sections.get("processes", Section(basis="declared")).facts
    assert found.warnings == (
        "compose.override.yml is not laid over it: name both as `paths`, where compose is run so",
    )


def test_a_profile_that_comes_from_a_variable_is_told_as_it_is_written() -> None:
    found = together("services:\n  app: {image: a, profiles: ['${P}']}\n", {".env": "P=C4n4ry\n"})
    assert found.warnings == ("services of profiles are left out, as compose does: ${P}",)


@pytest.mark.parametrize(
    "text",
    [
        "services:\n  app: {image: a, volumes: ['data:/data']}\n",
        "services:\n  app: {image: a, depends_on: [db]}\n",
        "services:\n  app: {image: a, networks: [back]}\n",
        "services:\n  app: {image: a, secrets: [password]}\n",
        "services:\n  app: {image: a, configs: [{source: nginx, target: /x}]}\n",
    ],
)
def test_a_reference_to_nothing_shows_that_a_file_was_cut_off(text: str) -> None:
    (part,) = read(text).parts
    assert all("is the file cut off?" in s.unseen[-1].detail for s in part.sections.values())


def test_a_secret_is_a_key_of_its_own_and_never_read() -> None:
    text = one("secrets: [password, {source: b, target: api-token}, {source: c, target: /etc/c}]")
    config = config_of(text + "secrets: {password: {file: ./p.txt}, b: {external: true}, c: {file: c}}\n", {})
    assert config.facts == {
        f"secrets/{name}": {"type": "text", "source_class": "secret_ref", "opaque": True}
        for name in ("password", "api-token")
    }


def test_more_files_than_any_project_has_are_not_opened() -> None:
    text = f"include: [{', '.join(f'{n}.yml' for n in range(200))}]\nservices: {{a: {{image: b}}}}\n"
    files = {f"{n}.yml": "services: {}" for n in range(200)}
    (part,) = together(text, files).parts
    assert part.sections["release"].unseen[0].reason == "too_large"


@pytest.mark.parametrize(
    "text", ["", "[]", "a: 1", "services: []", "services: {a: {image: x}, a: {image: y}}"]
)
def test_what_is_no_compose_file_is_malformed(text: str) -> None:
    with pytest.raises(UnseenError) as caught:
        read(text)
    assert caught.value.reason == "malformed"


KEYS = [
    "image",
    "secrets",
    "configs",
    "profiles",
    "networks",
    "depends_on",
    "init",
    "platform",
    "restart_policy",
    "condition",
    "required",
    "format",
    "service",
    "file",
    "source",
    "options",
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
