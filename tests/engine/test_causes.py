"""One thing that explains many: which children it takes, and what people are told of it."""

from collections.abc import Mapping
from typing import Any

import pytest

from detector.engine.comparison import ServiceVerdicts
from detector.engine.score import counted
from tests.builders import ago, compare, interval, keys, only, section, stream

SEVERITY_OF = dict[str, str]


def causes(verdicts: ServiceVerdicts) -> dict[str, set[str]]:
    """Return kind of cause -> items it explains."""
    return {cause.kind: {key.item for key in cause.children} for cause in verdicts.causes}


def told_of(verdicts: ServiceVerdicts) -> SEVERITY_OF:
    return {one.key.item: severity for one, severity in counted(verdicts.items, verdicts.causes)}


def test_the_children_of_a_base_image() -> None:
    def image(base: str, openssl: str, python: str) -> Any:
        return {
            "release": section({"image#base": base}),
            "dependencies": section(
                {"pkg:deb/debian/openssl": openssl, "runtime#python": python, "pkg:pypi/django": "5.2.8"}
            ),
        }

    found = compare(
        image("python:3.12-slim", "3.0.11-1", "3.12.1"), image("python:3.13-slim", "3.0.15-1", "3.13.0")
    )
    assert causes(found) == {"base_image": {"pkg:deb/debian/openssl", "runtime#python"}}
    # The parent is as grave as its gravest child, and alone is told.
    assert told_of(found) == {"image#base": "medium"}


def test_the_children_of_an_os_release_are_its_packages() -> None:
    def system(release: str, openssl: str) -> Any:
        facts = {"os#release": release, "pkg:deb/debian/openssl": openssl, "pkg:pypi/django": openssl}
        return {"dependencies": section(facts)}

    assert causes(compare(system("12", "3.0.11"), system("13", "3.5.1"))) == {
        "os_release": {"pkg:deb/debian/openssl"}
    }


def test_a_direction_that_contradicts_is_no_child() -> None:
    def system(release: str, openssl: str, zlib: str) -> Any:
        facts = {"os#release": release, "pkg:deb/debian/openssl": openssl, "pkg:deb/debian/zlib1g": zlib}
        return {"dependencies": section(facts)}

    found = compare(system("12", "3.0.11-1", "1.3-1"), system("13", "3.5.1-1", "1.2-1"))
    assert causes(found) == {"os_release": {"pkg:deb/debian/openssl"}}


def test_a_lockfile_explains_its_ecosystem_and_is_told_as_its_gravest_child() -> None:
    def locked(digest: str, one: str, other: str) -> Any:
        facts = {"lockfile#pypi": digest, "pkg:pypi/django": one, "pkg:pypi/attrs": other, "pkg:npm/vue": one}
        return {"dependencies": section(facts, basis="declared")}

    found = compare(locked("a", "4.2.26", "1.0.0"), locked("b", "5.2.8", "1.0.1"))
    assert causes(found) == {"lockfile": {"pkg:pypi/django", "pkg:pypi/attrs"}}
    assert told_of(found) == {"pkg:npm/vue": "high", "pkg:pypi/django": "high"}


def test_a_server_of_another_family_explains_all_that_belongs_to_it() -> None:
    def server(product: str, version: str, extension: str) -> Any:
        facts = {"main#product": product, "main#version": version, "main#extension/postgis": extension}
        return {"backing_services": section({**facts, "cache#version": version})}

    found = compare(server("mysql", "8.0", "1.0"), server("postgresql", "16.3", "3.4"))
    assert causes(found) == {"product": {"main#version", "main#extension/postgis"}}


def test_a_product_brings_its_version_variant_extensions_and_settings_and_nothing_else() -> None:
    def server(product: str, value: str) -> Any:
        names = ("version", "variant", "extension/x", "setting/y", "tls", "endpoint_class")
        facts = {f"main#{name}": value for name in names}
        return {"backing_services": section({"main#product": product, **facts})}

    found = compare(server("mysql", "8.0"), server("postgresql", "16.3"))
    assert causes(found) == {
        "product": {"main#version", "main#variant", "main#extension/x", "main#setting/y"},
    }
    assert only(found, "main#tls").cause is None


