"""Numbers of facts: equal facts have equal ones, and what is kept by them is what was put in."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from detector.engine.interning import Interner
from detector.engine.pairing import differences
from detector.engine.sides import Place
from detector.model.canonical import same_value
from tests.builders import NOW, section, stream, view
from tests.proof import examples

#: Values that Python calls equal although they are not one, and other spellings of one value.
VALUES: list[Any] = [
    *("1", "true", "", 1, 1.0, 1.5, True, False, 0, None),
    *(["a", "b"], ["b", "a"], ["a"], {"a": 1}, {"a": True}, {"a": 1.0}),
    *({"a": ["y", "x"]}, {"a": ["x", "y", "x"]}),
]
FACTS = st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from(VALUES))
INTERNER = Interner()
SEEDED = settings(max_examples=examples(200), derandomize=True, deadline=None)


@SEEDED
@given(sets=st.lists(FACTS, min_size=2, max_size=4))
def test_two_sets_of_facts_differ_in_the_items_whose_values_are_not_one(sets: list[dict[str, Any]]) -> None:
    """Equal facts have equal numbers; types count."""
    table = Interner().table("shop", "main", "dependencies")
    bits = [table.bits_of(facts) for facts in sets]
    assert [table.bits_of(facts) for facts in sets] == bits
    for one, ours in zip(sets, bits, strict=True):
        assert ours.bit_count() == len(one)
        for other, theirs in zip(sets, bits, strict=True):
            assert table.items_of(ours ^ theirs) == {
                item
                for item in one.keys() | other.keys()
                if item not in one or item not in other or not same_value(one[item], other[item])
            }


def test_numbers_of_another_interner_are_made_anew() -> None:
    facts = {"pkg:pypi/django": "5.2.8", "pkg:pypi/flask": "3.0"}
    interner = Interner()
    left = view(stream({"dependencies": section(facts)}), interner=interner)
    view(stream({"dependencies": section({"pkg:pypi/zope": "1"})}), interner=(other := Interner()))
    right = view(
        stream({"dependencies": section({**facts, "pkg:pypi/flask": "3.1"})}),
        environment="prod",
        interner=other,
    )
    (found,) = differences(left, right, interner).items
    assert (found.place.item, found.status) == ("pkg:pypi/flask", "changed")


def test_an_interner_is_full_when_all_its_tables_hold_as_much_as_its_bound() -> None:
    interner = Interner(bound=3)
    interner.table("shop", "main", "config").bits_of({"A": "1", "B": "2"})
    assert not interner.full
    interner.table("shop", "web", "config").bits_of({"A": "1"})
    assert interner.full


def test_sides_are_a_mapping_of_all_that_is_present_or_unknown() -> None:
    sections = {
        "dependencies": section({"pkg:pypi/django": "5.2.8", "pkg:pypi/flask": "3.0", "pkg:pypi/new": "1"}),
        "config": section({"A": {"type": "text"}}, status="failed", unseen=[("*", "timeout")]),
    }
    here = view(stream(sections, held={"dependencies": frozenset({"pkg:pypi/flask"})}))  # type: ignore[arg-type]
    sides = here.sides
    flask, django = (Place("main", "dependencies", f"pkg:pypi/{name}") for name in ("flask", "django"))
    assert (sides[flask].unknown, sides[flask].last) == ("held", "3.0")
    assert (sides[django].value, sides[django].observed_at) == ("5.2.8", NOW)
    assert sides.get(Place("main", "dependencies", "pkg:pypi/none")) is None
    assert sides.get(Place("web", "dependencies", "pkg:pypi/django")) is None
    assert dict(sides.items()) == {place: sides[place] for place in sides}
    assert len(sides) == 4
    assert [place in sides for place in (flask, django, Place("web", "config", "A"))] == [True, True, False]
    assert dict(sides.section("config")) == {
        Place("main", "config", "A"): sides[Place("main", "config", "A")]
    }
    assert here.unknown == {flask, Place("main", "config", "A")}


def test_what_is_found_in_a_view_is_looked_for_once() -> None:
    asked = []
    here = view(stream({}))

    def find(of: object) -> int:
        asked.append(of)
        return 7

    assert (here.found(find), here.found(find), len(asked)) == (7, 7, 1)


@SEEDED
@given(ours=FACTS, theirs=FACTS)
def test_facts_compared_as_they_stand_and_by_their_numbers_are_the_same(
    ours: dict[str, Any], theirs: dict[str, Any]
) -> None:
    """What is compared for the first time is compared as it stands; numbers pay for what comes again."""
    left, right = (
        view(stream({"disposability": section(facts)}), interner=INTERNER, environment=name)
        for facts, name in ((ours, "staging"), (theirs, "prod"))
    )
    first, again = (differences(left, right, INTERNER) for _ in range(2))
    at = ("main", "disposability")
    assert at in left.numbers._bits  # type: ignore[attr-defined]  # the second time
    assert (sorted(first.items), first.compared) == (sorted(again.items), again.compared)
