"""What a team lets be for a while: with a reason and a last day, and never longer than it is true."""

from datetime import timedelta
from typing import Any

from detector.engine.acceptance import Accepted, accept
from detector.engine.rules import Match
from tests.builders import NOW, acceptance, accepting, compare, drifts, keys, only, section, told

VERSION = "main#version"


def postgres(version: str) -> Any:
    facts = {"main#product": "postgresql", VERSION: version}
    return {"backing_services": section(facts)}


def django(version: str) -> Any:
    return {"dependencies": section({"pkg:pypi/django": version})}


def test_w24_a_planned_upgrade_is_accepted_until_its_day_and_ends_by_itself_when_prod_arrives() -> None:
    """Staging got PostgreSQL 16 on purpose, two weeks before prod. Anna said so, until 5 December."""
    planned = compare(postgres("16.3"), postgres("14.11"))
    by_anna = accepting(only(planned, VERSION), until="changed")

    during = only(compare(postgres("16.3"), postgres("14.11"), accepted=by_anna), VERSION)
    assert (during.verdict, during.rule) == ("accepted", "acceptance A1 by anna")
    assert during.document()["accepted"]["reason"] == "planned upgrade"
    assert during.review_at == NOW + timedelta(days=13)

    arrived = compare(postgres("16.3"), postgres("16.3"), accepted=by_anna)
    assert told(arrived) == []

    too_late = NOW + timedelta(days=13)
    late = only(compare(postgres("16.3"), postgres("14.11"), accepted=by_anna, now=too_late), VERSION)
    assert late.verdict == "drift"


def test_w24_without_the_acceptance_it_is_critical_at_once() -> None:
    """The same two servers, and nobody said that it is meant."""
    assert drifts(compare(postgres("16.3"), postgres("14.11"))) == {VERSION: "critical"}


def test_w24_what_was_accepted_was_this_difference_and_not_anything_about_postgres() -> None:
    """While 16 against 14 is accepted, somebody upgrades staging to 17."""
    planned = only(compare(postgres("16.3"), postgres("14.11")), VERSION)
    by_anna = accepting(planned, until="changed")
    assert drifts(compare(postgres("17.0"), postgres("14.11"), accepted=by_anna)) == {VERSION: "critical"}


def test_w50_a_baseline_of_dependencies_survives_the_next_renovate() -> None:
    """Day one: all drift of the packages is accepted. The next day Renovate moves staging by a patch."""
    day_one = only(compare(django("4.2.26"), django("5.1.0")), "pkg:pypi/django")
    baseline = accepting(day_one)
    next_day = compare(django("4.2.27"), django("5.1.0"), accepted=baseline)
    assert (only(next_day, "pkg:pypi/django").verdict, drifts(next_day)) == ("accepted", {})


def test_w50_and_ends_when_it_gets_worse() -> None:
    """A patch behind was accepted; now production is a whole major ahead."""
    day_one = only(compare(django("5.1.0"), django("5.1.2")), "pkg:pypi/django")
    baseline = accepting(day_one)
    worse = compare(django("5.1.0"), django("6.0.0"), accepted=baseline)
    assert drifts(worse) == {"pkg:pypi/django": "high"}


def test_w50_bound_to_exact_values_it_would_be_reopened_each_day() -> None:
    """The same baseline with `until: changed`: the patch of Renovate ends it."""
    day_one = only(compare(django("4.2.26"), django("5.1.0")), "pkg:pypi/django")
    exact = accepting(day_one, until="changed")
    assert drifts(compare(django("4.2.27"), django("5.1.0"), accepted=exact)) != {}


def test_w50_a_baseline_of_config_ends_when_the_key_changes_and_not_when_a_secret_is_rotated() -> None:
    """A key that prod lacks was accepted on day one; staging rotates its value."""
    left: Any = {"config": section(keys(HOOK_SECRET="one", SAME="x"))}
    right: Any = {"config": section(keys(SAME="x"))}
    baseline = accepting(only(compare(left, right), "HOOK_SECRET"))
    rotated: Any = {"config": section(keys(HOOK_SECRET="two", SAME="x"))}
    assert only(compare(rotated, right, accepted=baseline), "HOOK_SECRET").verdict == "accepted"
    retyped: Any = {"config": section(keys(HOOK_SECRET="https://hooks.example/a", SAME="x"))}
    assert only(compare(retyped, right, accepted=baseline), "HOOK_SECRET").verdict == "drift"


def test_accepting_what_explains_others_covers_them() -> None:
    """A PostgreSQL upgrade brings an extension's new version with it: one acceptance is enough."""
    old: Any = {
        "backing_services": section({"main#product": "postgresql", VERSION: "14.11", "main#extension/a": "1"})
    }
    new: Any = {
        "backing_services": section({"main#product": "postgresql", VERSION: "16.3", "main#extension/a": "2"})
    }
    plain = compare(new, old)
    (cause,) = plain.causes
    by_anna = accepting(only(plain, VERSION))
    found = compare(new, old, accepted=by_anna)
    child = only(found, "main#extension/a")
    assert (child.verdict, child.cause) == ("accepted", cause.id)
    assert child.document()["accepted"]["by_cause"]
    assert found.causes[0].verdict == "accepted"
    items, causes = accept(plain.items, plain.causes, accepting(child), NOW)
    assert [one.key.item for one in items if one.verdict == "drift"] == [VERSION]
    assert causes[0].verdict == "drift"


def test_a_match_accepts_what_it_describes_and_nothing_beside_it() -> None:
    """One entry of a file for the packages of one comparison."""
    left: Any = {**django("4.2.26"), "config": section(keys(A="1", B="2"))}
    right: Any = {**django("5.1.0"), "config": section(keys(A="1"))}
    file = acceptance(match=Match(section=("dependencies",), comparison=("staging..prod",)), place="a.yml:3")
    found = compare(left, right, accepted=Accepted(acceptances={file.id: file}))
    assert only(found, "pkg:pypi/django").rule == "a.yml:3"
    assert drifts(found) == {"B": "high"}


def test_a_malformed_date_is_an_expired_one() -> None:
    """Nobody can read until when it was meant."""
    broken = acceptance(match=Match(section=("dependencies",)), expires_at=None)
    found = compare(django("4.2.26"), django("5.1.0"), accepted=Accepted(acceptances={broken.id: broken}))
    assert drifts(found) == {"pkg:pypi/django": "high"}
