"""Views merge streams: what is present, absent and unknown, and why."""

from datetime import timedelta

import pytest

from detector.engine.view import Place, View
from detector.model.facts import Section, Value
from detector.model.records import Side
from tests.builders import NOW, ago, failed, policy, section, stream, view

DJANGO = "pkg:pypi/django"
PLACE = Place("main", "dependencies", DJANGO)
HOUR = timedelta(hours=1)


def seen_by(*sections: Section) -> View:
    """Return a view in which each section comes from a source of its own, the first listed first."""
    return view(
        *(stream({"dependencies": one}, source=f"s{number}") for number, one in enumerate(sections)),
        policies=[policy(f"s{number}", rank=number) for number in range(len(sections))],
    )


def said(here: View, place: Place = PLACE) -> Value:
    side = here.side(place)
    return side.unknown or (side.value if side.present else "absent")


HAS = section({DJANGO: "5.2.8"})
LACKS = section({})


@pytest.mark.parametrize(
    ("sections", "says"),
    [
        ([HAS], "5.2.8"),
        ([LACKS], "absent"),
        ([HAS, section({DJANGO: "4.2"}, basis="declared")], "5.2.8"),  # running is nearer than declared
        ([section({DJANGO: "4.2"}, basis="declared"), HAS], "5.2.8"),
        ([section({DJANGO: "4.2"}, basis="built"), section({DJANGO: "5.2"}, basis="declared")], "4.2"),
        ([LACKS, section({DJANGO: "4.2"}, basis="declared")], "absent"),  # the nearer basis proves it
        # A nearer source that does not cover packages of Python proves nothing of them.
        ([section({}, covers=["pkg:deb/*"]), section({DJANGO: "4.2"}, basis="declared")], "4.2"),
        ([LACKS, HAS], "5.2.8"),  # one that has it is enough
        ([section({}, status="partial")], "not_in_view"),
        ([section({}, status="partial"), LACKS], "absent"),  # one complete look is proof
        ([section({}, unseen=[("pkg:pypi/*", "denied")])], "denied"),
        ([section({}, unseen=[("pkg:deb/*", "denied")])], "absent"),  # another part was not seen
        # What a fresh look names as unseen takes the proof of the other away.
        ([section({}, unseen=[(DJANGO, "malformed")]), LACKS], "malformed"),
        ([failed("timeout")], "timeout"),
        # A failed section keeps what was last known: it is not present any more.
        ([section({DJANGO: "5.2.8"}, status="failed", unseen=[("*", "timeout")])], "timeout"),
        ([section({DJANGO: "5.2.8"}, status="failed", unseen=[("*", "timeout")]), HAS], "5.2.8"),
        ([failed("timeout"), section({DJANGO: "4.2"}, basis="declared")], "timeout"),  # not the farther value
    ],
)
def test_an_item_is_present_absent_or_unknown(sections: list[Section], says: Value) -> None:
    assert said(seen_by(*sections)) == says


def test_one_look_proves_absence_only_while_it_is_fresh_and_its_component_says_anything() -> None:
    stale = view(stream({"dependencies": LACKS}, seen=ago(hours=2)), policies=[policy("docker", valid=HOUR)])
    assert said(stale) == "stale"
    # A worker of which one section failed and the other holds nothing: it may be there and not be seen.
    quiet = stream({"dependencies": LACKS, "config": failed("timeout")}, component="worker")
    place = Place("worker", "dependencies", DJANGO)
    assert said(view(stream({"dependencies": HAS}), quiet), place) == "not_in_view"
    heard = stream({"dependencies": LACKS, "config": section({"A": {"type": "text"}})}, component="worker")
    assert said(view(stream({"dependencies": HAS}), heard), place) == "absent"


def test_an_unknown_item_remembers_its_last_value_and_basis() -> None:
    remembered = section({DJANGO: "5.2.8"}, status="failed", unseen=[("*", "timeout")])
    assert seen_by(remembered).sides[PLACE] == Side(unknown="timeout", last="5.2.8", basis="running")


def test_a_source_without_a_view_of_a_section_says_nothing_of_it() -> None:
    side = seen_by(HAS).side(Place("main", "config", "DEBUG"))
    assert (side.unknown, side.source) == ("not_in_view", "not_measured")


@pytest.mark.parametrize(
    ("valid", "seen", "says"),
    [
        (timedelta(minutes=45), timedelta(minutes=44), "5.2.8"),
        (timedelta(minutes=45), timedelta(minutes=46), "stale"),
        (None, timedelta(days=900), "5.2.8"),  # until replaced
    ],
)
def test_a_source_is_believed_for_as_long_as_it_is_valid(
    valid: timedelta | None, seen: timedelta, says: str
) -> None:
    one = stream({"dependencies": HAS}, seen=NOW - seen)
    assert said(view(one, policies=[policy("docker", valid=valid)])) == says


def test_laptops_never_go_stale() -> None:
    one = stream({"dependencies": HAS}, seen=ago(days=30))
    here = view(one, policies=[policy("docker", valid=timedelta(hours=1))], intermittent=True)
    assert said(here) == "5.2.8"
    assert here.fresh_until is None


@pytest.mark.parametrize("known", [True, False], ids=["by_basis", "unconfigured"])
@pytest.mark.parametrize(
    ("basis", "says"),
    [("running", "stale"), ("built", "5.2.8"), ("declared", "5.2.8")],
)
def test_a_push_counts_a_week_of_what_runs_and_until_replaced_of_the_rest(
    *, known: bool, basis: str, says: str
) -> None:
    pushed = stream(
        {
            "dependencies": section({DJANGO: "5.2.8"}, basis=basis),  # type: ignore[arg-type]
            "config": section({}),  # what runs beside it has its own validity
        },
        source="ci",
        seen=ago(days=8),
    )
    assert said(view(pushed, policies=[policy("ci", by_basis=True)] if known else [])) == says


