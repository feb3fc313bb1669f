"""Tags of images: version, variant, and whether they move."""

import pytest

from detector.model.versions import Direction, Distance, Step, Tag, split_tag, step


@pytest.mark.parametrize(
    ("tag", "split"),
    [
        ("1.4.2", Tag(version="1.4.2")),
        ("v1.4.2", Tag(version="1.4.2")),
        ("16", Tag(version="16", floating=True)),
        ("7.2-alpine", Tag(version="7.2", variant="alpine", floating=True)),
        ("3.12.4-slim-bookworm", Tag(version="3.12.4", variant="slim-bookworm")),
        ("1.25.3-alpine3.18", Tag(version="1.25.3", variant="alpine3.18")),
        ("latest", Tag(version=None, floating=True)),
        ("alpine", Tag(version=None, variant="alpine", floating=True)),
        ("latest-alpine", Tag(version=None, variant="alpine", floating=True)),
        ("main", Tag(version=None, floating=True)),
        ("feature-basket", Tag(version=None, variant="feature-basket", floating=True)),
        ("2022-latest", Tag(version="2022", floating=True)),
        ("1.2.x", Tag(version="1.2", floating=True)),
        # Pre-releases: with their number they stand still.
        ("17beta1", Tag(version="17beta1")),
        ("1.5.0-rc.1", Tag(version="1.5.0-rc.1")),
        ("3.13-rc", Tag(version="3.13-rc", floating=True)),
        ("3.12-dev", Tag(version="3.12", floating=True)),  # an image with a shell, or a branch: it moves
        # Commits, builds and days stand still too.
        ("1a2b3c4", Tag(version=None)),
        ("4711123", Tag(version=None)),  # a hash may happen to have no letter
        ("sha-1a2b3c4", Tag(version=None)),
        ("main-1a2b3c4", Tag(version=None)),
        ("1.4-1a2b3c4", Tag(version="1.4", build="1a2b3c4")),
        ("v1.4.2-5-g1a2b3c4", Tag(version="1.4.2", build="5-g1a2b3c4")),  # git describe
        ("1.4.2-118", Tag(version="1.4.2", build="118")),
        ("1187", Tag(version="1187")),  # the counter of a pipeline
        ("20240510", Tag(version="20240510")),
        ("2024-05-10", Tag(version="2024.05.10")),
        ("bookworm-20240513", Tag(version=None)),
        ("16.3.0-debian-12-r15", Tag(version="16.3.0", variant="debian-12", revision=15)),
        # Read as nothing rather than wrongly.
        ("release-1.4.2", Tag(version=None)),
        ("8u412-jdk", Tag(version=None)),
        ("RELEASE.2024-05-10T01-41-38Z", Tag(version="2024.05.10.01.41.38")),
        ("", Tag(version=None)),
        ("deadbeef", Tag(version=None, variant="deadbeef", floating=True)),  # a word, for all we can tell
    ],
)
def test_a_tag_is_version_variant_and_whether_it_moves(tag: str, split: Tag) -> None:
    assert split_tag(tag) == split


def test_the_product_tells_how_many_numbers_a_release_has() -> None:
    assert split_tag("16.3").floating
    assert not split_tag("16.3", product="postgres").floating
    assert split_tag("16", product="postgresql").floating


@pytest.mark.parametrize(
    ("left", "right", "distance", "direction"),
    [
        ("1.4.2", "1.5.0", "minor", "right_ahead"),
        ("1.4.2", "1.4.10", "patch", "right_ahead"),
        ("v2.0.0", "1.9.9", "major", "left_ahead"),
        ("1.5.0-rc.1", "1.5.0", "prerelease", "right_ahead"),
        ("1.4.2-alpine", "1.5.0-slim", "minor", "right_ahead"),
        ("1.4.2-debian-12-r3", "1.4.2-debian-12-r15", "revision", "right_ahead"),
        ("1.4.2-1a2b3c4", "1.4.2-2b3c4d5", "build", "unordered"),
        ("1.4.2-118", "1.4.2-119", "build", "unordered"),  # a counter or a pre-release: no one says which
        ("20240510", "20240601", "minor", "right_ahead"),  # year, month, day
        ("2024-05-10", "2024-05-12", "patch", "right_ahead"),
        ("RELEASE.2024-05-10T01-41-38Z", "RELEASE.2025-01-20T14-49-07Z", "major", "right_ahead"),
        ("7.2-alpine", "7.4", "minor", "right_ahead"),
        ("16", "15.8", "major", "left_ahead"),
    ],
)
def test_tags_are_compared_behind_which_their_variant_is_split_off(
    left: str, right: str, distance: Distance, direction: Direction
) -> None:
    assert step("oci", left, right) == Step(distance=distance, direction=direction)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("latest", "1.4.2"),
        ("main", "feature-basket"),
        ("1a2b3c4", "2b3c4d5"),
        ("16", "16.3"),  # what 16 is today no tag tells
        ("16-alpine", "16-bookworm"),
        ("1.4.2-alpine", "1.4.2-bookworm"),  # no variant is ahead of another
        ("1.4.2-debian-12-r3", "1.4.2-ubuntu-22-r15"),
        ("1.4.2-dev", "1.4.2"),
        ("release-1.4.2", "release-1.4.3"),
    ],
)
def test_what_moves_and_what_is_no_version_has_no_order(left: str, right: str) -> None:
    assert step("oci", left, right) == Step(distance=None, direction="unordered")


def test_two_spellings_of_a_tag_are_no_step() -> None:
    assert step("oci", "v1.4.2", "1.4.2") is None
    assert step("oci", "1.4.2", "1.4.2.0") is None
    assert step("oci", "v16-alpine", "16-alpine") is None


def test_tags_of_postgresql_have_no_minor() -> None:
    assert step("oci", "16.3", "16.4", product="postgres") == Step(distance="patch", direction="right_ahead")
