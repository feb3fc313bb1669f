"""The quiet story: two honest environments of one application, on Docker and on ECS, give no finding at all.

What differs here differs in every company: variables of an official image that a task definition never names,
secrets by value and by reference, another registry, other sizes, revision numbers, where logs go, how tools
spell a package, and the platform of a laptop.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.service import STATES, Service, name_of, parity
from tests.servers import images
from tests.servers.aws import ACCOUNT, REGION, REGISTRY, AwsServer, EcsContainer
from tests.servers.docker_engine import DockerEngine
from tests.servers.packages import DEB_PACKAGES
from tests.servers.postgres import Postgres15
from tests.servers.process import LOOPBACK, free_port

BASE = "parity-e2e/python:3.12-slim-bookworm"
IMAGE = "registry.example/acme/checkout:2.0.1"
CONTAINER = "quiet-checkout-1"
COMMIT = "9b1c0a9c2be87f36a5c4e0d19b3a7f5c8e2d6b10"
COMMAND = ("gunicorn", "--workers", "4", "--bind", "0.0.0.0:8000", "shop.wsgi")
PROBE = "wget -q -O /dev/null http://localhost:8000/version.json"
SECRETS = ("DATABASE_URL", "SESSION_SECRET", "STRIPE_API_KEY")


@pytest.fixture
def aws() -> Iterator[AwsServer]:
    with AwsServer() as server:
        yield server


@pytest.fixture
def service(tmp_path: Path, docker_staging: DockerEngine, aws: AwsServer) -> Iterator[Service]:
    with ExitStack() as stack:
        database = stack.enter_context(Postgres15(tls=True))
        (version,) = [str(row[0]) for row in server_version(database)]
        docker_side(docker_staging)
        stack.callback(docker_staging.rm, CONTAINER)
        ecs_side(aws, version)
        config = write_config(tmp_path, docker_staging, database)
        running = Service(config.path, config.port, environment=aws.environment)
        yield stack.enter_context(running)


def test_two_honest_environments_are_in_parity(service: Service, tmp_path: Path) -> None:
    for environment, packages in installed().items():
        observation = tmp_path / f"{environment}.json"
        observation.write_text(json.dumps(packages))
        words = ["--env", environment, "--service", "checkout", "--source", "ci", "--server", service.url]
        pushed = parity("push", f"snapshot:{observation}", *words)
        assert pushed.code == 0, pushed.err

    sources = service.until(lambda: all_looked_twice(service), "second look of every source")
    assert {one["source"]: one["state"] for one in sources if one["state"] != "ok"} == {}
    documents = {}
    for left, right in (("dev", "staging"), ("staging", "prod")):
        answer = service.cli("diff", left, right, "--all", "-o", "json")
        assert answer.code in (0, 3), answer.err
        assert answer.code == 0 or answer.err.splitlines()[-1].startswith("cannot tell: ")
        documents[right] = answer.json()
        items = documents[right]["items"]
        assert {item["item"]: item["verdict"] for item in items if item["verdict"] == "drift"} == {}
        assert {item["item"] for item in items if item["kind"] != "difference"} == set()
    # Silence because much was compared, not because little was seen.
    compared = {item["item"] for item in documents["prod"]["items"] if item["verdict"] == "in_sync"}
    assert {*SECRETS, "main#version"} <= compared
    assert any(item.startswith("pkg:deb/debian/") for item in compared), sorted(compared)
    sizes = {item["item"]: item for item in documents["prod"]["items"] if item["verdict"] == "expected"}
    assert "main#setting/max_connections" in sizes, sorted(sizes)
    assert documents["prod"]["coverage"]["items_compared"] > 30
    gate = service.cli("gate")
    assert gate.code in (0, 3), gate.err
    assert [name_of(row) for row in service.drifts(*STATES)] == []
    assert [one for one in service.log if one["event"].startswith("drift ")] == []


def all_looked_twice(service: Service) -> list[dict[str, Any]] | None:
    """Every source, when each polled one ran twice or more."""
    lines = service.get("/metrics", accept="text/plain").out.splitlines()
    counts = [float(line.split()[-1]) for line in lines if line.startswith("parity_collector_runs_total{")]
    sources: list[dict[str, Any]] = service.get("/api/v1/sources").json()["items"]
    polled = [one for one in sources if one["type"] != "push"]
    return sources if len(counts) >= len(polled) and min(counts) >= 2 else None


def server_version(database: Postgres15) -> list[tuple[object, ...]]:
    """The plain number of the server, as RDS calls it."""
    import asyncio

    rows = asyncio.run(database.fetch("SHOW server_version"))
    return [(str(row[0]).split()[0],) for row in rows]


def variables(place: str) -> dict[str, str]:
    """The configuration of the application: the same keys everywhere, each value of its own."""
    return {
        "DATABASE_URL": f"postgresql://shop:pw-of-{place}@db.{place}.shop.example:5432/shop",
        "SESSION_SECRET": f"0f1e2d3c4b5a-{place}",
        "STRIPE_API_KEY": f"sk_{place}_51Jx",
        "LOG_LEVEL": {"prod": "warning"}.get(place, "info"),
        "PUBLIC_URL": f"https://{place}.shop.example",
        "ANALYTICS": "on",
    }


def docker_side(engine: DockerEngine) -> None:
    engine.build(BASE, images.python_base())
    engine.build(IMAGE, images.app(BASE, revision=COMMIT, version="2.0.1", command=COMMAND))
    engine.run(
        IMAGE,
        CONTAINER,
        env=variables("staging"),
        labels={"com.docker.compose.project": "quiet", "com.docker.compose.service": "checkout-quiet"},
        ports={8000: 0},
        healthcheck={
            "test": ["CMD-SHELL", PROBE],
            "interval": 30_000_000_000,
            "timeout": 5_000_000_000,
            "retries": 3,
        },
        restart_policy={"Name": "unless-stopped"},
    )


def ecs_side(aws: AwsServer, database: str) -> None:
    plain = {name: value for name, value in variables("prod").items() if name not in SECRETS}
    parameter = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/prod/checkout"
    container = EcsContainer(
        image=f"{REGISTRY}/acme/checkout:2.0.1",
        name="checkout",
        env=plain,
        secrets={name: f"{parameter}/{name}" for name in SECRETS},
        healthcheck=("CMD-SHELL", PROBE),
        log_options={
            "awslogs-group": "/ecs/checkout",
            "awslogs-region": REGION,
            "awslogs-stream-prefix": "web",
        },
        command=COMMAND,
        more={"dockerLabels": {"org.opencontainers.image.revision": COMMIT}},
    )
    for _ in range(3):  # revision numbers grow with each deployment
        aws.ecs_service("prod", "checkout-prod", [container], desired=6)
    parameters = {"rds.force_ssl": "1", "max_connections": "900"}  # a bigger server
    aws.rds_instance("shop-prod", version=database, family="postgres15", parameters=parameters)


def installed() -> dict[str, Mapping[str, Any]]:
    """What pipelines push: packages as their tools spell them, of a laptop, a container and a task."""
    debian = {
        f"pkg:deb/debian/{one.name}?arch={one.architecture}&distro=debian-12": one.version
        for one in DEB_PACKAGES
        if not one.status.endswith("config-files")
    }
    python = {"pkg:pypi/django": "5.1.2", "pkg:pypi/gunicorn": "23.0.0"}
    npm = {"pkg:npm/esbuild": "0.25.0", "pkg:npm/%40esbuild/{}": "0.25.0"}

    def of(environment: str, platform: str, more: Mapping[str, str]) -> dict[str, Any]:
        facts = {name.format(platform): version for name, version in npm.items()} | dict(more)
        return {
            "schema": "parity.observation/v1",
            "environment": environment,
            "service": "checkout",
            "source": "ci",
            "observed_at": datetime.now(UTC).isoformat(),
            "sections": {
                "dependencies": {
                    "basis": "running",
                    "status": "complete",
                    "covers": sorted({f"{name.partition('/')[0]}/*" for name in facts}),
                    "facts": facts,
                }
            },
        }

    return {
        "dev": of("dev", "darwin-arm64", python),
        "staging": of("staging", "linux-x64", {}),
        "prod": of("prod", "linux-x64", python | debian),
    }


class _Config:
    """Where the configuration is, and on which port it has the service listen."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.port = free_port()


