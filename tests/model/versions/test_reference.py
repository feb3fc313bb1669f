"""The order is that of the reference implementations: packaging, npm's own semver, dpkg."""

import json
import random
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from packaging.version import Version

from detector.model.versions import step

Pair = tuple[str, str]

#: One process asks dpkg for all pairs.
ASK_DPKG = """
while read -r left right; do
  if dpkg --compare-versions "$left" lt "$right"; then echo -1
  elif dpkg --compare-versions "$left" gt "$right"; then echo 1
  else echo 0; fi
done
"""
ASK_SEMVER = """
const semver = require(process.argv[1])
const pairs = JSON.parse(require('fs').readFileSync(0, 'utf8'))
const clean = pairs.map(pair => pair.map(text => semver.clean(text)))
console.log(JSON.stringify(clean.map(([a, b]) => a && b ? semver.compare(a, b) : null)))
"""


def pairs(seed: int, count: int, *parts: Sequence[str]) -> list[Pair]:
    """Pairs that often tie: two texts, each of one choice for each part."""
    choose = random.Random(seed)

    def text() -> str:
        return "".join(choose.choice(part) for part in parts)

    return [(text(), text()) for _ in range(count)]


def directions(scheme: str, asked: list[Pair]) -> list[int | None]:
    """-1, 0 or 1 as ``compare`` of most languages has it; None where a side is no version."""
    order = {"left_ahead": 1, "right_ahead": -1, "unordered": 0}
    found = [step(scheme, left, right) for left, right in asked]
    return [0 if one is None else None if one.distance is None else order[one.direction] for one in found]


def test_the_order_of_pypi_is_that_of_packaging() -> None:
    asked = pairs(
        1,
        4_000,
        ["", "v", "1!", "v1!"],
        ["0", "1", "1.0", "1.0.0", "1.10", "1.9"],
        ["", "a1", "b2", "rc1", "-RC.1"],
        ["", ".post1", "-1", ".post2"],
        ["", ".dev0", ".dev3"],
        ["", "+ubuntu.1", "+ubuntu-1", "+2"],
    )
    expected = [(a > b) - (a < b) for a, b in ((Version(left), Version(right)) for left, right in asked)]
    assert directions("pypi", asked) == expected


def test_the_order_of_npm_is_that_of_its_own_semver() -> None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node with npm is missing")
    home = Path(npm).resolve().parents[1]
    semver = next(filter(Path.is_dir, (home / "node_modules" / "semver", home.parent / "semver")), None)
    if semver is None:
        pytest.skip("npm's semver is missing")
    asked = pairs(
        2,
        4_000,
        ["", "v", "=v"],
        ["0.0.0", "1.2.3", "1.10.0", "1.9.0", "01.2.3", "1.2", "9007199254740992.0.0"],  # three are refused
        ["", "-0", "-1", "-01", "-10", "-rc", "-rc.1", "-rc.10", "-rc.x", "-alpha-1", "-A"],
        ["", "+b", "+1.x"],
    )
    answer = subprocess.run(
        [node, "-e", ASK_SEMVER, str(semver)],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=True,
    )
    expected: list[int | None] = json.loads(answer.stdout)
    assert [
        one for one, (left, right) in zip(directions("npm", asked), asked, strict=True) if left != right
    ] == [one for one, (left, right) in zip(expected, asked, strict=True) if left != right]


def test_the_order_of_deb_is_that_of_dpkg() -> None:
    if shutil.which("dpkg") is None:
        pytest.skip("dpkg is missing")
    asked = pairs(
        3,
        700,
        ["", "0:", "1:"],
        ["1", "1.0", "1.0.0", "1.10", "1.9", "1.09", "1."],
        ["", "a", "a0", "~rc1", "~", "~~a", "+dfsg", "+dfsg~1", "-rc1", ".Z"],
        ["", "-0", "-1", "-1~deb12u1", "-1+b1", "-1ubuntu0.22.04.1"],
    )
    answer = subprocess.run(
        ["/bin/sh", "-c", ASK_DPKG],
        input="".join(f"{left} {right}\n" for left, right in asked),
        capture_output=True,
        text=True,
        check=True,
    )
    assert directions("deb", asked) == [int(line) for line in answer.stdout.split()]
