"""Where parity.yml is looked for, and what becomes of one that cannot be opened."""

import os
from pathlib import Path

import pytest

from detector.config.load import find, load
from detector.errors import ConfigError


def test_a_file_that_cannot_be_read_is_named(project: Path) -> None:
    cases = {"missing": "config-not-found", "folder": "config-unreadable", "pipe": "config-unreadable"}
    (project / "folder").mkdir()
    os.mkfifo(project / "pipe")
    (project / "empty").touch()
    for name, code in {**cases, "empty": "config-empty", "empty/under": "config-not-found"}.items():
        with pytest.raises(ConfigError) as caught:
            load(project / name, {})
        assert [problem.code for problem in caught.value.problems] == [code], name


def test_a_file_that_cannot_be_opened_is_named(project: Path) -> None:
    (project / "parity.yml").symlink_to("parity.yml")
    with pytest.raises(ConfigError) as caught:
        load(project / "parity.yml", {})
    assert [problem.code for problem in caught.value.problems] == ["config-unreadable"]


def test_the_file_is_found_where_it_was_said_to_be(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    environ = {"PARITY_CONFIG": "other.yml"}
    assert find("named.yml", environ) == Path("named.yml")
    assert find(None, environ) == Path("other.yml")
    with pytest.raises(ConfigError, match="looked for"):
        find(None, {})
    (project / "parity.yml").touch()
    assert find(None, {}) == Path("parity.yml")
