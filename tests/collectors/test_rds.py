"""The collector `rds`: its pure half from recorded answers, the whole against moto."""

from typing import Any

import pytest

from collectors.rds import Answers, RdsCollector, RdsOptions, facts_from_answers
from detector.errors import UnseenError
from tests.collectors.lent import context
from tests.servers.aws import REGION, AwsServer

INSTANCE = {
    "DBInstanceIdentifier": "shop-prod",
    "Engine": "postgres",
    "EngineVersion": "16.3",
    "AutoMinorVersionUpgrade": True,
    "MasterUsername": "canary-user",
    "Endpoint": {"Address": "canary.eu-central-1.rds.amazonaws.com", "Port": 5432},
}


def _parameter(
    name: str, value: str | None, data_type: str = "string", apply_type: str = "dynamic"
) -> dict[str, Any]:
    parameter = {"ParameterName": name, "DataType": data_type, "ApplyType": apply_type, "Source": "system"}
    return parameter if value is None else {**parameter, "ParameterValue": value}


PARAMETERS = [
    _parameter("timezone", "UTC"),
    _parameter("shared_preload_libraries", "pg_stat_statements,auto_explain", apply_type="static"),
    _parameter("max_connections", "LEAST({DBInstanceClassMemory/9531392},5000)", "integer"),  # a formula
    _parameter("statement_timeout", "30000", "integer"),
    _parameter("jit", "0", "boolean"),
    _parameter("wal_level", None),  # left to AWS
    _parameter("rds.force_ssl", "1", "boolean"),
    _parameter("ssl_ca_file", "/canary/path"),  # not listed
]


def test_what_a_recorded_instance_says() -> None:
    section = facts_from_answers(Answers(database=INSTANCE, parameters=PARAMETERS))
    assert section.facts == {
        "main#product": "postgresql",
        "main#version": "16.3",
        "main#setting/timezone": "UTC",
        "main#setting/shared_preload_libraries": ["auto_explain", "pg_stat_statements"],
        "main#setting/statement_timeout": 30000,
        "main#setting/jit": False,
        "main#tls": True,
    }
    assert section.hints == {"main#version": {"managed": True, "auto_minor_upgrade": True}}
    assert (section.status, section.covers) == ("complete", ())
    assert "canary" not in repr(section)


@pytest.mark.parametrize(
    ("engine", "version", "product"),
    [
        ("aurora-postgresql", "16.4", "aurora-postgresql"),
        ("aurora-mysql", "8.0.mysql_aurora.3.04.0", "aurora-mysql"),  # kept raw: the model parses it
        ("mysql", "8.0.39", "mysql"),
        ("mariadb", "10.11.9", "mariadb"),
    ],
)
def test_products_and_versions(engine: str, version: str, product: str) -> None:
    facts = facts_from_answers(Answers(database={"Engine": engine, "EngineVersion": version}), "cache").facts
    assert facts == {"cache#product": product, "cache#version": version}


def test_an_empty_version_is_no_version() -> None:
    assert facts_from_answers(Answers(database={"Engine": "mysql", "EngineVersion": ""})).facts == {
        "main#product": "mysql"
    }


def test_a_change_that_waits_for_a_restart_is_not_believed() -> None:
    facts = facts_from_answers(Answers(database=INSTANCE, parameters=PARAMETERS, pending=True)).facts
    assert "main#setting/shared_preload_libraries" not in facts
    assert facts["main#setting/timezone"] == "UTC"


def test_a_denied_part_names_the_permission() -> None:
    denied = UnseenError("denied", "rds:DescribeDBParameters")
    section = facts_from_answers(Answers(database=INSTANCE, unseen=(denied,)))
    assert section.status == "partial"
    assert [(part.item, part.reason, part.detail) for part in section.unseen] == [
        ("main#setting/*", "denied", "rds:DescribeDBParameters")
    ]
    assert section.facts["main#version"] == "16.3"


@pytest.fixture
def aws(aws_server: AwsServer, monkeypatch: pytest.MonkeyPatch) -> AwsServer:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    return aws_server


def _options(aws: AwsServer, **more: Any) -> RdsOptions:
    return RdsOptions(region=REGION, endpoint_url=aws.url, **more)


async def test_an_instance_of_moto(aws: AwsServer) -> None:
    aws.rds_instance("shop-prod", version="16.3", parameters={"timezone": "UTC", "log_statement": "canary"})
    collected = await RdsCollector().collect(_options(aws, id="shop-prod"), context("shop-db"))
    facts = collected.seen[0].sections["backing_services"].facts
    assert facts["main#product"] == "postgresql"
    assert facts["main#version"] == "16.3"
    assert facts["main#setting/timezone"] == "UTC"
    assert "canary" not in repr(collected)


async def test_a_cluster_of_moto(aws: AwsServer) -> None:
    aws.client("rds").create_db_cluster(
        DBClusterIdentifier="shop-aurora",
        Engine="aurora-mysql",
        EngineVersion="8.0.mysql_aurora.3.04.0",
        MasterUsername="owner",
        MasterUserPassword="canary-password",
    )
    options = _options(aws, id="shop-aurora", **{"as": "db"})
    collected = await RdsCollector().collect(options, context("shop-db"))
    facts = collected.seen[0].sections["backing_services"].facts
    assert facts["db#product"] == "aurora-mysql"
    assert facts["db#version"] == "8.0.mysql_aurora.3.04.0"


async def test_what_is_not_there_is_not_in_view(aws: AwsServer) -> None:
    with pytest.raises(UnseenError, match="not_in_view"):
        await RdsCollector().collect(_options(aws, id="nothing"), context("shop-db"))
