"""Matches that contradict themselves: fields of which each is right, and that nothing has together."""

from collections.abc import Iterator
from typing import Final

from detector.config.rules import RuleMatch
from detector.model.words import Kind, SectionName

#: What the name of an item begins with -> the one section in which such names are.
_HOMES: Final[tuple[tuple[str, SectionName], ...]] = (
    ("pkg:", "dependencies"),
    ("os#", "dependencies"),
    ("runtime#", "dependencies"),
    ("lockfile#", "dependencies"),
    ("main#", "backing_services"),
    ("*#version", "backing_services"),
    ("*#product", "backing_services"),
    ("*#extension/", "backing_services"),
    ("*#setting/", "backing_services"),
    ("repo#", "codebase"),
    ("image#", "release"),
    ("release#", "release"),
    ("migration/", "admin"),
)
#: Kinds that are found in one section alone.
_SECTION_OF_KIND: Final[dict[Kind, SectionName]] = {
    "shared_secret": "config",
    "shared_endpoint": "config",
    "config_source_differs": "config",
    "placeholder": "config",
    "loopback_in_production": "config",
    "read_but_unset": "config",
    "rebuilt": "release",
    "schema_behind": "admin",
}
#: Kinds of findings inside one environment, which is what their comparison is called.
_ALONE: Final[tuple[Kind, ...]] = (
    "floating",
    "contradiction",
    "placeholder",
    "loopback_in_production",
    "schema_behind",
)


def home_of(item: str) -> SectionName | None:
    """Return the only section in which a name or glob of an item can be; None where that is not known."""
    return next((section for start, section in _HOMES if item.startswith(start)), None)


def contradictions(match: RuleMatch) -> Iterator[tuple[str, str]]:
    """Yield (field, why) of what cannot match together with the other fields."""
    sections = set(match.section)
    if match.kind and sections:
        homes = {_SECTION_OF_KIND.get(kind) for kind in match.kind}
        if None not in homes and not homes & sections:
            yield "kind", f"{_listed(match.kind)} is found in {_listed(sorted(map(str, homes)))} alone"
    if match.kind and set(match.kind) <= set(_ALONE) and match.comparison and _are_pairs(match.comparison):
        yield "comparison", f"{_listed(match.kind)} is found inside one environment, and called by its name"
    for field, home in (
        ("scope", "dependencies"),
        ("read", "config"),
        ("product", "backing_services"),
        ("managed", "backing_services"),
    ):
        said = getattr(match, field)
        # What is no package counts as runtime, and what no platform upgrades as not managed.
        plain = said in (None, (), "runtime", False)
        if not plain and sections and home not in sections:
            yield field, f"only {home} has it"
    if match.status and not {"changed", "unknown", "same"} & set(match.status):
        ahead = {"left_only": "left_ahead", "right_only": "right_ahead"}
        able = {ahead.get(status) for status in match.status}
        if match.direction and not able & set(match.direction):
            yield "direction", f"what is {_listed(match.status)} has another direction"


def _are_pairs(comparisons: tuple[str, ...]) -> bool:
    return all(".." in name for name in comparisons)


def _listed(words: tuple[str, ...] | list[str]) -> str:
    return " or ".join(words)
