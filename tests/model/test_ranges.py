"""Ranges of versions: every ecosystem in its own order, and nothing guessed of what has none."""

from functools import partial

import pytest

from detector.errors import UsageError
from detector.model.versions import step
from detector.model.versions.ranges import range_of


@pytest.mark.parametrize(
    ("scheme", "wanted", "version", "holds"),
    [
        ("pypi", "<4.2.27", "4.2.26", True),
        ("pypi", "<4.2.27", "4.2.27", False),
        ("pypi", "<4.2.27", "4.2.27rc1", True),  # PEP 440: a candidate comes before its release
        ("pypi", "< 4.2.27", "4.10", False),  # numbers, not texts
        ("pypi", "<=4.2", "4.2.0", True),
        ("pypi", "4.2", "4.2.0", True),
        ("pypi", "=4.2", "4.3", False),
        ("pypi", "!=4.2", "4.2.0", False),
        ("pypi", ">=4.2,<5", "4.9", True),
        ("pypi", ">=4.2 <5", "5.0", False),
        ("pypi", "~=4.2.1", "4.2.9", True),
        ("pypi", "~=4.2.1", "4.3", False),
        ("pypi", "~=4.2.1", "4.2", False),
        ("pypi", "~=4.2", "4.20", True),
        ("pypi", "==4.2.*", "4.2.7", True),
        ("pypi", "==4.2.*", "4.20", False),
        ("pypi", "!=4.2.*", "4.20", True),
        ("npm", "<1.0.0", "1.0.0-beta.1", True),
        ("npm", "<5", "4.7.1", True),  # npm knows whole versions alone, people do not write them
        ("golang", ">=1.4", "v1.4.0", True),
        ("deb", "<1:2.36-9+deb12u8", "2.36-9+deb12u9", True),  # the epoch counts first
        ("deb", "<2.0", "2.0~rc1", True),
        ("golang", ">v1.4.0", "v1.10.0", True),
        ("server", "<16", "15.4", True),
        ("oci", "<1.4", "1.3.9", True),
        ("oci", "<1.4", "latest", None),  # no place in any order
        ("oci", "==latest", "latest", True),
        ("oci", "!=latest", "1.4", True),
        ("pypi", "<4", "abc", None),
        ("pypi", ">=1,<4", "abc", None),
        ("pypi", "!=1,<4", "5", False),
        ("opaque", "<b", "a", None),
    ],
)
def test_a_version_is_in_a_range_in_the_order_of_its_ecosystem(
    scheme: str,
    wanted: str,
    version: str,
    holds: bool | None,  # noqa: FBT001
) -> None:
    assert range_of(wanted).holds(version, partial(step, scheme)) is holds


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no range"),
        (" ", "no"),
        ("=>2", "not a range"),
        ("<", "not a range"),
        ("<1,,2", "not a range"),
        ("^1.2", None),  # a version of this name is never there, and nothing is guessed
        ("<1.*", "goes with == and !="),
        ("~=4", "needs two numbers"),
        ("<" + "1" * 257, "not a range"),
        (",".join(["<1"] * 17), "not a range"),
    ],
)
def test_what_is_no_range_is_refused_with_an_example(text: str, words: str | None) -> None:
    if words is None:
        assert range_of(text).holds("1.2.3", partial(step, "npm")) is False
        return
    with pytest.raises(UsageError, match=words):
        range_of(text)
