"""Distances between versions of packages: the most significant part that differs, by position."""

import pytest

from detector.model.versions import Direction, Distance, Step, step

Row = tuple[str, str, Distance, Direction]

PYPI: list[Row] = [
    ("5.2.8", "4.2.26", "major", "left_ahead"),
    ("1!1.0", "1.0", "major", "left_ahead"),
    ("1!1.0", "2.0", "major", "left_ahead"),  # an epoch outranks every number
    ("0.9", "0.10", "minor", "right_ahead"),  # numbers, not decimals
    ("1", "1.0.1", "patch", "right_ahead"),  # missing numbers count as zero
    ("1.0.0.1", "1.0.0.2", "patch", "right_ahead"),  # the third and all later ones
    ("2024.2", "2025.1", "major", "right_ahead"),
    ("1.0rc1", "1.0", "prerelease", "right_ahead"),
    ("1.0a1", "1.0b1", "prerelease", "right_ahead"),
    ("1.0.dev3", "1.0a1", "prerelease", "right_ahead"),
    ("1.0.post1", "1.0", "revision", "left_ahead"),
    ("1.0.post1.dev1", "1.0.post1", "prerelease", "right_ahead"),
    ("1.1rc1", "1.0", "minor", "left_ahead"),  # the numbers come first
    ("1.0+local.1", "1.0", "build", "left_ahead"),  # PEP 440 orders local versions
    ("1.0+local.1", "1.0+local.10", "build", "right_ahead"),
]
NPM: list[Row] = [
    ("7.25.2", "7.24.0", "minor", "left_ahead"),
    ("1.2.3", "1.2.10", "patch", "right_ahead"),
    ("1.2.3-rc.1", "1.2.3", "prerelease", "right_ahead"),
    ("1.2.3-rc.2", "1.2.3-rc.10", "prerelease", "right_ahead"),
    ("1.2.3-1", "1.2.3-alpha", "prerelease", "right_ahead"),  # numbers come before words
    ("1.2.3-alpha", "1.2.3-alpha.1", "prerelease", "right_ahead"),
    ("1.2.3+x", "1.2.3+y", "build", "unordered"),  # SemVer 10: build metadata has no precedence
    ("1.2.3+x", "1.2.3", "build", "unordered"),
    ("1.2.3+x", "1.2.4+y", "patch", "right_ahead"),
]
DEB: list[Row] = [
    ("1:1.0-1", "9.9-1", "major", "left_ahead"),  # the epoch
    ("1:1.0-1", "1.0-2", "major", "left_ahead"),
    ("1.0a-1", "1.0.1-1", "patch", "right_ahead"),  # letters come before all other characters
    ("3.0.14-1~deb12u1", "1.1.1w-0+deb11u1", "major", "left_ahead"),
    ("2.36-9", "2.40-1", "minor", "right_ahead"),
    ("1.1.1w-0", "1.1.1n-0", "patch", "left_ahead"),  # OpenSSL counts on with letters
    ("2024a-0+deb12u1", "2024b-0+deb12u1", "minor", "right_ahead"),  # and so does tzdata, after one number
    ("9.2p1-2", "9.2p2-2", "patch", "right_ahead"),
    ("5.10~rc4-1~exp1", "5.10-1", "prerelease", "right_ahead"),
    ("5.10~rc4-1", "5.10~rc5-1", "prerelease", "right_ahead"),
    ("1.0-1", "1.0-2", "revision", "right_ahead"),
    ("1.0-1~bpo12+1", "1.0-1", "revision", "right_ahead"),  # behind the hyphen `~` is the packager's
    ("7.88.1-10+deb12u8", "7.88.1-10+deb12u12", "revision", "right_ahead"),
    ("1.2+dfsg-1", "1.2+dfsg1-1", "revision", "right_ahead"),  # repacked by the packager
    ("1.0+git20240101-1", "1.0-1", "revision", "left_ahead"),
    ("1.0-1", "1.0-1+b1", "revision", "right_ahead"),
    ("1.0", "1.0.0", "patch", "right_ahead"),  # two versions to dpkg: the number that one does not write
    ("1.0-2", "1.0.0-1", "revision", "right_ahead"),  # zero is zero, the revision differs
]
APK: list[Row] = [
    ("3.1.4-r5", "1.1.1w-r1", "major", "left_ahead"),
    ("1.2.5-r1", "1.2.10-r0", "patch", "right_ahead"),
    ("1.1.1n-r0", "1.1.1w-r0", "patch", "right_ahead"),
    ("1.05-r0", "1.5-r0", "minor", "right_ahead"),  # with a leading zero apk compares text
    ("1.2_rc1-r0", "1.2-r0", "prerelease", "right_ahead"),
    ("1.2_rc1", "1.2", "prerelease", "right_ahead"),
    ("1.2_rc1-r0", "1.2_rc_p1-r0", "prerelease", "right_ahead"),  # a post-release of rc, without number
    ("1.2_alpha-r0", "1.2_beta-r0", "prerelease", "right_ahead"),
    ("1.2_rc1_p1-r0", "1.2_rc1-r0", "revision", "left_ahead"),
    ("9.2_p1-r0", "9.2_p2-r0", "revision", "right_ahead"),  # a post-release
    ("9.2_p1-r9", "9.2-r10", "revision", "left_ahead"),
    ("1.2_git20240101-r0", "1.2-r0", "revision", "left_ahead"),
    ("1.2-r1", "1.2-r10", "revision", "right_ahead"),
    ("1.2-r0", "1.2", "revision", "left_ahead"),
    ("1.2~ab12", "1.2-r1", "revision", "left_ahead"),
    ("1.2~ab12-r0", "1.2~ab13-r0", "build", "right_ahead"),
    ("1.0-r0", "1.0.0-r0", "patch", "right_ahead"),
]
ROWS = [
    (scheme, row)
    for scheme, rows in {"pypi": PYPI, "npm": NPM, "deb": DEB, "apk": APK}.items()
    for row in rows
]


