"""Versions, images and the time between two environments: from → to, one cause, and patience in its place."""

from typing import Any

import pytest

from detector.engine.policy import Environment, Pair
from detector.engine.rules import Match, Outcome, Rule
from detector.model.items import package
from tests.builders import (
    DEV_TO_STAGING,
    ago,
    compare,
    drifts,
    interval,
    only,
    section,
    told,
)

DJANGO = "pkg:pypi/django"


def image(**facts: str) -> Any:
    named = {f"image#{name}": value for name, value in facts.items()}
    return {"release": section({"image#repository": "acme/shop", "image#tag": "1.4.2", **named})}


def packages(**versions: Any) -> Any:
    return {"dependencies": section({f"pkg:pypi/{name}": version for name, version in versions.items()})}


def test_w12_an_image_that_a_developer_built_is_no_rebuild() -> None:
    """A developer builds `shop:1.4.2` on the laptop; staging has the one from the registry."""
    assert told(compare(image(id="x"), image(id="y", digest="d"), pair=DEV_TO_STAGING)) == []
    # Pushed somewhere, it still is development.
    pushed = compare(image(id="x", digest="c"), image(id="y", digest="d"), pair=DEV_TO_STAGING)
    assert told(pushed) == []
    between = compare(image(id="x", digest="c"), image(id="y", digest="d"))
    assert told(between) == [("image#id", "rebuilt", "drift", "high")]


def test_w13_an_image_that_was_copied_to_another_registry_is_the_same() -> None:
    """Pull, tag, push: the manifest's digest is a new one, the image id is not."""
    assert told(compare(image(id="x", digest="c"), image(id="x", digest="d"))) == []
    # By digest alone it would be a rebuild each day.
    assert drifts(compare(image(digest="c"), image(digest="d"))) == {"image#digest": "high"}


def test_w36_a_new_debian_is_one_cause_and_its_packages_go_from_to() -> None:
    """The base image moved from Debian 12 to 13, and with it four hundred packages."""

    def debian(release: str, version: str, namespace: str = "debian") -> Any:
        many = {f"pkg:deb/{namespace}/lib{number}": version for number in range(400)}
        return {"dependencies": section({"os#release": release, **many})}

    found = compare(debian("12", "1.2.0-1"), debian("13", "2.0.0-1"))
    (cause,) = found.causes
    assert (cause.title, len(cause.children)) == ("OS release 12 → 13", 400)
    assert {one.status for one in found.items} == {"changed"}
    # With the distribution in the item no package would pair with itself.
    naive = compare(debian("12", "1.2.0-1", "debian-12"), debian("13", "2.0.0-1", "debian-13"))
    assert sum(one.status == "left_only" for one in naive.items) == 400
    assert sum(one.status == "right_only" for one in naive.items) == 400


def test_w36_the_distribution_is_no_part_of_a_packages_name() -> None:
    from detector.model.items import from_purl

    names = {
        from_purl(f"pkg:deb/debian/openssl@3.0.15-1{qualifiers}")[0]
        for qualifiers in ("", "?distro=debian-12", "?arch=amd64&distro=debian-13")
    }
    assert names == {"pkg:deb/debian/openssl"}


def test_w37_the_platform_of_a_package_is_an_attribute() -> None:
    """esbuild installs another binary package on each platform: one item, with the platform beside it."""

    def esbuild(platform: str, item: str) -> Any:
        return {"dependencies": section({item: "0.25.0"}, hints={item: {"platform": platform}})}

    laptop, image_ = "@esbuild/darwin-arm64", "@esbuild/linux-x64"
    sides = [esbuild(name, package("npm", name)) for name in (laptop, image_)]
    assert told(compare(*sides)) == []
    naive = [esbuild(name, f"pkg:npm/{name}") for name in (laptop, image_)]
    assert len(told(compare(*naive))) == 2


@pytest.mark.parametrize(
    ("left", "right", "line"),
    [
        ("mysql", "aurora-mysql", ("main#product", "variant", "drift", "medium")),
        ("redis", "valkey", ("main#product", "variant", "drift", "medium")),
        ("elasticsearch", "opensearch", ("main#product", "variant", "drift", "medium")),
        ("s3", "minio", ("main#product", "variant", "drift", "medium")),
        ("sqlite", "postgresql", ("main#product", "difference", "drift", "critical")),
    ],
)
def test_w38_products_of_one_family_stand_in_for_each_other(left: str, right: str, line: Any) -> None:
    sides: Any = [{"backing_services": section({"main#product": product})} for product in (left, right)]
    assert told(compare(*sides)) == [line]


def test_w38_versions_of_a_family_are_compared_by_what_they_are_compatible_with() -> None:
    def server(product: str, version: str) -> Any:
        return {"backing_services": section({"main#product": product, "main#version": version})}

    found = compare(server("mysql", "8.0.36"), server("aurora-mysql", "8.0.mysql_aurora.3.04.1"))
    assert drifts(found) == {"main#product": "medium"}
    older = compare(server("mysql", "8.0.36"), server("aurora-mysql", "5.7.mysql_aurora.2.11.1"))
    assert only(older, "main#version").distance == "major"


def test_w42_an_older_copy_beside_the_same_newest_is_low() -> None:
    found = compare(packages(core=["7.24.0", "7.25.2"]), packages(core=["7.25.2"]))
    one = only(found, "pkg:pypi/core")
    assert (one.status, one.direction, one.severity) == ("changed", "unordered", "low")


def test_w48_a_key_that_peers_rotate_one_after_the_other_is_expected_for_a_day() -> None:
    """The API key is rotated in the EU on Monday and in the US on Thursday; a rule wants them equal."""
    from tests.builders import keys

    eu, us = (Environment(name=name, tier="production", group="prod") for name in ("prod-eu", "prod-us"))
    rule = Rule(name="r", match=Match(item=("API_KEY",)), outcome=Outcome(expect="equal"))
    place = ("main", "config", "API_KEY")
    sides: Any = [{"config": section(keys(API_KEY=value))} for value in ("the new one", "the old one")]

    def verdict(days: float, pair: Pair) -> str:
        rotated = {("prod-eu", place): [interval("a shape", ago(days=days))]}
        found = compare(*sides, pair=pair, rules=[rule], histories=rotated)
        return only(found, "API_KEY").verdict

    peers = Pair(left=eu, right=us, peers=True)
    assert [verdict(days, peers) for days in (0.9, 1)] == ["expected", "drift"]
    assert verdict(0.1, Pair(left=eu, right=us)) == "drift"  # no peers, no patience
