"""How the commits that environments run follow each other, and who wrote them, from a repository at hand."""

from collections.abc import Mapping
from itertools import combinations
from typing import Final

from collectors._git import Repository

_MOST_COMMITS: Final = 500
_MOST_NAMES: Final = 50


async def lineage_of(found: Repository, commits: Mapping[str, str]) -> dict[str, tuple[int, int]]:
    """Return ``left..right`` -> commits that only the first and only the second has.

    ``commits`` are names -> commits of the repository. Where its history is cut off, two that both have
    commits of their own may still meet further down: of them nothing is said.
    """
    told: dict[str, tuple[int, int]] = {}
    for (one, first), (other, second) in combinations(sorted(commits.items()), 2):
        if first == second:
            told[f"{one}..{other}"] = (0, 0)
            continue
        said = await found.ask("rev-list", "--left-right", "--count", f"{first}...{second}")
        ahead, _, behind = said.line.partition("\t")
        if not (ahead.isdigit() and behind.isdigit()):
            continue
        if not found.shallow or ahead == "0" or behind == "0":
            told[f"{one}..{other}"] = int(ahead), int(behind)
    return told


async def authors_of(
    found: Repository, commits: Mapping[str, str], lineage: Mapping[str, tuple[int, int]]
) -> dict[str, list[str]]:
    """Return who wrote what came with each commit: all since the commits before it, else itself alone."""
    wrote: dict[str, list[str]] = {}
    for name, commit in sorted(commits.items()):
        before = [commits[other] for other in commits if _is_before(other, name, lineage)]
        most = _MOST_COMMITS if before else 1
        words = ("log", "--format=%an%n%ae", f"--max-count={most}", commit, "--not", *before)
        said = await found.ask(*words)
        names = {line for line in said.text.splitlines() if line.isprintable() and 0 < len(line) <= 128}
        if said.code == 0 and names:
            wrote[name] = sorted(names)[:_MOST_NAMES]
    return wrote


def _is_before(other: str, name: str, lineage: Mapping[str, tuple[int, int]]) -> bool:
    """Tell whether one commit is among the ancestors of another."""
    one, two = sorted((other, name))
    ahead, behind = lineage.get(f"{one}..{two}", (0, 0))
    if one == name:
        ahead, behind = behind, ahead
    return ahead == 0 and behind > 0