@pytest.mark.parametrize(
    ("scheme", "row"), ROWS, ids=lambda one: one if isinstance(one, str) else f"{one[0]} {one[1]}"
)
def test_the_distance_is_the_most_significant_part_that_differs(scheme: str, row: Row) -> None:
    left, right, distance, direction = row
    assert step(scheme, left, right) == Step(distance=distance, direction=direction)


@pytest.mark.parametrize(
    ("scheme", "left", "right"),
    [
        ("pypi", "1.0", "1.0.0"),
        ("pypi", "v1.0-RC.1", "1.0rc1"),
        ("pypi", "1.0-1", "1.0.post1"),
        ("pypi", "1.0+ubuntu-1", "1.0+ubuntu.1"),
        ("npm", "v1.2.3", "1.2.3"),
        ("npm", "=1.2.3", "1.2.3"),
        ("deb", "0:1.0-0", "1.0"),  # no epoch is 0, no revision is 0
        ("deb", "1.09-1", "1.9-01"),
        ("apk", "1.0-r00", "1.0-r0"),
    ],
)
def test_what_the_ecosystem_calls_equal_is_no_step(scheme: str, left: str, right: str) -> None:
    assert step(scheme, left, right) is None


@pytest.mark.parametrize(
    ("scheme", "text"),
    [
        ("pypi", "2004d"),  # before PEP 440
        ("pypi", "git+https://git.example/a.git@1a2b3c4"),
        ("pypi", "1.0-custom"),
        ("npm", "1.2"),
        ("npm", "01.2.3"),
        ("npm", "^1.2.3"),
        ("npm", "latest"),
        ("npm", "npm:other@1.2.3"),  # another package under this name
        ("npm", "git+ssh://git@git.example/a.git#1a2b3c4"),
        ("npm", "9007199254740993.0.0"),  # beyond what JavaScript counts exactly
        ("deb", "a1.0-1"),
        ("deb", "1.0-"),
        ("deb", "x:1.0"),
        ("deb", "2147483648:1.0"),
        ("deb", "1.0_1"),
        ("deb", ":1.0"),
        ("apk", "1.0-1"),
        ("apk", "1.0_gamma"),
        ("apk", "1.0ab"),
        ("apk", "1.0a.1"),
        ("rpm", "1.0-1.el9"),  # no comparator of its own
        ("opaque", "1.0"),
    ],
)
def test_what_is_no_version_of_the_ecosystem_is_equal_to_itself_alone(scheme: str, text: str) -> None:
    assert step(scheme, text, text) is None
    assert step(scheme, text, "1.0.0") == Step(distance=None, direction="unordered")
    assert step(scheme, "1.0.0", text) == Step(distance=None, direction="unordered")
