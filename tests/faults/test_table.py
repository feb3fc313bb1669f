"""The table of faults in the documentation names each test of a fault, and no other."""

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent
TABLE = HERE.parents[1] / "docs" / "faults.md"
#: They show that a harness finds what is broken on purpose: no row for whoever runs a service.
HARNESSES = {
    "test_crash_walk::test_the_walk_finds_what_is_broken_on_purpose",
    "test_random_kills::test_kills_find_an_acknowledgement_before_the_commit",
}


def tried() -> set[str]:
    found = set()
    for path in HERE.glob("test_*.py"):
        for node in ast.parse(path.read_text()).body:
            if (
                isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
                and node.name.startswith("test_")
                and path.stem != "test_table"
            ):
                found.add(f"{path.stem}::{node.name}")
    return found


def test_each_row_is_a_test_and_each_test_a_row() -> None:
    rows = set(re.findall(r"`(test_\w+::test_\w+)` \|$", TABLE.read_text(), re.MULTILINE))
    assert rows == tried() - HARNESSES
