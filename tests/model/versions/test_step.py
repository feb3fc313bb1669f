"""Schemes of items, sets of versions, families of products."""

import subprocess
import sys

import pytest

from detector.model.versions import Direction, Distance, Step, family_of, scheme_of, step_of_sets


@pytest.mark.parametrize(
    ("item", "scheme"),
    [
        ("pkg:pypi/django", "pypi"),
        ("pkg:npm/%40babel/core", "npm"),
        ("pkg:deb/debian/openssl", "deb"),
        ("pkg:apk/alpine/musl", "apk"),
        ("pkg:golang/golang.org/x/net#html", "golang"),  # the subpath is not an aspect
        ("pkg:hex/phoenix", "hex"),
        ("pkg:swift/example.org/acme/kit", "opaque"),  # no comparator of its own
        ("runtime#python", "generic"),
        ("os#release", "generic"),
        ("os#arch", "opaque"),
        ("image#tag", "oci"),
        ("image#digest", "opaque"),
        ("main#version", "server"),
        ("cache#version", "server"),
        ("main#extension/postgis", "generic"),
        ("main#setting/server_version", "opaque"),
        ("repo#commit", "opaque"),
        ("DATABASE_URL", "opaque"),
        ("", "opaque"),
    ],
)
def test_the_item_tells_the_scheme(item: str, scheme: str) -> None:
    assert scheme_of(item) == scheme


UNORDERED = (None, "unordered")


@pytest.mark.parametrize(
    ("scheme", "left", "right", "expected"),
    [
        ("npm", {"7.24.0", "7.25.2"}, {"7.25.2"}, UNORDERED),  # only an extra copy, whichever it is
        ("npm", {"7.25.2"}, {"7.25.2", "8.0.0"}, UNORDERED),
        ("npm", {"7.24.0", "7.25.2"}, {"7.25.2", "7.26.0"}, ("minor", "right_ahead")),  # common ones dropped
        ("npm", {"1.0.0", "3.0.0"}, {"2.0.0", "3.0.1"}, ("patch", "right_ahead")),  # highest with highest
        ("npm", {"1.0.0"}, {"v1.0.0"}, None),
        ("npm", {"1.0.0+a"}, {"1.0.0+b"}, ("build", "unordered")),
        (
            "npm",
            {"1.0.0", "2.0.0"},
            {"3.0.0", "file:../a"},
            UNORDERED,
        ),  # what has no place may be the highest
        ("npm", {"file:../a"}, {"file:../b"}, UNORDERED),
        ("pypi", {"1.0"}, {"1.0.0"}, None),
        ("pypi", {"1.0", "2.0"}, {"1.0.0"}, UNORDERED),  # 1.0 is common, though written otherwise
        ("pypi", {"9.0", "10.0"}, {"9.1"}, ("major", "left_ahead")),  # highest by order, not by text
        ("pypi", set(), {"1.0"}, UNORDERED),
        ("pypi", set(), set(), None),
        ("opaque", {"a", "b"}, {"b", "a"}, None),
        ("deb", {"1.0-1", "1.0-2"}, {"1.0-3"}, ("revision", "right_ahead")),
    ],
)
def test_sets_are_compared_without_what_both_have_highest_with_highest(
    scheme: str, left: set[str], right: set[str], expected: tuple[Distance | None, Direction] | None
) -> None:
    found = step_of_sets(scheme, left, right)
    assert found == (expected and Step(distance=expected[0], direction=expected[1]))
    mirrored = {"left_ahead": "right_ahead", "right_ahead": "left_ahead", "unordered": "unordered"}
    back = step_of_sets(scheme, right, left)
    assert (back and (back.distance, back.direction)) == (
        found and (found.distance, mirrored[found.direction])
    )


@pytest.mark.parametrize(
    ("product", "family"),
    [
        ("mysql", "mysql"),
        ("mariadb", "mysql"),
        ("aurora-mysql", "mysql"),
        ("postgres", "postgresql"),  # the name of the image
        ("aurora-postgresql", "postgresql"),
        ("Valkey", "redis"),
        ("opensearch", "elasticsearch"),
        ("minio", "s3"),
        ("sqlite", "sqlite"),  # unknown products are families of their own
    ],
)
def test_products_that_stand_in_for_each_other_are_a_family(product: str, family: str) -> None:
    assert family_of(product) == family


def test_importing_versions_loads_no_library() -> None:
    code = (
        "import sys, detector.model.versions; print(*{'packaging', 'univers', 'logging'} & set(sys.modules))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == []
