"""Discoveries that only look at files: targets that another program writes, and the folders of a monorepo."""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from detector.assembly import Settings
from detector.cli.serve import _stamps
from detector.config.records import Config
from detector.errors import ConfigError, Problem
from tests.config.conftest import CANARY, HEAD, Load, Refuse

FILES = HEAD + "services:\n  - {name: shop, owner: team-shop, aliases: [store]}\n  - discover: "
TARGETS = FILES + "{type: file_sd, paths: [targets.d/*.yml, targets.d/*.json]}\n"


def lay(folder: Path, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


def seen(config: Config) -> list[tuple[str, str | None, str, dict[str, object]]]:
    return [
        (one.environment, one.service, one.name, one.options.model_dump(exclude_defaults=True))
        for one in config.sources
    ]


def test_targets_in_yaml_and_json_are_sources_of_the_service_of_their_labels(
    load_text: Load, project: Path
) -> None:
    lay(
        project,
        {
            "targets.d/a.yml": "- labels: {environment: prod, service: cart, component: web}\n"
            "  targets:\n"
            "  - {type: python, path: .venv}\n"
            "  - {type: python, name: own, path: .venv, component: job}\n",
            "targets.d/b.json": '[{"labels": {"environment": "dev", "service": "store"},'
            ' "targets": [{"type": "docker", "host": "tcp://e:1", "every": "1m"}]}]',
            "targets.d/empty.yml": "[]",
            "targets.d/notes.txt": "no target",
        },
    )
    config = load_text(TARGETS)
    assert seen(config) == [
        ("prod", "cart", "python", {"path": Path(".venv"), "component": "web"}),
        ("prod", "cart", "own", {"path": Path(".venv"), "component": "job"}),
        # `store` is another name of a service of the file, whose owner it then has.
        ("dev", "shop", "docker", {"host": "tcp://e:1"}),
    ]
    assert config.sources[2].owner == "team-shop"
    assert [service.name for service in config.services] == ["shop", "cart"]
    assert config.discovered == ("targets.d/*.yml", "targets.d/*.json")
    assert config.warnings == ()


GROUP = "- labels: {environment: prod, service: cart}\n  targets: "


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("labels: {}", "1:1: document", "must be a list of groups"),
        ("- 5", "1:3: [0]", "must be a mapping"),
        ("- {targets: []}", "1:3: [0].labels", "is required"),
        # Prometheus' own targets are addresses: no collector is meant by one.
        (GROUP + "['10.0.0.5:9100']", "2:13: [0].targets[0]", "must be a mapping"),
        (GROUP + "[{type: nothing}]", "2:20: [0].targets[0].type", "no collector has this name"),
        (GROUP + "[{type: dotenv}]", "2:13: [0].targets[0].path", "is required"),
        (
            GROUP + "[{type: dotenv, path: /proc/1/environ}]",
            "2:34: [0].targets[0].path",
            "must not be in /proc",
        ),
        (GROUP.replace("prod", "prd") + "[]", "1:25: [0].labels.environment", "no environment has this name"),
        (GROUP.replace("cart", "../x") + "[]", "1:40: [0].labels.service", "letter or digit"),
        (
            GROUP.replace("cart", "cart, component: web") + "[{type: docker}]",
            "2:13: [0].targets[0]",
            "no component",
        ),
        (GROUP.replace("cart", "cart, job: x") + "[]", "1:46: [0].labels.job", "unknown key"),
        (
            GROUP + "[{type: dotenv, path: a}, {type: dotenv, path: b}]",
            "2:38: [0].targets[1]",
            "give one a name",
        ),
        ("- {labels: [", "2:1", "not closed"),
        ("- &a [*a]", "1", ""),
        ("!!python/object:x {}", "1:1", ""),
        ("", "1:1: document", "write [] for no targets"),
        ("# nothing yet\n", "1:1: document", "write [] for no targets"),
    ],
)
def test_a_bad_file_is_refused_with_its_own_place(
    refuse: Refuse, project: Path, text: str, place: str, says: str
) -> None:
    lay(project, {"targets.d/a.yml": text, "targets.d/good.yml": GROUP + "[{type: lockfile, path: uv.lock}]"})
    (problem,) = refuse(TARGETS)
    assert str(problem).startswith(f"targets.d/a.yml:{place}"), str(problem)
    assert says in problem.message


def test_a_file_that_turns_bad_keeps_the_targets_that_it_had(load_text: Load, project: Path) -> None:
    lay(project, {"targets.d/a.yml": GROUP + "[{type: lockfile, path: uv.lock}]"})
    settings = Settings(load_text(TARGETS))
    (project / "targets.d" / "a.yml").write_text("- labels: {")
    with pytest.raises(ConfigError, match=r"targets\.d/a\.yml:"):
        settings.reload({})
    assert [one.service for one in settings.config.sources] == ["cart"]
    assert settings.reload_failed is not None
    (project / "targets.d" / "a.yml").write_text("[]")
    settings.reload({})
    assert settings.config.sources == ()


