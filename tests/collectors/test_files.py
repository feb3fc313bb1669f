"""Collectors of files: what they read, what they refuse, and whose it is."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from collectors._files import FileOptions, read_file
from collectors.compose import ComposeCollector, ComposeOptions
from collectors.dotenv import DotenvCollector, DotenvOptions
from collectors.lockfile import LockfileCollector
from collectors.python import PythonCollector, PythonOptions
from detector.collector import Collected
from detector.errors import UnseenError
from detector.model.canonical import section_document
from detector.model.facts import Section
from detector.model.words import SectionName
from detector.reader import MAX_BYTES
from tests.collectors.lent import FINGERPRINTER, context


def refusal(folder: Path, path: str) -> tuple[str, str]:
    with pytest.raises(UnseenError) as caught:
        read_file(folder, Path(path))
    return caught.value.reason, caught.value.detail


def test_a_file_is_found_from_the_folder_of_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "a.env").write_text("A=1")
    (tmp_path / "deploy").mkdir()
    assert read_file(tmp_path, Path("a.env")) == b"A=1"
    assert read_file(tmp_path / "deploy", Path("../a.env")) == b"A=1"
    assert read_file(Path("/"), tmp_path / "a.env") == b"A=1"


def test_what_is_no_readable_file_is_refused_with_the_reason(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(2 * 1024**3)
    (tmp_path / "loop").symlink_to("loop")
    assert refusal(tmp_path, "gone")[0] == "unreachable"
    assert refusal(tmp_path, ".") == ("unsupported", ". is no regular file")
    assert refusal(tmp_path, "pipe") == ("unsupported", "pipe is no regular file")
    assert refusal(tmp_path, "sparse")[0] == "too_large"
    assert refusal(tmp_path, "loop")[0] == "unreachable"
    assert refusal(tmp_path, "sparse/x")[0] == "unsupported"
    assert MAX_BYTES < 2 * 1024**3


def test_a_file_of_somebody_else_is_denied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object) -> int:
        raise PermissionError(13, "C4n4ry")  # root, as which tests may run, would be let in

    (tmp_path / "a").touch()
    monkeypatch.setattr(os, "open", denied)
    assert refusal(tmp_path, "a") == ("denied", "a may not be read by this user")


def test_a_link_is_followed_inside_the_folder_and_refused_out_of_it(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    (folder / "..data").mkdir(parents=True)
    (folder / "..data" / "a.env").write_text("A=1")  # as a mounted ConfigMap has it
    (folder / "a.env").symlink_to("..data/a.env")
    (tmp_path / "secret").write_text("A=C4n4ry")
    (folder / "out.env").symlink_to("../secret")
    (folder / "way").symlink_to("..")
    assert read_file(folder, Path("a.env")) == b"A=1"
    assert refusal(folder, "out.env")[0] == "denied"
    assert refusal(folder, "way/secret")[0] == "denied"


def test_a_file_that_changes_while_it_is_read_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.env"
    file.write_text("A=1")
    fstat, changes = os.fstat, [b"A=22", b"A=333"]

    def changing(descriptor: int) -> os.stat_result:
        found = fstat(descriptor)
        if changes:
            file.write_bytes(changes.pop(0))
        return found

    monkeypatch.setattr(os, "fstat", changing)
    changes[1:] = []
    assert read_file(tmp_path, Path("a.env")) == b"A=22"
    changes[:] = [b"A=%d" % number for number in range(10, 100)]
    changes[::2] = [b"A=%d" % number for number in range(1_000, 1_045)]
    assert refusal(tmp_path, "a.env") == ("malformed", "a.env changed each time while it was read")


@pytest.mark.parametrize("options", [{}, {"path": "a", "paths": ["b"]}, {"path": "a", "file": "b"}])
def test_a_source_names_its_files_once(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        FileOptions.model_validate(options)


@pytest.mark.parametrize("model", [DotenvOptions, FileOptions, PythonOptions, ComposeOptions])
def test_every_option_is_described(model: type[FileOptions]) -> None:
    assert all(field.description for field in model.model_fields.values())


def only(collected: Collected, name: SectionName) -> Section:
    (seen,) = collected.seen
    return seen.sections[name]


async def test_a_later_env_file_wins(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=11\nB=12\n")
    (tmp_path / ".env.local").write_text("A=21\nC\n")
    options = DotenvOptions.model_validate({"paths": [".env", ".env.local"], "component": "worker"})
    collected = await DotenvCollector().collect(options, context(folder=tmp_path))
    config = only(collected, "config")
    assert config.facts["A"]["fingerprint"] == FINGERPRINTER.of("A", "21")  # type: ignore[index, call-overload]
    assert (sorted(config.facts), config.status) == (["A", "B"], "complete")
    assert collected.seen[0].component == "worker"
    assert collected.warnings == (".env.local: line 2: a name without = sets nothing",)


async def test_compared_keys_carry_a_fingerprint(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DEBUG=true\nMODE=blue\n")
    options = DotenvOptions.model_validate({"path": ".env", "compare": ["DEBUG"]})
    config = only(await DotenvCollector().collect(options, context(folder=tmp_path)), "config")
    assert ["fingerprint" in config.facts[key] for key in ("DEBUG", "MODE")] == [True, False]  # type: ignore[operator]


async def test_one_missing_file_of_several_hides_absence_and_all_missing_end_the_run(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=11\n")
    both = DotenvOptions.model_validate({"paths": [".env", "gone"]})
    config = only(await DotenvCollector().collect(both, context(folder=tmp_path)), "config")
    assert [(entry.item, entry.reason) for entry in config.unseen] == [("*", "unreachable")]
    assert (list(config.facts), config.status) == (["A"], "partial")
    gone = DotenvOptions.model_validate({"path": "gone"})
    with pytest.raises(UnseenError, match="gone does not exist"):
        await DotenvCollector().collect(gone, context(folder=tmp_path))


async def test_lockfiles_of_several_ecosystems_add_up(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("-r base.txt\na==1\n")
    (tmp_path / "base.txt").write_text("a==2\nb==1\n")
    packages = {"node_modules/a": {"version": "3.0.0"}}
    (tmp_path / "package-lock.json").write_text(json.dumps({"lockfileVersion": 3, "packages": packages}))
    options = FileOptions.model_validate({"paths": ["requirements.txt", "base.txt", "package-lock.json"]})
    section = only(await LockfileCollector().collect(options, context(folder=tmp_path)), "dependencies")
    assert section.status == "complete"
    pins = {item: value for item, value in section.facts.items() if item.startswith("pkg:")}
    assert pins == {"pkg:pypi/a": ["1", "2"], "pkg:pypi/b": "1", "pkg:npm/a": "3.0.0"}
    assert section.covers == ("pkg:pypi/*", "lockfile#pypi", "pkg:npm/*", "lockfile#npm")


async def test_an_environment_of_python_is_seen(tmp_path: Path) -> None:
    info = tmp_path / "venv/lib/python3.11/site-packages/django-5.2.8.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Name: django\nVersion: 5.2.8\n")
    options = PythonOptions.model_validate({"prefix": "venv"})
    section = only(await PythonCollector().collect(options, context(folder=tmp_path)), "dependencies")
    assert (section.basis, section.facts) == ("running", {"pkg:pypi/django": "5.2.8"})


COMPOSE = """
services:
  checkout: {image: "acme/checkout:1.4.2", env_file: [app.env, ../outside.env, /etc/hosts]}
  cache: {image: "redis:7.2-alpine"}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "compose.yml").write_text(COMPOSE)
    (folder / "app.env").write_text("A=11\n")
    (tmp_path / "outside.env").write_text("B=C4n4ry\n")
    return folder


