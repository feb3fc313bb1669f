"""Projects that real package managers lock without a network, and what these tools say of them.

`python -m tests.collectors.readers.projects` writes the lockfiles that stand under ``lockfiles/`` anew.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

#: Stands in every place of a project that holds a credential, a token or an option of a build.
CANARY = "C4n4ry"
#: Items with their versions, as a tool lists them.
Listed = list[tuple[str, str]]
_SECONDS = 60
#: The system's own tools come first: those of a developer's toolchain manager want settings of his home.
_PATH = f"/usr/bin:{os.environ['PATH']}"


def run(folder: Path, program: str, *arguments: str, env: Mapping[str, str] | None = None) -> str:
    """What a tool prints in a folder; its home and caches stay beside it. Skips where it is missing."""
    path = shutil.which(program, path=_PATH)
    if path is None:
        pytest.skip(f"{program} is not available here: install the packages of tests/servers/packages.txt")
    home = folder.parent / "home"
    home.mkdir(exist_ok=True)
    lent = {"PATH": _PATH, "HOME": str(home), "LC_ALL": "C.UTF-8", **(env or {})}
    done = subprocess.run(
        [path, *arguments],
        cwd=folder,
        env=lent,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert done.returncode == 0, (program, arguments, done.stdout[-2000:], done.stderr[-2000:])
    return done.stdout


def write(folder: Path, files: Mapping[str, str]) -> Path:
    """The folder, with these files in it."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def repository(folder: Path, address: str) -> tuple[str, dict[str, str]]:
    """The commit of a folder made a git repository, and the environment in which its address leads to it."""
    author = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    dates = {"GIT_AUTHOR_DATE": "2024-05-10T12:00:00Z", "GIT_COMMITTER_DATE": "2024-05-10T12:00:00Z"}
    run(folder, "git", "init", "-q", "-b", "main")
    run(folder, "git", "add", "-A")
    run(folder, "git", *author, "commit", "-q", "-m", "First", env=dates)
    env = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.file://{folder}.insteadOf",
        "GIT_CONFIG_VALUE_0": address,
    }
    return run(folder, "git", "rev-parse", "HEAD").strip(), env
