"""Banners: what servers say of themselves, and what of it counts."""

import pytest

from detector.model.versions import Direction, Distance, Step, read_banner, step


@pytest.mark.parametrize(
    ("text", "known", "product", "version", "compatibility"),
    [
        ("16.3 (Debian 16.3-1.pgdg120+1)", "postgres", "postgresql", "16.3", "16.3"),
        ("16.3 (Debian 16.3-1.pgdg120+1)", None, None, "16.3", "16.3"),
        (
            "PostgreSQL 16.3 on x86_64-pc-linux-gnu, compiled by gcc 12.2.0, 64-bit",
            None,
            "postgresql",
            "16.3",
            "16.3",
        ),
        ("PostgreSQL 15.4 on aarch64", "aurora-postgresql", "aurora-postgresql", "15.4", "15.4"),
        ("17beta1", "postgresql", "postgresql", "17beta1", "17beta1"),
        ("5.5.5-10.11.19-MariaDB", "mysql", "mariadb", "10.11.19", None),  # its numbers are not MySQL's
        ("10.11.19-MariaDB-1:10.11.19+maria~ubu2204-log", None, "mariadb", "10.11.19", None),
        ("8.0.mysql_aurora.3.04.0", None, "aurora-mysql", "3.04.0", "8.0"),
        ("8.0.mysql_aurora.3.04.0", "mysql", "aurora-mysql", "3.04.0", "8.0"),
        ("3.05.2", "aurora-mysql", "aurora-mysql", "3.05.2", "8.0"),  # aurora_version()
        ("8.0.32", "aurora-mysql", "aurora-mysql", None, "8.0.32"),  # version() there
        ("5.7.12", "aurora", "aurora-mysql", None, "5.7.12"),  # a name that RDS uses
        ("8.0.36-0ubuntu0.22.04.1", "mysql", "mysql", "8.0.36", "8.0.36"),
        ("mysql  Ver 8.0.36-0ubuntu0.22.04.1 for Linux on x86_64", None, "mysql", "8.0.36", "8.0.36"),
        ("5.7.44-log", "mysql", "mysql", "5.7.44", "5.7.44"),
        ("Redis server v=7.2.4 sha=00000000:0 malloc=jemalloc-5.3.0", None, "redis", "7.2.4", "7.2.4"),
        ("8.0.1", "valkey", "valkey", "8.0.1", "7.2"),
        ("Valkey 8.0.1", "redis", "valkey", "8.0.1", "7.2"),  # the text says more than the client knows
        ("2.11.0", "opensearch", "opensearch", "2.11.0", "7.10"),
        ("nginx/1.25.3 (Ubuntu)", None, "nginx", "1.25.3", "1.25.3"),
        ("OpenSSH_9.2p1 Debian-2+deb12u3", None, "openssh", "9.2p1", "9.2p1"),
        ("Python 3.12.4 (main, Jun  7 2024) [GCC 12.2.0]", None, "python", "3.12.4", "3.12.4"),
        ("go1.22.1", None, "go", "1.22.1", "1.22.1"),
        ("v20.11.1", "node", "node", "20.11.1", "20.11.1"),
        ("7.0.5", "mongo", "mongodb", "7.0.5", "7.0.5"),
        ("RELEASE.2024-05-10T01-41-38Z", "minio", "minio", "2024.05.10.01.41.38", None),
        ("15.5-R2", "postgres", "postgresql", "15.5", "15.5"),  # as RDS names its builds
        ("5.7.44-rds.20240408", "mysql", "mysql", "5.7.44", "5.7.44"),
        # Opaque: no version that one could be sure of.
        ("abc1234", None, None, None, None),
        ("1a2b3c4", "app", "app", None, None),
        ("feature/2", None, None, None, None),
        ("release-1.2", None, None, None, None),
        ("", "redis", "redis", None, None),
    ],
)
def test_a_banner_names_product_version_and_what_it_is_compatible_with(
    text: str, known: str | None, product: str | None, version: str | None, compatibility: str | None
) -> None:
    banner = read_banner(text, known)
    assert (banner.product, banner.version, banner.compatibility) == (product, version, compatibility)
    assert banner.raw == text


def test_a_build_with_other_abilities_is_a_variant_and_a_package_is_none() -> None:
    assert read_banner("16.4-limitless", "aurora-postgresql").variant == "limitless"
    assert read_banner("8.0.35-google", "mysql").variant == "google"
    assert read_banner("16.3 (Debian 16.3-1.pgdg120+1)").variant is None
    assert read_banner("15.5-R2", "postgresql").variant is None
    assert read_banner("12.22-rds.20250220", "postgresql").variant is None
    assert read_banner("8.0.36-0ubuntu0.22.04.1").variant is None


def test_a_long_banner_is_read_from_its_beginning_and_never_from_half_a_word() -> None:
    assert read_banner("Apache/2.4.57 " + "mod_x/1.0 " * 100).version == "2.4.57"
    assert read_banner("1." * 200 + "1").version is None


