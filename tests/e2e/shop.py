"""The shop of the main job: one application in four environments made of real parts, with planted drifts.

| environment | application | database | cache |
|---|---|---|---|
| dev | dotenv, a lockfile and its code | | |
| staging | a container of one Docker engine | PostgreSQL 15 | Redis 7 |
| prod | a container of another engine | PostgreSQL 18 | Redis 6.2 |
| prod-us | a service of ECS | RDS, PostgreSQL 16 | |
"""

import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.e2e.canaries import Canaries
from tests.e2e.service import Named
from tests.servers import images
from tests.servers.aws import ACCOUNT, REGION, REGISTRY, AwsServer, EcsContainer
from tests.servers.docker_engine import DockerEngine
from tests.servers.postgres import Postgres
from tests.servers.process import LOOPBACK, free_port
from tests.servers.redis import Redis
from tests.servers.slack_process import SlackProcess

CHANNEL = "C0PAYMENTS"
BASE = "parity-e2e/python:3.12-slim-bookworm"
IMAGE = "registry.example/acme/checkout:1.4.2"
CONTAINER = "checkout-web-1"
LABEL = "com.docker.compose.service=checkout"
COMMIT = "4f1d0a9c2be87f36a5c4e0d19b3a7f5c8e2d6b10"

#: What was planted, and nothing else may be found.
PLANTED: set[Named] = {
    ("dev..staging", "checkout", "substitution", "QUEUE_URL"),
    ("staging..prod", "checkout", "difference", "STRIPE_WEBHOOK_SECRET"),
    ("staging..prod", "checkout", "shared_secret", "SESSION_SECRET"),
    ("staging..prod", "checkout", "shared_endpoint", "SEARCH_URL"),
    ("staging..prod", "checkout", "difference", "pkg:pypi/urllib3"),
    ("staging..prod", "shop-db", "difference", "main#version"),
    ("staging..prod", "cache", "difference", "main#version"),
    ("staging..prod-us", "checkout", "difference", "PAYMENT_RETRIES"),
    ("staging..prod-us", "shop-db", "difference", "main#version"),
    ("prod", "checkout", "loopback_in_production", "METRICS_URL"),
}
LOOPBACK_URL: Named = ("prod", "checkout", "loopback_in_production", "METRICS_URL")
SHARED_SECRET: Named = ("staging..prod", "checkout", "shared_secret", "SESSION_SECRET")