def test_a_fresh_view_says_when_it_grows_stale_first() -> None:
    here = view(
        stream({"dependencies": HAS}, source="a", seen=ago(minutes=5)),
        stream({"dependencies": HAS}, source="b", seen=ago(minutes=50)),
        policies=[policy("a", valid=timedelta(minutes=45)), policy("b", valid=timedelta(minutes=60))],
    )
    assert here.fresh_until == NOW + timedelta(minutes=10)


def test_a_stale_source_that_had_an_item_leaves_it_unknown_though_another_lacks_it() -> None:
    # The other one may never have been able to see it: a dead source makes nothing missing.
    here = view(
        stream({"dependencies": HAS}, source="dead", seen=ago(days=3)),
        stream({"dependencies": LACKS}, source="alive"),
        policies=[policy("dead", valid=timedelta(hours=1)), policy("alive")],
    )
    assert said(here) == "stale"


def test_a_held_item_is_unknown_until_it_is_seen_or_missed_again() -> None:
    one = stream({"dependencies": HAS}, held={"dependencies": frozenset({DJANGO})})
    assert said(view(one)) == "held"
    other = stream({"dependencies": HAS}, source="other")
    assert said(view(one, other)) == "5.2.8"


def test_what_a_partial_look_did_not_say_is_only_remembered() -> None:
    seen = section({DJANGO: "5.2.8"}, status="partial", unseen=[("pkg:pypi/*", "denied")])
    assert said(view(stream({"dependencies": seen}))) == "5.2.8"  # it was said
    carried = stream({"dependencies": seen}, carried={"dependencies": frozenset({DJANGO})})
    assert said(view(carried)) == "denied"


@pytest.mark.parametrize("traffic", ["idle", "canary"])
def test_only_what_takes_traffic_is_compared(traffic: str) -> None:
    idle = stream({"dependencies": HAS}, traffic=traffic)  # type: ignore[arg-type]
    assert view(idle).looks == {}


# -- contradictions ---------------------------------------------------------------------------------------


def contradicts(place: Place, one: Section, other: Section) -> bool:
    name = place.section
    here = view(stream({name: one}, source="first"), stream({name: other}, source="second"))
    assert here.sides[place].source == "first"
    return place in here.contradictions


VERSION = Place("main", "backing_services", "main#version")
PRODUCT = Place("main", "backing_services", "main#product")
TAG = Place("main", "release", "image#tag")
KEY = Place("main", "config", "DEBUG")


@pytest.mark.parametrize(
    ("place", "one", "other", "contradiction"),
    [
        (PLACE, "5.2.8", "4.2", True),
        (PLACE, "1.0", "1.0.0", False),  # PyPI calls them equal
        (VERSION, "16.3", "16.3 (Debian 16.3-1.pgdg120+1)", False),  # one asked, one looked at the banner
        (VERSION, "16.3", "15.8", True),
        (PRODUCT, "aurora-postgresql", "postgresql", False),  # what Aurora says of itself
        (PRODUCT, "postgresql", "mysql", True),
        (Place("main", "release", "release#id"), "checkout:57", "v132", False),  # local: never compared
        (TAG, "1.4.2", "1.4.3", True),
        (
            KEY,
            {"type": "text", "source_class": "literal"},
            {"type": "text", "source_class": "env_file"},
            False,
        ),
        (KEY, {"type": "text", "opaque": True}, {"type": "int"}, False),  # a reference hides its value
        (KEY, {"type": "text"}, {"type": "int"}, True),
        (Place("main", "ports", "8080/tcp"), True, 1, True),  # types are kept
    ],
)
def test_two_sources_contradict_each_other_where_their_kind_calls_their_values_unequal(
    place: Place, one: Value, other: Value, *, contradiction: bool
) -> None:
    assert contradicts(place, section({place.item: one}), section({place.item: other})) is contradiction


@pytest.mark.parametrize(
    ("place", "running", "declared", "contradiction"),
    [
        (PLACE, "2.0", "2.1", True),  # "lockfile 2.1, running 2.0"
        (PLACE, "2.0", ["1.9", "2.0"], False),  # one of those that the lockfile allows
        (VERSION, "16.3", "16", False),  # a tag is compared as far as it says
        (VERSION, "16.3", "15", True),
        (TAG, "1.4.2", "1.4", False),
        (Place("main", "processes", "command"), "gunicorn", "gunicorn shop", False),  # evidence, no more
        (KEY, {"type": "int"}, {"type": "text"}, False),
    ],
)
def test_a_farther_basis_contradicts_with_a_version_alone(
    place: Place, running: Value, declared: Value, *, contradiction: bool
) -> None:
    assert (
        contradicts(place, section({place.item: running}), section({place.item: declared}, basis="declared"))
        is contradiction
    )


def test_the_source_that_is_listed_first_wins_whatever_order_streams_come_in() -> None:
    first = stream({"dependencies": HAS}, source="first")
    second = stream({"dependencies": section({DJANGO: "4.2"})}, source="second")
    ranks = [policy("first", rank=0), policy("second", rank=1)]
    for streams in ((first, second), (second, first)):
        here = view(*streams, policies=ranks)
        assert here.sides[PLACE].value == "5.2.8"
        assert here.contradictions[PLACE].value == "4.2"