def write_config(folder: Path, engine: DockerEngine, database: Postgres15) -> _Config:
    made = _Config(folder / "parity.yml")
    dsn = folder / "dsn"
    dsn.touch(mode=0o600)
    dsn.write_text(database.dsn)
    aws = {"region": REGION}
    push = {"type": "push", "name": "ci"}
    docker = {"type": "docker", "host": engine.url, "container": CONTAINER}
    settings = {
        "version": 1,
        "server": {
            "listen": f"{LOOPBACK}:{made.port}",
            "auth": "none",
            "database_url": "sqlite:///data/p.db",
        },
        "defaults": {"every": "1s", "valid": "1h"},
        "environments": [
            {"name": "dev", "tier": "development"},
            {"name": "staging", "tier": "staging"},
            {"name": "prod", "tier": "production"},
        ],
        "services": [
            {
                "name": "checkout",
                "owner": "team-payments",
                "sources": {
                    "dev": push,
                    "staging": [docker, push],
                    "prod": [{"type": "ecs", "cluster": "prod", "service": "checkout-prod", **aws}, push],
                },
            },
            {
                "name": "shop-db",
                "kind": "backing_service",
                "sources": {
                    "staging": {"type": "postgres", "dsn_file": "dsn"},
                    "prod": {"type": "rds", "id": "shop-prod", **aws},
                },
            },
        ],
    }
    made.path.write_text(json.dumps(settings, indent=1))
    return made
