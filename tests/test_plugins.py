"""Plugins are found by name without being imported, and one that fails is named with its distribution."""

import sys
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from detector import plugins
from detector.collector import API
from detector.errors import PluginError

Install = Callable[..., None]
GOOD = f"class Good:\n    API = {API}\n    Options = object\n"


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    before = set(sys.modules)
    plugins._found.cache_clear()
    yield
    plugins._found.cache_clear()
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install a distribution with one module and one plugin, as pip would leave it on the path."""

    def installed(name: str, plugin: str, code: str, metadata: str = "", group: str = "collectors") -> None:
        folder = tmp_path / name
        (folder / f"{name}-1.5.dist-info").mkdir(parents=True)
        (folder / f"{name}_module.py").write_text(code)
        entry = f"[parity.{group}]\n{plugin} = {name}_module:Good\n"
        (folder / f"{name}-1.5.dist-info" / "entry_points.txt").write_text(entry)
        text = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.5\n{metadata}"
        (folder / f"{name}-1.5.dist-info" / "METADATA").write_text(text)
        monkeypatch.syspath_prepend(folder)

    return installed


def test_a_plugin_is_loaded_by_its_name_and_no_other_is_imported(install: Install) -> None:
    install("asked", "mine", GOOD)
    install("other", "theirs", "raise RuntimeError('imported')\n")
    assert {"mine", "theirs"} <= set(plugins.names("parity.collectors"))
    assert "asked_module" not in sys.modules
    assert plugins.load("parity.collectors", "mine").__name__ == "Good"
    assert "other_module" not in sys.modules


@pytest.mark.parametrize("group", ["parity.collectors", "parity.readers", "parity.notifiers"])
def test_each_group_has_its_own_contract(install: Install, group: plugins.Group) -> None:
    install("asked", "mine", GOOD, group=group.removeprefix("parity."))
    assert plugins.names(group).count("mine") == 1
    assert plugins.load(group, "mine").API == API


def test_the_metadata_is_read_once(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install("asked", "mine", GOOD)
    scans = []

    def scan() -> object:
        scans.append(entry_points())
        return scans[-1]

    monkeypatch.setattr(plugins, "entry_points", scan)
    for _ in range(3):
        plugins.names("parity.readers")
        plugins.load("parity.collectors", "mine")
    assert len(scans) == 1


def refusal(name: str) -> str:
    with pytest.raises(PluginError) as caught:
        plugins.load("parity.collectors", name)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return str(caught.value)


def test_an_unknown_name_gets_a_suggestion(install: Install) -> None:
    install("asked", "kubernetes", GOOD)
    assert refusal("kubernets") == "no collector is named kubernets (did you mean kubernetes?)"


EXTRAS = """\
Provides-Extra: all
Provides-Extra: cloud
Requires-Dist: plugin[cloud]; extra == "all"
Requires-Dist: surely-missing>=2; extra == "cloud"
"""
BROKEN = [
    ("import surely_missing\n", EXTRAS, "needs surely_missing: install broken[cloud]"),
    ("import surely_missing.deeply\n", "", "needs surely_missing: install surely_missing"),
    ("from os import nothing\n", "", "cannot be imported (ImportError)"),
    ("class Bad: pass\n", "", "cannot be imported (AttributeError)"),
    ("def broken(:\n", "", "cannot be imported (SyntaxError)"),
    ("int('canary')\n", "", "cannot be imported (ValueError)"),
    (f"class Good:\n    API = {API + 1}\n", "", f"is not written for contract {API}"),
    ("class Good: pass\n", "", f"is not written for contract {API}"),
]


@pytest.mark.parametrize(("code", "metadata", "expected"), BROKEN)
def test_a_broken_plugin_is_named_with_its_distribution_and_the_remedy(
    install: Install, code: str, metadata: str, expected: str
) -> None:
    install("broken", "mine", code, metadata)
    message = refusal("mine")
    assert message.startswith("collector mine of broken 1.5 ")
    assert expected in message
    assert "canary" not in message


def test_a_module_that_is_gone_asks_to_install_its_distribution_again(
    install: Install, tmp_path: Path
) -> None:
    install("broken", "mine", GOOD)
    (tmp_path / "broken" / "broken_module.py").unlink()
    assert refusal("mine") == "collector mine of broken 1.5 has no module broken_module: reinstall it"


def test_two_distributions_with_one_name_are_refused(install: Install) -> None:
    install("first", "mine", GOOD)
    install("second", "mine", GOOD)
    assert (
        refusal("mine") == "collector mine comes from first 1.5 and second 1.5: uninstall all but one of them"
    )


def test_an_empty_list_says_that_the_project_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "_found", lambda: {group: {} for group in plugins._CONTRACTS})
    assert "this Python lacks the project itself" in refusal("docker")
    assert plugins.names("parity.collectors") == ()
