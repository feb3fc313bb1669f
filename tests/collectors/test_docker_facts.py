"""The pure half of `docker`, from answers that a real engine gave."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from collectors._docker_facts import sections_of
from collectors.docker import Answers, DockerOptions, facts_from_answers
from detector.collector import Collected
from detector.errors import UnseenError
from detector.model.canonical import section_document
from tests.collectors.lent import FINGERPRINTER, context

RECORDED = Path(__file__).parent / "recorded" / "docker"
DIGEST = "sha256:" + "ab" * 32


def _recorded(name: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads((RECORDED / f"{name}.json").read_text())
    return answer


@pytest.fixture
def container() -> dict[str, Any]:
    return _recorded("container")


@pytest.fixture
def image() -> dict[str, Any]:
    return _recorded("image")


def _facts(container: dict[str, Any], image: dict[str, Any]) -> dict[str, Any]:
    sections, _ = sections_of(container, image, FINGERPRINTER)
    return {
        f"{name} {item}": value for name, section in sections.items() for item, value in section.facts.items()
    }


def test_every_section_of_a_recorded_container(container: dict[str, Any], image: dict[str, Any]) -> None:
    facts = _facts(container, image)
    config = {key: value for key, value in facts.items() if key.startswith("config ")}
    assert {key: shape["source_class"] for key, shape in config.items()} == {
        "config DATABASE_URL": "literal",
        "config DEBUG": "literal",
        "config STRIPE_SECRET_KEY": "literal",
        "config GPG_KEY": "image_default",
        "config LANG": "image_default",  # set again, to what the image has
        "config PATH": "image_default",
        "config PYTHON_SHA256": "image_default",
        "config PYTHON_VERSION": "image_default",
    }
    assert {key: value for key, value in facts.items() if key not in config} == {
        "codebase repo#url": "github.com/acme/checkout",
        "codebase repo#commit": "4f1d0a9c2be87f36a5c4e0d19b3a7f5c8e2d6b10",
        "release image#repository": "acme/checkout",
        "release image#tag": "1.4.2",
        "release image#id": image["Id"],
        "release image#platform": "linux/amd64",
        "release image#base": "python:3.12-slim",
        "release release#built_at": image["Created"],
        "processes command": "gunicorn",
        "processes server": "gunicorn",
        "processes user": "10001",
        "processes read_only": True,
        "processes mount/data": {"kind": "bind", "read_only": True},
        "processes mount/media": {"kind": "volume", "read_only": False},
        "processes mount/tmp": {"kind": "tmpfs", "read_only": False},
        "ports 8000/tcp": None,
        "concurrency limit/memory": 268435456,
        "concurrency limit/cpu": 0.5,
        "disposability pid1": "init",
        "disposability probe/health": {
            "kind": "command",
            "interval": 5,
            "timeout": 2,
            "retries": 5,
            "start_period": 0,
        },
        "disposability grace": None,
        "disposability restart": "unless-stopped",
        "disposability stop_signal": "SIGTERM",
        "logs driver": "json-file",
        "logs options": ["max-file", "max-size"],
    }


def test_no_value_label_or_argument_is_copied(container: dict[str, Any], image: dict[str, Any]) -> None:
    assert "canary" in json.dumps(container)
    sections, _ = sections_of(container, image, FINGERPRINTER)
    assert "canary" not in repr(sections)
    assert "canary" not in json.dumps({name: section_document(one) for name, one in sections.items()})


@pytest.mark.parametrize(
    ("env", "keys", "refused"),
    [
        (None, set(), 0),
        ([], set(), 0),
        (["UNSET", "A=1"], {"A"}, 0),  # an entry without = takes a variable away
        (["=C:=x", "A=1"], {"A"}, 1),  # Windows keeps drives so
        (["A=1", "A=2"], {"A"}, 0),  # the last one is what the process gets
        (["-----BEGIN PRIVATE KEY-----=x", "MIIEcanary/x+y==", "A="], {"A"}, 2),
    ],
)
def test_odd_environments(
    container: dict[str, Any], image: dict[str, Any], env: list[str] | None, keys: set[str], refused: int
) -> None:
    container["Config"]["Env"] = env
    sections, left_out = sections_of(container, image, FINGERPRINTER)
    assert set(sections["config"].facts) == keys
    assert left_out == refused
    assert sections["config"].status == "complete"


@pytest.mark.parametrize(
    ("named", "tags", "digests", "expected"),
    [
        ("acme/a:1", None, None, ("acme/a", "1", None)),
        ("registry.example:5000/acme/a", ["<none>:<none>"], ["<none>@<none>"], ("acme/a", "latest", None)),
        (f"acme/a@{DIGEST}", [], [], ("acme/a", None, DIGEST)),
        ("sha256:1234", ["acme/b:2", "acme/a:1"], [], ("acme/a", "1", None)),  # started by its id
        (
            "acme/a:1",
            ["acme/a:1"],
            [f"acme/a@{DIGEST}", f"acme/other@{'sha256:' + 'cd' * 32}"],
            ("acme/a", "1", DIGEST),
        ),
        ("sha256:1234", [], [], (None, None, None)),
    ],
)
def test_how_an_image_is_named(
    *,
    container: dict[str, Any],
    image: dict[str, Any],
    named: str,
    tags: list[str] | None,
    digests: list[str] | None,
    expected: tuple[str | None, ...],
) -> None:
    container["Image"], container["Config"]["Image"] = "sha256:123456", named
    image["RepoTags"], image["RepoDigests"] = tags, digests
    facts = _facts(container, image)
    assert tuple(facts.get(f"release image#{item}") for item in ("repository", "tag", "digest")) == expected


def test_a_digest_of_an_index_is_one_of_an_index(container: dict[str, Any], image: dict[str, Any]) -> None:
    image["RepoDigests"] = [f"acme/checkout@{DIGEST}"]
    image["Descriptor"] = {"mediaType": "application/vnd.oci.image.index.v1+json", "digest": DIGEST}
    facts = _facts(container, image)
    assert facts["release image#index"] == DIGEST
    assert "release image#digest" not in facts


def test_what_an_image_lacks_was_not_there_to_be_seen(
    container: dict[str, Any], image: dict[str, Any]
) -> None:
    sections, _ = sections_of(container, image, FINGERPRINTER)
    assert sections["release"].covers == ()  # a local build has no digest of a registry: no drift


def test_a_bare_answer_of_an_old_engine_is_read() -> None:
    container = {
        "Id": "c1",
        "Image": "sha256:1",
        "Config": {"Image": "a/b:1", "Env": None, "Labels": None, "ExposedPorts": None},
        "HostConfig": {"Memory": "268435456", "CpuQuota": 50000, "CpuPeriod": 0, "LogConfig": None},
        "NetworkSettings": {"Ports": None},
        "Mounts": None,
        "Surprise": {"new": [1]},
    }
    facts = _facts(container, {})
    assert facts["concurrency limit/memory"] == 268435456
    assert facts["concurrency limit/cpu"] == 0.5
    assert facts["release image#tag"] == "1"
    assert _facts({}, {})["disposability restart"] == "no"


def test_a_volume_of_the_image_alone_is_no_mount(container: dict[str, Any], image: dict[str, Any]) -> None:
    image["Config"]["Volumes"] = {"/media": {}, "/cache": {}}
    container["Mounts"] = [
        {"Type": "volume", "Destination": "/media", "RW": True},
        {"Type": "volume", "Destination": "/cache", "RW": True},
    ]
    facts = _facts(container, image)
    assert "processes mount/media" in facts  # bound by whoever started it
    assert "processes mount/cache" not in facts


def test_a_mounted_secret_is_a_key_that_is_never_read(
    container: dict[str, Any], image: dict[str, Any]
) -> None:
    container["Mounts"] = [
        {"Type": "bind", "Destination": "/run/secrets/password", "RW": False},
        {"Type": "bind", "Destination": "/run/secrets/not a name", "RW": False},
        {"Type": "bind", "Destination": "/etc/secrets/other", "RW": False},
    ]
    facts = _facts(container, image)
    assert facts["config secrets/password"] == {"type": "text", "source_class": "secret_ref", "opaque": True}
    assert [item for item in facts if item.startswith("config secrets")] == ["config secrets/password"]


def test_without_its_image_nothing_is_said_of_config(container: dict[str, Any]) -> None:
    sections, _ = sections_of(container, UnseenError("denied", "no"), FINGERPRINTER)
    assert sections["config"].status == "failed"
    assert sections["config"].unseen[0].reason == "denied"
    assert sections["release"].facts["image#tag"] == "1.4.2"


def _named(container: dict[str, Any], name: str, image: str, **labels: str) -> dict[str, Any]:
    other = copy.deepcopy(container)
    other["Id"] = name
    other["Config"]["Image"] = image
    other["Config"]["Labels"] = {key.replace("_", "."): value for key, value in labels.items()}
    return other


def _collected(
    containers: list[dict[str, Any]], image: dict[str, Any], service: str | None, **options: Any
) -> Collected:
    answers = Answers(containers=containers, images={str(image["Id"]): image})
    return facts_from_answers(answers, DockerOptions(**options), context(service))


def test_replicas_of_one_service_are_counted(container: dict[str, Any], image: dict[str, Any]) -> None:
    web = [_named(container, f"c{n}", "acme/checkout:1.4.2") for n in range(3)]
    (seen,) = _collected(web, image, "checkout").seen
    assert (seen.service, seen.component, seen.component_kind) == (None, "main", "process")
    assert seen.sections["concurrency"].facts["replicas"] == 3
    assert seen.sections["release"].facts["image#tag"] == "1.4.2"


def test_containers_of_another_image_are_sidecars(container: dict[str, Any], image: dict[str, Any]) -> None:
    both = [
        _named(container, "c1", "registry.example/acme/checkout:1.4.2"),
        _named(container, "c2", "vendor/datadog-agent:7"),
    ]
    seen = _collected(both, image, "checkout", label="app=checkout", main="acme/checkout").seen
    assert [(one.component, one.component_kind) for one in seen] == [
        ("datadog-agent", "sidecar"),
        ("main", "process"),
    ]


def test_a_compose_project_has_its_services_as_components(
    container: dict[str, Any], image: dict[str, Any]
) -> None:
    both = [
        _named(container, "c1", "a/b:1", com_docker_compose_service="checkout"),
        _named(container, "c2", "a/b:1", com_docker_compose_service="worker"),
    ]
    seen = _collected(both, image, "checkout", label="com.docker.compose.project=shop").seen
    assert [one.component for one in seen] == ["main", "worker"]  # the one of the service's own name is main


def test_a_discovery_names_services_by_their_label(container: dict[str, Any], image: dict[str, Any]) -> None:
    containers = [
        _named(container, "c1", "a/b:1", com_docker_compose_service="checkout"),
        _named(container, "c2", "a/b:1", com_docker_compose_service="search"),
        _named(container, "c3", "a/b:1"),
    ]
    collected = _collected(containers, image, None)
    assert [one.service for one in collected.seen] == ["checkout", "search"]
    assert "1 containers carry no label" in collected.warnings[0]
