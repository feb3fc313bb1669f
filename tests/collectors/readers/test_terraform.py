"""Terraform states and plans: versions of the table's resources, and nothing else that stands in them."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.readers._terraform_resources import KNOWN
from collectors.readers.terraform import TerraformReader
from collectors.terraform import TerraformCollector, TerraformOptions
from detector.errors import UnseenError
from detector.model.canonical import section_document
from detector.model.fingerprints import Fingerprinter
from detector.reader import Read
from tests.collectors.lent import context
from tests.collectors.readers.cuts import OF_A_HUNDRED_OR_ALL, SOME_FLIPS_OR_MANY, Cuts, Record

FINGERPRINTER = Fingerprinter(b"k" * 32)
CONTAINERS = [
    {
        "name": "web",
        "image": "1.dkr.ecr.eu.amazonaws.com/acme/web:1.4.2",
        "environment": [{"name": "A", "value": "C4n4ry"}],
    },
    {"name": "log", "image": "fluent/fluent-bit:3.1"},
]
#: (type, attributes, what is kept of them)
RESOURCES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "aws_db_instance",
        {"engine": "postgres", "engine_version": "16", "engine_version_actual": "16.3", "password": "C4n4ry"},
        {"main#product": "postgresql", "main#version": "16.3"},
    ),
    (
        "aws_rds_cluster",
        {"engine": "aurora-postgresql", "engine_version": "15.4", "master_password": "C4n4ry"},
        {"main#product": "aurora-postgresql", "main#version": "15.4"},
    ),
    (
        "aws_elasticache_replication_group",
        {"engine": "redis", "engine_version_actual": "7.1.0"},
        {"main#product": "redis", "main#version": "7.1.0"},
    ),
    (
        "aws_opensearch_domain",
        {"engine_version": "OpenSearch_2.11"},
        {"main#product": "opensearch", "main#version": "2.11"},
    ),
    (
        "google_sql_database_instance",
        {"database_version": "POSTGRES_15"},
        {"main#product": "postgresql", "main#version": "15"},
    ),
    (
        "google_redis_instance",
        {"redis_version": "REDIS_7_0", "auth_string": "C4n4ry"},
        {"main#product": "redis", "main#version": "7.0"},
    ),
    (
        "azurerm_postgresql_flexible_server",
        {"version": "15", "administrator_password": "C4n4ry"},
        {"main#product": "postgresql", "main#version": "15"},
    ),
    ("aws_eks_cluster", {"version": "1.31"}, {"main#product": "kubernetes", "main#version": "1.31"}),
    (
        "aws_lambda_function",
        {"runtime": "python3.12", "environment": [{"variables": {"A": "C4n4ry"}}]},
        {"runtime#python": "3.12"},
    ),
    ("aws_lambda_function", {"runtime": "nodejs20.x"}, {"runtime#node": "20"}),
    ("aws_lambda_function", {"image_uri": "acme/job:2"}, {"image#repository": "acme/job", "image#tag": "2"}),
    (
        "helm_release",
        {"chart": "ingress-nginx", "version": "4.11.1", "values": ["password: C4n4ry"]},
        {"pkg:helm/ingress-nginx": "4.11.1"},
    ),
    (
        "google_cloud_run_v2_service",
        {"template": [{"containers": [{"image": "acme/web:1", "env": [{"value": "C4n4ry"}]}]}]},
        {"image#repository": "acme/web", "image#tag": "1"},
    ),
    (
        "kubernetes_deployment_v1",
        {"spec": [{"template": [{"spec": [{"container": [{"name": "a.b", "image": "acme/web:1"}]}]}]}]},
        {"image#repository": "acme/web", "image#tag": "1"},
    ),
]


def state(kind: str, attributes: dict[str, Any], **more: Any) -> bytes:
    """A state of version 4 with one resource."""
    resource = {
        "mode": "managed",
        "type": kind,
        "name": "shop",
        "provider": "x",
        "instances": [{"schema_version": 0, "attributes": attributes, "sensitive_attributes": []}],
    }
    whole = {"version": 4, "terraform_version": "1.11.4", "serial": 1, "outputs": {"p": {"value": "C4n4ry"}}}
    return json.dumps(whole | {"resources": [resource | more]}).encode()


def shown(kind: str, attributes: dict[str, Any], *, plan: bool = False) -> bytes:
    """What `terraform show -json` prints of a module with one resource."""
    resource = {
        "address": f"module.a.{kind}.shop",
        "mode": "managed",
        "type": kind,
        "name": "shop",
        "values": attributes,
    }
    module = {"root_module": {"child_modules": [{"address": "module.a", "resources": [resource]}]}}
    return json.dumps({"format_version": "1.2", "planned_values" if plan else "values": module}).encode()


def read(data: bytes) -> Read:
    return TerraformReader().read(data, "a.tfstate", FINGERPRINTER)


def facts(data: bytes) -> dict[str, Any]:
    (part,) = read(data).parts
    return {item: value for section in part.sections.values() for item, value in section.facts.items()}


@pytest.mark.parametrize(("kind", "attributes", "expected"), RESOURCES)
def test_a_resource_tells_its_version_in_states_and_plans_alike(
    kind: str, attributes: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert facts(state(kind, attributes)) == expected
    assert facts(shown(kind, attributes)) == expected
    assert facts(shown(kind, attributes, plan=True)) == expected


def test_each_container_of_a_task_definition_is_a_component() -> None:
    found = read(state("aws_ecs_task_definition", {"container_definitions": json.dumps(CONTAINERS)})).parts
    assert [
        (part.service, part.component, part.sections["release"].facts["image#tag"]) for part in found
    ] == [
        ("aws_ecs_task_definition.shop", "web", "1.4.2"),
        ("aws_ecs_task_definition.shop", "log", "3.1"),
    ]


def test_a_service_is_called_by_the_address_of_its_resource() -> None:
    redis = {"redis_version": "REDIS_7_0"}
    instances = [{"index_key": key, "attributes": redis} for key in (0, "eu/west")]
    found = read(state("google_redis_instance", redis, module='module.b["x"]', instances=instances)).parts
    assert [part.service for part in found] == [
        "module.b-x-.google_redis_instance.shop-0",
        "module.b-x-.google_redis_instance.shop-eu-west",
    ]
    # What is about to be destroyed is no resource any more, and what is only looked up is none of ours.
    deposed = [{"attributes": redis}, {"deposed": "1234", "attributes": redis}]
    assert len(read(state("google_redis_instance", redis, instances=deposed)).parts) == 1
    with pytest.raises(UnseenError, match="no resource that states a version"):
        read(state("google_redis_instance", redis, mode="data"))


@pytest.mark.parametrize(
    ("data", "reason", "said"),
    [
        (b"PK\x03\x04", "unsupported", "terraform show -json"),
        (b'{"version": 3, "resources": []}', "unsupported", "only state version 4"),
        (b'{"version": 4, "resources": []}', "unsupported", "no resource that states a version"),
        (b"{}", "malformed", "neither a state nor"),
        (b"[]", "malformed", "no object"),
        (b'{"version": 4, "resources": [', "malformed", "is it cut off?"),
        (b"[" * 100 + b"]" * 100, "too_large", "is it cut off?"),
    ],
)
def test_what_is_no_state_is_refused(data: bytes, reason: str, said: str) -> None:
    with pytest.raises(UnseenError) as caught:
        read(data)
    assert caught.value.reason == reason
    assert said in caught.value.detail


def test_no_secret_of_a_state_comes_out() -> None:
    planted = [(kind, attributes) for kind, attributes, _ in RESOURCES]
    planted.append(("aws_ecs_task_definition", {"container_definitions": json.dumps(CONTAINERS)}))
    # Every attribute of every known resource holds the canary, also where a version should be.
    planted += [(kind, dict.fromkeys((*_ATTRIBUTES, "password"), "C4n4ry=/x")) for kind in KNOWN]
    for kind, attributes in planted:
        for data in (state(kind, attributes), shown(kind, attributes | {"secret": "C4n4ry"})):
            assert b"C4n4ry" in data
            with suppress(UnseenError):
                found = read(data)
                sections = [section_document(s) for part in found.parts for s in part.sections.values()]
                assert "C4n4ry" not in str(found) + json.dumps(sections)


_ATTRIBUTES = (
    *("engine", "engine_version", "engine_version_actual", "engine_type", "version", "database_version"),
    *(
        "redis_version",
        "kafka_version",
        "kubernetes_version",
        "runtime",
        "image_uri",
        "chart",
        "container_definitions",
    ),
)


@pytest.mark.parametrize("cuts", OF_A_HUNDRED_OR_ALL)
def test_a_state_that_was_cut_says_nothing(cuts: Cuts, record_property: Record) -> None:
    for kind, attributes, _ in RESOURCES[:2]:
        for data in cuts(state(kind, attributes), record_property):
            with pytest.raises(UnseenError):
                read(data)


@pytest.mark.parametrize("breaks", SOME_FLIPS_OR_MANY)
def test_a_state_that_broke_is_unseen_without_a_traceback(breaks: Cuts, record_property: Record) -> None:
    for kind, attributes, _ in RESOURCES:
        for data in breaks(state(kind, attributes), record_property):
            with suppress(UnseenError):
                for part in read(data).parts:
                    for found in part.sections.values():
                        orjson.dumps(section_document(found))


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.sampled_from(["", "1.2", "POSTGRES_15", "[]", "a:b", "é"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_ATTRIBUTES), inner, max_size=4)
    ),
    max_leaves=10,
)


@given(
    st.sampled_from(sorted(KNOWN)), st.dictionaries(st.sampled_from(_ATTRIBUTES), VALUES, max_size=6), VALUES
)
def test_a_wrong_type_is_left_out_without_a_traceback(
    kind: str, attributes: dict[str, Any], other: Any
) -> None:
    for data in (state(kind, attributes), shown(kind, attributes), state(kind, {}, instances=other)):
        with suppress(UnseenError):
            for part in read(data).parts:
                for found in part.sections.values():
                    orjson.dumps(section_document(found))


# --- the collector --------------------------------------------------------------------------------


async def test_a_source_names_one_resource_and_how_it_is_called(tmp_path: Path) -> None:
    (tmp_path / "a.tfstate").write_bytes(state(*RESOURCES[2][:2]))
    given = {"path": "a.tfstate", "resource": "aws_elasticache_replication_group.shop", "as": "cache"}
    options = TerraformOptions.model_validate(given)
    (seen,) = (await TerraformCollector().collect(options, context("checkout", folder=tmp_path))).seen
    assert seen.sections["backing_services"].facts == {"cache#product": "redis", "cache#version": "7.1.0"}
    assert seen.sections["backing_services"].hints["cache#version"]["managed"]
    wrong = TerraformOptions.model_validate(given | {"resource": "aws_elasticache_replication_group.shp"})
    with pytest.raises(UnseenError, match=r"did you mean aws_elasticache_replication_group\.shop\?"):
        await TerraformCollector().collect(wrong, context("checkout", folder=tmp_path))


async def test_without_a_service_every_resource_is_seen(tmp_path: Path) -> None:
    (tmp_path / "a.tfstate").write_bytes(state(*RESOURCES[0][:2]))
    options = TerraformOptions.model_validate({"path": "a.tfstate"})
    (seen,) = (await TerraformCollector().collect(options, context(None, folder=tmp_path))).seen
    assert seen.service == "aws_db_instance.shop"
