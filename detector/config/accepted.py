"""The files of ``accepted_drift``: what is let be, with its reason, its author and its last day, in Git."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Final

import orjson
from pydantic import AfterValidator, Field

from detector.config.draft import Draft, Piece
from detector.config.globs import bytes_of, named
from detector.config.problems import Problems
from detector.config.records import Comparison
from detector.config.rules import MatchEntry
from detector.config.yaml import parse
from detector.engine.acceptance import LONGEST, Acceptance, Until, expiry, legible
from detector.errors import ConfigError, UsageError
from detector.model.items import matches

#: An acceptance is a line or two: more than this is another kind of file.
_MAX_BYTES: Final = 1024 * 1024


def _legible(text: str) -> str:
    if not legible(text):
        raise ValueError("must be plain text, without control characters")
    return text


class AcceptedEntry(MatchEntry):
    """One acceptance: what, why, who, how long."""

    reason: Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_legible)]
    author: Annotated[str, Field(min_length=1, max_length=256), AfterValidator(_legible)]
    #: Read by hand: one that is malformed is over, and stops nothing else.
    expires: str
    until: Until | None = None


def read_accepted(
    draft: Draft, comparisons: Sequence[Comparison], *, any_service: bool
) -> tuple[Acceptance, ...]:
    """Return what the files let be, each named by file and line; notes what is wrong in any of them."""
    found: list[Acceptance] = []
    names = (*(one.name for one in comparisons), *draft.names("environments"))
    services = () if any_service else draft.names("services")
    for path, shown in named(draft, draft.root.at("accepted_drift").each()):
        problems = Problems(Path(shown), draft.root.node)
        try:
            node, doubles = parse(bytes_of(path, _MAX_BYTES), shown, main=False)
        except (ConfigError, OSError) as error:
            if isinstance(error, ConfigError):
                problems.extend(list(error.problems))
            else:
                problems.add(("accepted_drift",), "config-unreadable", f"{shown} cannot be read")
        else:
            problems.root = node
            problems.extend(doubles)
            here = replace(draft, root=Piece((), node), problems=problems)
            found += _entries(here, shown, names, services)
        draft.problems.take_over(problems)
    return tuple(found)


def _entries(
    draft: Draft, shown: str, comparisons: tuple[str, ...], services: tuple[str, ...]
) -> Iterator[Acceptance]:
    if not isinstance(draft.root.node.value, tuple | dict | None):
        draft.problems.add((), "config-type", "must be a list of acceptances")
    for piece, entry in draft.all(AcceptedEntry):
        if entry.matches_all:
            message = "accepts everything: say which comparison, service, section or item"
            draft.problems.add(piece.path, "rule-too-broad", message)
        for key, known in (("comparison", comparisons), ("service", services)):
            for word in (one for one in (piece.at(key), *piece.at(key).each()) if one.text):
                if known and "*" not in word.text:
                    draft.require(word, word.text, known, key)
                elif known and not any(matches(word.text, name) for name in known):
                    draft.problems.warn(word.path, f"matches no {key}: this never accepts anything")
        yield Acceptance(
            id=f"file-{_digest(entry)}",
            match=entry.match(),
            reason=entry.reason,
            author=entry.author,
            created_at=None,
            expires_at=_expires_at(draft, piece.at("expires")),
            until=entry.until,
            place=f"{shown}:{piece.node.line}",
        )


def _expires_at(draft: Draft, piece: Piece) -> datetime | None:
    now = datetime.now(UTC)
    try:
        at = expiry(piece.text)
    except UsageError as error:
        draft.problems.warn(piece.path, f"counts as expired: {error}")
        return None
    if at - now > LONGEST:
        draft.problems.add(piece.path, "config-range", "must be within two years: write when to look again")
    elif at <= now:
        draft.problems.warn(piece.path, "has expired: take it out, or give it another day")
    return at


def _digest(entry: AcceptedEntry) -> str:
    """Return what an entry is known by: all that it says. Moved to another line it stays the same one."""
    said = entry.model_dump(mode="json")
    return sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()[:20]