@dataclass(kw_only=True)
class Shop:
    """The parts of the shop, and what was planted in them."""

    folder: Path
    staging: DockerEngine
    prod: DockerEngine
    postgres_staging: Postgres
    postgres_prod: Postgres
    redis_staging: Redis
    redis_prod: Redis
    aws: AwsServer
    slack: SlackProcess
    port: int = field(default_factory=free_port)
    canaries: Canaries = field(default_factory=Canaries)

    def __post_init__(self) -> None:
        plant = self.canaries
        for server, place in ((self.postgres_staging, "staging"), (self.postgres_prod, "prod")):
            plant.known(f"{place} database password", server.reader_password)
            plant.known(f"{place} database admin", server.admin_password)
        for cache, place in ((self.redis_staging, "staging"), (self.redis_prod, "prod")):
            assert cache.password is not None
            plant.known(f"{place} cache password", cache.password)
        plant.known("Slack token", self.slack.token)
        self.shared_session = plant.marked("SESSION_SECRET of staging and prod")

    @property
    def aws_environment(self) -> dict[str, str]:
        """What the service needs to speak to AWS: its keys are canaries too."""
        return {
            **self.aws.environment,
            "AWS_ACCESS_KEY_ID": self.canaries.planted["AWS key id"],
            "AWS_SECRET_ACCESS_KEY": self.canaries.planted["AWS secret key"],
        }

    def build(self) -> None:
        """Make every environment."""
        self.canaries.known("AWS key id", f"AKIA{secrets.token_hex(8).upper()}")
        self.canaries.marked("AWS secret key")
        self._files()
        for engine, place in ((self.staging, "staging"), (self.prod, "prod")):
            engine.build(BASE, images.python_base())
            engine.build(IMAGE, self._image(place))
        self.run_staging()
        self.run_prod(self.shared_session)
        self._ecs()

    def close(self) -> None:
        """Remove what stands in shared servers."""
        for engine in (self.staging, self.prod):
            engine.rm(CONTAINER)

    def run_staging(self) -> None:
        """Start the application of staging."""
        env = self._environment("staging") | {
            "SESSION_SECRET": self.shared_session,
            "STRIPE_WEBHOOK_SECRET": self.canaries.marked("STRIPE_WEBHOOK_SECRET of staging"),
            "PAYMENT_RETRIES": self.canaries.plain("PAYMENT_RETRIES of staging"),
            # Another login at the cluster of prod is the same cluster.
            "SEARCH_URL": f"rediss://:{self.canaries.plain('other login')}@search.prod.shop.example:6380/0",
        }
        self._run(self.staging, "staging", env)

    def run_prod(self, session_secret: str, *, metrics: str = "127.0.0.1") -> None:
        """Start the application of prod anew, with this secret and this host for its metrics."""
        env = self._environment("prod") | {
            "SESSION_SECRET": session_secret,
            "METRICS_URL": f"http://{metrics}:9100/{self.canaries.plain('path of METRICS_URL')}",
            "PAYMENT_RETRIES": self.canaries.plain("PAYMENT_RETRIES of prod"),
        }
        self._run(self.prod, "prod", env)

    def write_config(self) -> Path:
        """Write parity.yml and the secrets that it names."""
        secret_files = {
            "staging-db": self.postgres_staging.dsn,
            "prod-db": self.postgres_prod.dsn,
            "staging-cache": self.redis_staging.url,
            "prod-cache": self.redis_prod.url,
            "slack-token": self.slack.token,
        }
        for name, text in secret_files.items():
            path = self.folder / name
            path.touch(mode=0o600)
            path.write_text(text)
        aws = {"region": REGION}
        config: dict[str, Any] = {
            "version": 1,
            "server": {
                "listen": f"{LOOPBACK}:{self.port}",
                "public_url": f"http://{LOOPBACK}:{self.port}",
                "database_url": "sqlite:///data/parity.db",
                "auth": "token",
            },
            "defaults": {"every": "1s", "timeout": "10s", "valid": "1h"},
            "environments": [
                {"name": "dev", "tier": "development"},
                {"name": "staging", "tier": "staging"},
                {"name": "prod", "tier": "production", "group": "prod"},
                {"name": "prod-us", "tier": "production", "group": "prod"},
            ],
            "services": [
                {
                    "name": "checkout",
                    "owner": "team-payments",
                    "sources": {
                        "dev": [
                            {"type": "dotenv", "path": "dev/.env"},
                            {"type": "lockfile", "path": "dev/requirements.txt"},
                            {"type": "reads", "path": "dev/src"},
                        ],
                        "staging": {"type": "docker", "host": self.staging.url, "label": LABEL},
                        "prod": {"type": "docker", "host": self.prod.url, "label": LABEL},
                        "prod-us": {"type": "ecs", "cluster": "prod", **aws},
                    },
                },
                {
                    "name": "shop-db",
                    "kind": "backing_service",
                    "owner": "team-data",
                    "sources": {
                        "staging": {"type": "postgres", "dsn_file": "staging-db"},
                        "prod": {"type": "postgres", "dsn_file": "prod-db"},
                        "prod-us": {"type": "rds", "id": "shop-prod", **aws},
                    },
                },
                {
                    "name": "cache",
                    "kind": "backing_service",
                    "owner": "team-data",
                    "sources": {
                        "staging": {"type": "redis", "url_file": "staging-cache"},
                        "prod": {"type": "redis", "url_file": "prod-cache"},
                    },
                },
            ],
            "alerting": {
                "receivers": [
                    {
                        "name": "payments",
                        "slack": {
                            "channel": CHANNEL,
                            "bot_token_file": "slack-token",
                            "api_url": self.slack.url,
                        },
                    }
                ],
            },
        }
        path = self.folder / "parity.yml"
        path.write_text(json.dumps(config, indent=1))  # JSON is YAML
        return path

    def _environment(self, place: str) -> dict[str, str]:
        """What the application has in each environment: every value another one."""
        plant = self.canaries
        password = plant.marked(f"password in DATABASE_URL of {place}")
        queue = plant.plain(f"password in QUEUE_URL of {place}")
        search = plant.plain(f"password in SEARCH_URL of {place}")
        metrics = plant.plain(f"path in METRICS_URL of {place}")
        return {
            "DATABASE_URL": f"postgresql://shop:{quote(password, safe='')}@db.{place}.shop.example:5432/shop",
            "QUEUE_URL": f"amqp://shop:{queue}@queue.{place}.shop.example:5672/shop",
            "SEARCH_URL": f"rediss://:{search}@search.{place}.shop.example:6380/0",
            "METRICS_URL": f"http://metrics.{place}.shop.example:9100/{metrics}",
            "STRIPE_API_KEY": plant.marked(f"STRIPE_API_KEY of {place}"),
            "MAIL_TOKEN": plant.plain(f"MAIL_TOKEN of {place}"),
            "GREETING": plant.marked(f"GREETING of {place}"),
            # What is told of them comes from closed lists: a backend, an emulator, the tier of a host.
            "EMAIL_BACKEND": f"shop.{plant.plain(f'module of EMAIL_BACKEND of {place}')}.smtp.EmailBackend",
            "ASSETS_URL": f"https://{plant.plain(f'host of ASSETS_URL of {place}')}.{place}.shop.example/",
        }

    def _run(self, engine: DockerEngine, place: str, env: Mapping[str, str]) -> None:
        engine.run(
            IMAGE,
            CONTAINER,
            env=env,
            labels={
                "com.docker.compose.project": "shop",
                "com.docker.compose.service": "checkout",
                "deploy.note": self.canaries.marked(f"label of {place}"),
            },
            command=["gunicorn", f"--license={self.canaries.plain(f'argument of {place}')}", "shop.wsgi"],
        )

    def _image(self, place: str) -> dict[str, bytes]:
        installed = {"gunicorn": "23.0.0", "Django": "5.1.2", "urllib3": "2.4.0"}
        if place == "prod":
            installed["urllib3"] = "2.5.0"
        return images.app(BASE, distributions=installed, revision=COMMIT)

    def _files(self) -> None:
        dev = self.folder / "dev"
        dev.mkdir()
        env = self._environment("dev") | {
            "QUEUE_URL": "sqlite:///queue.db",
            "SESSION_SECRET": self.canaries.marked("SESSION_SECRET of dev"),
            "STRIPE_WEBHOOK_SECRET": self.canaries.marked("STRIPE_WEBHOOK_SECRET of dev"),
            "PAYMENT_RETRIES": self.canaries.plain("PAYMENT_RETRIES of dev"),
        }
        env["ASSETS_URL"] = f"http://minio.{self.canaries.plain('host of an emulator')}.shop.example:9000/"
        self._code(dev / "src", env)
        (dev / ".env").write_text("".join(f"{name}='{value}'\n" for name, value in env.items()))
        lock = {"django": "5.1.2", "gunicorn": "23.0.0", "urllib3": "2.4.0"}
        digest = "0" * 64
        (dev / "requirements.txt").write_text(
            "".join(f"{name}=={version} --hash=sha256:{digest}\n" for name, version in lock.items())
        )

    def _code(self, folder: Path, keys: Iterable[str]) -> None:
        """Write code that reads every key, two of them with a secret default, and more that is nobody's."""
        plain, marked = self.canaries.plain, self.canaries.marked
        defaults = {
            "MAIL_TOKEN": f", {plain('default in the code')!r}",
            "GREETING": f", {marked('default with marks in the code')!r}",
        }
        reads = [f"os.environ.get({key!r}{defaults[key]})" for key in defaults]
        reads += [f"os.environ[{key!r}]" for key in keys if key not in defaults]
        lines = ["import os", *reads, f"LICENSE = {marked('literal in the code')!r}"]
        lines.append(f"os.environ[{plain('computed key')!r} + name]  # {plain('comment in the code')}")
        folder.mkdir()
        (folder / "settings.py").write_text("\n".join(lines) + "\n")
        (folder / "broken.py").write_text(f"os.environ[{plain('code that does not parse')!r} (\n")
        (folder / ".env.example").write_text(f"MAIL_TOKEN={plain('example of a value')}\n")

    def _ecs(self) -> None:
        plant = self.canaries
        literal = self._environment("prod-us")
        webhook = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/prod/checkout/webhook"
        session = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/prod/checkout/session"
        ssm = self.aws.client("ssm")
        for arn in (webhook, session):
            name = arn.partition(":parameter")[2]
            ssm.put_parameter(Name=name, Value=plant.marked(f"parameter {name}"), Type="SecureString")
        container = EcsContainer(
            image=f"{REGISTRY}/acme/checkout:1.4.2",
            name="checkout",
            env=literal,
            secrets={"STRIPE_WEBHOOK_SECRET": webhook, "SESSION_SECRET": session},
            command=("gunicorn", f"--license={plant.plain('argument of prod-us')}", "shop.wsgi"),
            more={"dockerLabels": {"deploy.note": plant.marked("label of prod-us")}},
        )
        self.aws.ecs_service("prod", "checkout", [container], tags={"note": plant.plain("tag of prod-us")})
        self.aws.rds_instance("shop-prod", MasterUserPassword=plant.plain("password of RDS"), DBName="shop")
