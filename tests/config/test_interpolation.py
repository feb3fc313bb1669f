"""Variables stand in texts alone, are put in once, and are never printed."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from detector.config.interpolation import interpolate
from detector.config.problems import Problems
from detector.config.yaml import parse, plain
from tests.config.conftest import CANARY

ENVIRON = {"V": CANARY, "EMPTY": "", "REF": "${V}", "KEYS": "a: b\nc: d"}
TEXTS = [
    ("${V}", CANARY),
    ("x${V}y${V}", f"x{CANARY}y{CANARY}"),
    ("${V:-d}", CANARY),
    ("${NONE:-d}", "d"),
    ("${EMPTY:-d}", "d"),
    ("${EMPTY}", ""),
    ("${NONE:-}", ""),
    ("${V:?say}", CANARY),
    ("${NONE:-a:-b?c}", "a:-b?c"),
    ("$$", "$"),
    ("$${V}", "${V}"),
    ("a$b $1 pa$", "a$b $1 pa$"),  # a dollar before anything else is a dollar
    ("${REF}", "${V}"),  # never read again
    ("${KEYS}", "a: b\nc: d"),  # never becomes structure
]
REFUSED = [
    ("${NONE}", "variable NONE is not set"),
    ("${NONE:?ask the platform team}", "variable NONE is not set: ask the platform team"),
    ("${EMPTY:?say}", "variable EMPTY is not set: say"),
    ("${A:-${V}}", "one inside another"),
    ("${V", "not closed"),
    ("${V-d}", "write ${NAME}"),
    ("${1}", "write ${NAME}"),
]


def interpolated(text: str) -> tuple[object, list[str]]:
    root, _ = parse(f"key: '{text}'\n".encode(), "parity.yml")
    problems = Problems(Path("parity.yml"), root)
    done = plain(interpolate(root, ENVIRON, problems))["key"]
    return done, [problem.message for problem in problems._found.values()]


@pytest.mark.parametrize(("text", "expected"), TEXTS)
def test_a_variable_is_replaced(text: str, expected: str) -> None:
    assert interpolated(text) == (expected, [])


@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_a_variable_that_says_nothing_is_a_problem(text: str, message: str) -> None:
    _, (found,) = interpolated(text)
    assert message in found
    assert CANARY not in found


def test_keys_and_free_keys_are_left_alone() -> None:
    root, _ = parse(b"'${V}': x\nx-a: {b: '${NONE}'}\n", "parity.yml")
    problems = Problems(Path("parity.yml"), root)
    assert plain(interpolate(root, ENVIRON, problems)) == {"${V}": "x", "x-a": {"b": "${NONE}"}}
    problems.raise_if_any()


@pytest.mark.parametrize(
    ("text", "literal"),
    [("${V}", ""), ("a:${V}@b", "a:@b"), ("plain", None), ("${NONE:-d}", None), ("${V}${NONE:-d}", "d")],
)
def test_what_stands_in_the_file_itself_stays_known(text: str, literal: str | None) -> None:
    root, _ = parse(f"key: '{text}'\n".encode(), "parity.yml")
    done = interpolate(root, ENVIRON, Problems(Path("parity.yml"), root))
    assert isinstance(done.value, Mapping)
    assert done.value["key"].node.literal == literal
