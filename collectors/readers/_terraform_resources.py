"""Which resources of Terraform say a version, and where (the providers' documentation of attributes).

Of a resource only what stands here is looked at, and only what has the form of a product, a version or an
image is kept.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from collectors._containers import image_reference
from detector.errors import ParityError
from detector.model.facts import Section, Value
from detector.model.wire_json import json_document
from detector.model.words import SectionName

_PRODUCT: Final = re.compile(r"[a-z][a-z0-9-]{1,31}")
_VERSION: Final = re.compile(r"v?[0-9][A-Za-z0-9._+-]{0,63}")
_NAMED_VERSION: Final = re.compile(r"([A-Za-z]+)[_-]([0-9][0-9A-Za-z_.]{0,31})")
_RUNTIME: Final = re.compile(r"(python|nodejs|java|ruby|dotnet|go|php)([0-9][0-9.]{0,15})?(?:\.x)?")
_CHART: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,127}")
#: Names of engines -> products, as other collectors call them.
_PRODUCTS: Final = {"postgres": "postgresql"}
_RUNTIMES: Final = {"nodejs": "node"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Server:
    """How a resource states its server: the product or the attribute that names it, and the version's."""

    product: str = ""
    engine: str = ""
    #: Attributes that may hold the version; the first that does counts.
    version: tuple[str, ...] = ("engine_version_actual", "engine_version")


_SERVERS: Final[Mapping[str, _Server]] = {
    "aws_db_instance": _Server(engine="engine"),
    "aws_rds_cluster": _Server(engine="engine"),
    "aws_rds_global_cluster": _Server(engine="engine"),
    "aws_docdb_cluster": _Server(product="docdb"),
    "aws_neptune_cluster": _Server(product="neptune"),
    "aws_elasticache_cluster": _Server(engine="engine"),
    "aws_elasticache_replication_group": _Server(engine="engine"),
    "aws_elasticache_serverless_cache": _Server(
        engine="engine", version=("full_engine_version", "major_engine_version")
    ),
    "aws_memorydb_cluster": _Server(engine="engine", version=("engine_patch_version", "engine_version")),
    "aws_opensearch_domain": _Server(version=("engine_version",)),
    "aws_elasticsearch_domain": _Server(product="elasticsearch", version=("elasticsearch_version",)),
    "aws_mq_broker": _Server(engine="engine_type", version=("engine_version",)),
    "aws_msk_cluster": _Server(product="kafka", version=("kafka_version",)),
    "aws_eks_cluster": _Server(product="kubernetes", version=("version",)),
    "google_sql_database_instance": _Server(version=("database_version",)),
    "google_alloydb_cluster": _Server(version=("database_version",)),
    "google_redis_instance": _Server(version=("redis_version",)),
    "google_memcache_instance": _Server(version=("memcache_version",)),
    "google_container_cluster": _Server(
        product="kubernetes", version=("master_version", "min_master_version")
    ),
    "azurerm_postgresql_server": _Server(product="postgresql", version=("version",)),
    "azurerm_postgresql_flexible_server": _Server(product="postgresql", version=("version",)),
    "azurerm_mysql_server": _Server(product="mysql", version=("version",)),
    "azurerm_mysql_flexible_server": _Server(product="mysql", version=("version",)),
    "azurerm_mariadb_server": _Server(product="mariadb", version=("version",)),
    "azurerm_mssql_server": _Server(product="sqlserver", version=("version",)),
    "azurerm_redis_cache": _Server(product="redis", version=("redis_version",)),
    "azurerm_kubernetes_cluster": _Server(product="kubernetes", version=("kubernetes_version",)),
}  # fmt: skip
_LAMBDA: Final = "aws_lambda_function"
_RELEASE: Final = "helm_release"
_TASK: Final = "aws_ecs_task_definition"
#: Resources whose containers stand at a path of blocks.
_CONTAINERS: Final[Mapping[str, tuple[str, ...]]] = {
    "google_cloud_run_service": ("template", "spec", "containers"),
    "google_cloud_run_v2_service": ("template", "containers"),
    "google_cloud_run_v2_job": ("template", "template", "containers"),
    **{
        f"kubernetes_{kind}{version}": ("spec", "template", "spec", "container")
        for kind in ("deployment", "stateful_set", "daemonset", "daemon_set", "job")
        for version in ("", "_v1")
    },
}
KNOWN: Final = frozenset((*_SERVERS, *_CONTAINERS, _LAMBDA, _RELEASE, _TASK))