def test_the_first_row_of_the_table_that_takes_a_difference_has_it() -> None:
    """Release, base image, OS release, lockfile; product, version."""

    def all_of_it(tag: str, word: str, version: str) -> Any:
        return {
            "release": section({"image#repository": "acme/shop", "image#tag": tag, "image#base": word}),
            "dependencies": section(
                {
                    "os#release": version,
                    "runtime#python": f"3.{version}",
                    "lockfile#deb": word,
                    "pkg:deb/debian/openssl": version,
                    "pkg:deb/debian/zlib1g": version,
                }
            ),
            "backing_services": section(
                {"db#product": word, "db#version": version, "db#extension/postgis": version}
            ),
        }

    inside = {"os#release", "runtime#python", "pkg:deb/debian/openssl", "pkg:deb/debian/zlib1g"}
    server = {"product": {"db#version", "db#extension/postgis"}}
    newer, older = ("mysql", "13"), ("postgresql", "12")
    assert causes(compare(all_of_it("2", *newer), all_of_it("1", *older))) == {
        "release": {"image#base", *inside},
        **server,
    }
    assert causes(compare(all_of_it("1", *newer), all_of_it("1", *older))) == {"base_image": inside, **server}
    without_base = [all_of_it("1", *words) for words in (newer, older)]
    for side in without_base:
        side["release"] = section({"image#repository": "acme/shop", "image#tag": "1"})
    assert causes(compare(*without_base)) == {
        "os_release": {"pkg:deb/debian/openssl", "pkg:deb/debian/zlib1g"},
        **server,
    }


def test_a_cause_is_of_one_component() -> None:
    def both(release: str, openssl: str) -> Any:
        packages = {"pkg:deb/debian/openssl": openssl}
        return [
            stream({"dependencies": section({"os#release": release, **packages})}, component="web"),
            stream({"dependencies": section(packages)}, component="worker"),
        ]

    found = compare(both("12", "3.0.11-1"), both("13", "3.5.1-1"))
    assert [[key.component for key in cause.children] for cause in found.causes] == [["web"]]


def test_an_engine_upgrade_explains_extensions_and_settings() -> None:
    def server(version: str, extension: str, mode: str) -> Any:
        facts = {"main#product": "postgresql", "main#version": version, "main#extension/postgis": extension}
        return {"backing_services": section({**facts, "main#setting/sql_mode": mode, "main#tls": mode})}

    found = compare(server("14.9", "3.3", "a"), server("16.3", "3.4", "b"))
    assert causes(found) == {"engine_upgrade": {"main#extension/postgis", "main#setting/sql_mode"}}
    assert told_of(found) == {"main#version": "critical", "main#tls": "medium"}


# -- the leading release ----------------------------------------------------------------------------------


def shop(tag: str, *, keys_: Mapping[str, Any] | None = None, **packages: str) -> Any:
    return {
        "release": section({"image#repository": "acme/shop", "image#tag": tag}),
        "dependencies": section({f"pkg:pypi/{name}": version for name, version in packages.items()}),
        "config": section(keys_ or keys(A="some text")),
    }


def test_what_is_inside_a_leading_release_shares_its_verdict_and_direction() -> None:
    more = keys(A="some text", STRIPE_WEBHOOK_SECRET="a secret")
    found = compare(
        shop("1.5.0", keys_=more, urllib3="2.2.3", django="5.2.8"),
        shop("1.4.0", urllib3="2.3.0", django="5.2.7"),
    )
    assert causes(found) == {"release": {"STRIPE_WEBHOOK_SECRET", "pkg:pypi/urllib3", "pkg:pypi/django"}}
    assert {one.verdict for one in found.items if one.cause} == {"expected"}
    # It pins a package down, and that is the release's own way forward.
    assert only(found, "pkg:pypi/urllib3").direction == "left_ahead"
    assert only(found, "pkg:pypi/urllib3").remedy == only(found, "image#tag").remedy
    # The key must be there when the release arrives: silent in alerts, drift for the gate.
    assert only(found, "STRIPE_WEBHOOK_SECRET").due
    assert not only(found, "pkg:pypi/urllib3").due


def test_a_release_whose_lead_is_spent_takes_its_children_along() -> None:
    histories = {("staging", ("main", "release", "image#tag")): [interval("1.5.0", ago(days=8))]}
    found = compare(shop("1.5.0", django="5.2.8"), shop("1.4.0", django="5.2.7"), histories=histories)
    assert {one.key.item: one.verdict for one in found.items if one.verdict != "in_sync"} == {
        "image#tag": "drift",
        "pkg:pypi/django": "drift",
    }
    assert told_of(found) == {"image#tag": "medium"}


def test_a_key_that_only_the_right_has_is_not_of_the_leading_release() -> None:
    found = compare(
        shop("1.5.0"), shop("1.4.0", keys_=keys(A="some text", SENTRY_DSN="https://k@sentry.io/1"))
    )
    assert only(found, "SENTRY_DSN").verdict == "drift"
    assert causes(found) == {}


