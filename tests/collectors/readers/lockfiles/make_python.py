"""Makes the lockfiles of Python here, and beside each what its own tool lists.

    python -m tests.collectors.readers.lockfiles.make_python [FOLDER…]

Each is made by the tool itself, which uv fetches; PIP_INDEX_URL says from where packages are locked. The
project has groups, an extra, a package for Windows alone, one from a repository and one from a folder. Hosts
are replaced: by ``registry.example`` and ``git.example``.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from detector.model.items import package
from tests.collectors.readers.lockfiles.repository import ADDRESS, COMMIT, DAEMON, served

HERE = Path(__file__).parent
UV = Path(sys.executable).with_name("uv")
PYPROJECT = f"""\
[project]
name = "checkout"
version = "0.3.0"
requires-python = ">=3.11,<4.0"
dependencies = [
  "click==8.1.8",
  "python-dateutil>=2.9",
  "shop @ git+{ADDRESS}",
]
[project.optional-dependencies]
zip = ["zipp==3.21.0"]
"""
GROUPS = '[dependency-groups]\ndev = ["pytest==8.4.1"]\n'
INDEX = os.environ["PIP_INDEX_URL"]
POETRY = f"""\
[tool.poetry]
name = "checkout"
version = "0.3.0"
description = ""
authors = ["Ada <ada@acme.example>"]
[tool.poetry.dependencies]
python = "^3.11"
click = "*"
python-dateutil = ">=2.9"
zipp = {{version = "*", optional = true}}
shop = {{git = "{DAEMON}"}}
lib = {{path = "./lib"}}
[tool.poetry.extras]
zip = ["zipp"]
[tool.poetry.group.dev.dependencies]
pytest = "*"
[[tool.poetry.source]]
name = "registry"
url = "{INDEX}"
"""
PIPFILE = f"""\
[[source]]
url = "{INDEX}"
verify_ssl = true
name = "registry"
[packages]
click = "==8.1.8"
python-dateutil = ">=2.9"
shop = {{git = "git+{ADDRESS}", ref = "main"}}
lib = {{path = "./lib"}}
[dev-packages]
pytest = "==8.4.1"

