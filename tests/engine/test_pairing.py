"""Pairing: the same identity, then from → to; presence only where both sides could have seen it."""

from collections.abc import Mapping
from typing import Any

import pytest

from detector.engine.memory import Memory
from detector.engine.pairing import Differences, differences
from detector.engine.view import Interner
from detector.model.facts import Section, Value
from detector.model.records import Stream
from detector.model.words import SectionName
from tests.builders import Side, failed, keys, section, stream, streams_of, view

DJANGO = "pkg:pypi/django"


def between(left: Side, right: Side) -> Differences:
    interner = Interner()
    return differences(
        view(*streams_of(left), interner=interner),
        view(*streams_of(right), environment="prod", interner=interner),
        interner,
    )


def lines(found: Differences) -> list[tuple[str, str, str]]:
    return [(one.place.component, one.place.item, one.status) for one in found.items if one.status != "same"]


def packages(one: Section) -> Mapping[SectionName, Section]:
    return {"dependencies": one}


def config(one: Section) -> Mapping[SectionName, Section]:
    return {"config": one}


@pytest.mark.parametrize(
    ("left", "right", "status"),
    [
        (section({DJANGO: "5.2.8"}), section({DJANGO: "4.2.26"}), "changed"),
        (section({DJANGO: "5.2.8"}), section({}), "left_only"),
        (section({}), section({DJANGO: "5.2.8"}), "right_only"),
        (section({DJANGO: "5.2.8"}), failed("denied"), "unknown"),
        (failed("denied"), section({DJANGO: "5.2.8"}), "unknown"),
        # Across bases only the versions of what both name are compared.
        (section({DJANGO: "5.2.8"}, basis="declared"), section({DJANGO: "4.2.26"}), "changed"),
        (section({DJANGO: "5.2.8"}, basis="declared"), section({}), None),
        (section({DJANGO: "5.2.8"}, covers=["pkg:pypi/*"]), section({}, covers=["pkg:deb/*"]), None),
    ],
)
def test_presence_is_compared_only_where_both_sides_could_have_seen_it(
    left: Section, right: Section, status: str | None
) -> None:
    found = between(packages(left), packages(right))
    assert [one.status for one in found.items] == ([status] if status else [])
    assert found.not_compared == (0 if status else 1)


def test_what_a_lockfile_names_and_nobody_installs_is_no_difference_to_another_lockfile() -> None:
    lock = stream(packages(section({DJANGO: "5.2.8", "pkg:pypi/colorama": "0.4.6"}, basis="declared")))
    installed = stream(packages(section({DJANGO: "5.2.8"})), source="python")
    # On the right a nearer basis proves colorama absent; the left was never asked for that basis.
    assert lines(between(lock, [lock, installed])) == []


@pytest.mark.parametrize(
    ("source_class", "sees", "status"),
    [
        ("literal", ("literal", "secret_ref"), "left_only"),
        ("secret_ref", ("literal", "secret_ref"), "left_only"),
        ("image_default", ("literal", "secret_ref"), None),  # a task definition has no ENV of the image
        ("env_file", ("literal", "secret_ref"), None),
        ("image_default", ("literal", "image_default"), "left_only"),
    ],
)
def test_a_key_is_missing_only_where_its_class_can_be_seen(
    source_class: str, sees: tuple[str, ...], status: str | None
) -> None:
    left = config(section(keys(source_class=source_class, WORKERS="a value")))  # type: ignore[arg-type]
    found = between(left, config(section({}, sees=sees)))  # type: ignore[arg-type]
    assert [one.status for one in found.items] == ([status] if status else [])


def test_a_key_that_went_out_of_sight_still_counts_by_its_class() -> None:
    gone = section(
        keys(source_class="image_default", LANG="C.UTF-8"), status="failed", unseen=[("*", "timeout")]
    )
    found = between(config(gone), config(section({}, sees=["literal"])))
    assert (lines(found), found.not_compared) == ([], 1)


