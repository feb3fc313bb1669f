"""The git collector on real repositories, honest and hostile ones."""

import os
import shutil
import stat
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from collectors.git import Answers, GitCollector, GitOptions, facts_from_answers
from detector.errors import UnseenError
from detector.model.facts import Section
from tests.collectors.lent import context
from tests.collectors.repositories import Code

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs the program git")


async def look(folder: Path, **options: Any) -> Section:
    collected = await GitCollector().collect(
        GitOptions.model_validate({"path": folder, **options}), context(folder=folder.parent)
    )
    (seen,) = collected.seen
    return seen.sections["codebase"]


@pytest.fixture
def code(tmp_path: Path) -> Code:
    return Code(tmp_path / "shop")


async def test_a_folder_says_its_repository_commit_branch_tag_and_that_nothing_was_changed(
    code: Code,
) -> None:
    code.commit("one")
    code.git("tag", "v1.4.2")
    commit = code.commit("two")
    code.git("remote", "add", "origin", "https://ann:canary@git.example:443/acme/shop.git")
    section = await look(code.folder)
    assert section.facts == {
        "repo#url": "git.example/acme/shop",
        "repo#commit": commit,
        "repo#branch": "main",
        "repo#dirty": False,
        "repo#describe": f"v1.4.2-1-g{commit[:12]}",
    }
    assert section.status == "complete"
    assert "canary" not in repr(section)


async def test_a_changed_file_is_dirty_and_a_new_one_is_not(code: Code) -> None:
    code.commit("one")
    (code.folder / "notes.txt").write_text("new")
    assert (await look(code.folder)).facts["repo#dirty"] is False
    (code.folder / "app.py").write_text("changed\n")
    assert (await look(code.folder)).facts["repo#dirty"] is True


async def test_a_folder_inside_a_repository_is_of_it(code: Code) -> None:
    commit = code.commit("one")
    (code.folder / "services" / "api").mkdir(parents=True)
    assert (await look(code.folder / "services" / "api")).facts["repo#commit"] == commit


async def test_a_named_branch_stands_for_what_another_environment_runs(code: Code) -> None:
    first = code.commit("one")
    code.git("branch", "deploy/prod")
    code.commit("two")
    facts = (await look(code.folder, ref="deploy/prod")).facts
    # What lies in the folder is of another commit: whether it was changed says nothing.
    assert facts == {"repo#commit": first, "repo#branch": "deploy/prod"}
    assert (await look(code.folder, ref=first[:12])).facts == {"repo#commit": first}


@pytest.mark.parametrize(
    ("steps", "diverged"),
    [
        ([], False),
        (["checkout -q -b feature", "COMMIT two"], True),
        # A hotfix on the commit that production runs, never merged.
        (["COMMIT two", "checkout -q HEAD~1", "COMMIT hotfix"], True),
        # An older commit of the main branch.
        (["COMMIT two", "checkout -q HEAD~1"], False),
        (["checkout -q -b feature", "COMMIT two", "checkout -q main", "merge -q --no-ff feature"], False),
    ],
)
async def test_a_commit_that_the_main_branch_lacks_has_diverged(
    code: Code, steps: list[str], *, diverged: bool
) -> None:
    code.commit("one")
    for step in steps:
        code.commit(step[7:]) if step.startswith("COMMIT ") else code.git(*step.split())
    hints = (await look(code.folder)).hints
    assert hints == ({"repo#commit": {"ancestry": "diverged"}} if diverged else {})


async def test_what_was_not_pushed_yet_leads_the_main_branch_and_has_not_left_it(
    tmp_path: Path, code: Code
) -> None:
    code.commit("one")
    code.git("clone", "-q", ".", str(tmp_path / "clone"))
    clone = object.__new__(Code)
    clone.folder = tmp_path / "clone"
    clone.commit("two")
    section = await look(clone.folder)
    assert section.hints == {}
    # The remote is a folder of this machine: no name that two environments could share.
    assert "repo#url" not in section.facts
    code.commit("three")
    clone.git("fetch", "-q")
    assert (await look(clone.folder)).hints == {"repo#commit": {"ancestry": "diverged"}}


async def test_in_a_shallow_clone_what_is_not_found_is_unknown_and_not_diverged(
    tmp_path: Path, code: Code
) -> None:
    code.commit("one")
    code.git("branch", "old")
    code.commit("two")
    code.git("clone", "-q", "--depth=1", "--no-single-branch", code.folder.as_uri(), str(tmp_path / "clone"))
    section = await look(tmp_path / "clone", ref="origin/old", main="main")
    assert section.facts["repo#branch"] == "old"
    assert section.hints == {}
    assert (await look(code.folder, ref="old")).hints == {}


