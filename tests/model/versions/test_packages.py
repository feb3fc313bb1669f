"""Distances between versions of packages: the most significant part that differs, by position."""

from itertools import combinations, product

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
    ("20230311", "20240203", "major", "right_ahead"),  # a date: year, month, day
    ("20240510", "20240622", "minor", "right_ahead"),
    ("20240510+deb12u1", "20240512", "patch", "right_ahead"),
    ("20241399", "20241398", "major", "left_ahead"),  # no date
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
CARGO: list[Row] = [
    ("1.38.0", "1.40.0", "minor", "right_ahead"),
    ("0.9.0-beta.0", "0.9.0", "prerelease", "right_ahead"),
    ("2.0.10+zstd.1.5.6", "2.0.10+zstd.1.5.5", "build", "unordered"),
]
GOLANG: list[Row] = [
    ("v1.5.3", "v1.4.0", "minor", "left_ahead"),
    ("v1", "v1.0.1", "patch", "right_ahead"),
    ("go1.22.1", "1.22.4", "patch", "right_ahead"),  # the standard library
    # Pseudo-versions: of a commit before the version that they name, ordered by its time.
    ("v0.0.0-20240510120000-1a2b3c4d5e6f", "v0.0.0-20240601120000-0a2b3c4d5e6f", "prerelease", "right_ahead"),
    ("v1.2.3-0.20240510120000-1a2b3c4d5e6f", "v1.2.3", "prerelease", "right_ahead"),
    ("v2.0.0+incompatible", "v2.0.0", "build", "unordered"),
]
RPM: list[Row] = [
    ("1:3.0.7-24.el9", "3.0.7-27.el9", "major", "left_ahead"),  # the epoch
    ("2.34-83.el9", "2.36-1.el9", "minor", "right_ahead"),
    ("2.34-83.el9", "2.34-100.el9", "revision", "right_ahead"),
    ("2.34-100.el9", "2.34-100.el9_4.2", "revision", "right_ahead"),
    ("1.0~rc1-1", "1.0-1", "prerelease", "right_ahead"),
    ("1.0-0.1~rc1", "1.0-0.1", "revision", "right_ahead"),  # behind the hyphen `~` is the packager's
    ("1.0^20240510git1a2b3c4-1", "1.0-1", "revision", "left_ahead"),  # a commit after 1.0
    ("1.1.1k-12", "1.1.1w-1", "patch", "right_ahead"),
    ("1.0a-1", "1.0.1-1", "patch", "right_ahead"),  # numbers come after letters
    ("1.0", "1.0.0", "patch", "right_ahead"),  # two versions to rpm
    ("1.0-1", "1.0", "revision", "left_ahead"),
]
GEM: list[Row] = [
    ("7.1.3", "7.0.8.4", "minor", "left_ahead"),
    ("7.0.8.1", "7.0.8.4", "patch", "right_ahead"),
    ("7.1.0.rc1", "7.1.0", "prerelease", "right_ahead"),
    ("7.1.0.beta1", "7.1.0.beta1.1", "prerelease", "right_ahead"),
    ("1.0.0-rc1", "1.0.0.rc1", "prerelease", "right_ahead"),  # a hyphen is `.pre.`
]
MAVEN: list[Row] = [
    ("6.0.0", "5.3.39", "major", "left_ahead"),
    ("2.0.0.M1", "2.0.0-RC1", "prerelease", "right_ahead"),
    ("2.0.0-SNAPSHOT", "2.0.0", "prerelease", "right_ahead"),
    ("0.1-SNAPSHOT", "0.0-SNAPSHOT", "minor", "left_ahead"),
    ("1.0-sp-1", "1.0", "revision", "left_ahead"),
    ("6.0.0.Final-redhat-1", "6.0.0.Final", "revision", "left_ahead"),
    ("33.2.1-android", "33.2.1-jre", "revision", "right_ahead"),
    ("33.2.1-jre-SNAPSHOT", "33.2.1-jre", "prerelease", "right_ahead"),
    ("9.4.44.v20210927", "9.4.44.v20220101", "revision", "right_ahead"),
    ("1.2.3.4", "1.2.3.5", "patch", "right_ahead"),
    ("Hoxton.SR12", "Greenwich.SR6", "major", "left_ahead"),  # a train of releases has a name for a number
    ("Hoxton.SR1", "Hoxton.SR12", "revision", "right_ahead"),
]
COMPOSER: list[Row] = [
    ("v7.1.2", "6.4.8", "major", "left_ahead"),
    ("2.0.0-RC2", "2.0.0", "prerelease", "right_ahead"),
    ("2.0.0-beta5", "2.0.0-RC1", "prerelease", "right_ahead"),
    ("2.0.0-dev", "2.0.0-alpha1", "prerelease", "right_ahead"),
    ("1.0.0-patch1", "1.0.0", "revision", "left_ahead"),
    ("1.0.0+a", "1.0.0+b", "build", "unordered"),
    ("20131105", "20120808", "major", "left_ahead"),
]
NUGET: list[Row] = [
    ("13.0.1", "13.0.3", "patch", "right_ahead"),
    ("4.0.0.1", "4.0.0", "patch", "left_ahead"),
    ("8.0.0-preview.7", "8.0.0-rc.1", "prerelease", "right_ahead"),
    ("1.0.0-RC.2", "1.0.0-rc.10", "prerelease", "right_ahead"),
    ("1.0.0+a", "1.0.0", "build", "unordered"),
]
HEX: list[Row] = [
    ("1.15.3", "1.14.0", "minor", "left_ahead"),
    ("1.0.0-rc.2", "1.0.0-rc.10", "prerelease", "right_ahead"),
    ("1.0.0+a", "1.0.0+b", "build", "unordered"),
]
PUB: list[Row] = [
    ("2.11.0", "2.9.1", "minor", "left_ahead"),
    ("0.17.0-nullsafety.1", "0.17.0", "prerelease", "right_ahead"),
    # Pub orders what follows the plus: packages before 1.0 count there.
    ("1.0.0+9", "1.0.0+10", "build", "right_ahead"),
    ("1.0.0+1", "1.0.0", "build", "left_ahead"),
]
CONDA: list[Row] = [
    ("1.26.4", "2.0.0", "major", "right_ahead"),
    ("3.11.8", "3.12.2", "minor", "right_ahead"),
    ("1!1.0", "2.0", "major", "left_ahead"),
    ("1.1.0rc1", "1.1.0", "prerelease", "right_ahead"),
    ("2.0b3", "2.0a1", "prerelease", "left_ahead"),
    ("1.1.0.post1", "1.1.0", "revision", "left_ahead"),
    ("9e", "9f", "prerelease", "right_ahead"),  # letters are before the number without one
    ("1.0+2", "1.0+1", "build", "left_ahead"),
]
TABLES = {
    "pypi": PYPI,
    "npm": NPM,
    "deb": DEB,
    "apk": APK,
    "cargo": CARGO,
    "golang": GOLANG,
    "rpm": RPM,
    "gem": GEM,
    "maven": MAVEN,
    "composer": COMPOSER,
    "nuget": NUGET,
    "hex": HEX,
    "pub": PUB,
    "conda": CONDA,
}
ROWS = [(scheme, row) for scheme, rows in TABLES.items() for row in rows]


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
        ("golang", "v1.2", "v1.2.0"),
        ("golang", "1.2.3", "v1.2.3"),  # as some tools write purls
        ("rpm", "0:1.0-1", "1.0-1"),
        ("rpm", "1.0_1-1", "1.0.1-1"),  # whatever separates
        ("gem", "1.0.0", "1"),
        ("gem", "1.16.5-x86_64-linux-gnu", "1.16.5"),  # built for one platform
        ("gem", "1.16.5-java", "1.16.5-arm64-darwin-23"),
        ("maven", "5.3.0.RELEASE", "5.3"),
        ("maven", "2.0.0.Final", "2.0.0-GA"),
        ("maven", "1.0-alpha-1", "1a1"),
        ("maven", "1.0-CR2", "1.0-rc2"),
        ("composer", "v1.0", "1.0.0.0"),
        ("composer", "1.0-b2", "1.0.0-beta2"),
        ("composer", "1.0.0-stable", "1.0.0"),
        ("nuget", "1.0", "1.0.0.0"),
        ("nuget", "1.0.0-RC1", "1.0.0-rc1"),
        ("nuget", "1.01.0", "1.1.0"),
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
        ("cargo", "v1.0.0"),
        ("cargo", "18446744073709551616.0.0"),  # 64 bits
        ("golang", "(devel)"),
        ("golang", "go1.22rc1"),
        ("golang", "v1.2-rc1"),
        ("rpm", "1.0-1-1"),
        ("rpm", "1.0/2"),
        ("gem", "1.0.-"),
        ("gem", "v1.0"),
        ("maven", "1-0-alpha"),  # it runs in a circle: before 1, and after 1-sp
        ("maven", "1.0-final-SNAPSHOT"),  # so does this
        ("maven", "[1.0,2.0)"),
        ("composer", "dev-main"),
        ("composer", "1.x-dev"),  # a branch, whatever Composer puts it behind
        ("composer", "^1.0"),
        ("nuget", "1.0.*"),
        ("nuget", "1.0.0.0.0"),
        ("nuget", "4294967296.0"),  # a number of .NET has 31 bits
        ("opaque", "1.0"),
    ],
)
def test_what_is_no_version_of_the_ecosystem_is_equal_to_itself_alone(scheme: str, text: str) -> None:
    assert step(scheme, text, text) is None
    assert step(scheme, text, "1.0.0") == Step(distance=None, direction="unordered")
    assert step(scheme, "1.0.0", text) == Step(distance=None, direction="unordered")


