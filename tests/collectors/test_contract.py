"""What holds for every collector that this project installs, read from its own pyproject.toml."""

import inspect
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import aiohttp
import pytest
from pydantic import BaseModel, ValidationError

from detector.collector import API, CollectorOptions
from detector.errors import PluginError, UnseenError
from detector.model.words import BASES, SECTIONS
from tests.collectors.lent import context

ROOT = Path(__file__).parents[2]
POINTS: Mapping[str, str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"][
    "parity.collectors"
]

#: Options of a source of which nothing can be seen; and nothing of what stands in them may show.
BLIND: Mapping[str, dict[str, Any]] = {
    "docker": {"host": "unix:///nonexistent/canary.sock"},
    "image": {"image": "acme/canary", "host": "unix:///nonexistent/canary.sock"},
    "ecs": {"region": "eu-west-1", "endpoint_url": "http://127.0.0.1:9", "cluster": "canary"},
    "registry": {
        "image": "127.0.0.1:9/acme/api:1",
        "plain_http": True,
        "username": "canary",
        "password": "canary",
    },
    "rds": {"region": "eu-west-1", "endpoint_url": "http://127.0.0.1:9", "id": "canary"},
    "postgres": {"dsn": "postgresql://user:canary@127.0.0.1:9/shop"},
    "redis": {"url": "redis://:canary@127.0.0.1:9"},
    "http": {
        "url": "http://127.0.0.1:9/info",
        "authorization": "Bearer canary",
        "paths": {"release": {"image#tag": "version"}},
    },
    "consul": {"url": "http://127.0.0.1:9", "token": "canary"},
    "etcd": {"url": "http://127.0.0.1:9", "username": "parity", "password": "canary"},
    "vault": {"url": "http://127.0.0.1:9", "token": "canary"},
    "ofrep": {"url": "http://127.0.0.1:9", "authorization": "Bearer canary"},
    "actuator": {"url": "http://127.0.0.1:9/actuator", "authorization": "Basic canary"},
}
#: The host and the name of what is looked at may stand in a message; these hold nothing else.
PLAIN = {"docker", "ecs", "image", "rds"}
#: Module of an SDK -> collectors that need it, and their extra.
SDKS = {
    "docker": ("docker", "docker"),
    "boto3": ("ecs", "aws"),
    "asyncpg": ("postgres", "postgres"),
    "redis": ("redis", "redis"),
}


def _load(name: str) -> Any:
    module, _, attribute = POINTS[name].partition(":")
    return getattr(import_module(module), attribute)


@pytest.mark.parametrize("name", POINTS)
def test_a_collector_says_what_it_is(name: str) -> None:
    collector = _load(name)
    assert collector.API == API
    assert collector.name == name
    assert collector.basis in BASES
    assert collector.sections
    assert set(collector.sections) <= set(SECTIONS)
    assert len(set(collector.sections)) == len(collector.sections)
    assert inspect.iscoroutinefunction(collector().collect)
    assert collector.__doc__


@pytest.mark.parametrize("name", POINTS)
def test_a_collector_says_what_it_can_never_see(name: str) -> None:
    assert all(part and part == part.strip() and not part.endswith(".") for part in _load(name).cannot_see)
    assert _load(name).cannot_see


def _fields(model: type[BaseModel]) -> Iterator[tuple[str, Any]]:
    for name, field in model.model_fields.items():
        yield f"{model.__name__}.{name}", field
        for inner in (field.annotation, *get_args(field.annotation)):
            if inspect.isclass(inner) and issubclass(inner, BaseModel):
                yield from _fields(inner)


@pytest.mark.parametrize("name", POINTS)
def test_every_option_is_described_and_none_can_be_changed(name: str) -> None:
    options = _load(name).Options
    assert issubclass(options, CollectorOptions)
    assert options.model_config["frozen"]
    assert options.model_config["hide_input_in_errors"]
    assert options.__doc__ != CollectorOptions.__doc__
    for place, field in _fields(options):
        assert field.description, place
        assert field.description.rstrip().endswith("."), place


@pytest.mark.parametrize("name", POINTS)
def test_an_unknown_key_is_refused_without_its_value(name: str) -> None:
    with pytest.raises(ValidationError) as caught:
        _load(name).Options.model_validate({"no_such_option": "canary"})
    assert "no_such_option" in str(caught.value)
    assert "canary" not in str(caught.value)


SECRET_WORDS = ("dsn", "password", "token", "secret", "authorization", "credential", "private_key")


@pytest.mark.parametrize("name", POINTS)
def test_what_is_named_like_a_secret_is_a_secret(name: str) -> None:
    for place, field in _fields(_load(name).Options):
        if any(word in place.lower() for word in SECRET_WORDS):
            assert "SecretStr" in str(field.annotation), place


def test_every_collector_that_asks_over_the_network_is_tried_here() -> None:
    # Collectors of files are tried by their own tests.
    files = {
        "process",
        "binary",
        "compose",
        "dotenv",
        "git",
        "host",
        "installed",
        "lockfile",
        "manifests",
        "python",
        "reads",
        "sbom",
        "settings",
        "terraform",
    }
    assert set(BLIND) == set(POINTS) - files


@pytest.mark.parametrize("name", BLIND)
async def test_a_run_that_sees_nothing_says_so_in_our_words(
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "canary")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary")
    collector = _load(name)
    options = collector.Options.model_validate(BLIND[name])
    async with aiohttp.ClientSession() as session:
        with pytest.raises(UnseenError) as caught:
            await collector().collect(options, context("checkout", session=session))
    assert caught.value.reason in {"denied", "unreachable", "timeout"}
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    said = f"{caught.value} {caplog.text} {''.join(capfd.readouterr())}"
    if name not in PLAIN:
        assert "canary" not in said + repr(options)


@pytest.mark.parametrize("sdk", SDKS)
async def test_a_missing_library_names_the_command(sdk: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, extra = SDKS[sdk]
    monkeypatch.setitem(sys.modules, sdk, None)
    collector = _load(name)
    options = collector.Options.model_validate(BLIND[name])
    with pytest.raises(PluginError, match=rf"pip install 'parity-detector\[{extra}\]'"):
        await collector().collect(options, context())


def test_no_collector_imports_its_library_before_it_runs() -> None:
    modules = sorted({point.partition(":")[0] for point in POINTS.values()} & _importable())
    code = f"""
import importlib, sys
for name in {modules!r}:
    importlib.import_module(name)
print([name for name in {sorted(SDKS)!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def _importable() -> set[str]:
    return {f"collectors.{path.stem}" for path in (ROOT / "collectors").glob("*.py")}