@pytest.mark.parametrize(
    ("product", "left", "right", "distance", "direction"),
    [
        ("postgresql", "16.3", "16.4", "patch", "right_ahead"),
        ("postgresql", "16.3", "15.8", "major", "left_ahead"),
        ("postgresql", "9.6.24", "9.5.1", "major", "left_ahead"),  # up to 9.6 two numbers are the major
        ("postgresql", "9.6.24", "9.6.3", "patch", "left_ahead"),
        ("postgresql", "9.6.24", "10.1", "major", "right_ahead"),
        ("postgresql", "17beta1", "17.0", "prerelease", "right_ahead"),
        ("aurora-postgresql", "15.4", "15.5", "patch", "right_ahead"),
        ("redis", "7.2.4", "6.2.6", "major", "left_ahead"),
        ("redis", "7.2.4", "7.4.0", "minor", "right_ahead"),
        ("mysql", "8.0.36", "8.4.0", "minor", "right_ahead"),
        ("mysql", "8.0.36-28", "8.0.36-29", "build", "unordered"),  # whose count it is nobody says
        (None, "5.5.5-10.11.19-MariaDB", "10.6.18-MariaDB-log", "minor", "left_ahead"),
        # Aurora: the series of MySQL first, then its own number.
        (None, "5.7.mysql_aurora.2.11.4", "8.0.mysql_aurora.3.04.0", "major", "right_ahead"),
        (None, "5.6.mysql_aurora.1.22.3", "5.7.mysql_aurora.2.11.4", "minor", "right_ahead"),
        (None, "8.0.mysql_aurora.3.04.0", "8.0.mysql_aurora.3.05.2", "minor", "right_ahead"),
        (None, "8.0.mysql_aurora.3.04.0", "8.0.mysql_aurora.3.04.1", "patch", "right_ahead"),
        ("aurora-mysql", "8.0.28", "8.0.32", "patch", "right_ahead"),
        (None, "3.13.0a1", "3.13.0", "prerelease", "right_ahead"),
        # Amazon counts its builds of one version.
        ("postgresql", "15.5-R1", "15.5-R2", "revision", "right_ahead"),
        ("mysql", "5.7.44-rds.20240408", "5.7.44-rds.20240529", "revision", "right_ahead"),
        ("postgresql", "15.5-R2", "15.6", "patch", "right_ahead"),
        ("minio", "RELEASE.2024-05-10T01-41-38Z", "RELEASE.2024-06-11T03-13-30Z", "minor", "right_ahead"),
        (None, "3.0.0-M1", "3.0.0-RC1", "prerelease", "right_ahead"),
        (None, "1.8.0_402", "1.8.0_412", "patch", "right_ahead"),
    ],
)
def test_servers_are_compared_as_their_product_numbers_them(
    product: str | None, left: str, right: str, distance: Distance, direction: Direction
) -> None:
    assert step("server", left, right, product=product) == Step(distance=distance, direction=direction)


@pytest.mark.parametrize(
    ("product", "left", "right"),
    [
        ("postgresql", "16.3 (Debian 16.3-1.pgdg120+1)", "16.3"),
        ("mysql", "8.0.36-0ubuntu0.22.04.1", "8.0.36-1.el9"),
        ("mysql", "5.7.44-log", "5.7.44"),
        ("postgresql", "15.5-R2", "15.5 (Debian 15.5-1)"),  # the server does not know Amazon's count
        ("mysql", "5.7.44-rds.20240408", "5.7.44-log"),
        ("redis", "7.2", "7.2.0"),  # missing numbers count as zero
        (None, "nginx/1.25.3", "nginx/1.25.3 (Ubuntu)"),
        (None, "nginx/1.25.3", "1.25.3"),  # the other side's word says what it is
        (None, "5.5.5-10.11.19-MariaDB", "10.11.19-MariaDB-1:10.11.19+maria~ubu2204"),
        ("aurora-mysql", "8.0.mysql_aurora.3.04.0", "3.04.0"),
        ("aurora-mysql", "8.0.mysql_aurora.3.04.0", "8.0.28"),  # what both say of themselves is the series
    ],
)
def test_the_package_around_a_version_is_no_step(product: str | None, left: str, right: str) -> None:
    assert step("server", left, right, product=product) is None


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        # (text, product) of each side: one family is compared by what both are compatible with.
        (("8.0.mysql_aurora.3.04.0", "aurora-mysql"), ("8.0.36", "mysql"), None),
        (("8.0.mysql_aurora.3.04.0", "aurora-mysql"), ("5.7.44", "mysql"), ("major", "left_ahead")),
        (("15.4", "aurora-postgresql"), ("15.6", "postgresql"), ("patch", "right_ahead")),
        (("8.0.1", "valkey"), ("7.2.4", "redis"), None),
        (("8.0.1", "valkey"), ("7.4.0", "redis"), ("minor", "right_ahead")),
        (("2.11.0", "opensearch"), ("8.11.0", "elasticsearch"), ("major", "right_ahead")),
        (("10.11.19", "mariadb"), ("8.0.36", "mysql"), (None, "unordered")),  # two numberings
        (("16.3", "postgresql"), ("3.45.1", "sqlite"), (None, "unordered")),  # another family
    ],
)
def test_products_of_one_family_are_compared_by_compatible_version(
    left: tuple[str, str],
    right: tuple[str, str],
    expected: tuple[Distance | None, Direction] | None,
) -> None:
    found = step("server", left[0], right[0], product=left[1], right_product=right[1])
    assert found == (expected and Step(distance=expected[0], direction=expected[1]))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("16.4-limitless", "16.4"),
        ("1a2b3c4", "2b3c4d5"),
        ("main", "1.2.3"),
        ("nginx/1.25.3", "Apache/2.4.57"),
    ],
)
def test_what_no_one_can_order_has_no_distance(left: str, right: str) -> None:
    assert step("server", left, right) == Step(distance=None, direction="unordered")