def test_a_file_is_compared_with_a_process_by_its_keys_whatever_the_basis() -> None:
    found = between(config(section(keys(A="some text"), basis="declared")), config(section({})))
    assert lines(found) == [("main", "A", "left_only")]


def test_a_section_without_a_source_on_one_side_is_not_measured_and_has_no_items() -> None:
    found = between(packages(section({DJANGO: "5.2.8"})), config(section(keys(A="some text"))))
    assert found.items == ()
    assert found.not_measured == {"dependencies", "config"}
    assert found.not_compared == 0


def test_equal_places_are_counted_once_also_where_they_are_watched() -> None:
    same = config(section(keys(API_TOKEN="abc", DEBUG="0", DATABASE_URL="postgres://db.example.com/x")))
    assert between(same, same).compared == 3


def test_local_facts_are_never_compared() -> None:
    left = {"release#id": "checkout:57", "release#built_at": "2026-11-01", "release#config_digest": "a"}
    right = {
        "release#id": "checkout-prod:132",
        "release#built_at": "2026-10-01",
        "release#config_digest": "b",
    }
    assert lines(between({"release": section(left)}, {"release": section(right)})) == []


def test_an_item_that_both_sides_cannot_see_is_unknown_and_one_that_nobody_ever_saw_is_nothing() -> None:
    blind = packages(section({DJANGO: "5.2.8"}, status="failed", unseen=[("*", "timeout")]))
    assert lines(between(blind, blind)) == [("main", DJANGO, "unknown")]
    assert lines(between(packages(failed()), packages(failed()))) == []


# -- components -------------------------------------------------------------------------------------------


def process(name: str, **values: Any) -> Stream:
    # A component of which nothing at all is left is gone, so each has a key that nobody asks about.
    return stream(config(section(keys(HOSTNAME="some text", **values))), component=name)


def sidecar(name: str, **values: Any) -> Stream:
    return stream(config(section(keys(HOSTNAME="some text", **values))), component=name, kind="sidecar")


def test_each_process_type_has_its_own_keys() -> None:
    left = [process("web", KEY="some text"), process("worker", KEY="some text")]
    right = [process("web", KEY="some text"), process("worker")]
    assert lines(between(left, right)) == [("worker", "KEY", "left_only")]


def test_a_stream_that_names_no_component_speaks_for_every_process_type_opposite() -> None:
    left = process("main", KEY="some text", OTHER="more text")
    right = [process("web", KEY="some text", OTHER="more text"), process("worker", KEY="other text")]
    assert lines(between(left, right)) == [("worker", "OTHER", "left_only")]
    assert lines(between(right, left)) == [("worker", "OTHER", "right_only")]
    assert between(left, right).compared == 3 + 2  # and HOSTNAME of both


def test_a_sidecar_is_its_own_also_where_the_other_side_names_no_component() -> None:
    left = process("main", KEY="some text")
    right = [process("web", KEY="some text"), sidecar("datadog", DD_API_KEY="secret")]
    assert lines(between(left, right)) == [("datadog", "sidecar", "right_only")]


def test_sidecars_pair_with_sidecars() -> None:
    left = [process("web"), sidecar("envoy", LEVEL="some text")]
    right = [process("web"), sidecar("envoy")]
    assert lines(between(left, right)) == [("envoy", "LEVEL", "left_only")]


def test_a_component_of_which_nothing_is_left_is_gone_on_both_sides() -> None:
    gone = stream(config(section({})), component="worker")
    left, right = [process("web"), gone], [process("web"), gone]
    assert lines(between(left, right)) == []
    assert lines(between([process("web"), process("worker")], right)) == [("worker", "process", "left_only")]


def test_a_process_type_that_one_side_runs_is_one_difference() -> None:
    left = [process("web", A="some text"), process("worker", A="some text", B="some text")]
    assert lines(between(left, process("web", A="some text"))) == [("worker", "process", "left_only")]


