"""The shape of ``rules``, and what they say to the engine."""

from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Literal, get_args

from pydantic import Field, Tag, WithJsonSchema

from detector.config.fields import (
    BY_FORM,
    MAPPING,
    NOT_EMPTY,
    OR_LIST,
    WORD,
    Duration,
    EnvironmentName,
    Glob,
    Runs,
    SeverityFilter,
    Strict,
)
from detector.engine.rules import Allowance, Match, Outcome, Rule
from detector.model.words import Basis, Kind, SectionName, Severity, Status, Tier

Expectation = Literal["presence", "equal", "differ", "any"]
Distance = Literal["major", "minor", "patch", "prerelease", "revision", "build", "unordered"]
#: Beside distances: extra copies of a package, and all that nothing else names.
Graded = Literal["major", "minor", "patch", "prerelease", "revision", "build", "unordered", "copies", "*"]
Direction = Literal["left_ahead", "right_ahead", "unordered", "diverged"]
Reading = Literal["required", "stand_in", "optional", "declared", "unread"]


def _one_or_more(words: tuple[str, ...] = ()) -> WithJsonSchema:
    one: dict[str, object] = {"enum": list(words)} if words else {"type": "string"}
    return WithJsonSchema({"anyOf": [one, {"type": "array", "items": one}]})


Globs = Annotated[tuple[Glob, ...], OR_LIST, _one_or_more()]
Sections = Annotated[tuple[SectionName, ...], OR_LIST, _one_or_more(get_args(SectionName))]
Kinds = Annotated[tuple[Kind, ...], OR_LIST, _one_or_more(get_args(Kind))]
Statuses = Annotated[tuple[Status, ...], OR_LIST, _one_or_more(get_args(Status))]
Bases = Annotated[tuple[Basis, ...], OR_LIST, _one_or_more(get_args(Basis))]
Tiers = Annotated[tuple[Tier, ...], OR_LIST, _one_or_more(get_args(Tier))]
Directions = Annotated[tuple[Direction, ...], OR_LIST, _one_or_more(get_args(Direction))]
Readings = Annotated[tuple[Reading, ...], OR_LIST, _one_or_more(get_args(Reading))]
Distances = Annotated[tuple[Distance, ...], OR_LIST, _one_or_more(get_args(Distance))]


class MatchEntry(Strict):
    """Which differences a rule or a route is about: each key that is given must agree."""

    comparison: Globs = ()
    service: Globs = ()
    component: Globs = ()
    owner: Globs = ()
    section: Sections = ()
    item: Globs = ()
    kind: Kinds = ()
    status: Statuses = ()
    scope: Literal["dev", "runtime"] | None = Field(default=None, description="Of packages")
    severity: SeverityFilter | None = None

    @property
    def matches_all(self) -> bool:
        """Whether nothing is left out."""
        said = (getattr(self, name) for name in MatchEntry.model_fields)
        return all(not words or (isinstance(words, tuple) and "*" in words) for words in said)

    def match(self) -> Match:
        """Return the match of the engine."""
        return Match(
            section=self.section,
            item=self.item,
            kind=self.kind,
            status=self.status,
            service=self.service,
            component=self.component,
            owner=self.owner,
            comparison=self.comparison,
            scope=(self.scope,) if self.scope else (),
            severity=self.severity or "",
        )


class RuleMatch(MatchEntry):
    """All that a rule can match on: what the shipped ones do, those of the file may."""

    basis: Bases = Field(default=(), description="How near to reality it was seen")
    left_tier: Tiers = ()
    right_tier: Tiers = ()
    direction: Directions = ()
    read: Readings = Field(default=(), description="Of keys: what the code makes of it")
    product: Globs = Field(default=(), description="Of backing services")
    managed: bool | None = Field(default=None, description="Of servers: upgraded by their platform")

    @property
    def matches_all(self) -> bool:
        """Whether nothing is left out."""
        own = (getattr(self, name) for name in RuleMatch.model_fields.keys() - MatchEntry.model_fields.keys())
        return super().matches_all and all(words in ((), None) for words in own)

    def match(self) -> Match:
        """Return the match of the engine."""
        return replace(
            super().match(),
            basis=self.basis,
            left_tier=self.left_tier,
            right_tier=self.right_tier,
            direction=self.direction,
            read=self.read,
            product=self.product,
            managed=self.managed,
        )


class AllowedEntry(Strict):
    """The long form of an allowance."""

    span: Duration = Field(alias="for")
    versions: Annotated[int, Field(ge=1, le=10_000)] | None = None
    distances: Distances = Field(default=(), description="Only for changes of these distances")


Allowed = Annotated[Annotated[Duration, Tag(WORD)] | Annotated[AllowedEntry, Tag(MAPPING)], BY_FORM]


class OnlyEntry(Strict):
    """The environments that shall have a key; the others shall not."""

    only: Annotated[tuple[EnvironmentName, ...], NOT_EMPTY]


class RuleEntry(Strict):
    """match → outcome. Later rules overrule earlier ones, outcome by outcome."""

    match: RuleMatch
    ignore: bool | None = None
    expect: (
        Annotated[Annotated[Expectation, Tag(WORD)] | Annotated[OnlyEntry, Tag(MAPPING)], BY_FORM] | None
    ) = None
    severity: (
        Annotated[Annotated[Severity, Tag(WORD)] | Annotated[dict[Graded, Severity], Tag(MAPPING)], BY_FORM]
        | None
    ) = None
    allow_ahead: Allowed | None = None
    allow_skew: Allowed | None = None
    confirm_after: Runs | None = None
    note: Annotated[str, Field(max_length=1000)] | None = None

    @property
    def says_nothing(self) -> bool:
        """Whether the rule has no outcome."""
        return not (self.model_fields_set - {"match"})

    def rule(self, name: str) -> Rule:
        """Return the rule of the engine. ``name`` says where it stands."""
        table = {"*": self.severity} if isinstance(self.severity, str) else self.severity
        outcome = Outcome(
            ignore=self.ignore,
            expect=self.expect.only if isinstance(self.expect, OnlyEntry) else self.expect,
            severity=table,  # type: ignore[arg-type]  # its keys are a closed list of str
            allow_ahead=_allowance(self.allow_ahead),
            allow_skew=_allowance(self.allow_skew),
            confirm_after=self.confirm_after,
            note=self.note,
        )
        return Rule(name=name, match=self.match.match(), outcome=outcome)


def _allowance(said: timedelta | AllowedEntry | None) -> Allowance | None:
    if said is None:
        return None
    if isinstance(said, AllowedEntry):
        return Allowance(span=said.span, versions=said.versions, distances=said.distances)
    return Allowance(span=said)