async def compose(folder: Path, of: str | None = "checkout", /, **options: str) -> Collected:
    chosen = ComposeOptions.model_validate({"path": "compose.yml"} | options)
    return await ComposeCollector().collect(chosen, context(of, folder=folder))


async def test_a_source_of_a_service_sees_the_service_of_its_name_and_env_files_beside(project: Path) -> None:
    collected = await compose(project)
    (seen,) = collected.seen
    assert (seen.service, seen.component) == (None, "main")
    assert seen.sections["release"].facts["image#tag"] == "1.4.2"
    config = seen.sections["config"]
    assert list(config.facts) == ["A"]
    assert [entry.reason for entry in config.unseen] == ["not_in_view", "not_in_view"]


async def test_another_name_in_the_file_is_an_option(project: Path) -> None:
    (seen,) = (await compose(project, "shop-cache", service="cache")).seen
    assert seen.sections["backing_services"].facts["main#version"] == "7.2"
    with pytest.raises(UnseenError, match=r"has no service chekout \(did you mean checkout\?\)"):
        await compose(project, "chekout")


async def test_a_backing_service_under_another_name_brings_nothing_else_along(project: Path) -> None:
    (seen,) = (await compose(project, service="cache", **{"as": "cache"})).seen
    assert seen.sections.keys() == {"backing_services"}
    section = seen.sections["backing_services"]
    assert section.facts == {"cache#product": "redis", "cache#version": "7.2", "cache#variant": "alpine"}
    assert all(glob.startswith("cache#") for glob in section.covers)
    with pytest.raises(UnseenError, match="no backing service"):
        await compose(project, **{"as": "cache"})


async def test_a_discovery_sees_every_service_and_says_if_there_are_more(project: Path) -> None:
    collected = await compose(project, None)
    assert [seen.service for seen in collected.seen] == ["checkout", "cache"]
    assert collected.complete
    (project / "compose.yml").write_text(f"include: [more.yml]\n{COMPOSE}")
    assert not (await compose(project, None)).complete


async def test_no_value_of_a_file_comes_out(tmp_path: Path) -> None:
    secret = "C4n4ry-7f3a"
    (tmp_path / "a.env").write_text(f"A={secret}\n{secret}!\nURL=postgres://u:{secret}@db/{secret}\n")
    app = f"{{image: a, command: 'x {secret}', env_file: a.env, environment: {{B: {secret}}}}}"
    (tmp_path / "compose.yml").write_text(f"services: {{app: {app}}}")
    runs = [
        await DotenvCollector().collect(
            DotenvOptions.model_validate({"path": "a.env"}), context(folder=tmp_path)
        ),
        await compose(tmp_path, "app"),
    ]
    for collected in runs:
        assert secret not in str(collected)
        for seen in collected.seen:
            assert secret not in json.dumps([section_document(section) for section in seen.sections.values()])
