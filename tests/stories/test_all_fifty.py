"""The fifty situations are all told: what should be said, and what would be said without the rule."""

import ast
import re
from collections import Counter
from pathlib import Path

STORIES = Path(__file__).parent
NAME = re.compile(r"test_w(\d+)_")


def told() -> Counter[int]:
    """Return how many tests tell of each situation."""
    return Counter(
        int(found[1])
        for path in STORIES.glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (found := NAME.match(node.name))
    )


def test_each_situation_is_told_with_and_without_its_rule() -> None:
    counts = told()
    assert {number for number in range(1, 51) if counts[number] < 2} == set()
    assert set(counts) <= set(range(1, 51))
