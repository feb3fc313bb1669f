"""What is declared against what runs."""

import pytest

from detector.model.versions import declared_matches


@pytest.mark.parametrize(
    ("declared", "actual", "product"),
    [
        ("16", "16.3", "postgresql"),
        ("16", "16.3 (Debian 16.3-1.pgdg120+1)", "postgresql"),
        ("16-alpine", "16.3", "postgresql"),
        ("7.2", "7.2.4", "redis"),
        ("7.2.4", "7.2.4", "redis"),
        ("v1.25", "nginx/1.25.3", None),
        ("16.0", "16", "postgresql"),  # missing numbers count as zero
        ("latest", "16.3", "postgresql"),  # says nothing that could be wrong
        ("alpine", "7.2.4", "redis"),
        ("3.13-rc", "3.13.0rc2", "python"),
        ("17", "17.2", "postgresql"),
        ("8.0", "8.0.mysql_aurora.3.04.0", None),
        ("8.0.36", "8.0.mysql_aurora.3.04.0", None),  # as far as Aurora says
        ("8.0.mysql_aurora.3.04", "8.0.mysql_aurora.3.04.1", None),
        ("8.0", "8.0.32", "aurora-mysql"),
        ("8", "8.0.1", "valkey"),
        ("7.2.4", "8.0.1", "valkey"),  # the series of Redis that it speaks
        ("10.11", "5.5.5-10.11.19-MariaDB", None),
        ("1a2b3c4", "1a2b3c4", None),
    ],
)
def test_what_a_tag_leaves_open_is_no_difference(declared: str, actual: str, product: str | None) -> None:
    assert declared_matches(declared, actual, product=product)


@pytest.mark.parametrize(
    ("declared", "actual", "product"),
    [
        ("16", "15.8", "postgresql"),
        ("16.3", "16.4", "postgresql"),
        ("7.2-alpine", "7.4.0", "redis"),
        ("1", "16.3", None),  # numbers, not beginnings of texts
        ("1.5.0-rc1", "1.5.0", None),
        ("1.5.0-rc1", "1.5.0-rc2", None),
        ("3.13-rc", "3.13.0", "python"),
        ("17", "17beta1", "postgresql"),
        ("8.0.mysql_aurora.3.04", "8.0.mysql_aurora.3.05.2", None),
        ("5.7", "8.0.mysql_aurora.3.04.0", None),
        ("1a2b3c4", "16.3", None),  # a hash says nothing about versions
        ("16", "unreadable", None),
    ],
)
def test_another_version_than_the_declared_one_is_a_difference(
    declared: str, actual: str, product: str | None
) -> None:
    assert not declared_matches(declared, actual, product=product)
