"""Small builders of streams, views and pairs: a test says only what it is about."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from detector.engine.acceptance import NOTHING, Acceptance, Accepted, Binding, bound_of
from detector.engine.comparison import Comparison, ServiceVerdicts, State
from detector.engine.pack import PACK
from detector.engine.policy import Environment, Pair, Service, SourcePolicy
from detector.engine.rules import Rule
from detector.engine.verdicts import Both, verdicts_on
from detector.engine.view import Interner, View, view_of
from detector.model.canonical import observation_digest
from detector.model.facts import Section, Unseen, Value
from detector.model.fingerprints import Fingerprinter
from detector.model.records import Drift, Interval, Judged, Key, Stream
from detector.model.shapes import shape_of
from detector.model.words import (
    SOURCE_CLASSES,
    Basis,
    Completeness,
    ComponentKind,
    SectionName,
    SourceClass,
    Tier,
    Traffic,
)

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
FINGERPRINTER = Fingerprinter(b"made up for tests, 32 bytes long!")
ROTATED = Fingerprinter(b"another one made up, 32 bytes too")

DEV = Environment(name="dev", tier="development")
STAGING = Environment(name="staging", tier="staging")
PROD = Environment(name="prod", tier="production")
STAGING_TO_PROD = Pair(left=STAGING, right=PROD)
DEV_TO_STAGING = Pair(left=DEV, right=STAGING)


def ago(**units: float) -> datetime:
    """Return a time before `NOW`."""
    return NOW - timedelta(**units)


def section(
    facts: Mapping[str, Value] | None = None,
    *,
    basis: Basis = "running",
    status: Completeness = "complete",
    covers: Sequence[str] = ("*",),
    sees: Sequence[SourceClass] = SOURCE_CLASSES,
    unseen: Sequence[tuple[str, str]] = (),
    hints: Mapping[str, Mapping[str, Any]] | None = None,
    reads: Mapping[str, list[dict[str, Any]]] | None = None,
) -> Section:
    """Return a section; ``unseen`` are (item, reason)."""
    return Section(
        basis=basis,
        status=status,
        facts=facts or {},
        covers=tuple(covers),
        sees=tuple(sees),
        unseen=tuple(Unseen(item=item, reason=reason) for item, reason in unseen),  # type: ignore[arg-type]
        hints=hints or {},
        reads=reads or {},
    )


def failed(reason: str = "unreachable", *, basis: Basis = "running", **facts: Value) -> Section:
    """Return a section that could not be seen, with what is remembered of it."""
    return section(facts, basis=basis, status="failed", unseen=[("*", reason)])


def keys(
    values: Mapping[str, str] | None = None,
    /,
    *,
    fingerprinter: Fingerprinter = FINGERPRINTER,
    source_class: SourceClass = "literal",
    **more: str,
) -> dict[str, Value]:
    """Return the shapes of config values."""
    return {
        name: shape_of(name, value, fingerprinter, source_class=source_class)
        for name, value in {**(values or {}), **more}.items()
    }


def stream(
    sections: Mapping[SectionName, Section],
    *,
    source: str = "docker",
    component: str = "main",
    kind: ComponentKind = "process",
    traffic: Traffic = "live",
    seen: datetime = NOW,
    seen_at: Sequence[datetime] | None = None,
    held: Mapping[SectionName, frozenset[str]] | None = None,
    carried: Mapping[SectionName, frozenset[str]] | None = None,
) -> Stream:
    """Return a stream; whose environment and service it is, the view says."""
    return Stream(
        environment="any",
        service="any",
        component=component,
        component_kind=kind,
        traffic=traffic,
        source=source,
        sections=sections,
        digest=observation_digest(sections),
        last_seen=seen,
        seen_at=tuple(seen_at) if seen_at is not None else (seen,),
        held=held or {},
        carried=carried or {},
    )


def policy(
    source: str,
    *,
    rank: int = 0,
    valid: timedelta | None = None,
    scheduled: bool = True,
    by_basis: bool = False,
) -> SourcePolicy:
    """Return how far a source may be trusted; by default until it is replaced."""
    return SourcePolicy(
        environment="any",
        service="any",
        source=source,
        rank=rank,
        valid=valid,
        scheduled=scheduled,
        by_basis=by_basis,
    )


def view(
    *streams: Stream,
    environment: str = "staging",
    policies: Sequence[SourcePolicy] | None = None,
    now: datetime = NOW,
    interner: Interner | None = None,
    intermittent: bool = False,
) -> View:
    """Return the view of the service ``shop``. Sources without a policy are valid until replaced."""
    known = {one.source: one for one in policies or ()}
    if policies is None:
        known = {one.source: policy(one.source, rank=rank) for rank, one in enumerate(streams)}
    return view_of(
        environment,
        "shop",
        streams,
        known,
        now=now,
        interner=interner or Interner(),
        intermittent=intermittent,
    )


Side = Section | Stream | Sequence[Stream] | Mapping[SectionName, Section]


def streams_of(side: Side) -> tuple[Stream, ...]:
    """Return one side of a comparison as streams: sections alone are one docker stream."""
    if isinstance(side, Stream):
        return (side,)
    if isinstance(side, Mapping):
        return (stream(side),)
    assert not isinstance(side, Section)
    return tuple(side)


def compare(
    left: Side,
    right: Side,
    *,
    pair: Pair = STAGING_TO_PROD,
    rules: Sequence[Rule] = (),
    now: datetime = NOW,
    rows: Mapping[tuple[str, Key], Drift] | None = None,
    histories: Mapping[tuple[str, tuple[str, str, str]], Sequence[Interval]] | None = None,
    first: bool = False,
    service: Service | None = None,
    accepted: Accepted = NOTHING,
) -> ServiceVerdicts:
    """Judge one service between two environments by the shipped pack and ``rules`` behind it."""
    interner = Interner()
    both = Both(
        service=service or Service(name="shop"),
        left=view(*streams_of(left), environment=pair.left.name, now=now, interner=interner),
        right=view(*streams_of(right), environment=pair.right.name, now=now, interner=interner),
        rows=rows or {},
        histories=histories or {},  # type: ignore[arg-type]  # a place is a tuple
        first=first,
        accepted=accepted,
    )
    return verdicts_on(both, pair=pair, rules=[*PACK, *rules], now=now, interner=interner)


def whole(verdicts: ServiceVerdicts, *, pair: Pair = STAGING_TO_PROD) -> Comparison:
    """Return the comparison that holds this one service."""
    return Comparison(
        pair=pair,
        left=State(expression=pair.left.name),
        right=State(expression=pair.right.name),
        services=(verdicts,),
    )


def told(verdicts: ServiceVerdicts) -> list[tuple[str, str, str, str]]:
    """Return (item, kind, verdict, severity) of all that is not in sync."""
    return [
        (one.key.item, one.key.kind, one.verdict, one.severity)
        for one in verdicts.items
        if one.verdict != "in_sync"
    ]


def drifts(verdicts: ServiceVerdicts) -> dict[str, str]:
    """Return item -> severity of every drift."""
    return {one.key.item: one.severity for one in verdicts.items if one.verdict == "drift"}


def only(verdicts: ServiceVerdicts, item: str, *, kind: str | None = None) -> Judged:
    """Return the one verdict on an item."""
    (found,) = [
        one for one in verdicts.items if one.key.item == item and (kind is None or one.key.kind == kind)
    ]
    return found


def acceptance(**said: Any) -> Acceptance:
    """Return what anna accepts for thirteen days, unless it is said otherwise."""
    ordinary: dict[str, Any] = {
        "id": "A1",
        "reason": "planned upgrade",
        "author": "anna",
        "created_at": ago(hours=1),
        "expires_at": NOW + timedelta(days=13),
    }
    return Acceptance(**(ordinary | said))


def accepting(*judged: Judged, **said: Any) -> Accepted:
    """Return an acceptance of these very differences, bound to what they are now."""
    made = acceptance(**said)
    return Accepted(
        acceptances={made.id: made},
        bindings={
            (one.comparison, one.key): [
                Binding(
                    acceptance=made.id,
                    comparison=one.comparison,
                    key=one.key,
                    until=made.until_of(one.key.section),
                    bound=bound_of(one.document()),
                    bound_at=ago(hours=1),
                )
            ]
            for one in judged
        },
    )


def interval(value: Value, opened: datetime, closed: datetime | None = None) -> Interval:
    """Return a value that an item had from one time to another."""
    return Interval(value=value, opened=opened, closed=closed, source="docker", basis="running", snapshot=1)


def tier(name: str, of: Tier) -> Environment:
    """Return an environment of a tier."""
    return Environment(name=name, tier=of)