[docs]
zipp = "==3.21.0"
"""
LIB = """\
[project]
name = "lib"
version = "0.9.0"
description = "A library."
[build-system]
requires = ["flit-core"]
build-backend = "flit_core.buildapi"
"""
IN = "click==8.1.8\npython-dateutil>=2.9\nzipp==3.21.0\npytest==8.4.1\n"


def main(wanted: list[str]) -> None:
    with served():
        for folder, (files, commands, lock, listing) in TOOLS.items():
            if wanted and folder not in wanted:
                continue
            with tempfile.TemporaryDirectory() as home:
                project = Path(home)
                (project / "lib").mkdir()
                for name, text in (
                    ("lib/pyproject.toml", LIB),
                    ("lib/lib.py", '"""A library."""\n'),
                    *files.items(),
                ):
                    (project / name).write_text(text)
                for command in commands:
                    run(project, command)
                text = (project / lock).read_text()
                pairs = sorted(
                    {
                        " ".join(pair)
                        for line in listing(project)
                        for pair in pairs_of(line, FOLDERS.get(folder))
                    }
                )
            (HERE / folder).mkdir(exist_ok=True)
            (HERE / folder / lock).write_text(replaced(text))
            (HERE / folder / "listing.txt").write_text("".join(f"{pair}\n" for pair in pairs))
            print(folder, lock, len(text), "bytes,", len(pairs), "listed")


def run(project: Path, command: str) -> str:
    words = command.split()
    if words[0] == "uv":
        words[0] = str(UV)
    else:
        # A tool and its version: `poetry==1.2.2 lock`.
        words = [str(UV), "tool", "run", "--isolated", *words]
    return subprocess.run(words, cwd=project, stdout=subprocess.PIPE, text=True, check=True).stdout


def replaced(text: str) -> str:
    for address in (ADDRESS, DAEMON):
        text = text.replace(address.rpartition("/")[0], "https://git.example/acme")
    text = re.sub(r"/tmp/tmp[a-z0-9_]+/?", "", text)
    return re.sub(
        r"https?://(?!git\.example|github|docs|pip|packaging|python-)[a-z0-9.]+/",
        "https://registry.example/",
        text,
    )


def pairs_of(line: str, own: str | None) -> Iterator[tuple[str, str]]:
    """Yield item and version of a line that a tool lists; own code in a folder is none."""
    line = line.partition(" --hash")[0].partition(" #")[0].strip().rstrip("\\").strip()
    try:
        asked = Requirement(line)
    except InvalidRequirement:
        if line.endswith("/lib") and own:
            yield package("pypi", "lib"), own
        return
    if asked.url:
        yield package("pypi", asked.name), f"git+git.example/acme/shop@{COMMIT}"
    elif asked.specifier:
        yield package("pypi", asked.name), next(iter(asked.specifier)).version


#: What a format knows of a package in a folder; requirements do not even know its name.
FOLDERS = {"uv": "0.9.0", "uv-pylock": "file:lib", "pipenv": "file:lib"}


def of_uv(project: Path) -> list[str]:
    return run(
        project,
        "uv export --frozen --all-extras --all-groups --no-hashes --no-annotate --no-header"
        " --no-emit-project",
    ).splitlines()


def of_poetry(project: Path) -> list[str]:
    return of_show(run(project, "poetry>=2 show --all --no-ansi"))


def of_show(text: str) -> list[str]:
    lines = []
    for line in text.splitlines():
        name, version = line.replace("(!)", "").split()[:2]
        lines.append(f"{name} @ {ADDRESS}" if name == "shop" else f"{name}=={version}")
    return lines


def of_pipenv(project: Path) -> list[str]:
    return run(project, "pipenv requirements --dev --categories=packages,dev-packages,docs").splitlines()


def of_pip(project: Path) -> list[str]:
    """List what pip would install here, and what a marker leaves out on this machine."""
    import json

    report = run(
        project,
        "uv run --no-project --isolated --with pip python -m pip install --quiet --dry-run --ignore-installed"
        " --report - -r requirements.txt",
    )
    return [
        f"{found['metadata']['name']}=={found['metadata']['version']}"
        for found in json.loads(report)["install"]
    ]


Tool = tuple[dict[str, str], tuple[str, ...], str, Callable[[Path], list[str]]]
UV_PROJECT = {
    "pyproject.toml": PYPROJECT.replace('"click', '"lib",\n  "click')
    + GROUPS
    + '[tool.uv.sources]\nlib = {path = "./lib"}\n',
}
TOOLS: dict[str, Tool] = {
    "uv": (UV_PROJECT, ("uv lock",), "uv.lock", of_uv),
    "uv-pylock": (
        UV_PROJECT,
        ("uv lock", "uv export --all-extras --all-groups --no-emit-project -q -o pylock.toml"),
        "pylock.toml",
        of_uv,
    ),
    "uv-export": (
        UV_PROJECT,
        ("uv lock", "uv export --all-extras --all-groups --no-emit-project -q -o requirements.txt"),
        "requirements.txt",
        of_uv,
    ),
    "pip-tools": (
        {"requirements.in": IN},
        ("--from=pip-tools pip-compile -q --generate-hashes --no-emit-index-url requirements.in",),
        "requirements.txt",
        of_pip,
    ),
    "poetry-1.2": (
        {"pyproject.toml": POETRY + "default = true\n"},
        ("--with=setuptools<70 poetry==1.2.2 lock -q",),
        "poetry.lock",
        lambda project: of_show(run(project, "--with=setuptools<70 poetry==1.2.2 show --all --no-ansi")),
    ),
    "poetry-1.8": (
        {"pyproject.toml": POETRY + 'priority = "primary"\n'},
        ("poetry==1.8.5 lock",),
        "poetry.lock",
        lambda project: of_show(run(project, "poetry==1.8.5 show --all --no-ansi")),
    ),
    "poetry-2": (
        {"pyproject.toml": POETRY + 'priority = "primary"\n'},
        ("poetry>=2 lock",),
        "poetry.lock",
        of_poetry,
    ),
    "pipenv": (
        {"Pipfile": PIPFILE},
        ("pipenv lock -q --categories=packages,dev-packages,docs",),
        "Pipfile.lock",
        of_pipenv,
    ),
}

if __name__ == "__main__":
    main(sys.argv[1:])