def test_a_file_that_is_cut_anywhere_is_refused_or_still_whole(load_text: Load, project: Path) -> None:
    whole = GROUP + "[{type: lockfile, path: uv.lock},\n    {type: dotenv, path: .env}]\n"
    lay(project, {"targets.d/a.yml": whole})
    before = seen(load_text(TARGETS))
    problems: list[Problem] = []
    for cut in range(len(whole) - 1):
        (project / "targets.d" / "a.yml").write_text(whole[:cut])
        try:
            assert seen(load_text(TARGETS)) == before, cut
        except ConfigError as error:
            problems += error.problems
    assert {problem.file for problem in problems} == {"targets.d/a.yml"}


def test_two_sources_of_one_name_in_two_files_name_each_other(refuse: Refuse, project: Path) -> None:
    lay(project, dict.fromkeys(("targets.d/a.yml", "targets.d/b.yml"), GROUP + "[{type: dotenv, path: a}]"))
    (problem,) = refuse(TARGETS)
    assert problem.file == "targets.d/b.yml"
    assert "the other is in line 2 of targets.d/a.yml" in problem.message


def test_no_value_of_a_file_of_targets_is_told(refuse: Refuse, project: Path) -> None:
    lay(project, {"targets.d/a.yml": GROUP + f"[{{type: postgres, dsn: 'postgresql://u:{CANARY}@h/db'}}]"})
    (problem,) = refuse(TARGETS)
    assert CANARY not in str(problem)


@pytest.mark.parametrize(
    ("paths", "says"),
    [
        ("[missing.yml]", "no such file"),
        ("[../*.yml]", "above"),
        ("[]", "at least 1"),
        ("x.yml", "must be a list"),
    ],
)
def test_globs_of_files_stay_beside_the_configuration(refuse: Refuse, paths: str, says: str) -> None:
    (problem,) = refuse(FILES + f"{{type: file_sd, paths: {paths}}}\n")
    assert says in problem.message


def test_a_pipe_in_place_of_a_file_stops_nothing(refuse: Refuse, project: Path) -> None:
    import os

    (project / "targets.d").mkdir()
    os.mkfifo(project / "targets.d" / "a.yml")
    (problem,) = refuse(TARGETS)
    assert "cannot be read" in problem.message


def test_a_running_service_notices_files_and_folders_that_come_and_go(load_text: Load, project: Path) -> None:
    lay(project, {"targets.d/a.yml": "[]", "services/api/.env": ""})
    config = load_text(
        TARGETS + "  - discover: {type: folders, path: services/*, sources: {dev: {type: reads, path: .}}}\n"
    )
    here: Any = SimpleNamespace(reading=SimpleNamespace(settings=SimpleNamespace(config=config)))
    seen = [_stamps(here, config.path)]
    for path in ("targets.d/b.yml", "services/api/uv.lock", "services/web/.env"):
        lay(project, {path: "[]"})
        seen.append(_stamps(here, config.path))
        assert seen[-1] != seen[-2], path
    (project / "targets.d" / "a.yml").unlink()
    assert _stamps(here, config.path) != seen[-1]


# --- folders --------------------------------------------------------------------------------------

FOLDERS = FILES + (
    "{type: folders, path: services/*, service_from: {strip: [svc-]},\n"
    "      sources: {dev: [{type: lockfile, path: uv.lock}, {type: dotenv, path: .env}],"
    " prod: {type: dotenv, path: .env.prod}}}\n"
)


def test_each_folder_is_a_service_with_the_sources_that_are_there(load_text: Load, project: Path) -> None:
    lay(
        project,
        {
            "services/api/uv.lock": "",
            "services/api/.env.prod": "",
            "services/svc-web/.env": "",
            "services/empty/README.md": "",
            "services/README.md": "",
            "services/store/.env": "",
        },
    )
    config = load_text(FOLDERS)
    assert seen(config) == [
        ("dev", "api", "lockfile", {"path": Path("services/api/uv.lock")}),
        ("dev", "shop", "dotenv", {"path": Path("services/store/.env")}),
        ("dev", "web", "dotenv", {"path": Path("services/svc-web/.env")}),
        ("prod", "api", "dotenv", {"path": Path("services/api/.env.prod")}),
    ]
    assert [service.name for service in config.services] == ["shop", "api", "web"]
    assert config.discovered == ("services/*",)


def test_a_source_that_a_service_has_itself_is_left_to_it(load_text: Load, project: Path) -> None:
    lay(project, {"services/shop/.env": "", "services/shop/uv.lock": ""})
    text = FOLDERS.replace("aliases: [store]", "sources: {dev: {type: dotenv, path: own.env}}")
    assert [(name, options["path"]) for _, _, name, options in seen(load_text(text))] == [
        ("dotenv", Path("own.env")),
        ("lockfile", Path("services/shop/uv.lock")),
    ]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("services/*", "none"), "no such folder"),
        (("services/*", "/"), "must not be a folder above"),
        (("services/*", "'*/*'"), "are services of one name"),
        (("prod:", "prd:"), "no environment has this name"),
        (("type: lockfile", "type: lockfil"), "no collector has this name"),
        ((", path: services/*", ""), "is required"),
    ],
)
def test_what_is_wrong_with_a_discovery_of_folders_is_told_once(
    refuse: Refuse, project: Path, change: tuple[str, str], says: str
) -> None:
    lay(project, {"services/api/.env": "", "libraries/api/.env": ""})
    (problem,) = refuse(FOLDERS.replace(*change))
    assert says in problem.message
