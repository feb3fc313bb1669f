"""What no collector can see is said, not passed over in silence."""

from collections.abc import Mapping

import pytest

from detector.model.facts import Section
from detector.model.words import SectionName
from detector.queries.catalog import cannot_see, measuring
from tests.builders import compare, drifts, section, told


def test_w43_what_is_hidden_inside_an_artefact_is_named_for_each_collector() -> None:
    """Production carries another OpenSSL inside a wheel than staging. The packages are the same, so nothing
    drifts; the report of a comparison that docker looks at says that it cannot see into wheels."""
    both: Mapping[SectionName, Section] = {"dependencies": section({"pkg:pypi/cryptography": "43.0.1"})}
    assert told(compare(both, both)) == []
    (docker,) = cannot_see(["docker"])
    said = " ".join(docker["parts"])
    for hidden in ("wheels", "OpenSSL", "libpq", "Rust crates", "jar"):
        assert hidden in said


def test_w43_without_the_list_equal_packages_would_read_as_equal_code() -> None:
    """The same two environments, told by the facts alone: in sync, with nothing more to say."""
    both: Mapping[SectionName, Section] = {"dependencies": section({"pkg:pypi/psycopg2-binary": "2.9.10"})}
    found = compare(both, both)
    assert (drifts(found), found.measured) == ({}, ("dependencies",))
    assert cannot_see([]) == []


def test_a_collector_that_says_nothing_of_it_has_no_line() -> None:
    assert cannot_see(["push", "a stranger's"]) == []


@pytest.mark.parametrize("section_name", ["dependencies", "config", "backing_services", "admin"])
def test_some_collector_measures_each_section(section_name: str) -> None:
    assert measuring()[section_name]  # type: ignore[index]
