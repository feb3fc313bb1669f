"""Versions, images and the time between two environments: from → to, one cause, and patience in its place."""

from typing import Any

import pytest

from detector.engine.comparison import ServiceVerdicts
from detector.engine.rules import Match, Outcome, Rule
from detector.engine.swap import swapped_item
from detector.model.items import from_purl, package
from tests.builders import (
    DEV_TO_STAGING,
    compare,
    drifts,
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


def test_w12_judged_as_elsewhere_every_build_of_a_developer_would_be_a_rebuild() -> None:
    """The rules that leave development out are overruled; between two other environments they never held."""
    sides = image(id="x", digest="c"), image(id="y", digest="d")
    rebuilt = [("image#id", "rebuilt", "drift", "high")]
    naive = Rule(name="naive", match=Match(kind=("rebuilt",)), outcome=Outcome(ignore=False))
    assert told(compare(*sides, pair=DEV_TO_STAGING, rules=[naive])) == rebuilt
    assert told(compare(*sides)) == rebuilt


def test_w12_in_development_nobody_asks_whether_an_index_and_a_digest_are_one_image() -> None:
    """The compose file pins the index of all platforms, the registry's answer is that of one."""
    sides = image(index="x"), image(digest="d")
    assert told(compare(*sides, pair=DEV_TO_STAGING)) == []
    assert told(compare(*sides)) == [("image#id", "difference", "unknown", "info")]


def test_a_floating_tag_stands_for_what_its_server_reports_and_is_low() -> None:
    """Staging runs `postgres:latest`, which is 16.3 today; prod runs 16.3, and says so."""

    def server(tag: str, **how: Any) -> Any:
        return {
            "release": section({"image#repository": "postgres", "image#tag": tag}),
            "backing_services": section({"main#product": "postgresql", **how.pop("says")}, **how),
        }

    reported = {"says": {"main#version": "16.3"}}
    found = compare(server("latest", **reported), server("16.3", **reported))
    assert "main#version" not in drifts(found)
    assert ("image#tag", "floating", "drift", "low") in told(found)
    # Where nobody asks the server the tag is all there is: said once.
    silent = server("latest", says={"main#version": "latest"}, basis="declared")
    assert [one.key.item for one in compare(silent, silent).items if one.key.kind == "floating"] == [
        "main#version",
        "main#version",
    ]


def test_w13_an_image_that_was_copied_to_another_registry_is_the_same() -> None:
    """Pull, tag, push: the manifest's digest is a new one, the image id is not."""
    assert told(compare(image(id="x", digest="c"), image(id="x", digest="d"))) == []


def test_w13_by_its_manifest_alone_the_copy_would_be_a_rebuild() -> None:
    """The same two, of which nobody reports the image id."""
    found = compare(image(digest="c"), image(digest="d"))
    assert told(found) == [("image#digest", "rebuilt", "drift", "high")]


def debian(release: str, **packages: str) -> Any:
    """Return what an agent on a Debian image says: a package database and the release."""
    named = {f"pkg:deb/debian/{name.replace('_', '-')}": version for name, version in packages.items()}
    return {"dependencies": section({"os#release": release, **named})}


def test_w36_a_new_debian_is_one_cause_and_its_packages_go_from_to() -> None:
    """The base image moved from Debian 12 to 13, and with it four hundred packages."""
    many = {f"lib{number}": "1.2.0-1" for number in range(400)}
    found = compare(debian("12", **many), debian("13", **dict.fromkeys(many, "2.0.0-1")))
    (cause,) = found.causes
    assert (cause.title, len(cause.children)) == ("OS release 12 → 13", 400)
    assert {one.status for one in found.items} == {"changed"}


def test_w36_a_library_with_a_new_soname_is_no_package_more_and_none_less() -> None:
    """Debian writes the soname into the name, and since 13 the 64-bit time as well."""
    found = compare(
        debian("12", libssl3="3.0.14-1", libicu72="72.1-3", **{"gcc-12-base": "12.2.0-14"}),
        debian("13", libssl3t64="3.5.0-1", libicu76="76.1-2", **{"gcc-14-base": "14.2.0-6"}),
    )
    (cause,) = found.causes
    assert len(cause.children) == 3
    lines = {one.key.item: (one.right.item, one.distance) for one in found.items if one.right.item}
    assert lines == {
        "pkg:deb/debian/libssl3": ("pkg:deb/debian/libssl3t64", "minor"),
        "pkg:deb/debian/libicu72": ("pkg:deb/debian/libicu76", "major"),
        "pkg:deb/debian/gcc-12-base": ("pkg:deb/debian/gcc-14-base", "major"),
    }


def test_w36_with_the_distribution_in_the_name_no_package_pairs_with_itself() -> None:
    """One SBOM tool writes the distribution into each purl, another leaves it out."""
    written = [
        f"pkg:deb/debian/openssl@3.0.15-1{qualifiers}"
        for qualifiers in ("", "?distro=debian-12", "?arch=amd64&distro=debian-13")
    ]
    assert {from_purl(one)[0] for one in written} == {"pkg:deb/debian/openssl"}
    # Left in, each package is one too many here and one too few there.
    naive: Any = [{"dependencies": section({one: "3.0.15-1"})} for one in written[1:]]
    assert {status for _, _, status in lines_of(compare(*naive))} == {"left_only", "right_only"}


def lines_of(found: ServiceVerdicts) -> list[tuple[str, str | None, str]]:
    """Return (item, its name on the right where that is another one, status) of all packages that differ."""
    return [(one.key.item, one.right.item, one.status) for one in found.items if one.verdict != "in_sync"]


def esbuild(item: str, version: str = "0.25.0") -> Any:
    return {"dependencies": section({item: version}, hints={item: {"platform": item.rpartition("/")[2]}})}


ON_THE_LAPTOP, IN_THE_IMAGE = "@esbuild/darwin-arm64", "@esbuild/linux-x64"


def test_w37_the_platform_of_a_package_is_an_attribute() -> None:
    """esbuild installs another binary package on each platform: one item, with the platform beside it."""
    laptop, image_ = package("npm", ON_THE_LAPTOP), package("npm", IN_THE_IMAGE)
    assert told(compare(esbuild(laptop), esbuild(image_))) == []
    newer = only(compare(esbuild(laptop, "0.25.1"), esbuild(image_)), laptop)
    assert (newer.distance, newer.direction) == ("patch", "left_ahead")


def test_w37_with_the_platform_in_its_name_it_would_be_one_too_many_and_one_too_few() -> None:
    """The same two, each under the name that npm knows it by."""
    naive = compare(*(esbuild(f"pkg:npm/{name}") for name in (ON_THE_LAPTOP, IN_THE_IMAGE)))
    assert sorted(status for _, _, status in lines_of(naive)) == ["left_only", "right_only"]


def test_w37_a_gem_that_is_built_for_a_platform_is_the_same_gem() -> None:
    """The lockfile lists nokogiri for three platforms; the image has it for its own."""
    nokogiri = package("gem", "nokogiri")

    def gems(*versions: str) -> Any:
        return {"dependencies": section({nokogiri: sorted(versions)})}

    locked = gems("1.16.5-arm64-darwin", "1.16.5-x86_64-linux", "1.16.5")
    assert told(compare(locked, gems("1.16.5-x86_64-linux"))) == []
    older = only(compare(locked, gems("1.16.4-x86_64-linux")), nokogiri)
    assert (older.distance, older.direction) == ("patch", "left_ahead")


def test_w37_as_plain_texts_the_gem_would_be_three_versions_against_one() -> None:
    """The same gem, as texts that nobody reads a platform from."""
    naive: Any = [
        {"dependencies": section({"pkg:hex/nokogiri": versions})}
        for versions in (["1.16.5", "1.16.5-arm64-darwin", "1.16.5-x86_64-linux"], ["1.16.5-x86_64-linux"])
    ]
    assert len(told(compare(*naive))) == 1


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
    """What speaks one protocol is a variant; what does not is another thing altogether."""
    sides: Any = [{"backing_services": section({"main#product": product})} for product in (left, right)]
    assert told(compare(*sides)) == [line]


def server(product: str, version: str) -> Any:
    return {"backing_services": section({"main#product": product, "main#version": version})}


def test_w38_versions_of_a_family_are_compared_by_what_they_are_compatible_with() -> None:
    """MySQL 8.0 on the laptop; Aurora in prod, whose version names the MySQL that it is compatible with."""
    found = compare(server("mysql", "8.0.36"), server("aurora-mysql", "8.0.mysql_aurora.3.04.1"))
    assert drifts(found) == {"main#product": "medium"}
    older = compare(server("mysql", "8.0.36"), server("aurora-mysql", "5.7.mysql_aurora.2.11.1"))
    assert only(older, "main#version").distance == "major"


def test_w38_without_families_mysql_against_aurora_would_be_critical_for_ever() -> None:
    """Each product for itself: told as they are, none stands in for another."""
    naive = Rule(name="naive", match=Match(item=("*#product",)), outcome=Outcome(severity={"*": "critical"}))
    sides = server("mysql", "8.0.36"), server("aurora-mysql", "8.0.mysql_aurora.3.04.1")
    assert drifts(compare(*sides, rules=[naive])) == {"main#product": "critical"}


@pytest.mark.parametrize(
    ("left", "right", "step"),
    [
        # (item, version) of each side; distance and direction.
        (("golang/github.com/acme/db/v8", "v8.11.5"), ("golang/github.com/acme/db/v9", "v9.0.2"),
         ("major", "right_ahead")),
        (("golang/github.com/a/b", "v1.9.0"), ("golang/github.com/a/b/v2", "v2.0.1"),
         ("major", "right_ahead")),
        (("golang/gopkg.in/yaml.v3", "v3.0.1"), ("golang/gopkg.in/yaml.v2", "v2.4"), ("major", "left_ahead")),
        # One version of one project, packed twice.
        (("pypi/psycopg2-binary", "2.9.9"), ("pypi/psycopg2", "2.9.9"), ("build", "unordered")),
        (("pypi/psycopg2-binary", "2.9.9"), ("pypi/psycopg2", "2.9.10"), ("patch", "right_ahead")),
        (("maven/com.acme/events_2.12", "1.4.0"), ("maven/com.acme/events_2.13", "1.4.0"),
         ("build", "unordered")),
        (("maven/javax.mail/javax.mail-api", "1.6.2"), ("maven/jakarta.mail/jakarta.mail-api", "2.1.3"),
         ("major", "right_ahead")),
        (("gem/factory_girl", "4.9.0"), ("gem/factory_bot", "6.4.6"), ("major", "right_ahead")),
        # What took its place counts anew: nothing is ahead.
        (("npm/node-sass", "9.0.0"), ("npm/sass", "1.77.0"), (None, "unordered")),
        (("deb/debian/libssl1.1", "1.1.1w-0+deb11u1"), ("deb/debian/libssl3", "3.0.14-1"),
         ("major", "right_ahead")),
    ],
)  # fmt: skip
def test_w41_a_package_that_goes_on_under_another_name_is_one_line(left: Any, right: Any, step: Any) -> None:
    """A Go module has its major version in its name; a library was renamed, or is packed under two names."""
    (ours, version), (theirs, other) = left, right
    sides: Any = [
        {"dependencies": section({f"pkg:{item}": value, "pkg:pypi/unrelated": "1.0"})}
        for item, value in ((ours, version), (theirs, other))
    ]
    found = compare(*sides)
    assert lines_of(found) == [(f"pkg:{ours}", f"pkg:{theirs}", "changed")]
    line = only(found, f"pkg:{ours}")
    assert (line.distance, line.direction) == step
    # Seen from the other side it is the same line, and the other name stands on the left.
    back = swapped_item(line)
    assert back.left is not None
    assert (back.left.item, back.right.item, back.status) == (f"pkg:{theirs}", None, "changed")


def test_w41_without_successors_a_new_name_is_a_package_less_and_one_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same two packages, when no table says that one goes on as the other."""
    names = ("psycopg2", "psycopg2-binary")
    sides: Any = [{"dependencies": section({f"pkg:pypi/{name}": "2.9.9"})} for name in names]
    assert len(told(compare(*sides))) == 1
    monkeypatch.setattr("detector.engine.verdicts.with_successors", list)
    assert [status for _, _, status in lines_of(compare(*sides))] == ["left_only", "right_only"]


def test_w41_who_stands_for_whom_is_never_guessed() -> None:
    """Two majors of one module side by side here, a third one there."""
    module = "pkg:golang/github.com/acme/db"
    sides: Any = [
        {"dependencies": section({f"{module}/v{major}": f"v{major}.0.0" for major in majors})}
        for majors in ((7, 8), (9,))
    ]
    assert [status for _, _, status in lines_of(compare(*sides))] == ["left_only", "left_only", "right_only"]


BABEL = "pkg:npm/%40babel/core"


def npm(*versions: str) -> Any:
    return {"dependencies": section({BABEL: list(versions) if len(versions) > 1 else versions[0]})}


def test_w42_an_older_copy_beside_the_same_newest_is_low() -> None:
    """npm installed @babel/core twice in staging, since two packages ask for different ones."""
    one = only(compare(npm("7.24.0", "7.25.2"), npm("7.25.2")), BABEL)
    assert (one.status, one.direction, one.distance, one.severity) == ("changed", "unordered", None, "low")


def test_w42_where_the_last_copy_wins_staging_would_be_behind() -> None:
    """A list of names with one version each keeps the copy that it reads last."""
    assert drifts(compare(npm("7.24.0"), npm("7.25.2"))) == {BABEL: "medium"}
