"""A project folder with secret files, and plugins that exist in these tests alone."""

from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from detector import plugins
from detector.config.load import load
from detector.config.records import Config
from detector.errors import ConfigError, Problem

#: A value that no message may hold.
CANARY = "canary-7f3a91"

HEAD = "version: 1\nenvironments: [{name: dev, tier: development}, {name: prod, tier: production}]\n"

#: Code, line, column and path of a problem.
Told = tuple[str, int, int, str]
Load = Callable[..., Config]
Refuse = Callable[..., list[Problem]]


def source(mapping: str) -> str:
    """Return a file with one source in production."""
    return f"{HEAD}services:\n  - name: shop\n    sources:\n      prod:\n        - {mapping}\n"


def pointed(text: str) -> tuple[str, tuple[int, int]]:
    """Return a text without its ¦, and the line and column where that stood."""
    before, _, after = text.replace("CANARY", CANARY).partition("¦")
    return before + after, (before.count("\n") + 1, len(before) - before.rfind("\n"))


def told(problems: list[Problem]) -> list[Told]:
    return [(each.code, each.line, each.column, each.path) for each in problems]


_COLLECTORS = {
    "compose": "FileCollector",
    "docker": "DockerCollector",
    "dotenv": "FileCollector",
    "ecs": "EcsCollector",
    "lockfile": "FileCollector",
    "postgres": "PostgresCollector",
    "python": "PythonCollector",
    "rds": "RdsCollector",
    "reads": "FileCollector",
    "web": "WebCollector",
}
_NOTIFIERS = {"slack": "SlackNotifier", "webhook": "WebhookNotifier"}


@pytest.fixture(autouse=True)
def known_plugins(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    module = "tests.config.fakes"
    points = [
        EntryPoint(name=name, value=f"{module}:{kind}", group=group)
        for group, named in (("parity.collectors", _COLLECTORS), ("parity.notifiers", _NOTIFIERS))
        for name, kind in named.items()
    ]
    monkeypatch.setattr(plugins, "entry_points", lambda: EntryPoints(points))
    plugins._found.cache_clear()
    yield
    plugins._found.cache_clear()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder two levels below others, so that `../..` is somebody else's."""
    folder = tmp_path / "home" / "project"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def load_text(project: Path) -> Load:
    def loaded(text: str | bytes, environ: Mapping[str, str] | None = None) -> Config:
        path = project / "parity.yml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load(path, environ or {})

    return loaded


@pytest.fixture
def refuse(load_text: Load) -> Refuse:
    """Load a text that must be refused, and return its problems."""

    def refused(text: str | bytes, environ: Mapping[str, str] | None = None) -> list[Problem]:
        with pytest.raises(ConfigError) as caught:
            load_text(text, environ)
        assert caught.value.exit_code == 2
        return list(caught.value.problems)

    return refused
