"""Asks the `git` program about a repository that nobody trusts: nothing that its configuration names is run.

A repository is data of whoever wrote it, and its configuration may name programs: hooks, a file system
monitor, filters, helpers of transports. Each of them is overruled by what stands nearer than that file
(git-config(1), ``GIT_CONFIG_COUNT``), and no object is fetched.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from collectors._programs import MOST_OUTPUT, Said, said_by
from detector.errors import UnseenError

_SECONDS: Final = 10.0
#: Filters that one repository may configure; with more of them nothing that could run one is asked.
_MOST_FILTERS: Final = 200
_ENVIRONMENT: Final[Mapping[str, str]] = {
    "HOME": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    # A commit that is not there is unknown: nothing is fetched, by whatever transport.
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
}
#: A filter that no repository has: where git tells of it, it listens to what overrules (since 2.31).
_PROBE: Final = "filter.parity-probe.required"
_OVERRULED: Final = (
    (_PROBE, "false"),
    # What the owner of a folder could do by its configuration is all overruled here, so any owner will do.
    ("safe.directory", "*"),
    ("core.fsmonitor", "false"),
    ("core.hooksPath", os.devnull),
    ("core.attributesFile", os.devnull),
    ("core.pager", "cat"),
    ("log.showSignature", "false"),
)
_COMMIT: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A repository at hand."""

    folder: Path
    #: The folder as the configuration names it, for messages.
    shown: str
    #: Whether its history is cut off: what is not found in it is then unknown.
    shallow: bool
    #: Whether it has files checked out.
    has_files: bool
    _more: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    async def ask(self, *words: str, most: int = MOST_OUTPUT) -> Said:
        """Return what git says."""
        return await _ask(self.folder, *words, overruled=self._more, most=most)

    async def commit(self, name: str) -> str | None:
        """Return the commit that a branch, a tag or a part of a commit's name stands for."""
        found = (await self.ask("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")).line
        return found if _COMMIT.fullmatch(found) else None

    async def contains(self, descendant: str, ancestor: str) -> bool | None:
        """Tell whether one commit is among the ancestors of another; None where that cannot be told."""
        code = (await self.ask("merge-base", "--is-ancestor", ancestor, descendant)).code
        if code == 0:
            return True
        return False if code == 1 and not self.shallow else None


async def repository(folder: Path, shown: str) -> Repository:
    """Return the repository that a folder is in. Raises UnseenError where there is none that can be read."""
    asked = ("rev-parse", "--is-shallow-repository", "--is-inside-work-tree")
    said = await _ask(folder, *asked)
    if said.code != 0:
        raise UnseenError("unreachable", f"{shown} is in no git repository that can be read")
    return Repository(
        folder=folder,
        shown=shown,
        shallow=said.text.startswith("true"),
        has_files=said.text.endswith("true\n"),
        _more=await _filters(folder, shown),
    )


async def _filters(folder: Path, shown: str) -> tuple[tuple[str, str], ...]:
    """Return what overrules each filter that the repository configures: it would be run on changed files."""
    words = ("config", "--null", "--name-only", "--get-regexp", r"^filter\.")
    said = await _ask(folder, *words)
    names = {name for name in said.text.split("\0") if name}
    if _PROBE not in names:
        raise UnseenError("unsupported", "git is older than 2.31: what a repository names could be run by it")
    if said.code is None or len(names) > _MOST_FILTERS:
        raise UnseenError("unsupported", f"{shown}: more than {_MOST_FILTERS} filters are configured")
    return tuple((name, "false" if name.endswith(".required") else "") for name in sorted(names))


async def _ask(
    folder: Path, *words: str, overruled: tuple[tuple[str, str], ...] = (), most: int = MOST_OUTPUT
) -> Said:
    settings = (*_OVERRULED, *overruled)
    environment = {**_ENVIRONMENT, "GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings):
        environment |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return await said_by(
        "git", "-C", str(folder), "--no-pager", *words, environment=environment, seconds=_SECONDS, most=most
    )
