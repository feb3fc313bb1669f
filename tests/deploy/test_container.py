"""The container and its compose file: nothing privileged, nothing open to others, nothing to set first."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from detector.config.load import load

ROOT = Path(__file__).parents[2]
COMPOSE_TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")


def test_every_setting_has_its_default() -> None:
    # `$$` is a dollar; whatever else begins with one is replaced
    variables = re.findall(r"(?<!\$)\$(?!\$)(\{[^}]*\}|\w+)", COMPOSE_TEXT)
    assert variables
    assert [variable for variable in variables if ":-" not in variable] == []
    assert not any("env_file" in service for service in SERVICES.values())


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_no_rights_it_does_not_need(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "devices", "pid", "ipc"} & service.keys()
    assert service.get("network_mode") in (None, "none")


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_open_on_loopback_alone(name: str) -> None:
    assert all(str(port).startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


def test_only_the_proxy_holds_the_docker_socket_and_only_parity_reaches_the_proxy() -> None:
    holders = {
        name: mount
        for name in SERVICES
        for mount in SERVICES[name].get("volumes", [])
        if "docker.sock" in mount
    }
    assert holders.keys() == {"socket-proxy"}
    assert holders["socket-proxy"].endswith(":ro")
    assert {name for name in SERVICES if "docker-api" in SERVICES[name].get("networks", [])} == {
        "parity",
        "socket-proxy",
    }
    assert COMPOSE["networks"]["docker-api"] == {"internal": True}


def test_the_store_is_on_no_network() -> None:
    assert SERVICES["store"]["network_mode"] == "none"


def test_images_carry_a_tag_and_come_from_no_named_registry() -> None:
    images = [service["image"] for service in SERVICES.values()]
    assert [image for image in images if not re.fullmatch(r"[a-z-]+:[a-z0-9.-]*[a-z0-9]", image)] == []
    assert [image for image in images if image.endswith(":latest")] == []


def test_the_demo_starts_only_when_asked_for_and_shows_two_of_everything() -> None:
    demo = {name: service for name, service in SERVICES.items() if service.get("profiles") == ["demo"]}
    assert SERVICES.keys() - demo.keys() == {"parity", "store", "socket-proxy"}
    of = {
        kind: {demo[f"{env}-{kind}"]["image"] for env in ("dev", "staging", "prod")}
        for kind in ("web", "db", "cache")
    }
    assert {kind: len(images) for kind, images in of.items()} == {"web": 2, "db": 2, "cache": 2}


def test_the_demo_is_watched_under_the_names_it_has() -> None:
    config = (ROOT / "deploy/config/demo.yml").read_text()
    named = set(re.findall(r"(?:service=|//(?:\w+@)?)((?:dev|staging|prod)-\w+)", config))
    assert named == {name for name, service in SERVICES.items() if "profiles" in service}


@pytest.mark.parametrize("name", ["parity.yml", "demo.yml"])
def test_its_configurations_are_valid_with_what_compose_sets(name: str) -> None:
    settings = SERVICES["parity"]["environment"]
    config = load(ROOT / "deploy/config" / name, {"PARITY_DATABASE_URL": settings["PARITY_DATABASE_URL"]})
    assert config.server.database_url.get_secret_value() == settings["PARITY_DATABASE_URL"]
    assert config.server.auth == "token"
    hosts = {source.options.model_dump()["host"] for source in config.sources if source.type == "docker"}
    assert hosts == {"tcp://socket-proxy:2375"}


def test_the_image_runs_as_nobody_and_answers_for_its_health() -> None:
    final = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.findall(r"^USER (.*)$", final, re.MULTILINE) == ["10001:10001"]
    assert "/livez" in re.findall(r"^HEALTHCHECK .*$", final, re.MULTILINE)[0]


def test_the_image_installs_nothing_that_is_not_locked() -> None:
    installs = re.findall(r"pip install .*?(?=&&|$)", DOCKERFILE, re.MULTILINE)
    assert installs
    assert [line for line in installs if not ("--require-hashes" in line or "--no-deps" in line)] == []
