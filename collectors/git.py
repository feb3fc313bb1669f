"""Sees which code a folder holds: repository, commit, branch, and whether it was changed since."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final

from pydantic import Field

from collectors._git import Repository, repository
from collectors._git_lineage import authors_of, lineage_of
from detector.collector import Collected, CollectorOptions, Context, Seen
from detector.errors import UnseenError
from detector.model.addresses import repository_url
from detector.model.facts import Section, Value
from detector.model.words import MAIN, Basis, SectionName

HEAD: Final = "HEAD"
#: What a branch, a tag or a commit may be called (git-check-ref-format(1)); no option begins like it.
_REF: Final = r"^[A-Za-z0-9_][A-Za-z0-9._/@+-]{0,254}$"
_DESCRIBED: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/+-]{0,254}")
#: A commit in the words of a label or a pipeline; no branch, which would mean another one tomorrow.
_NAMED: Final = re.compile(r"[0-9a-fA-F]{7,64}")
_BRANCH: Final = re.compile(r"refs/(?:heads|remotes/[^/]+)/(.+)")
#: What most call the main branch.
_MAIN: Final = ("main", "master")


class GitOptions(CollectorOptions):
    """Which repository, and what of it."""

    path: Path = Field(
        Path(), description="A folder of the repository; relative to the folder of the configuration."
    )
    ref: str = Field(
        HEAD,
        pattern=_REF,
        description="Branch, tag or commit that this environment runs; by default what is checked out.",
    )
    main: str | None = Field(
        None, pattern=_REF, description="The main branch; by default that of the remote, else main or master."
    )
    remote: str = Field("origin", pattern=_REF, description="The remote whose address names the repository.")
    authors: bool = Field(
        False,
        description="Keep names and addresses of those who wrote the commits that environments run, for the"
        " personnel gap.",
    )
    component: str = Field(MAIN, description="Component of the service that runs the code.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What git said of one commit."""

    commit: str
    #: Full name of the branch, ``HEAD`` where none is checked out, empty for a tag or a commit.
    branch: str = ""
    address: str = ""
    #: None where no files are checked out, or others than of this commit.
    dirty: bool | None = None
    #: The nearest tag, how many commits ago it was, and the commit (git-describe(1)).
    described: str = ""
    #: Whether the main branch has the commit; None where that cannot be told.
    on_main: bool | None = None
    #: Of commits that environments run, ``left..right`` -> how many only the first and only the second has.
    lineage: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    #: Commit -> who wrote it, and those before it that no other environment ran.
    authors: Mapping[str, Sequence[str]] = field(default_factory=dict)


class GitCollector:
    """Sees the commit of one folder through the program `git`, which runs nothing that the folder names."""

    API: ClassVar[int] = 1
    name: ClassVar[str] = "git"
    Options: ClassVar[type[GitOptions]] = GitOptions
    basis: ClassVar[Basis] = "declared"
    sections: ClassVar[tuple[SectionName, ...]] = ("codebase",)
    cannot_see: ClassVar[tuple[str, ...]] = (
        "what was built or deployed from the code",
        "commits that were never fetched",
    )

    async def collect(self, options: GitOptions, context: Context) -> Collected:
        answers = await _answers(options, context)
        return Collected(
            seen=(Seen(sections={"codebase": facts_from_answers(answers)}, component=options.component),)
        )


def facts_from_answers(answers: Answers) -> Section:
    """Return what a repository says of one commit."""
    facts: dict[str, Value] = {"repo#commit": answers.commit}
    hints = {}
    # An address without a host is a folder of this machine: no name that two environments could share.
    if url := repository_url(answers.address):
        facts["repo#url"] = url
    if branch := _BRANCH.fullmatch(answers.branch):
        facts["repo#branch"] = branch[1]
    if answers.dirty is not None:
        facts["repo#dirty"] = answers.dirty
    if _DESCRIBED.fullmatch(answers.described):
        facts["repo#describe"] = answers.described
    if answers.lineage:
        facts["repo#lineage"] = {
            pair: {"ahead": ahead, "behind": behind} for pair, (ahead, behind) in answers.lineage.items()
        }
    if answers.authors:
        facts["repo#authors"] = {commit: list(names) for commit, names in answers.authors.items()}
    if answers.on_main is False:
        hints["repo#commit"] = {"ancestry": "diverged"}
    return Section(
        basis="declared",
        facts=facts,
        hints=hints,
        covers=("repo#commit",),
    )


async def _answers(options: GitOptions, context: Context) -> Answers:
    found = await repository(context.folder / options.path, options.path.as_posix())
    commit = await found.commit(options.ref)
    if commit is None:
        what = "no commit yet" if options.ref == HEAD else f"no branch, tag or commit named {options.ref}"
        raise UnseenError("not_in_view", f"{found.shown} has {what}")
    branch = (await found.ask("rev-parse", "--symbolic-full-name", options.ref)).line
    commits = await _at_hand(found, (commit, *context.commits))
    lineage = await lineage_of(found, commits)
    return Answers(
        commit=commit,
        branch=branch,
        address=(await found.ask("config", "--get", f"remote.{options.remote}.url")).line,
        dirty=await _dirty(found) if options.ref == HEAD else None,
        described=(await found.ask("describe", "--tags", "--abbrev=12", commit)).line,
        on_main=await _on_main(found, commit, branch, await _main(found, options)),
        lineage=lineage,
        authors=await authors_of(found, commits, lineage) if options.authors else {},
    )


async def _at_hand(found: Repository, names: Sequence[str]) -> dict[str, str]:
    """Return commits as their environments name them -> as the repository does; those that it has."""
    known = {name: await found.commit(name) for name in dict.fromkeys(names) if _NAMED.fullmatch(name)}
    return {name: commit for name, commit in known.items() if commit is not None}


async def _dirty(found: Repository) -> bool | None:
    """Tell whether files differ from what was committed; new files do not count, as in `git describe`."""
    if not found.has_files:
        return None
    said = await found.ask("status", "--porcelain", "-z", "--untracked-files=no", "--ignore-submodules=all")
    return None if said.code else bool(said.text)


async def _main(found: Repository, options: GitOptions) -> str | None:
    """Return the full name of the main branch: as it is named, as the remote says, or as most call it."""
    if options.main is not None:
        return await _first(found, (f"refs/remotes/{options.remote}/{options.main}", options.main))
    of_remote = await found.ask("symbolic-ref", "--quiet", f"refs/remotes/{options.remote}/HEAD")
    names = [f"refs/{place}/{name}" for place in (f"remotes/{options.remote}", "heads") for name in _MAIN]
    return await _first(found, [of_remote.line, *names] if of_remote.line else names)


async def _first(found: Repository, names: Sequence[str]) -> str | None:
    for name in names:
        if await found.commit(name) is not None:
            return name
    return None


async def _on_main(found: Repository, commit: str, branch: str, main: str | None) -> bool | None:
    """Tell whether the main branch has a commit; what was not pushed yet leads it and has not left it."""
    if main is None:
        return None
    has = await found.contains(main, commit)
    own = _BRANCH.fullmatch(branch)
    if has is False and own and main.endswith(f"/{own[1]}") and await found.contains(commit, main):
        return None
    return has
