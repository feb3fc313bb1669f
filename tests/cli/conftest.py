"""The command line as a user has it: what is typed, what comes out, and the code it ends with."""

import io
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from detector import cli

#: As wide as a terminal is at first.
COLUMNS = 80

SHOP = """
version: 1
server: {auth: none, database_url: "sqlite:///parity.db"}
defaults: {every: 1h}
environments:
  - {name: dev, tier: development}
  - {name: staging, tier: staging}
  - {name: prod, tier: production}
services:
  - name: api
    owner: team-api
    sources:
      dev: {type: dotenv, path: .env.dev}
      staging:
        - {type: dotenv, path: .env.staging}
        - {type: lockfile, path: requirements.staging.txt}
      prod:
        - {type: dotenv, path: .env.prod}
        - {type: lockfile, path: requirements.prod.txt}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    code: int
    out: str
    err: str

    @property
    def why(self) -> str:
        """The last line on stderr: why it ended with this code."""
        lines = self.err.splitlines()
        return lines[-1] if lines else ""


Parity = Callable[..., Answer]


@pytest.fixture
def parity(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Parity:
    """Runs one command line inside this process."""

    def run(*words: str, stdin: bytes = b"") -> Answer:
        monkeypatch.setattr(sys, "argv", ["parity", *words])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        monkeypatch.setenv("COLUMNS", str(COLUMNS))
        capsys.readouterr()
        code = 0
        try:
            cli.main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 0
        out, err = capsys.readouterr()
        return Answer(code=code, out=out, err=err)

    return run


def as_process(*words: str, cwd: Path, **environ: str) -> Answer:
    """Run one command line as a process of its own: for what logs, and for what ends badly."""
    done = subprocess.run(
        [Path(sys.executable).with_name("parity"), *words],
        cwd=cwd,
        env={**os.environ, "COLUMNS": str(COLUMNS), **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    return Answer(code=done.returncode, out=done.stdout, err=done.stderr)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, **files: str) -> None:
    """Write files; a double underscore in a name stands for a dot."""
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


def write_shop(folder: Path) -> None:
    write(
        folder,
        parity__yml=SHOP,
        __env__dev="LOG_LEVEL=debug\nSTRIPE_SECRET=one\n",
        __env__staging="LOG_LEVEL=info\nSTRIPE_SECRET=two\nWEBHOOK_URL=https://hooks.example/a\n",
        __env__prod="LOG_LEVEL=info\nSTRIPE_SECRET=two\n",
        requirements__staging__txt="django==4.2.26\nflask==3.1.1\n",
        requirements__prod__txt="django==5.2.8\nflask==3.1.1\n",
    )


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A shop that was collected twice: its drifts are open."""
    folder = tmp_path_factory.mktemp("shop")
    write_shop(folder)
    for _ in range(2):
        assert as_process("once", cwd=folder).code == 1
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def shop(collected: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the collected shop to stand in."""
    home = tmp_path / "shop"
    shutil.copytree(collected, home)
    monkeypatch.chdir(home)
    return home
