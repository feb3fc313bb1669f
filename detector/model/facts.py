"""Facts and observations: what one run of one source saw of one component of one service."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

from detector.errors import Reason
from detector.model.words import (
    MAIN,
    SOURCE_CLASSES,
    Basis,
    Completeness,
    ComponentKind,
    SectionName,
    SourceClass,
    Traffic,
)

#: A scalar (types kept), a list (a set: order means nothing), ``{"values": {value: count}}`` (a count per
#: replica) or a small nested document; ``None`` says: looked, has none.
Value = None | bool | int | float | str | list[Any] | dict[str, Any]
#: Hints ride beside a value; they steer rules and are never compared.
HINTS: Final = ("scope", "direct", "platform", "managed", "auto_minor_upgrade", "expected_by", "ancestry")

EVERYTHING: Final[tuple[str, ...]] = ("*",)
NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """A part that could not be seen: an item or glob of items (``*`` is the whole section), and why."""

    item: str
    reason: Reason
    #: Our own words: the missing grant, the file, the line. Never a value.
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One family of facts as one source saw it.

    ``facts`` maps canonical item to value, ``hints`` canonical item to hints. ``covers`` are globs of the
    items whose absence this source could have proved; ``sees`` the classes of config it can see.
    ``reads`` maps a config key to the places in the code that read it.
    """

    basis: Basis
    status: Completeness = "complete"
    facts: Mapping[str, Value] = field(default_factory=dict)
    hints: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    covers: tuple[str, ...] = EVERYTHING
    sees: tuple[SourceClass, ...] = SOURCE_CLASSES
    unseen: tuple[Unseen, ...] = ()
    reads: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)
    #: Not empty but gone: a whole look did not find any more whose facts these were. Only the host says so.
    gone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What one run of one source saw of one component of one service, at one time.

    A section that is left out was not looked at: nothing is said of it.
    """

    environment: str
    service: str
    source: str
    observed_at: datetime
    sections: Mapping[SectionName, Section]
    component: str = MAIN
    component_kind: ComponentKind = "process"
    traffic: Traffic = "live"

    def __post_init__(self) -> None:
        if self.observed_at.tzinfo is None:
            raise ValueError("observed_at needs a time zone")
        object.__setattr__(self, "observed_at", self.observed_at.astimezone(UTC))


def failed_section(basis: Basis, reason: Reason, detail: str) -> Section:
    """Return a section of which nothing could be seen, and why."""
    return Section(basis=basis, status="failed", unseen=(Unseen(item="*", reason=reason, detail=detail),))