@pytest.mark.parametrize(
    ("right", "outcome"),
    [
        (stream({"config": failed("unreachable")}, component="web"), [("worker", "process", "unknown")]),
        # A file sees no components of what runs.
        (stream({"config": section(keys(A="some text"), basis="declared")}, component="web"), []),
        # One process without a name says nothing of how many there are.
        (stream({"config": section(keys(A="some text"))}), []),
    ],
)
def test_a_component_is_missing_only_where_it_could_have_been_seen(
    right: Stream, outcome: list[tuple[str, str, str]]
) -> None:
    left = [process("web", A="some text"), process("worker", A="some text")]
    assert [line for line in lines(between(left, right)) if line[1] == "process"] == outcome


def test_a_component_whose_own_source_failed_is_unknown() -> None:
    left = [process("web"), stream({"config": failed("timeout")}, component="worker")]
    assert lines(between(left, process("web"))) == [("worker", "process", "unknown")]


def test_a_server_is_known_by_its_product_also_through_another_component() -> None:
    left: Side = {"backing_services": section({"main#product": "mysql", "main#version": "8.0.36"})}
    right = [
        stream(
            {"backing_services": section({"main#product": "postgresql", "main#version": "16.3"})},
            component="web",
        )
    ]
    version = next(one for one in between(left, right).items if one.place.item == "main#version")
    assert (version.distance, version.direction) == (None, "unordered")  # never "major" across families


# -- images -----------------------------------------------------------------------------------------------

REGISTRY = {"image#repository": "acme/shop", "image#tag": "1.4.2"}


def image(**facts: Value) -> Mapping[SectionName, Section]:
    named = {f"image#{name}": value for name, value in facts.items()}
    return {"release": section({**REGISTRY, **named})}


def release(found: Differences) -> list[tuple[str, str, str]]:
    return [(one.place.item, one.kind, one.status) for one in found.items]


REBUILT = ("rebuilt", "changed")


@pytest.mark.parametrize(
    ("left", "right", "outcome"),
    [
        (image(id="i1", digest="d1"), image(id="i1", digest="d2"), []),  # a copy in another registry
        (image(digest="d1", index="x1"), image(digest="d1", index="x2"), []),
        (image(id="i1", digest="d1"), image(digest="d1"), []),  # ECS names no image id
        (image(id="i1", digest="d1"), image(id="i2", digest="d2"), [("image#id", *REBUILT)]),
        (image(digest="d1"), image(digest="d2"), [("image#digest", *REBUILT)]),
        (image(index="d1"), image(index="d2"), [("image#index", *REBUILT)]),
        (image(id="i1"), image(id="i2", digest="d2"), []),  # built on the spot: never meant to be the same
        # An index against a platform digest, without a link between them.
        (image(index="d1"), image(digest="d2"), [("image#id", "difference", "unknown")]),
        # Also where neither says by what name it was started; with a link nothing is unknown.
        (image(index="d1", tag=None), image(digest="d2", tag=None), [("image#id", "difference", "unknown")]),
        (image(index="d1", digest="d2"), image(digest="d2"), []),
        # What no registry ever had, no index can be linked to.
        (image(id="i1"), image(digest="d2"), []),
        # A registry gave one image two digests: pushed twice.
        (image(id="i1", digest=["d1", "d2"]), image(digest="d1"), []),
        # Tasks that run two images are none that runs one of them.
        (image(digest=["d1", "d2"]), image(digest="d1"), [("image#digest", *REBUILT)]),
        # Of another architecture ids and digests are others: that is its platform's to say.
        (
            image(id="i1", digest="d1", platform="linux/arm64"),
            image(id="i2", digest="d2", platform="linux/amd64"),
            [("image#platform", "difference", "changed")],
        ),
        # Of one index, and of two.
        (
            image(digest="d1", index="x", platform="linux/arm64", tag="1.4.2"),
            image(digest="d2", index="x", platform="linux/amd64", tag="release"),
            [("image#platform", "difference", "changed"), ("image#tag", "difference", "same")],
        ),
        (
            image(digest="d1", index="x", platform="linux/arm64"),
            image(digest="d2", index="y", platform="linux/amd64"),
            [("image#index", *REBUILT), ("image#platform", "difference", "changed")],
        ),
        # One image under two names is no difference.
        (image(id="i1", tag="1.4.2"), image(id="i1", tag="release"), [("image#tag", "difference", "same")]),
        (
            image(id="i1", repository="acme/shop"),
            image(id="i1", repository="copies/shop"),
            [("image#repository", "difference", "same")],
        ),
        # Two images under two tags: the tags say it.
        (
            image(digest="d1", tag="1.4.2"),
            image(digest="d2", tag="1.4.1"),
            [("image#tag", "difference", "changed")],
        ),
        # Without tags two images are two images, no rebuild of one.
        (
            image(digest="d1", tag=None),
            image(digest="d2", tag=None),
            [("image#digest", "difference", "changed")],
        ),
    ],
)
def test_images_are_compared_by_what_they_hold(
    left: Side, right: Side, outcome: list[tuple[str, str, str]]
) -> None:
    assert sorted(release(between(left, right))) == outcome


