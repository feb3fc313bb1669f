"""Files compared as they stand: no server, no config, no store.

What was read is taken as fresh and settled: no confirmation, no skew, no hold; allowances start now.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from detector.engine.comparison import Comparison, State
from detector.engine.one_image import told_once
from detector.engine.pack import PACK
from detector.engine.policy import Environment, Pair, Service
from detector.engine.unmatched import Unmatched
from detector.engine.verdicts import Both, verdicts_on
from detector.engine.view import Interner, View, view_of
from detector.model.canonical import observation_digest
from detector.model.records import Stream
from detector.model.words import Tier
from detector.reader import Part

_WORDS: Final = re.compile(r"[A-Za-z0-9]+")
_TIER_OF: Final[tuple[tuple[Tier, tuple[str, ...]], ...]] = (
    (
        "staging",
        ("stag", "stage", "staging", "stg", "pre", "preprod", "preproduction", "nonprod", "nonproduction"),
    ),
    ("production", ("prod", "production", "live")),
    ("development", ("dev", "development", "develop", "local", "test", "testing")),
)
#: The service of files that name none.
UNNAMED: Final = "app"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileState:
    """One side: what a file, a container or standard input says."""

    expression: str
    parts: tuple[Part, ...]
    warnings: tuple[str, ...] = ()
    tier: Tier = "unknown"


def tier_of(path: str) -> Tier:
    """Return the tier that a file's own name says, else its folder's: by whole words, first match."""
    *folders, name = path.replace("\\", "/").split("/")
    for part in (name, folders[-1] if folders else ""):
        tier = _tier_of_words([word.lower() for word in _WORDS.findall(part)])
        if tier != "unknown":
            return tier
    return "unknown"


def _tier_of_words(words: Sequence[str]) -> Tier:
    for number, word in enumerate(words):
        if word in ("prod", "production") and number and words[number - 1] == "non":
            return "staging"
        for tier, names in _TIER_OF:
            if word in names or (tier == "staging" and word.startswith(("stag", "pre"))):
                return tier
    return "unknown"


def compare_files(left: FileState, right: FileState, *, now: datetime) -> Comparison:
    """Return what differs between two files. ``left`` is the earlier in promotion order."""
    pair = pair_of(left, right)
    interner = Interner()
    found, causes = [], 1
    for both in services_of(left, right, now=now, interner=interner):
        verdicts = verdicts_on(both, pair=pair, rules=PACK, now=now, interner=interner, first_cause=causes)
        causes += len(verdicts.causes)
        found.append(verdicts)
    ours, theirs = _named(left, right), _named(right, left)
    unmatched = [
        Unmatched(environment=left.expression if name in ours else right.expression, service=name)
        for name in sorted(ours.keys() ^ theirs.keys())
    ]
    return Comparison(
        pair=pair,
        left=State(expression=left.expression, taken_at=now),
        right=State(expression=right.expression, taken_at=now),
        services=told_once(found, first_cause=causes),
        unmatched=tuple(unmatched),
        warnings=(*left.warnings, *right.warnings),
    )


def services_of(left: FileState, right: FileState, *, now: datetime, interner: Interner) -> list[Both]:
    """Return every service that both sides speak of."""
    ours, theirs = _named(left, right), _named(right, left)
    return [
        Both(
            service=Service(name=name),
            left=_view(left, name, ours[name], now, interner),
            right=_view(right, name, theirs[name], now, interner),
        )
        for name in sorted(ours.keys() & theirs.keys())
    ]


def pair_of(left: FileState, right: FileState) -> Pair:
    """Return two files as a pair of environments, each called as it was asked for."""
    return Pair(left=_environment(left), right=_environment(right))


def view_of_files(state: FileState, service: str | None, *, now: datetime) -> tuple[str, View]:
    """Return the service of a file and its view, all parts of it taken as that service's."""
    name = service or UNNAMED
    return name, _view(state, name, state.parts, now, Interner())


def _environment(state: FileState) -> Environment:
    return Environment(name=state.expression, tier=state.tier)


def _named(state: FileState, opposite: FileState) -> dict[str, list[Part]]:
    """Return the parts by service; parts without a name pair with the only service opposite."""
    others = {part.service for part in opposite.parts if part.service is not None}
    own = {part.service for part in state.parts if part.service is not None}
    name = next(iter(others)) if len(others) == 1 and not own else UNNAMED
    parts: dict[str, list[Part]] = {}
    for part in state.parts:
        parts.setdefault(part.service or name, []).append(part)
    if len(own) == 1 and len({*parts}) > 1:
        # One named service beside unnamed parts: they speak of it.
        only = next(iter(own))
        parts = {only: [part for here in parts.values() for part in here]}
    return parts


def _view(state: FileState, service: str, parts: Iterable[Part], now: datetime, interner: Interner) -> View:
    streams = [
        Stream(
            environment=state.expression,
            service=service,
            component=part.component,
            component_kind=part.component_kind,
            source=f"{state.expression}" if number == 0 else f"{state.expression} ({number + 1})",
            sections=part.sections,
            digest=observation_digest(part.sections),
            last_seen=now,
            seen_at=(now,),
        )
        for number, part in enumerate(parts)
    ]
    # Files have no validity of their own: what was just read is what is.
    return view_of(
        state.expression,
        service,
        streams,
        {},
        now=now,
        interner=interner,
        intermittent=True,
    )


def with_tiers(
    left: FileState, right: FileState, tiers: tuple[Tier, Tier] | None
) -> tuple[FileState, FileState]:
    """Return both sides with their tiers: as said, else from their names."""
    if tiers is not None:
        return replace(left, tier=tiers[0]), replace(right, tier=tiers[1])
    return replace(left, tier=_tier(left)), replace(right, tier=_tier(right))


def _tier(state: FileState) -> Tier:
    environments = {part.environment for part in state.parts if part.environment}
    if len(environments) == 1:
        return tier_of(next(iter(environments)))
    return tier_of(state.expression.partition(":")[2] or state.expression)
