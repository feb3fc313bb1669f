"""The compiled rules always say what the plain merge says."""

from dataclasses import fields
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.engine import rulebook as compiled
from detector.engine.judgement import Case, decided, subject_of
from detector.engine.pack import PACK
from detector.engine.pairing import Difference
from detector.engine.policy import Environment, Pair, Service
from detector.engine.rulebook import Chapter, rulebook
from detector.engine.rules import Allowance, Match, Outcome, Rule, Subject, decide
from detector.engine.view import Interner, Place
from detector.model.records import Side
from detector.model.words import Basis, SectionName
from tests.builders import DEV, NOW, PROD, STAGING, keys, section, stream, view
from tests.proof import examples

ITEMS: dict[SectionName, list[str]] = {
    "dependencies": ["pkg:pypi/django", "pkg:npm/left-pad", "os#arch", "lockfile#pypi"],
    "config": ["PATH", "API_TOKEN", "SHOP_SERVICE_HOST", "DD_AGENT_HOST", "DEBUG"],
    "backing_services": ["main#version", "main#product", "main#setting/work_mem", "cache#version"],
    "release": ["image#tag", "image#repository"],
}
#: Words and globs that a rule may be written with; some match, some do not.
WORDS: dict[str, list[str]] = {
    "section": [*ITEMS, "*"],
    "item": [item for items in ITEMS.values() for item in items]
    + ["pkg:pypi/*", "*#version", "*_HOST", "*", "pkg:*", "D*G*", "never"],
    "kind": ["difference", "variant", "shared_secret", "*"],
    "status": ["changed", "left_only", "right_only", "same"],
    "service": ["shop", "sh*", "other"],
    "component": ["main", "web", "w*"],
    "owner": ["team-a", "team-*"],
    "comparison": ["staging..prod", "dev..*", "prod"],
    "basis": ["running", "built", "declared"],
    "scope": ["dev", "runtime"],
    "left_tier": ["staging", "development"],
    "right_tier": ["production", "staging"],
    "direction": ["left_ahead", "right_ahead", "unordered"],
    "read": ["required", "optional", "unread"],
    "product": ["postgresql", "mysql"],
}
SEVERITIES = st.sampled_from(["info", "low", "medium", "high", "critical"])
DISTANCES = ["major", "minor", "patch", "copies", "unordered"]