def test_a_process_type_that_a_leading_release_brings_comes_with_it() -> None:
    left = [
        stream(shop("1.5.0"), component="web"),
        stream({"config": section(keys(A="b"))}, component="worker"),
    ]
    found = compare(left, stream(shop("1.4.0"), component="web"))
    assert causes(found) == {"release": {"process"}}
    assert only(found, "process").verdict == "expected"


def test_a_release_behind_explains_nothing() -> None:
    assert causes(compare(shop("1.4.0", django="5.2.7"), shop("1.5.0", django="5.2.8"))) == {}


# -- what people are told ---------------------------------------------------------------------------------


def test_drift_is_never_hidden_behind_a_cause_that_is_only_expected() -> None:
    def system(release: str, openssl: str) -> Any:
        return {"dependencies": section({"os#release": release, "pkg:deb/debian/openssl": openssl})}

    place = ("main", "dependencies", "pkg:deb/debian/openssl")
    histories = {("staging", place): [interval("3.5.1-1", ago(days=30))]}
    found = compare(system("13", "3.5.1-1"), system("12", "3.0.11-1"), histories=histories)
    assert only(found, "os#release").verdict == "expected"
    assert only(found, "pkg:deb/debian/openssl").verdict == "drift"
    assert told_of(found) == {"pkg:deb/debian/openssl": "medium"}


def test_an_expected_child_makes_its_parent_no_graver() -> None:
    def image(base: str, openssl: str) -> Any:
        return {
            "release": section({"image#base": base}),
            "dependencies": section({"pkg:deb/debian/openssl": openssl}),
        }

    found = compare(image("b", "4.0.0-1"), image("a", "3.0.0-1"))
    assert only(found, "pkg:deb/debian/openssl").severity == "high"
    assert told_of(found) == {"image#base": "info"}


def test_causes_are_numbered_on_across_services() -> None:
    from detector.engine.pack import PACK
    from detector.engine.policy import Service
    from detector.engine.verdicts import Both, verdicts_on
    from detector.engine.view import Interner
    from tests.builders import NOW, STAGING_TO_PROD, view

    interner = Interner()
    many = {f"KEY_{number}": "some text" for number in range(12)}
    full = view(stream({"config": section(keys(many))}), interner=interner)
    bare = view(stream({"config": section({})}), environment="prod", interner=interner)
    both = Both(service=Service(name="shop"), left=full, right=bare)
    found = verdicts_on(both, pair=STAGING_TO_PROD, rules=PACK, now=NOW, interner=interner, first_cause=7)
    assert [cause.id for cause in found.causes] == ["c7"]


# -- where config comes from ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "common", "first", "collapsed"),
    [
        (12, 0, True, True),
        (12, 5, True, True),
        (12, 6, True, False),  # half is not more than half
        (9, 0, True, False),  # too few to be a pattern
        (12, 0, False, False),  # a pair that was compared before lost its keys: that is no pattern
    ],
)
def test_config_from_another_kind_of_place_is_one_finding(
    count: int, common: int, *, first: bool, collapsed: bool
) -> None:
    full = {f"KEY_{number}": "some text" for number in range(count)}
    left: Any = stream({"config": section(keys(full))}, source="dotenv")
    some = dict(list(full.items())[:common])
    right: Any = stream({"config": section(keys(some))}, source="ecs")
    found = compare(left, right, first=first)
    assert [cause.kind for cause in found.causes] == (["config_source_differs"] if collapsed else [])
    if collapsed:
        assert told_of(found) == {"sources": "medium"}
        assert found.causes[0].title == "staging takes its config from dotenv, prod from ecs"
        assert max(one.severity for one in found.items if one.cause) == "medium"


def test_an_application_beside_its_database_still_has_a_release() -> None:
    """One service of a container and of the database behind it: the image is not the server's."""

    def both(tag: str, version: str, key: Any = None) -> Any:
        server = {"main#product": "postgresql", "main#version": version}
        return {**shop(tag, keys_=key), "backing_services": section(server)}

    found = compare(both("1.5.0", "16.3", keys(A="some text", B="b")), both("1.4.0", "14.11"))
    assert causes(found)["release"] == {"B"}
    assert only(found, "B").due


@pytest.mark.parametrize("repository", ["postgres", "bitnami/postgresql", "postgis/postgis", None])
def test_the_image_of_a_server_is_no_release(repository: str | None) -> None:
    def server(tag: str, version: str) -> Any:
        image = {"image#tag": tag, **({"image#repository": repository} if repository else {})}
        facts = {"main#product": "postgresql", "main#version": version}
        return {"release": section(image), "backing_services": section(facts)}

    found = compare(server("16.3", "16.3"), server("14.11", "14.11"))
    assert causes(found) == {"engine_upgrade": {"image#tag"}}
