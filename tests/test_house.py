"""What holds for the repository as a whole: its size, packaging and locks, and what it must never contain."""

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import grimp
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PACKAGES = ("detector", "collectors", "dashboards")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT: dict[str, Any] = PYPROJECT["project"]
ENTRY_POINTS = [
    pytest.param(name, target, id=f"{group.removeprefix('parity.')}-{name}")
    for group, plugins in PROJECT["entry-points"].items()
    for name, target in plugins.items()
]
MOST_LINES = 400


@cache
def tracked() -> tuple[str, ...]:
    """Paths that are in the repository and on the disk."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return tuple(path for path in listed.decode().split("\0") if (ROOT / path).is_file())


def product(suffix: str = "") -> list[str]:
    return [path for path in tracked() if path.startswith(PACKAGES) and path.endswith(suffix)]


# --- the tree -------------------------------------------------------------------------------------


def test_no_file_of_the_product_is_longer_than_anyone_reads() -> None:
    lines = {path: len((ROOT / path).read_text().splitlines()) for path in product(".py")}
    assert {path: count for path, count in lines.items() if count > MOST_LINES} == {}


def test_no_module_is_named_after_nothing() -> None:
    vague = {"common", "helper", "helpers", "manager", "misc", "util", "utils"}
    assert [path for path in product(".py") if Path(path).stem in vague] == []


# Written so that this file does not find itself.
FORBIDDEN = {
    "the host of a registry": r"p[y]pi\.org|pythonhost[e]d\.org|n[p]mjs\.(org|com)|deb\.debia[n]\.org",
    "a path of one machine": r"(?<![\w.~-])/(wor[k]|roo[t]|hom[e]/\w+)/",
    "an unfinished mark": r"\b(TOD[O]|FIXM[E]|XX[X])\b",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KE[Y]-----\n[A-Za-z0-9+/=\n]{200,}",
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_tracked_file_contains(what: str) -> None:
    pattern = re.compile(FORBIDDEN[what])
    found = []
    for path in tracked():
        text = (ROOT / path).read_bytes().decode("utf-8", "replace")
        found += [f"{path}:{text.count(chr(10), 0, match.start()) + 1}" for match in pattern.finditer(text)]
    assert found == []


# --- plugins --------------------------------------------------------------------------------------


def test_every_plugin_is_named_once() -> None:
    targets = [target for plugins in PROJECT["entry-points"].values() for target in plugins.values()]
    assert sorted(targets) == sorted(set(targets))


@pytest.mark.parametrize(("name", "target"), ENTRY_POINTS)
def test_an_entry_point_leads_to_the_plugin_of_its_name(name: str, target: str) -> None:
    module, _, attribute = target.partition(":")
    assert getattr(import_module(module), attribute).name == name


def test_every_collector_has_its_line_in_pyproject() -> None:
    files = {path.stem for path in (ROOT / "collectors").glob("*.py") if not path.name.startswith("_")}
    named = {target.partition(":")[0] for target in PROJECT["entry-points"]["parity.collectors"].values()}
    assert {f"collectors.{name}" for name in files} == named


def test_collectors_share_what_begins_with_an_underscore_and_never_import_each_other() -> None:
    graph = grimp.build_graph("collectors", cache_dir=None)
    found = [
        f"{module} -> {imported}"
        for module in graph.modules
        for imported in graph.find_modules_directly_imported_by(module)
        if not imported.startswith(("collectors._", "collectors.readers"))
    ]
    assert found == []


# --- make -----------------------------------------------------------------------------------------


def test_every_command_of_make_says_what_it_does() -> None:
    text = (ROOT / "Makefile").read_text()
    commands = set(re.findall(r"^\.PHONY: (.*)$", text, re.MULTILINE)[0].split())
    shown = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    explained = dict(re.findall(r"^ *make ([\w-]+) +(\S.*)$", shown, re.MULTILINE))
    assert set(explained) == commands == set(re.findall(r"^([a-z-]+):", text, re.MULTILINE))


# --- locks ----------------------------------------------------------------------------------------


def pins(lock: str) -> dict[str, dict[str, int]]:
    """Name -> version -> number of hashes of one lock. Another Python may need another version of a name."""
    found: dict[str, dict[str, int]] = {}
    hashes: dict[str, int] = {}
    for line in (ROOT / lock).read_text().splitlines():
        if match := re.match(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^ ;\\]+)", line):
            hashes = found.setdefault(canonicalize_name(match[1]), {})
            hashes[match[2]] = 0
        elif "--hash=sha256:" in line:
            hashes[[*hashes][-1]] += 1
    return found


def asked_for(group: str) -> list[Requirement]:
    """What pyproject.toml asks for in a dependency group, groups that it includes too."""
    wanted: list[Requirement] = []
    for entry in PYPROJECT["dependency-groups"][group]:
        wanted += [Requirement(entry)] if isinstance(entry, str) else asked_for(entry["include-group"])
    return wanted


EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
RUNTIME = [
    Requirement(text)
    for texts in (PROJECT["dependencies"], *(texts for name, texts in EXTRAS.items() if name != "all"))
    for text in texts
]


@pytest.mark.parametrize(
    ("lock", "wanted"),
    [
        ("requirements.lock", RUNTIME),
        ("requirements-dev.lock", [*RUNTIME, *asked_for("dev")]),
        ("requirements-build.lock", asked_for("build")),
    ],
)
def test_a_lock_has_what_pyproject_asks_for_by_hash(lock: str, wanted: list[Requirement]) -> None:
    locked = pins(lock)
    for requirement in wanted:
        versions = locked.get(canonicalize_name(requirement.name), {})
        assert versions, f"{requirement.name} is not in it: run `make lock`"
        assert [*requirement.specifier.filter(versions)] == [*versions], "run `make lock`"
    assert [name for name, versions in locked.items() if 0 in versions.values()] == []


def test_what_is_tested_is_what_runs() -> None:
    tested = pins("requirements-dev.lock")
    for lock in ("requirements.lock", "requirements-build.lock"):
        assert {name: pin for name, pin in pins(lock).items() if tested.get(name) != pin} == {}


def test_extra_all_is_every_extra() -> None:
    assert Requirement(EXTRAS["all"][0]).extras == EXTRAS.keys() - {"all"}


# --- the wheel ------------------------------------------------------------------------------------


def test_the_wheel_holds_every_file_of_the_product_and_nothing_else(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        info = next(name for name in names if name.endswith("/entry_points.txt"))
        scripts = archive.read(info).decode()
    shipped = {name for name in names if ".dist-info/" not in name}
    assert set(product()) - shipped == set()
    assert [
        name for name in shipped if not name.startswith(tuple(f"{package}/" for package in PACKAGES))
    ] == []
    assert "parity = detector.cli:main" in scripts
    assert "[parity.collectors]" in scripts


# --- the suite itself -----------------------------------------------------------------------------

SKIPPING = {
    "in a test": "import pytest\ndef test_server(): pytest.skip('no server')\n",
    "by a mark": "import pytest\n@pytest.mark.skip(reason='no server')\ndef test_server(): pass\n",
    "as a whole file": "import pytest\npytest.skip('no server', allow_module_level=True)\n",
}


@pytest.mark.parametrize(("how", "required"), [*((how, "all") for how in SKIPPING), ("in a test", "")])
def test_a_skip_fails_where_all_is_required(tmp_path: Path, how: str, required: str) -> None:
    (tmp_path / "test_some.py").write_text(SKIPPING[how])
    command = [sys.executable, "-m", "pytest", "-c", "pyproject.toml", "-p", "tests.conftest", str(tmp_path)]
    environment = {**os.environ, "PARITY_TEST_REQUIRE": required}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    counted = "1 failed|1 error" if required else "1 skipped"
    assert re.search(counted, done.stdout), done.stdout
    assert "no server" in done.stdout
    assert (done.returncode in (1, 2)) == bool(required)
