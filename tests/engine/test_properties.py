"""What holds for every pair of views. Each property quotes the rule it tests."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detector.engine.comparison import ServiceVerdicts
from detector.engine.life import Ledger, Witnesses, live
from detector.engine.memory import Memory
from detector.engine.pairing import differences
from detector.engine.policy import Pair
from detector.engine.settling import settled
from detector.engine.swap import swapped
from detector.engine.view import Interner
from detector.model.facts import Section, Unseen, Value
from detector.model.records import Drift, Key, Stream
from detector.model.words import SectionName, SourceClass
from tests.builders import (
    NOW,
    STAGING,
    STAGING_TO_PROD,
    compare,
    keys,
    section,
    stream,
    view,
    whole,
)
from tests.proof import examples

SEEDED = settings(
    max_examples=examples(120), derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
PEERS = Pair(left=STAGING, right=replace(STAGING, name="other"), peers=True)

VERSIONS = st.sampled_from(["1.0", "1.0.0", "1.1", "2.0", "2.0rc1", "main"])
#: Section -> item -> values it may have; few of each, so that two sides meet often.
FACTS: dict[SectionName, dict[str, st.SearchStrategy[Value]]] = {
    "dependencies": {
        "pkg:pypi/django": VERSIONS | st.lists(VERSIONS, min_size=1, max_size=3),
        "pkg:deb/debian/openssl": VERSIONS,
        "os#release": st.sampled_from(["12", "13"]),
        "lockfile#pypi": st.sampled_from(["a", "b"]),
    },
    "backing_services": {
        "main#product": st.sampled_from(["postgresql", "mysql", "aurora-mysql"]),
        "main#version": st.sampled_from(["16", "16.3", "8.0.36", "5.7"]),
        "main#extension/postgis": VERSIONS,
    },
    "release": {
        "image#tag": st.sampled_from(["1.4.2", "1.5.0", "latest"]),
        "image#digest": st.sampled_from(["a", "b"]),
        "image#id": st.sampled_from(["x", "y"]),
        "image#base": st.sampled_from(["slim", "alpine"]),
        "release#id": st.sampled_from(["57", "132"]),
    },
    "disposability": {"probe/live": st.fixed_dictionaries({"path": VERSIONS, "interval": st.integers(1, 3)})},
}
SHAPES = st.sampled_from(
    [
        *("one secret", "another secret", "12", "true", "", "changeme", "https://u:p@api.example.com/x"),
        *("postgres://a@db.example.com/shop", "postgres://b@db.example.com/shop", "sqlite:///x.db"),
    ]
)
KEYS = ("API_TOKEN", "DATABASE_URL", "OTHER_URL", "DEBUG", "PATH")
CLASSES = st.sampled_from(["literal", "secret_ref", "image_default"])
VIEWS: st.SearchStrategy[tuple[SourceClass, ...]] = st.sampled_from(
    [("literal", "secret_ref"), ("literal", "secret_ref", "image_default")]
)
UNSEEN = st.sampled_from([("*", "denied"), ("pkg:pypi/*", "malformed"), ("API_TOKEN", "not_in_view")])


@st.composite
def sections(draw: st.DrawFn) -> Mapping[SectionName, Section]:
    found: dict[SectionName, Section] = {}
    for name, items in FACTS.items():
        if draw(st.integers(0, 3)):
            facts = {item: draw(values) for item, values in items.items() if draw(st.booleans())}
            basis = draw(st.sampled_from(["running", "running", "declared"]))
            found[name] = section(facts, basis=basis)  # type: ignore[arg-type]  # both are bases
    chosen = draw(st.dictionaries(st.sampled_from(KEYS), SHAPES, max_size=5))
    facts = {
        name: shape
        for name, value in chosen.items()
        for shape in keys({name: value}, source_class=draw(CLASSES)).values()  # type: ignore[arg-type]
    }
    found["config"] = section(facts, sees=draw(VIEWS))
    return found


@st.composite
def sides(draw: st.DrawFn) -> list[Stream]:
    """One to three streams: a process, another process type or source, a sidecar."""
    first = draw(st.sampled_from(["main", "web"]))
    streams = [stream(draw(sections()), component=first)]
    if draw(st.booleans()):
        component = draw(st.sampled_from([first, "worker"]))
        more = draw(sections())
        if component == first:
            # Where two sources contradict each other, the second speaks when the first falls silent.
            more = {name: _beside(one, streams[0].sections.get(name)) for name, one in more.items()}
        streams.append(stream(more, component=component, source="other"))
    if draw(st.booleans()):
        streams.append(stream(draw(sections()), component="envoy", kind="sidecar", source="third"))
    return streams


def _beside(one: Section, other: Section | None) -> Section:
    known = other.facts if other else {}
    return replace(one, facts={item: value for item, value in one.facts.items() if item not in known})


def lessened(one: Section, how: str, part: tuple[str, str]) -> Section:
    """Return a section that saw less: what it had is only remembered, or gone out of its memory."""
    unseen = Unseen(item=part[0], reason=part[1])  # type: ignore[arg-type]  # from a list of reasons
    if how == "failed":
        return replace(one, status="failed", unseen=(Unseen(item="*", reason="timeout"),))
    if how == "forgotten":
        return replace(one, status="failed", facts={}, unseen=(Unseen(item="*", reason="timeout"),))
    return replace(one, status="partial", unseen=(*one.unseen, unseen))


@st.composite
def lessening(draw: st.DrawFn, streams: list[Stream]) -> list[Stream]:
    """Return the streams with one section of one of them seen less completely."""
    at = draw(st.integers(0, len(streams) - 1))
    name = draw(st.sampled_from(sorted(streams[at].sections)))
    less = lessened(
        streams[at].sections[name], draw(st.sampled_from(["failed", "forgotten", "partial"])), draw(UNSEEN)
    )
    changed = replace(streams[at], sections={**streams[at].sections, name: less})
    return [changed if number == at else one for number, one in enumerate(streams)]


def drifts_of(verdicts: ServiceVerdicts) -> set[Key]:
    """Return what differs between two environments; findings of one are its own affair."""
    return {
        one.key for one in verdicts.items if one.verdict == "drift" and one.comparison == STAGING_TO_PROD.name
    }


@SEEDED
@given(sides(), st.sampled_from([STAGING_TO_PROD, PEERS]))
def test_self_compare_has_no_difference(side: list[Stream], pair: Pair) -> None:
    """Self-compare has no difference (findings of one environment stay)."""
    found = compare(side, side, pair=pair)
    between = [one for one in found.items if one.comparison == pair.name]
    # What production shares with others is no difference either, and is said.
    assert {one.key.kind for one in between if one.verdict != "in_sync"} <= {
        "shared_secret",
        "shared_endpoint",
    }


@SEEDED
@given(sides(), sides())
def test_swapping_two_environments_swaps_sides_and_only_that(left: list[Stream], right: list[Stream]) -> None:
    """Swapping two environments swaps left and right, `*_only` and direction, and nothing else."""
    straight = whole(compare(left, right))
    turned = swapped(straight)
    assert swapped(turned) == straight
    ours, theirs = straight.document(everything=True), turned.document(everything=True)
    assert (ours["summary"], ours["coverage"], ours["causes"]) == (
        theirs["summary"],
        theirs["coverage"],
        theirs["causes"],
    )
    moved = {"left", "right", "status", "direction", "detail"}
    for one, other in zip(ours["items"], theirs["items"], strict=True):
        assert {k: v for k, v in one.items() if k not in moved} == {
            k: v for k, v in other.items() if k not in moved
        }


@SEEDED
@given(sides(), sides())
def test_what_differs_is_the_same_from_both_sides(left: list[Stream], right: list[Stream]) -> None:
    """Pairing has no side: the same places are compared, one-sided or unknown from either."""
    opposite = {"left_only": "right_only", "right_only": "left_only"}

    def lines(one: list[Stream], other: list[Stream]) -> tuple[int, int, dict[Any, str]]:
        interner = Interner()
        found = differences(view(*one, interner=interner), view(*other, interner=interner), interner)
        return found.compared, found.not_compared, {(d.place, d.kind): d.status for d in found.items}

    there, back = lines(left, right), lines(right, left)
    assert there[:2] == back[:2]
    assert there[2] == {key: opposite.get(status, status) for key, status in back[2].items()}


@SEEDED
@given(st.data())
def test_seeing_less_never_adds_drift(data: st.DataObject) -> None:
    """Making a section less complete never adds drift."""
    left, right = data.draw(sides()), data.draw(sides())
    before = drifts_of(compare(left, right))
    if data.draw(st.booleans()):
        left = data.draw(lessening(left))
    else:
        right = data.draw(lessening(right))
    assert drifts_of(compare(left, right)) <= before


@SEEDED
@given(st.data())
def test_seeing_all_again_never_invents_a_resolve(data: st.DataObject) -> None:
    """Making it complete again never invents a resolve: what is blind for a while changes no row."""
    left, right = data.draw(sides()), data.draw(sides())
    less = (
        (data.draw(lessening(left)), right)
        if data.draw(st.booleans())
        else (left, data.draw(lessening(right)))
    )
    rows: dict[Key, Drift] = {}
    rows |= _lived(rows, left, right)
    before = dict(rows)
    _lived(rows, *less)
    blind = _lived(rows, *less)
    assert {row.state for row in blind.values()} <= {"open", "pending"}
    after = _lived(rows | blind, left, right)
    assert {row.state for row in after.values()} <= {"open", "pending"}
    assert {
        key for key, row in (rows | blind | after).items() if row.state in ("open", "pending")
    } >= before.keys()


def _lived(rows: Mapping[Key, Drift], left: list[Stream], right: list[Stream]) -> dict[Key, Drift]:
    """Return the rows that one judgement changes."""
    interner = Interner()
    ours = view(*left, environment="staging", interner=interner)
    theirs = view(*right, environment="prod", interner=interner)
    verdicts = compare(left, right, rows={(row.comparison, row.key): row for row in rows.values()})
    names = iter(range(1000))
    outcome = live(
        rows,
        [one for one in verdicts.items if one.comparison == STAGING_TO_PROD.name],
        ledger=Ledger(
            comparison=STAGING_TO_PROD.name, now=NOW, new_id=lambda: f"d{next(names)}", snapshots={}
        ),
        witnesses=Witnesses(left=ours, right=theirs, policies={}),
        settled_now=lambda key: settled(ours, theirs, key),
    )
    return {row.key: row for row in outcome.drifts}


@SEEDED
@given(sides(), sides())
def test_the_memoised_difference_equals_the_computed_one(left: list[Stream], right: list[Stream]) -> None:
    """The memoised difference equals the computed one, whatever was interned before."""
    interner = Interner()
    memory = Memory()
    one, other = view(*left, interner=interner), view(*right, interner=interner)
    first = memory.differences(one, other, interner)
    assert memory.differences(one, other, interner) is first
    fresh = Interner()
    assert differences(view(*left, interner=fresh), view(*right, interner=fresh), fresh) == first


@SEEDED
@given(sides(), sides())
def test_no_verdict_carries_a_fingerprint_out_of_its_side(left: list[Stream], right: list[Stream]) -> None:
    """Causes, rules, remedies and details speak of keys by name alone."""
    document = whole(compare(left, right, first=True)).document(everything=True)
    told = str([{k: v for k, v in item.items() if k not in ("left", "right")} for item in document["items"]])
    told += str(document["causes"])
    for one in [*left, *right]:
        for shape in one.sections["config"].facts.values():
            assert isinstance(shape, dict)
            assert shape.get("fingerprint", "no fingerprint") not in told
