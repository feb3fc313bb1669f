"""Whole compose projects: what they come to is what docker compose itself makes of them."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest

from collectors.readers.compose import Composed, ComposeReader
from detector.errors import UnseenError
from detector.model.canonical import section_document
from detector.model.fingerprints import Fingerprinter
from tests.collectors.readers.composed.projects import ANSWERS, PROJECTS, Project, answers
from tests.collectors.readers.cuts import SOME_FLIPS_OR_MANY, Cuts, Record

FINGERPRINTER = Fingerprinter(b"k" * 32)


@cache
def oracle() -> dict[str, Any]:
    """What docker compose says of all projects: the installed one, else that which was asked once."""
    if docker := shutil.which("docker"):
        version = subprocess.run(
            [docker, "compose", "version", "--short"], check=False, capture_output=True, text=True
        )
        if version.stdout.lstrip("v").startswith("2."):
            return answers([docker, "compose"])
    recorded: dict[str, Any] = json.loads(ANSWERS.read_text())
    return recorded


def composed(project: Project, folder: Path, **options: Any) -> Composed:
    """What the reader makes of a project whose files are written below a folder."""
    project.write(folder)
    home = folder / Path(project.layers[0]).parent

    def beside(path: str) -> bytes:
        found = (home / path).resolve()
        if not found.is_relative_to(folder.resolve()):
            raise UnseenError("denied", f"{path} leads out of the folder")
        if not found.exists():
            raise UnseenError("unreachable", f"{path} does not exist")
        return found.read_bytes()

    return ComposeReader().read_project(
        [(path, (folder / path).read_bytes()) for path in project.layers],
        FINGERPRINTER,
        beside,
        env_files=[(path, (folder / path).read_bytes()) for path in project.env_files],
        profiles=project.profiles,
        **options,
    )


def facts(found: Composed) -> dict[str, Any]:
    """Service -> section -> facts. From which file a value came is no part of the answer of compose."""
    services: dict[str, Any] = {}
    for part in found.read.parts:
        assert part.service
        sections = {name: dict(section.facts) for name, section in part.sections.items()}
        config = sections.get("config", {})
        for shape in config.values():
            assert isinstance(shape, dict)
            shape.pop("source_class")
        services[part.service] = {name: known for name, known in sections.items() if known}
    return services


def expected(answer: Mapping[str, Any]) -> dict[str, Any]:
    """What the reader makes of the one plain file to which compose brought the project."""
    text = json.dumps(answer).encode()
    return facts(ComposeReader().read_project([("config", text)], FINGERPRINTER, _nothing, profiles=["*"]))


def _nothing(path: str) -> bytes:
    raise UnseenError("unreachable", f"{path} does not exist")


@pytest.mark.parametrize("name", PROJECTS)
def test_a_project_comes_to_what_docker_compose_makes_of_it(name: str, tmp_path: Path) -> None:
    found = composed(PROJECTS[name], tmp_path)
    assert facts(found) == expected(oracle()[name])
    assert found.complete
    assert all(not s.unseen for part in found.read.parts for n, s in part.sections.items() if n != "config")


def test_a_service_that_is_asked_for_needs_no_profile(tmp_path: Path) -> None:
    found = composed(PROJECTS["no profile"], tmp_path, wanted="admin")
    assert [part.service for part in found.read.parts] == ["web", "admin"]


def test_no_file_that_a_secret_names_is_opened(tmp_path: Path) -> None:
    project = PROJECTS["mounted"]
    assert "C4n4ry" in project.files["password.txt"]
    project.write(tmp_path)
    (tmp_path / "password.txt").unlink()
    found = ComposeReader().read_project(
        [("compose.yaml", project.files["compose.yaml"].encode())], FINGERPRINTER, _nothing
    )
    assert facts(found) == expected(oracle()["mounted"])


@pytest.mark.parametrize("breaks", SOME_FLIPS_OR_MANY)
@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("variables", ".env"),
        ("layers", "base/compose.yaml"),
        ("marks", "compose.prod.yaml"),
        ("extends", "shared/base.yaml"),
        ("includes", "database/compose.yaml"),
        ("env files", "b.env"),
    ],
)
def test_a_file_of_a_project_that_broke_is_unseen_without_a_traceback(
    name: str, broken: str, breaks: Cuts, record_property: Record
) -> None:
    project = PROJECTS[name]
    home = Path(project.layers[0]).parent
    whole = {path: text.encode() for path, text in project.files.items()}
    for data in breaks(whole[broken], record_property):
        files = {os.path.relpath(path, home): text for path, text in (whole | {broken: data}).items()}

        def beside(path: str, files: Mapping[str, bytes] = files) -> bytes:
            return files[path] if path in files else _nothing(path)

        layers = [(path, (whole | {broken: data})[path]) for path in project.layers]
        with suppress(UnseenError):
            found = ComposeReader().read_project(layers, FINGERPRINTER, beside)
            for part in found.read.parts:
                for section in part.sections.values():
                    orjson.dumps(section_document(section))
