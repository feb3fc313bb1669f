"""Products that stand in for each other, and how they number themselves. Data, to be read and extended.

Inside a family another product is a difference of kind ``variant``, and versions are compared by the version
that both are compatible with; across families nothing can be compared.
"""

from collections.abc import Hashable
from typing import Final

#: The first product of a family is the one whose version the others name when they say what they speak.
FAMILIES: Final[dict[str, tuple[str, ...]]] = {
    "mysql": ("mysql", "mariadb", "aurora-mysql"),
    "postgresql": ("postgresql", "aurora-postgresql"),
    "redis": ("redis", "valkey"),
    "elasticsearch": ("elasticsearch", "opensearch"),
    "s3": ("s3", "minio"),
}

#: Names that images, engines of RDS and programs use for one product.
SAME_PRODUCT: Final[dict[str, str]] = {
    "postgres": "postgresql",
    "aurora": "aurora-mysql",  # the engine name of RDS for Aurora with MySQL 5.6
    "mongo": "mongodb",
    "mongod": "mongodb",
    "redis-server": "redis",
    "valkey-server": "valkey",
}

#: The series of the family's first product that a product speaks, where its own numbers do not tell.
COMPATIBLE_WITH: Final[dict[str, str]] = {
    "valkey": "7.2",  # every Valkey reports redis_version 7.2.4 beside its own
    "opensearch": "7.10",  # forked there
}

#: Products whose numbers have nothing to do with those of the family's first.
INCOMPARABLE: Final = frozenset({"mariadb", "minio"})

#: Aurora MySQL's own first number tells the series of MySQL (Aurora user guide, version numbers).
AURORA_MYSQL_SERIES: Final[dict[int, str]] = {1: "5.6", 2: "5.7", 3: "8.0"}

#: How many numbers a full release has where it is not three; a tag with fewer moves.
NUMBERS_OF_A_RELEASE: Final[dict[str, int]] = {"postgresql": 2, "aurora-postgresql": 2, "debian": 2}

_POSTGRESQL_WITH_ONE_NUMBER: Final = 10
_FAMILY_OF: Final = {product: family for family, products in FAMILIES.items() for product in products}


def product_named(name: str) -> str:
    """Return the product that a name stands for: ``postgres`` is postgresql."""
    name = name.strip().lower()
    return SAME_PRODUCT.get(name, name)


def family_of(product: str) -> str:
    """Return the family of a product; an unknown product is a family of its own."""
    product = product_named(product)
    return _FAMILY_OF.get(product, product)


def by_position(numbers: tuple[int, ...], product: str | None) -> tuple[Hashable, ...]:
    """Return the numbers of a version as major, minor, patch and later ones, as the product means them.

    PostgreSQL has no minor: its majors are 9.6, 10, 11, and what follows are patches
    (PostgreSQL versioning policy).
    """
    if product is None or family_of(product) != "postgresql" or not numbers:
        return numbers
    if numbers[0] >= _POSTGRESQL_WITH_ONE_NUMBER:
        return (numbers[0], 0, *numbers[1:])
    return ((*numbers, 0)[:2], 0, *numbers[2:])