def components_of(
    kind: str, values: Mapping[str, Any]
) -> Iterator[tuple[str | None, dict[SectionName, Section]]]:
    """Yield the sections of a resource, of one with several containers those of each by name."""
    if kind in _SERVERS:
        facts, hints = _server(_SERVERS[kind], values)
        if facts:
            yield None, {"backing_services": _section(facts, {"main#version": hints} if hints else {})}
    elif kind == _LAMBDA:
        sections: dict[SectionName, Section] = {"release": _section(_image(values.get("image_uri")))}
        if match := _matched(_RUNTIME, values.get("runtime")):
            runtime = _RUNTIMES.get(match[1], match[1])
            sections["dependencies"] = _section({f"runtime#{runtime}": match[2]} if match[2] else {})
        yield None, {known: section for known, section in sections.items() if section.facts}
    elif kind == _RELEASE:
        chart = str(values.get("chart") or "").rpartition("/")[2]
        if _CHART.fullmatch(chart) and (version := _matched(_VERSION, values.get("version"))):
            yield None, {"dependencies": _section({f"pkg:helm/{chart}": version[0]})}
    else:
        for container in _containers(kind, values):
            name = container.get("name")
            if facts := _image(container.get("image")):
                yield (name if isinstance(name, str) else None), {"release": _section(facts)}


def _section(facts: Mapping[str, Value], hints: Mapping[str, Mapping[str, Any]] | None = None) -> Section:
    return Section(basis="declared", facts=facts, hints=hints or {}, covers=tuple(facts))


def _matched(pattern: re.Pattern[str], text: object) -> re.Match[str] | None:
    return pattern.fullmatch(text) if isinstance(text, str) else None


def _server(server: _Server, values: Mapping[str, Any]) -> tuple[dict[str, Value], dict[str, Any]]:
    stated = next((str(values[key]) for key in server.version if values.get(key)), "")
    product = server.product or str(values.get(server.engine) or "")
    if named := _NAMED_VERSION.fullmatch(stated):
        # POSTGRES_15, REDIS_7_0, OpenSearch_2.11
        product, stated = product or named[1].lower(), named[2].replace("_", ".")
    product = _PRODUCTS.get(product.lower(), product.lower())
    if not _PRODUCT.fullmatch(product):
        return {}, {}
    facts: dict[str, Value] = {"main#product": product}
    hints: dict[str, Any] = {}
    if _VERSION.fullmatch(stated):
        facts["main#version"] = stated
        upgrades = values.get("auto_minor_version_upgrade")
        hints = {"managed": True, "auto_minor_upgrade": upgrades in (True, "true")}
    return facts, hints


def _image(text: object) -> dict[str, Value]:
    image = image_reference(text) if isinstance(text, str) else None
    if image is None:
        return {}
    facts: dict[str, Value] = {"image#repository": image.repository}
    if image.tag:
        facts["image#tag"] = image.tag
    if image.digest:
        facts["image#index"] = image.digest
    return facts


def _containers(kind: str, values: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if kind != _TASK:
        return _blocks(values, _CONTAINERS[kind])
    text = values.get("container_definitions")
    try:
        found = json_document(text.encode()) if isinstance(text, str) else None
    except ParityError:
        return []
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _blocks(values: Mapping[str, Any], path: tuple[str, ...]) -> list[Mapping[str, Any]]:
    """Return the blocks at a path: Terraform writes each as a list of maps."""
    level = [values]
    for key in path:
        found = [one.get(key) for one in level]
        level = [
            inner
            for one in found
            for inner in (one if isinstance(one, list) else [one])
            if isinstance(inner, dict)
        ]
    return level
