"""An AWS account on loopback: `moto` as a process, and the seeds of what Parity reads there."""

import importlib.util
import os
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import boto3

from tests.servers.process import LOOPBACK, ServerMissing, ServerProcess, free_port, listens

REGION = "eu-central-1"
ACCOUNT = "123456789012"  # the account that moto answers for
REGISTRY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"


@dataclass(frozen=True, kw_only=True, slots=True)
class EcsContainer:
    """A container of a task definition; `more` are further members of a ContainerDefinition.

    `secrets` maps environment keys to the ARNs of parameters or secrets, `ports` are container ports.
    """

    image: str
    name: str = "web"
    env: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    ports: Sequence[int] = (8000,)
    command: Sequence[str] = ()
    log_driver: str | None = "awslogs"
    log_options: Mapping[str, str] = field(default_factory=dict)
    healthcheck: Sequence[str] = ()
    stop_timeout: int | None = None
    user: str | None = None
    read_only: bool = False
    essential: bool = True
    more: Mapping[str, Any] = field(default_factory=dict)

    def definition(self) -> dict[str, Any]:
        """The ContainerDefinition of the ECS API."""
        definition: dict[str, Any] = {
            "name": self.name,
            "image": self.image,
            "essential": self.essential,
            "memory": 256,  # moto fails to run a task without it
            "environment": [{"name": key, "value": value} for key, value in self.env.items()],
            "secrets": [{"name": key, "valueFrom": arn} for key, arn in self.secrets.items()],
            "portMappings": [{"containerPort": port, "protocol": "tcp"} for port in self.ports],
            "readonlyRootFilesystem": self.read_only,
        }
        if self.command:
            definition["command"] = list(self.command)
        if self.log_driver:
            definition["logConfiguration"] = {
                "logDriver": self.log_driver,
                "options": dict(self.log_options),
            }
        if self.healthcheck:
            definition["healthCheck"] = {"command": list(self.healthcheck), "interval": 30, "retries": 3}
        if self.stop_timeout is not None:
            definition["stopTimeout"] = self.stop_timeout
        if self.user is not None:
            definition["user"] = self.user
        return definition | dict(self.more)


class AwsServer(ServerProcess):
    """`moto` as a process: every service it knows, at one address, with any credentials.

    Unlike AWS: no task of a service ever runs (`runningCount` stays 0).
    """

    name = "aws"

    def __init__(self) -> None:
        if importlib.util.find_spec("moto") is None:
            raise ServerMissing("moto", "pip install 'moto[server]'")
        super().__init__()
        self.port = free_port()

    @property
    def url(self) -> str:
        """Address of every service, as `endpoint_url` or AWS_ENDPOINT_URL."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables that lead boto3 here."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, service: str, region: str = REGION) -> Any:
        """A boto3 client of this account; close it with the test."""
        session = boto3.Session(
            aws_access_key_id="test", aws_secret_access_key="test", region_name=region
        )  # no profile of whoever runs the tests
        return session.client(service, endpoint_url=self.url)

    def reset(self) -> None:
        """Forget everything that was made."""
        request = urllib.request.Request(f"{self.url}/moto-api/reset", method="POST")
        urllib.request.urlopen(request, timeout=10).close()

    def ecs_service(
        self,
        cluster: str,
        service: str,
        containers: Sequence[EcsContainer],
        *,
        desired: int = 2,
        tags: Mapping[str, str] | None = None,
        region: str = REGION,
        **more: Any,
    ) -> str:
        """Make a Fargate service, or give it a new revision; the ARN of its task definition.

        `more` are further members of RegisterTaskDefinition.
        """
        ecs = self.client("ecs", region)
        ecs.create_cluster(clusterName=cluster)
        registered = ecs.register_task_definition(
            family=service,
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            cpu="256",
            memory="512",
            containerDefinitions=[container.definition() for container in containers],
            tags=[{"key": key, "value": value} for key, value in (tags or {}).items()],
            **more,
        )
        definition: str = registered["taskDefinition"]["taskDefinitionArn"]
        found = ecs.describe_services(cluster=cluster, services=[service])["services"]
        if [row for row in found if row["status"] == "ACTIVE"]:
            ecs.update_service(
                cluster=cluster, service=service, taskDefinition=definition, desiredCount=desired
            )
        else:
            subnet = self.client("ec2", region).describe_subnets()["Subnets"][0]["SubnetId"]
            network = {"awsvpcConfiguration": {"subnets": [subnet], "securityGroups": []}}
            ecs.create_service(
                cluster=cluster,
                serviceName=service,
                taskDefinition=definition,
                desiredCount=desired,
                launchType="FARGATE",
                networkConfiguration=network,
            )
        return definition

    def rds_instance(
        self,
        identifier: str,
        *,
        engine: str = "postgres",
        version: str = "16.3",
        family: str = "postgres16",
        parameters: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
        region: str = REGION,
        **more: Any,
    ) -> None:
        """Make a database instance with a parameter group of its own; `more` goes to CreateDBInstance."""
        rds = self.client("rds", region)
        group = f"{identifier}-parameters"
        rds.create_db_parameter_group(
            DBParameterGroupName=group, DBParameterGroupFamily=family, Description=identifier
        )
        if parameters:
            rows = [
                {"ParameterName": name, "ParameterValue": value, "ApplyMethod": "immediate"}
                for name, value in parameters.items()
            ]
            rds.modify_db_parameter_group(DBParameterGroupName=group, Parameters=rows)
        settings: dict[str, Any] = {
            "DBInstanceClass": "db.t4g.micro",
            "AllocatedStorage": 20,
            "MasterUsername": "owner",
            "MasterUserPassword": "made-up-password",
            "AutoMinorVersionUpgrade": True,
        }
        rds.create_db_instance(
            DBInstanceIdentifier=identifier,
            Engine=engine,
            EngineVersion=version,
            DBParameterGroupName=group,
            Tags=[{"Key": key, "Value": value} for key, value in (tags or {}).items()],
            **(settings | more),
        )

    def _environment(self) -> Mapping[str, str]:
        return os.environ | {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}

    def _command(self) -> Sequence[str]:
        return [sys.executable, "-m", "moto.server", "-H", LOOPBACK, "-p", str(self.port)]

    def _ready(self) -> bool:
        return listens(self.port)
