"""What is documented exists, and what exists is documented: read from the product itself."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from pydantic import BaseModel, SecretStr

from collectors._key_options import KeyOptions
from detector.api.problems import _SLUGS
from detector.api.routes import ROUTES
from detector.cli import COMMANDS
from detector.cli import parity as parity_group
from detector.collector import CollectorOptions
from detector.config.schema import json_schema
from detector.config.sources import SourceEntry
from detector.config.unheeded import UNHEEDED
from detector.engine.pack import PACK
from detector.engine.rules import Rule
from detector.engine.trace import said
from detector.errors import ParityError, StoreError
from detector.model.words import REASONS, SECTIONS, SEVERITIES, Kind, State, Status, Verdict
from tests.collectors.lent import context

ROOT = Path(__file__).parents[1]
PAGES = (
    "README.md",
    "SECURITY.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md")),
)
TEMPLATES = tuple(sorted(str(path.relative_to(ROOT)) for path in (ROOT / "dashboards").rglob("*.html")))
PROJECT: Mapping[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@cache
def page(name: str) -> str:
    return (ROOT / name).read_text()


def section(name: str, heading: str) -> str:
    """The text below a heading, up to the next one of its level or above."""
    level = re.match("#+", heading)
    assert level is not None
    found = re.search(
        rf"^{re.escape(heading)}$\n(.*?)(?=^#{{1,{len(level[0])}}} |\Z)", page(name), re.MULTILINE | re.DOTALL
    )
    assert found is not None, f"{name} has no heading {heading}"
    return found[1]


def in_code(text: str) -> set[str]:
    """Whatever stands in backticks."""
    return set(re.findall(r"`([^`\n]+)`", text))


# --- command line ---------------------------------------------------------------------------------


def commands(group: click.Group, path: str = "parity") -> Iterator[tuple[str, click.Command]]:
    with click.Context(group) as here:
        for name in group.list_commands(here):
            command = group.get_command(here, name)
            assert command is not None
            if isinstance(command, click.Group):
                yield from commands(command, f"{path} {name}")
            else:
                yield f"{path} {name}", command


def chapters() -> dict[str, str]:
    """Command -> the chapter of docs/cli.md that is about it."""
    found = {}
    for heading in re.findall(r"^### .*$", page("docs/cli.md"), re.MULTILINE):
        for words in re.findall(r"`(parity [a-z ]+?)(?: [A-Z\[].*?)?`", heading):
            found[words] = section("docs/cli.md", heading)
    return found


def test_the_documented_commands_are_the_commands() -> None:
    assert sorted(chapters()) == sorted(name for name, _ in commands(parity_group))


@pytest.mark.parametrize(("name", "command"), list(commands(parity_group)))
def test_every_option_of_a_command_is_documented_with_an_example(name: str, command: click.Command) -> None:
    chapter = chapters()[name]
    for option in command.params:
        if isinstance(option, click.Option):
            for word in option.opts:
                assert re.search(rf"{word}(?![\w-])", chapter), f"{name} {word}"
    own = chapter.replace("heroku config --json", "")
    documented = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", own))
    every = {
        word
        for each, found in commands(parity_group)
        if each in chapters() and chapters()[each] == chapter
        for option in found.params
        for word in option.opts
    }
    assert documented <= every | {"--format", "--online"}
    assert f"$ {name}" in chapter
    assert "Exit code" in chapter


def test_every_exit_code_is_documented() -> None:
    errors: list[type[ParityError]] = [ParityError]
    for error in errors:
        errors += error.__subclasses__()
    codes = {error.exit_code for error in errors} | {0, 1, 3}
    table = section("docs/cli.md", "## Exit codes")
    assert codes | {130} == {int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)}
    assert codes == {int(code) for code in re.findall(r"^\| (\d) \|", page("README.md"), re.MULTILINE)}
    assert StoreError.exit_code == 4


@pytest.mark.parametrize("name", [*PAGES, *TEMPLATES])
def test_no_page_names_a_command_that_does_not_exist(name: str) -> None:
    known = {each for each, _ in commands(parity_group)}
    groups = {each.rpartition(" ")[0] for each in known}
    for words in re.findall(
        r"(?:^\$ |`|json \| |<code(?: data-copy)?>)(parity [a-z]+(?: [a-z]+)?)", page(name), re.MULTILINE
    ):
        first_two = " ".join(words.split()[:2])
        if first_two in groups:
            assert words in known | groups, words
        else:
            assert first_two in known, words


# --- configuration --------------------------------------------------------------------------------


def config_keys() -> set[str]:
    """Every key of parity.yml as docs/configuration.md writes it."""
    schema = json_schema()
    found: set[str] = set()

    def walk(model: Mapping[str, Any], path: str, below: tuple[str, ...]) -> None:
        if reference := model.get("$ref"):
            name = reference.rpartition("/")[2]
            if name not in below:
                walk(schema["$defs"][name], path, (*below, name))
        for key, value in model.get("properties", {}).items():
            here = f"{path}.{key}" if path else key
            found.add(here)
            walk(value, here, below)
        for each in (*model.get("anyOf", ()), *model.get("oneOf", ())):
            walk(each, path, below)
        if "items" in model:
            walk(model["items"], path if path.endswith("*") else f"{path}[]", below)
        named = {key: value for key, value in model.get("patternProperties", {}).items() if key != "^x-"}
        for inner in (model.get("additionalProperties"), *named.values()):
            if isinstance(inner, dict):
                walk(inner, f"{path}.*", below)

    walk(schema, "", ())
    return {key.replace("*[]", "*") for key in found}


def test_every_key_of_the_configuration_is_documented() -> None:
    documented = in_code(page("docs/configuration.md"))
    keys = config_keys()
    # A mapping is documented by its keys.
    leaves = {key for key in keys if not any(other.startswith((f"{key}.", f"{key}[")) for other in keys)}
    leaves |= {f"services[].sources.*.{name}" for name in SourceEntry.model_fields}
    assert leaves - documented == set()


def test_no_key_is_documented_that_does_not_exist() -> None:
    slack = import_module("detector.alerts.slack").SlackOptions.model_fields
    receivers = {f"alerting.receivers[].slack.{name}" for name in slack} | {"alerting.receivers[].slack"}
    sources = {f"services[].sources.*.{name}" for name in SourceEntry.model_fields}
    tops = "|".join(json_schema()["properties"])
    documented = {
        key
        for key in in_code(page("docs/configuration.md"))
        if re.fullmatch(rf"({tops})[.\[][\w.\[\]*]+", key)
    }
    assert documented - config_keys() - receivers - sources == set()
    assert receivers <= documented


def test_keys_that_nothing_acts_on_are_marked_and_no_others() -> None:
    marked: set[str] = set()
    for line in page("docs/configuration.md").splitlines():
        if line.startswith("|") and "**no effect yet**" in line:
            marked |= in_code(line.split("|")[1])
    paths = [path.replace("services.*", "services[]") for path in UNHEEDED if not path.endswith("_file")]
    for name in ("environments", "comparisons", "rules", "alerting.receivers"):
        paths = [path.replace(f"{name}.*", f"{name}[]") for path in paths]
    assert {
        key for key in marked if not any(key == path or key.startswith(f"{path}.") for path in paths)
    } == set()
    assert [
        path for path in paths if not any(key == path or key.startswith(f"{path}.") for key in marked)
    ] == []


def examples(name: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page(name), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("text", [text for name in PAGES for text in examples(name, "yaml")])
def test_every_example_of_yaml_is_a_part_of_a_configuration(tmp_path: Path, text: str) -> None:
    from detector.config.load import load

    part = yaml.safe_load(text)
    whole: dict[str, Any] = {
        "version": 1,
        "environments": [{"name": name} for name in ("dev", "staging", "prod")],
        # Which the rules of the examples name.
        "services": [{"name": "shop-db"}],
    }
    path = tmp_path / "parity.yml"
    if isinstance(part, list):
        # A list alone is a file of acceptances, or of targets.
        (tmp_path / "beside.yml").write_text(text)
        targets = {"services": [{"discover": {"type": "file_sd", "paths": ["beside.yml"]}}]}
        part = targets if "labels" in part[0] else {"accepted_drift": ["beside.yml"]}
    written = yaml.safe_dump({**whole, **part}).replace(
        "bot_token_file: /run/secrets/slack_bot", "bot_token: ${TOKEN}"
    )
    path.write_text(re.sub(r"(\w+)_file: /run/secrets/\w+", r"\1: ${TOKEN}", written))
    load(path, {"TOKEN": "xoxb-1"})


# --- interface ------------------------------------------------------------------------------------


def test_the_documented_routes_are_the_routes() -> None:
    rows = re.findall(r"^\| (GET|PUT|POST|DELETE) ([^|]+?) \| ([\w:]+) \|", page("docs/api.md"), re.MULTILINE)
    documented = {(method, path, scope) for method, paths, scope in rows for path in in_code(paths)}
    routes = {(route.method, re.sub(r":[^}]*\}", "}", route.path), route.scope) for route in ROUTES}
    assert documented == routes


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if route.path.startswith("/api/")], ids=lambda r: r.path
)
def test_every_parameter_of_a_route_is_documented(route: Any) -> None:
    [row] = [
        line
        for line in page("docs/api.md").splitlines()
        if line.startswith(f"| {route.method} `{route.path}` ")
    ]
    said = {word.partition("=")[0] for word in in_code(row.rsplit("|", 2)[1])}
    assert set(route.params.model_fields) == said


def test_every_slug_of_a_problem_is_documented() -> None:
    places = ("detector/api/*.py", "detector/model/wire*.py", "collectors/readers/sbom/*.py")
    sources = [path for place in places for path in ROOT.glob(place)]
    text = "\n".join(path.read_text() for path in sources)
    raised = set(re.findall(r"RefusalError\(\s*\d{3},\s*\"([a-z-]+)\"", text))
    raised |= set(re.findall(r"_unauthenticated\([^)]*, \"([a-z-]+)\"\)", text))
    raised |= set(re.findall(r"fault\([^\"\n]*\"([a-z]+(?:-[a-z]+)+)\"", text)) | set(_SLUGS.values())
    documented = in_code(section("docs/api.md", "## Problems"))
    assert raised - documented == set()
    slugs = {word for word in documented if re.fullmatch(r"[a-z]+(-[a-z]+)+", word)}
    assert {slug for slug in slugs if f'"{slug}"' not in text} == set()


async def test_the_documented_metrics_are_the_metrics(tmp_path: Path) -> None:
    from detector.api.metrics import Metrics
    from detector.assembly import reading
    from detector.config.load import load

    path = tmp_path / "parity.yml"
    path.write_text("version: 1\nenvironments: [{name: dev}, {name: prod}]\n")
    async with reading(load(path, {}), read_only=False) as here:
        text = (await Metrics().scraped(here, now=datetime.now(UTC))).decode()
    families = {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in text_string_to_metric_families(text)
    }
    named = re.findall(r"^\| `(parity_\w+)` \|", page("docs/api.md"), re.MULTILINE)
    assert sorted(named) == sorted(name for name in families if not name.endswith("_created"))


# --- collectors -----------------------------------------------------------------------------------


def plugin(group: str, name: str) -> Any:
    module, _, attribute = PROJECT["entry-points"][group][name].partition(":")
    return getattr(import_module(module), attribute)


@pytest.mark.parametrize("name", PROJECT["entry-points"]["parity.collectors"])
def test_every_option_of_a_collector_is_documented(name: str) -> None:
    chapter = section("docs/collectors.md", f"### `{name}`")
    collector = plugin("parity.collectors", name)
    fields = dict(collector.Options.model_fields)
    if issubclass(collector.Options, KeyOptions):
        # One table for all that name keys.
        assert "(#names-of-keys)" in chapter
        of_names = KeyOptions.model_fields
        fields = {own: field for own, field in fields.items() if repr(field) != repr(of_names.get(own))}
    options = {field.alias or own for own, field in fields.items()}
    documented = set(re.findall(r"^\| `(\w+)`", chapter, re.MULTILINE))
    assert documented == options
    for own, field in fields.items():
        if "SecretStr" in str(field.annotation) and field.annotation in (SecretStr, SecretStr | None):
            assert f"`{field.alias or own}_file`" in chapter
    assert f"Basis: `{collector.basis}`" in chapter
    said = in_code(re.findall(r"Sections: ([^.]*)\.", chapter)[0])
    assert said == set(collector.sections)
    for word in ("Covers", "Cannot see", "Least permission"):
        assert word in chapter, word
    assert f"type: {name}" in chapter


def test_the_options_of_names_are_documented_once() -> None:
    documented = re.findall(r"^\| `(\w+)`", section("docs/collectors.md", "## Names of keys"), re.MULTILINE)
    assert documented == list(KeyOptions.model_fields)


def test_no_collector_or_reader_is_documented_that_does_not_exist() -> None:
    headings = re.findall(r"^### `(\w+)`", page("docs/collectors.md"), re.MULTILINE)
    assert sorted(headings) == sorted({*PROJECT["entry-points"]["parity.collectors"], "push"})
    readers = re.findall(r"^\| `(\w+)`", section("docs/collectors.md", "## Readers"), re.MULTILINE)
    assert sorted(readers) == sorted(PROJECT["entry-points"]["parity.readers"])
    for table in (page("README.md"), page("SECURITY.md")):
        for name in PROJECT["entry-points"]["parity.collectors"]:
            assert re.search(rf"^\|[^|]*`{name}`", table, re.MULTILINE), name


async def test_the_example_of_a_collector_works(tmp_path: Path) -> None:
    (text,) = [
        text for text in examples("docs/collectors.md", "python") if "class " in text and "collect(" in text
    ]
    code: dict[str, Any] = {}
    exec(compile(text, "docs/collectors.md", "exec"), code)
    [collector] = [each for name, each in code.items() if name.endswith("Collector")]
    assert collector.API == import_module("detector.collector").API
    assert set(collector.sections) <= set(SECTIONS)
    assert issubclass(collector.Options, CollectorOptions)
    assert all(field.description for field in collector.Options.model_fields.values())
    (tmp_path / "VERSION").write_text("1.4.2\n")
    given = context("checkout", folder=tmp_path)
    collected = await collector().collect(collector.Options(path="VERSION"), given)
    assert collected.seen[0].sections["release"].facts == {"image#tag": "1.4.2"}
    with pytest.raises(import_module("detector.errors").UnseenError):
        await collector().collect(collector.Options(path="missing"), given)


# --- judgement ------------------------------------------------------------------------------------


def printed(rule: Rule) -> str:
    """A rule as it would stand in parity.yml."""
    entry = {"match": rule.match.document(), **said(rule.outcome)}
    line = yaml.safe_dump(entry, default_flow_style=True, sort_keys=False, width=100, allow_unicode=True)
    return f"# {rule.name}\n- " + line.rstrip().replace("\n", "\n  ")


def pack_in_print() -> str:
    return "```text\n" + "\n".join(printed(rule) for rule in PACK) + "\n```"


def test_the_shipped_rules_are_printed_as_they_are() -> None:
    found = page("docs/judgement.md").partition("<!-- pack -->\n")[2].partition("\n<!-- /pack -->")[0]
    assert found == pack_in_print(), "print it anew: python -m tests.test_docs"


@pytest.mark.parametrize("words", [Kind, Status, Verdict, State])
def test_every_word_of_judgement_is_explained(words: Any) -> None:
    known = in_code(page("docs/judgement.md"))
    assert set(words.__args__) - known == set()


def test_every_section_reason_and_severity_is_named() -> None:
    text = page("docs/judgement.md")
    for word in (*SECTIONS, *REASONS, *SEVERITIES):
        assert re.search(rf"\b{word}\b", text), word


# --- operating ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["MOST_RUNS", "MOST_THREADS"])
def test_limits_are_the_limits(name: str) -> None:
    assert re.search(
        rf"\b{getattr(import_module('detector.jobs.look'), name)}\b",
        section("docs/operating.md", "## Limits"),
    )


# --- all pages ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page(name)):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        there = (ROOT / name).parent / path if path else ROOT / name
        assert there.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", there.read_text(), re.MULTILINE)
            slugs = {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}
            assert anchor in slugs, target


@pytest.mark.parametrize("name", PAGES)
def test_commands_of_make_exist(name: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", page(name), re.MULTILINE))
    assert named <= targets


@pytest.mark.parametrize("name", PAGES)
def test_files_that_a_page_names_exist(name: str) -> None:
    folders = "bench|collectors|dashboards|deploy|detector|docs|examples|tests"
    for path in re.findall(rf"`((?:{folders})/[\w./-]*)`", page(name)):
        assert (ROOT / path).exists(), path


def test_the_readme_names_every_command_group_and_page() -> None:
    pages = {path.name for path in (ROOT / "docs").glob("*.md")}
    assert pages == {
        "cli.md",
        "configuration.md",
        "api.md",
        "collectors.md",
        "judgement.md",
        "operating.md",
        "faults.md",
        "benchmarks.md",
    }
    assert all(f"docs/{name}" in page("README.md") for name in pages)
    assert len(page("README.md").splitlines()) <= 140
    assert COMMANDS.keys() >= {"diff", "serve", "gate"}


def test_the_fields_of_options_are_models() -> None:
    # What is documented is read from models: a collector without one could hide an option.
    for name in PROJECT["entry-points"]["parity.collectors"]:
        assert issubclass(plugin("parity.collectors", name).Options, BaseModel)


if __name__ == "__main__":
    target = ROOT / "docs/judgement.md"
    head, mark, rest = target.read_text().partition("<!-- pack -->\n")
    target.write_text(f"{head}{mark}{pack_in_print()}\n<!-- /pack -->{rest.partition('<!-- /pack -->')[2]}")
    sys.exit(subprocess.call(["git", "diff", "--stat", "--", str(target)], cwd=ROOT))
