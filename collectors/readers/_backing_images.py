"""Images that are backing services: which product they hold, and what their tag says of its version."""

import re
from typing import Final

from collectors._containers import ImageReference
from detector.model.facts import Value

#: Repository (without the registry's host) -> (product, whether the tag is the product's own version).
_PRODUCTS: Final[dict[str, tuple[str, bool]]] = {
    "postgres": ("postgresql", True),
    "postgis/postgis": ("postgresql", True),  # 16-3.4: the server's version first, then the extension's
    "bitnami/postgresql": ("postgresql", True),
    "pgvector/pgvector": ("postgresql", False),  # the extension's version
    "timescale/timescaledb": ("postgresql", False),  # the extension's version
    "mysql": ("mysql", True),
    "mysql/mysql-server": ("mysql", True),
    "bitnami/mysql": ("mysql", True),
    "percona": ("mysql", True),
    "mariadb": ("mariadb", True),
    "bitnami/mariadb": ("mariadb", True),
    "redis": ("redis", True),
    "bitnami/redis": ("redis", True),
    "redis/redis-stack": ("redis", True),
    "redis/redis-stack-server": ("redis", True),
    "valkey/valkey": ("valkey", True),
    "bitnami/valkey": ("valkey", True),
    "memcached": ("memcached", True),
    "bitnami/memcached": ("memcached", True),
    "mongo": ("mongodb", True),
    "mongodb/mongodb-community-server": ("mongodb", True),
    "bitnami/mongodb": ("mongodb", True),
    "rabbitmq": ("rabbitmq", True),
    "bitnami/rabbitmq": ("rabbitmq", True),
    "nats": ("nats", True),
    "apache/kafka": ("kafka", True),
    "bitnami/kafka": ("kafka", True),
    "confluentinc/cp-kafka": ("kafka", False),  # the platform's version
    "elasticsearch": ("elasticsearch", True),
    "elasticsearch/elasticsearch": ("elasticsearch", True),
    "opensearchproject/opensearch": ("opensearch", True),
    "clickhouse": ("clickhouse", True),
    "clickhouse/clickhouse-server": ("clickhouse", True),
    "minio/minio": ("minio", True),
    "mssql/server": ("sqlserver", False),  # a year, then the build
}
_NUMBERED: Final = re.compile(r"v?([0-9][^-]*)(?:-(.+))?")


def product_of(image: ImageReference) -> str | None:
    """Return the backing product that an image holds, or None where it is an application."""
    known = _PRODUCTS.get(image.repository)
    return known[0] if known else None


def backing_facts(image: ImageReference) -> dict[str, Value]:
    """Return ``main#product``, and version and variant where the tag states them.

    The version keeps the precision of the tag: ``16-alpine`` is 16, variant alpine. A tag of words stays
    whole, for only the server knows what it stands for today.
    """
    product, tag_is_version = _PRODUCTS[image.repository]
    facts: dict[str, Value] = {"main#product": product}
    if image.tag is None or not tag_is_version:
        return facts
    numbered = _NUMBERED.fullmatch(image.tag)
    if numbered is None:
        facts["main#version"] = image.tag
        return facts
    facts["main#version"] = numbered[1]
    if numbered[2]:
        facts["main#variant"] = numbered[2]
    return facts
