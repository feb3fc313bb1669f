"""Lockfiles of Python beside requirements: groups, extras, platforms, folders; and uv itself is asked."""

import subprocess
import sys
from pathlib import Path

import pytest

from collectors.readers.lockfile import LockfileReader
from detector.model.facts import Section
from detector.model.fingerprints import Fingerprinter
from detector.reader import nothing_beside

FINGERPRINTER = Fingerprinter(b"k" * 32)
FILES = Path(__file__).parent / "lockfiles"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
SHOP = f"git+github.com/acme/shop@{COMMIT}"


def dependencies(text: str, name: str) -> Section:
    return LockfileReader().read(text.encode(), name, FINGERPRINTER).parts[0].sections["dependencies"]


def pins(section: Section) -> dict[str, object]:
    return {item: value for item, value in section.facts.items() if item.startswith("pkg:")}


WRITTEN = [
    "poetry-1.2/poetry.lock",
    "poetry-1.8/poetry.lock",
    "poetry-2/poetry.lock",
    "uv/uv.lock",
    "pipenv/Pipfile.lock",
    "pdm/pdm.lock",
]
PYPROJECT = """
[tool.poetry.dependencies]
python = "^3.11"
click = "*"
Python_Dateutil = ">=2.9"
zipp = {version = "*", optional = true}
[tool.poetry.group.dev.dependencies]
pytest = "*"
"""


@pytest.mark.parametrize("name", WRITTEN)
def test_whichever_tool_locked_a_project_it_says_the_same_of_scope_and_platform(name: str) -> None:
    hints = dependencies((FILES / name).read_text(), name).hints
    if "poetry-1.8" not in name:  # its files say neither group nor category
        assert hints["pkg:pypi/pytest"]["scope"] == ["dev"]
    assert "scope" not in hints.get("pkg:pypi/click", {})
    if "poetry-1" not in name and "pipenv" not in name:  # which leave markers to who asks
        assert hints["pkg:pypi/colorama"]["platform"] == "win32"


def test_what_a_file_of_poetry_does_not_say_the_project_beside_it_does() -> None:
    def beside(path: str) -> bytes:
        return PYPROJECT.encode() if path == "pyproject.toml" else nothing_beside(path)

    data = (FILES / "poetry-1.8/poetry.lock").read_bytes()
    found = LockfileReader().read_beside(data, "poetry.lock", FINGERPRINTER, beside)
    hints = found.parts[0].sections["dependencies"].hints
    assert hints["pkg:pypi/pytest"] == {"scope": ["dev"], "direct": True}
    assert hints["pkg:pypi/pluggy"] == {"scope": ["dev"], "direct": False}
    assert hints["pkg:pypi/zipp"] == {"scope": ["optional"], "direct": True}
    assert hints["pkg:pypi/python-dateutil"] == {"direct": True}
    assert hints["pkg:pypi/tzdata"] == {"direct": False}


PYLOCK = 'lock-version = "1.0"\ndefault-groups = ["app"]\n[[packages]]\nname = "a"\nversion = "1"\n{line}\n'


@pytest.mark.parametrize(
    ("line", "hints"),
    [
        ("marker = \"'test' in dependency_groups\"", {"scope": ["dev"]}),
        ("marker = \"'zip' in extras\"", {"scope": ["optional"]}),
        ("marker = \"'app' in dependency_groups or 'test' in dependency_groups\"", {}),
        (
            "marker = \"sys_platform == 'win32' and 'test' in dependency_groups\"",
            {"scope": ["dev"], "platform": "win32"},
        ),
        ("marker = \"python_version >= '3.11'\"", {}),
        ('tool = "x"', {}),
    ],
)
def test_a_marker_of_pylock_says_group_extra_and_platform(line: str, hints: dict[str, object]) -> None:
    assert dependencies(PYLOCK.format(line=line), "pylock.toml").hints.get("pkg:pypi/a", {}) == hints


@pytest.mark.parametrize(
    ("marker", "platform"),
    [
        ("sys_platform == 'win32'", "win32"),
        ('platform_system == "Windows"', "win32"),
        ("python_version >= '3.11' and sys_platform == 'darwin'", "darwin"),
        ('(platform_system == "Windows" or sys_platform == "win32") and python_version < "4"', "win32"),
        ("sys_platform == 'win32' or sys_platform == 'darwin'", None),
        ("sys_platform == 'win32' or python_version < '3'", None),
        ("sys_platform != 'win32'", None),
        ("extra == 'x'", None),
    ],
)
def test_a_marker_that_lets_one_platform_through_is_that_platform(marker: str, platform: str | None) -> None:
    hints = dependencies(f"a==1 ; {marker}\n", "requirements.txt").hints
    assert hints.get("pkg:pypi/a", {}).get("platform") == platform