def test_versions_of_conda_are_in_the_order_that_its_documentation_gives() -> None:
    # From the documentation of conda's VersionOrder; those in one row are equal.
    rows = (
        (
            "0.4",
            "0.4.0",
        ),
        (
            "0.4.1.rc",
            "0.4.1.RC",
        ),
        ("0.4.1",),
        ("0.5a1",),
        ("0.5b3",),
        ("0.5C1",),
        ("0.5",),
        ("0.9.6",),
        ("0.960923",),
        ("1.0",),
        ("1.1dev1",),
        ("1.1a1",),
        (
            "1.1.0dev1",
            "1.1.dev1",
        ),
        ("1.1.a1",),
        ("1.1.0rc1",),
        (
            "1.1.0",
            "1.1",
        ),
        (
            "1.1.0post1",
            "1.1.post1",
        ),
        ("1.1post1",),
        ("1996.07.12",),
        ("1!0.4.1",),
        ("1!3.1.1.6",),
        ("2!0.4.1",),
    )
    for lower, higher in combinations(rows, 2):
        for one, other in product(lower, higher):
            found = step("conda", one, other)
            assert found is not None, (one, other)
            assert found.direction == "right_ahead", (one, other)
    assert all(step("conda", *pair) is None for row in rows for pair in combinations(row, 2))
