"""The order is that of each ecosystem's own implementation."""

from collections.abc import Callable
from itertools import pairwise

import pytest

from detector.model.versions import step
from tests.model.versions.oracles import ORACLES, PROOF, tried
from tests.model.versions.real import REAL
from tests.servers.process import ServerMissing

of_each_ecosystem = pytest.mark.parametrize("scheme", list(ORACLES))


@pytest.mark.parametrize("times", [1, pytest.param(PROOF, marks=pytest.mark.proof)])
@of_each_ecosystem
def test_the_order_is_that_of_the_reference(
    scheme: str, times: int, record_property: Callable[[str, object], None]
) -> None:
    try:
        found, oracle = tried(scheme, times=times), str(ORACLES[scheme])
    except ServerMissing as missing:
        pytest.skip(str(missing))
    record_property(f"{scheme} pairs against {oracle}", found.pairs)
    record_property("disagreements", len(found.disagreements))
    assert found.disagreements == []


@of_each_ecosystem
def test_real_versions_are_in_the_order_in_which_they_came(scheme: str) -> None:
    for versions in REAL[scheme]:
        for older, newer in pairwise(versions):
            found = step(scheme, older, newer)
            assert found is not None, (older, newer)
            # Build metadata of Cargo has no order; all the rest has.
            is_ordered = found.direction == "right_ahead" or found.distance == "build"
            assert is_ordered, (older, newer, found)