@pytest.mark.parametrize(
    ("entry", "facts"),
    [
        ('{"version": "==1.4.2", "index": "x"}', {"pkg:pypi/a": "1.4.2"}),
        ('{"version": "===1.4.2"}', {"pkg:pypi/a": "1.4.2"}),
        (f'{{"git": "https://C4n4ry@github.com/acme/shop.git", "ref": "{COMMIT}"}}', {"pkg:pypi/a": SHOP}),
        ('{"file": "https://u:C4n4ry@registry.example/a-1.4.2-py3-none-any.whl"}', {"pkg:pypi/a": "1.4.2"}),
        ('{"path": "./a"}', {"pkg:pypi/a": "file:a"}),
        ('{"path": ".", "editable": true}', {}),
    ],
)
def test_an_entry_of_pipenv_is_its_version_or_where_it_is_from(entry: str, facts: dict[str, object]) -> None:
    section = dependencies(f'{{"_meta": {{"x": 1}}, "default": {{"a": {entry}}}}}\n', "Pipfile.lock")
    assert (pins(section), section.status) == (facts, "complete")
    assert "C4n4ry" not in str(section)


def test_code_in_a_folder_is_its_path_and_own_code_is_none() -> None:
    poetry = (
        '[[package]]\nname = "{}"\nversion = "1"\ndevelop = {}\n'
        '[package.source]\ntype = "directory"\nurl = "../x"\n'
    )
    text = poetry.format("a", "false") + poetry.format("b", "true") + '[metadata]\nlock-version = "2.1"\n'
    assert pins(dependencies(text, "poetry.lock")) == {"pkg:pypi/a": "1"}
    source = (
        'version = 1\n[[package]]\nname = "app"\nversion = "1"\nsource = {{ virtual = "." }}\n'
        '[[package]]\nname = "a"\nsource = {{ directory = "{}" }}\n'
    )
    for path, version in (("../lib", "file:../lib"), ("/srv/acme/lib", "file:lib")):
        assert pins(dependencies(source.format(path), "uv.lock")) == {"pkg:pypi/a": version}


def test_a_script_of_one_file_says_what_it_asks_for() -> None:
    text = (
        'version = 1\n[manifest]\nrequirements = [{ name = "a" }]\n'
        '[[package]]\nname = "a"\nversion = "1"\nsource = { registry = "x" }\n'
        'dependencies = [{ name = "b" }]\n'
        '[[package]]\nname = "b"\nversion = "2"\nsource = { registry = "x" }\n'
    )
    section = dependencies(text, "report.py.lock")
    assert section.status == "complete"
    assert section.hints == {"pkg:pypi/a": {"direct": True}, "pkg:pypi/b": {"direct": False}}


def test_uv_itself_lists_what_is_read(tmp_path: Path) -> None:
    uv = Path(sys.executable).with_name("uv")
    project = (
        '[project]\nname = "{}"\nversion = "{}"\nrequires-python = ">=3.11"\ndependencies = [{}]\n'
        "[tool.uv]\npackage = {}\n"
    )
    for path, name, version, asked in (
        ("", "shop", "2.0.0", '"lib", "member"'),
        ("member", "member", "1.0.0", '"deep"'),
        ("lib", "lib", "0.9.0", '"deep"'),
        ("deep", "deep", "0.3.0", ""),
    ):
        (tmp_path / path).mkdir(exist_ok=True)
        text = project.format(name, version, asked, "true" if path else "false")
        sources = '[tool.uv.sources]\nlib = {path = "./lib"}\ndeep = {path = "./deep"}\n'
        sources += "member = {workspace = true}\n"
        nested = sources.replace("./", "../").replace("member = {workspace = true}\n", "")
        text += nested if path else f'{sources}[tool.uv.workspace]\nmembers = ["member"]\n'
        (tmp_path / path / "pyproject.toml").write_text(text)
    # The project's own code needs no index: uv is asked without one.
    command = [str(uv), "--offline", "--quiet", "--no-config", "--directory", str(tmp_path)]
    subprocess.run([*command, "lock"], check=True, timeout=60)
    export = ["export", "--frozen", "--no-hashes", "--no-header", "--no-annotate", "--no-emit-workspace"]
    listed = subprocess.run(
        [*command, *export], check=True, capture_output=True, text=True, timeout=60
    ).stdout
    section = dependencies((tmp_path / "uv.lock").read_text(), "uv.lock")
    assert pins(section) == {"pkg:pypi/lib": "0.9.0", "pkg:pypi/deep": "0.3.0"}
    assert sorted(listed.split()) == ["./deep", "./lib"]
    assert (section.status, section.hints["pkg:pypi/lib"]) == ("complete", {"direct": True})