@pytest.mark.parametrize("first", ["id", "digest", "index"])
def test_what_tells_most_of_an_image_names_its_rebuild(first: str) -> None:
    names = ("id", "digest", "index")
    facts = [{name: f"{name} {side}" for name in names[names.index(first) :]} for side in ("here", "there")]
    if first == "id":
        assert release(between(image(id="here"), image(id="there"))) == []  # of no registry
    assert release(between(image(**facts[0]), image(**facts[1]))) == [(f"image#{first}", *REBUILT)]


def test_two_images_of_one_commit_are_a_rebuild_where_no_tag_is_known() -> None:
    def of(digest: str) -> Mapping[SectionName, Section]:
        release = section({"image#repository": "acme/shop", "image#digest": digest})
        return {"release": release, "codebase": section({"repo#commit": "4f1c2aa"})}

    assert release(between(of("d1"), of("d2"))) == [("image#digest", *REBUILT)]


def test_one_commit_that_each_environment_builds_for_itself_is_a_rebuild_under_any_tag() -> None:
    def of(tag: str, digest: str, commit: str) -> Mapping[SectionName, Section]:
        named = {"image#repository": "acme/shop", "image#tag": tag, "image#digest": digest}
        return {"release": section(named), "codebase": section({"repo#commit": commit})}

    found = between(of("staging-17", "d1", "4f1c2aa"), of("prod-9", "d2", "4f1c2aa"))
    assert sorted(release(found)) == [("image#digest", *REBUILT), ("image#tag", "difference", "changed")]
    other = between(of("staging-17", "d1", "4f1c2aa"), of("prod-9", "d2", "0aa1b2c"))
    assert ("image#digest", *REBUILT) not in release(other)


def test_the_image_of_a_stream_without_component_is_compared_with_that_of_every_process_type() -> None:
    left = stream(image(digest="d1"))
    right = [stream(image(digest="d1"), component="web"), stream(image(digest="d2"), component="worker")]
    found = between(left, right)
    assert [(one.place.component, one.kind) for one in found.items if one.kind == "rebuilt"] == [
        ("worker", "rebuilt")
    ]


# -- memory -----------------------------------------------------------------------------------------------


def test_differences_are_computed_once_for_two_views_and_again_for_new_ones() -> None:
    interner = Interner()
    left = view(stream(packages(section({DJANGO: "5.2.8"}))), interner=interner)
    right = view(stream(packages(section({DJANGO: "4.2.26"}))), environment="prod", interner=interner)
    memory = Memory()
    first = memory.differences(left, right, interner)
    assert memory.differences(left, right, interner) is first
    other = view(stream(packages(section({DJANGO: "5.2.8"}))), environment="prod", interner=interner)
    assert lines(memory.differences(left, other, interner)) == []
    assert memory.differences(left, right, interner) is not first  # a newer view of prod took its place
    assert memory.differences(left, right, interner) == first
    assert len(memory.kept) == 1
