"""Properties of acceptance, tried on generated lives of it."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from detector.engine.acceptance import UNTILS, Accepted, accept, changes, expiry, last_day
from detector.engine.rules import Match
from detector.model.records import Judged, Key, Side
from tests.builders import NOW, acceptance, accepting

KEY = Key("shop", "main", "dependencies", "pkg:pypi/django")
DISTANCES = ("major", "minor", "patch", None)


@st.composite
def differences(draw: st.DrawFn) -> Judged:
    """A drift of one item: any values, distance, direction and severity."""
    status = draw(st.sampled_from(("changed", "left_only", "right_only")))
    sides = [Side(present=True, value=draw(st.sampled_from("abc"))) for _ in range(2)]
    if status == "left_only":
        sides[1] = Side()
    if status == "right_only":
        sides[0] = Side()
    return Judged(
        key=KEY,
        comparison="staging..prod",
        status=status,  # type: ignore[arg-type]  # of the list above
        left=sides[0],
        right=sides[1],
        distance=draw(st.sampled_from(DISTANCES)) if status == "changed" else None,
        direction=draw(st.sampled_from(("left_ahead", "right_ahead", "unordered"))),
        verdict="drift",
        severity=draw(st.sampled_from(("info", "low", "medium", "high", "critical"))),
        rule="default/dependencies",
    )


def verdict(one: Judged, accepted: Accepted, days: float) -> str:
    (found,), _ = accept([one], (), accepted, NOW + timedelta(days=days))
    return found.verdict


WIDTHS = ("one item", "wide")
untils = st.sampled_from(UNTILS)


@given(differences(), differences(), untils, st.floats(0.01, 700), st.floats(0, 700), st.sampled_from(WIDTHS))
def test_accept_and_expire_is_never_accepted(  # noqa: PLR0917 - one for each thing that may vary
    before: Judged, after: Judged, until: str, lasts: float, later: float, width: str
) -> None:
    """accept + expire = never accepted"""
    said = {"until": until, "expires_at": NOW + timedelta(days=lasts), "created_at": NOW}
    if width == "wide":
        made = acceptance(match=Match(section=("dependencies",)), **said)
        accepted = Accepted(acceptances={made.id: made})
    else:
        accepted = accepting(before, **said)
    assert verdict(after, accepted, lasts + later) == "drift"
    assert verdict(before, accepted, lasts / 2) == "accepted"


@given(differences(), untils)
def test_what_is_as_it_was_stays_accepted_and_writes_nothing(one: Judged, until: str) -> None:
    """An acceptance binds what was compared: the same difference is accepted until its day."""
    accepted = accepting(one, until=until)
    found, _ = accept([one], (), accepted, NOW)
    assert [each.verdict for each in found] == ["accepted"]
    assert changes(found, (), accepted, "staging..prod", NOW) == []


@given(differences(), differences(), differences(), untils)
def test_what_ended_for_an_item_stays_ended(one: Judged, other: Judged, third: Judged, until: str) -> None:
    """An acceptance that ended for an item stays ended for it, whatever comes after."""
    accepted = accepting(one, until=until)
    for seen in (other, third, one):
        found, _ = accept([seen], (), accepted, NOW)
        held = found[0].verdict
        for written in changes(found, (), accepted, "staging..prod", NOW):
            accepted = replace(accepted, bindings={("staging..prod", KEY): [written]})
        if held == "drift":
            assert verdict(one, accepted, 0) == "drift"
            return


@given(differences(), differences())
def test_changed_is_the_strictest_and_resolved_the_most_patient(one: Judged, other: Judged) -> None:
    """What `changed` lets be of the values, `resolved` lets be too."""
    if verdict(other, accepting(one, until="changed"), 0) == "accepted":
        assert verdict(other, accepting(one, until="resolved"), 0) == "accepted"


@given(st.dates(min_value=NOW.date(), max_value=NOW.date() + timedelta(days=700)))
def test_a_day_counts_whole(day: object) -> None:
    """The last day of an acceptance is the day that was said."""
    assert last_day(expiry(str(day))) == str(day)