def some(words: list[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.just(()) | st.lists(st.sampled_from(words), max_size=2, unique=True).map(tuple)


@st.composite
def matches(draw: st.DrawFn) -> Match:
    names = draw(st.lists(st.sampled_from(sorted(WORDS)), max_size=3, unique=True))
    said: dict[str, Any] = {name: draw(some(WORDS[name])) for name in names}
    severity = draw(st.sampled_from(["", "", "high", ">=medium"]))
    return Match(**said, severity=severity, managed=draw(st.sampled_from([None, None, True, False])))


OUTCOMES = st.builds(
    Outcome,
    ignore=st.sampled_from([None, None, True, False]),
    expect=st.sampled_from([None, "equal", "any", ("staging",)]),
    severity=st.none() | st.dictionaries(st.sampled_from([*DISTANCES, "*"]), SEVERITIES, max_size=3),
    allow_ahead=st.none() | st.just(Allowance(span=timedelta(days=3))),
    note=st.none() | st.sampled_from(["one", "other"]),
)
RULES = st.lists(st.tuples(matches(), OUTCOMES), max_size=12).map(
    lambda pairs: [
        *PACK,
        *(
            Rule(name=f"r{number}", match=match, outcome=outcome)
            for number, (match, outcome) in enumerate(pairs)
        ),
    ]
)
HINTS: list[dict[str, Any]] = [
    {},
    {"scope": ["dev"]},
    {"scope": ["dev", "main"]},
    {"auto_minor_upgrade": True},
]
BASES: list[Basis] = ["running", "built", "declared"]
SIDES = [Side(present=True, value="1.0", basis=basis, hints=hints) for basis, hints in product(BASES, HINTS)]
SHAPES = st.sampled_from(list(keys({"A": "", "B": "filled"}).values()))


@st.composite
def found(draw: st.DrawFn) -> Difference:
    name = draw(st.sampled_from(sorted(ITEMS)))
    place = Place(draw(st.sampled_from(["main", "web"])), name, draw(st.sampled_from(ITEMS[name])))
    if name == "config":
        left, right = (Side(present=True, value=draw(SHAPES)) for _ in "lr")
    else:
        left, right = draw(st.sampled_from(SIDES)), draw(st.sampled_from(SIDES))
    return Difference(
        place,
        status=draw(st.sampled_from(("changed", "left_only", "right_only", "same", "unknown"))),
        left=left,
        right=right,
        kind=draw(st.sampled_from(("difference", "variant", "shared_secret", "rebuilt"))),
        distance=draw(st.sampled_from([None, *DISTANCES])),
        direction=draw(st.sampled_from(["left_ahead", "right_ahead", "unordered", None])),
    )


READ: dict[str, list[dict[str, Any]]] = {
    "DEBUG": [{"at": "a.py:1", "default": True}],
    "API_TOKEN": [{"at": "a.py:2"}],
}
BACKING = section({"main#product": "postgresql", "cache#product": "redis"})
VIEW = view(
    stream({"backing_services": BACKING, "config": section(reads=READ)}),
    stream({"config": section(reads={"PATH": []})}, component="web"),
    interner=Interner(),
)


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    left, right = draw(st.sampled_from([(STAGING, PROD), (DEV, STAGING), (Environment(name="x"), PROD)]))
    service = Service(
        name=draw(st.sampled_from(["shop", "other"])), owner=draw(st.sampled_from([None, "team-a"]))
    )
    return {
        "pair": Pair(left=left, right=right, peers=draw(st.booleans())),
        "service": service,
        "alone": draw(st.booleans()),
    }


@settings(max_examples=examples(150), derandomize=True, deadline=None)
@given(rules=RULES, about=st.lists(cases(), min_size=1, max_size=3), asked=st.lists(found(), max_size=8))
def test_a_compiled_decision_is_the_plain_merge_of_all_rules(
    rules: list[Rule], about: list[dict[str, Any]], asked: list[Difference]
) -> None:
    """All that match merge from top to bottom, and the last word on each outcome wins."""
    for known in about:
        case = Case(rules=rules, left=VIEW, right=VIEW, now=NOW, histories={}, **known)
        # Beside each what differs from it in little: what is remembered of one must not answer for another.
        near = [one._replace(right=side) for one in asked for side in SIDES if one.place.section != "config"]
        for difference in [*asked, *near, *asked]:
            plain = decide(rules, subject_of(case, difference))
            decision, severity = decided(case, difference)
            assert decision == plain
            assert severity == plain.severity(subject_of(case, difference).distance)


def test_every_field_of_a_match_is_asked_of_the_case_or_of_the_difference() -> None:
    known = {
        *compiled.OF_THE_CASE,
        *compiled.OF_THE_DIFFERENCE,
        "section",
        "kind",
        "status",
        "item",
        "severity",
    }
    assert {entry.name for entry in fields(Match) if entry.init} == known
    assert {entry.name for entry in fields(Subject)} == known | {"distance"}


def test_rules_are_compiled_once() -> None:
    assert rulebook([*PACK]) is rulebook(PACK)
    assert rulebook(PACK[1:]) is not rulebook(PACK)


def test_cases_that_no_rule_tells_apart_share_their_decisions() -> None:
    book = rulebook(PACK)
    one = book.about(("shop", "team-a", "staging..prod", "staging", "production"))
    assert one is book.about(("billing", "", "qa..prod", "staging", "production"))
    assert one is not book.about(("shop", "team-a", "dev..prod", "development", "production"))


@pytest.mark.parametrize("most", ["_MOST_ITEMS", "_MOST_DECISIONS"])
def test_what_is_remembered_has_a_bound(most: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, most, 2)
    chapter = Chapter(PACK)
    for number in range(5):
        item = f"pkg:pypi/{number}"
        answers = (chapter.groups[item], number)
        chapter.decide(answers, Subject(section="dependencies", item=item, distance="major"))
    assert len(chapter.groups) <= 2 or most != "_MOST_ITEMS"
    assert len(chapter.known) <= 2 or most != "_MOST_DECISIONS"