@pytest.mark.parametrize(
    ("arrange", "reason", "says"),
    [
        (lambda folder: None, "unreachable", "is in no git repository that can be read"),
        (lambda folder: folder.mkdir(), "unreachable", "is in no git repository"),
        (Code, "not_in_view", "has no commit yet"),
        (lambda folder: (folder / ".git").mkdir(parents=True), "unreachable", "is in no git repository"),
    ],
)
async def test_what_is_no_repository_says_so(tmp_path: Path, arrange: Any, reason: str, says: str) -> None:
    arrange(tmp_path / "shop")
    with pytest.raises(UnseenError, match=says) as caught:
        await look(tmp_path / "shop")
    assert caught.value.reason == reason


async def test_a_branch_that_is_not_there_is_named(code: Code) -> None:
    code.commit("one")
    with pytest.raises(UnseenError, match="no branch, tag or commit named deploy/prod"):
        await look(code.folder, ref="deploy/prod")


async def test_without_the_program_it_says_what_is_missing(
    code: Code, monkeypatch: pytest.MonkeyPatch
) -> None:
    code.commit("one")
    monkeypatch.setenv("PATH", str(code.folder))
    with pytest.raises(UnseenError, match="the program git is not installed"):
        await look(code.folder)


async def test_the_environment_of_this_process_says_nothing_about_the_repository(
    code: Code, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = code.commit("one")
    other = Code(tmp_path / "other")
    other.commit("two")
    monkeypatch.setenv("GIT_DIR", str(other.folder / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.folder))
    assert (await look(code.folder)).facts["repo#commit"] == commit


def _program(tmp_path: Path) -> tuple[Path, Path]:
    """A program that leaves a mark, and the mark."""
    mark, program = tmp_path / "was-run", tmp_path / "program"
    program.write_text(f'#!/bin/sh\ntouch "{mark}"\ncat\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program, mark


HOSTILE: Mapping[str, tuple[tuple[str, str], ...]] = {
    "a file system monitor": (("core.fsmonitor", "PROGRAM"),),
    "a filter": (("filter.evil.clean", "PROGRAM"), ("filter.evil.required", "true")),
    "a filter whose name holds what separates words": (("filter.ev=il.clean", "PROGRAM"),),
    "a long-running filter": (("filter.evil.process", "PROGRAM"),),
    "a pager": (("core.pager", "PROGRAM"), ("pager.status", "PROGRAM")),
    "a diff": (("diff.external", "PROGRAM"), ("diff.evil.textconv", "PROGRAM")),
    "a signature": (("log.showSignature", "true"), ("gpg.program", "PROGRAM")),
    "an alias": (("alias.status", "!PROGRAM"), ("alias.describe", "!PROGRAM")),
    "hooks": (("core.hooksPath", "FOLDER/hooks"),),
}


@pytest.mark.parametrize("what", HOSTILE)
async def test_no_program_that_a_repository_names_is_run(code: Code, tmp_path: Path, what: str) -> None:
    program, mark = _program(tmp_path)
    code.commit("one")
    if what == "hooks":
        (tmp_path / "hooks").mkdir()
        for name in ("post-index-change", "fsmonitor-watchman"):
            for folder in (tmp_path / "hooks", code.folder / ".git" / "hooks"):
                shutil.copy(program, folder / name)
    for key, value in HOSTILE[what]:
        code.git("config", key, value.replace("PROGRAM", str(program)).replace("FOLDER", str(tmp_path)))
    (code.folder / ".git" / "info").mkdir(exist_ok=True)
    name = "ev=il" if "separates" in what else "evil"
    (code.folder / ".git" / "info" / "attributes").write_text(f"* filter={name} diff={name}\n")
    # As long as before: only by reading it can a change be told.
    (code.folder / "app.py").write_text("two\n")
    assert (await look(code.folder)).facts["repo#dirty"] is True
    assert not mark.exists()
    # The trap works: git by itself would have run it.
    if any(word in what for word in ("filter", "monitor", "hooks")):
        code.git("status", "--porcelain")
        assert mark.exists()


async def test_a_git_that_cannot_be_overruled_is_not_asked(
    code: Code, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code.commit("one")
    # As before 2.31, when git did not know these variables.
    old = tmp_path / "bin" / "git"
    old.parent.mkdir()
    old.write_text(f'#!/bin/sh\nunset GIT_CONFIG_COUNT\nexec {shutil.which("git")} "$@"\n')
    old.chmod(0o700)
    monkeypatch.setenv("PATH", f"{old.parent}:{os.environ['PATH']}")
    with pytest.raises(UnseenError, match="git is older than"):
        await look(code.folder)


async def test_a_commit_that_lies_at_a_remote_is_not_fetched(code: Code, tmp_path: Path) -> None:
    program, mark = _program(tmp_path)
    code.commit("one")
    commit = code.git("rev-parse", "HEAD")
    (code.folder / ".git" / "objects" / commit[:2] / commit[2:]).unlink()
    for key, value in {
        "core.repositoryFormatVersion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.promisor": "true",
        "remote.origin.url": f"ext::{program}",
        "protocol.ext.allow": "always",
        "core.sshCommand": str(program),
    }.items():
        code.git("config", key, value)
    with pytest.raises(UnseenError):
        await look(code.folder)
    assert not mark.exists()


def test_what_a_repository_says_is_taken_by_its_shape_alone() -> None:
    section = facts_from_answers(
        Answers(
            commit="a" * 40, branch="refs/tags/v1", address="/srv/canary.git", described="v1 \x1b[31mcanary"
        )
    )
    assert section.facts == {"repo#commit": "a" * 40}
    assert "canary" not in repr(section)


@pytest.mark.parametrize("ref", ["--output=x", "-h", "a b", "", "x" * 300, "a\nb", "$(id)"])
def test_a_name_that_git_could_take_for_an_option_is_refused(ref: str) -> None:
    with pytest.raises(ValueError, match="ref"):
        GitOptions.model_validate({"ref": ref})


async def told(folder: Path, *commits: str, **options: Any) -> Any:
    """What a look says that was lent commits of other environments: lineage and authors."""
    lent = replace(context(folder=folder.parent), commits=commits)
    collected = await GitCollector().collect(GitOptions.model_validate({"path": folder, **options}), lent)
    facts = collected.seen[0].sections["codebase"].facts
    return facts.get("repo#lineage", {}), facts.get("repo#authors", {})


async def test_how_commits_of_environments_follow_each_other(code: Code) -> None:
    first = code.commit("one")
    code.git("checkout", "-q", "-b", "hotfix")
    hotfix = code.commit("hotfix")
    code.git("checkout", "-q", "main")
    code.commit("two")
    head = code.commit("three")
    lineage, _ = await told(code.folder, first[:10], hotfix, "f" * 40, "main", "--all", head)
    by_pair = {frozenset(pair.split("..")): tuple(told.values()) for pair, told in lineage.items()}
    assert {pair: sorted(counts) for pair, counts in by_pair.items()} == {
        frozenset({first[:10], head}): [0, 2],
        frozenset({first[:10], hotfix}): [0, 1],
        frozenset({hotfix, head}): [1, 2],
    }
    (pair,) = [pair for pair in lineage if {*pair.split("..")} == {first[:10], head}]
    assert lineage[pair] == (
        {"ahead": 2, "behind": 0} if pair.startswith(head) else {"ahead": 0, "behind": 2}
    )


async def test_in_a_shallow_clone_only_what_is_proved_is_told(tmp_path: Path, code: Code) -> None:
    first = code.commit("one")
    code.git("checkout", "-q", "-b", "hotfix")
    hotfix = code.commit("hotfix")
    code.git("checkout", "-q", "main")
    second, head = code.commit("two"), code.commit("three")
    code.git("clone", "-q", "--depth=2", "--no-single-branch", code.folder.as_uri(), str(tmp_path / "clone"))
    lineage, _ = await told(tmp_path / "clone", second, hotfix, first)
    pairs = {frozenset(pair.split("..")) for pair in lineage}
    assert frozenset({second, head}) in pairs
    assert all(hotfix not in pair or first in pair for pair in pairs)


async def test_who_wrote_a_commit_is_told_where_that_is_asked_for_alone(code: Code) -> None:
    first = code.commit("one")
    code.commit("two", author="Bob")
    head = code.commit("three", author="Cid\x1b[31m")
    assert (await told(code.folder, first))[1] == {}
    _, authors = await told(code.folder, first, authors=True)
    assert authors[first] == ["Ann", "ann@shop.example"]
    # All that came with it since the commit before; what could steer a terminal is left out.
    assert authors[head] == ["Bob", "bob@shop.example"]
