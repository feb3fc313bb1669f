"""The shape of environments: what stands beside what, what is gone, and what was never there."""

from typing import Any

from detector.engine.gone import is_gone
from detector.engine.policy import Pair
from detector.engine.rules import Match, Outcome, Rule
from detector.engine.unmatched import unmatched
from detector.model.facts import Section
from tests.builders import DEV, STAGING, compare, drifts, failed, keys, only, section, stream, told, view

DEV_TO_STAGING = Pair(left=DEV, right=STAGING)


def shop(django: str = "5.2.8", **more: Any) -> Any:
    facts = {"pkg:pypi/django": django, "pkg:pypi/celery": "5.4.0"}
    release = {"image#repository": "acme/shop", "image#tag": "1.4.2"}
    return stream({"dependencies": section(facts), "release": section(release)}, **more)


def empty(**more: Any) -> Any:
    """What a whole look leaves of a service that it does not find any more."""
    return stream({name: Section(basis="running", gone=True) for name in ("dependencies", "release")}, **more)


# -- traffic ----------------------------------------------------------------------------------------------


def test_w26_the_green_task_set_that_takes_no_traffic_is_not_compared() -> None:
    """Blue/green on ECS: the primary task set serves, the next release stands idle beside it."""
    assert told(compare([shop()], [shop(), shop("6.0", traffic="idle")])) == []
    assert told(compare([shop()], [shop(), shop("6.0", traffic="canary")])) == []


def test_w26_taken_for_live_both_colours_would_contradict_each_other() -> None:
    both = [shop(), shop("6.0", source="green")]
    assert ("pkg:pypi/django", "contradiction", "drift", "low") in told(compare([shop()], both))


# -- jobs and components ----------------------------------------------------------------------------------


def cron(replicas: int = 1, **facts: Any) -> Any:
    return stream(
        {"admin": section(facts), "concurrency": section({"replicas": replicas})},
        component="nightly",
        kind="job",
    )


def test_w29_a_job_that_is_suspended_is_a_value_and_not_a_missing_job() -> None:
    """The nightly job of staging is suspended, that of production runs."""
    staging = [shop(), cron(schedule="0 3 * * *", suspended=True)]
    prod = [shop(), cron(schedule="0 3 * * *", suspended=False)]
    assert told(compare(staging, prod)) == [("suspended", "difference", "drift", "info")]


def test_w29_zero_replicas_are_a_value_too() -> None:
    staging, prod = [shop(), cron(replicas=0)], [shop(), cron(replicas=3)]
    assert told(compare(staging, prod)) == [("replicas", "difference", "expected", "info")]


def test_w29_left_out_while_it_is_suspended_it_would_be_a_missing_job() -> None:
    found = compare([shop()], [shop(), cron(schedule="0 3 * * *", suspended=False)])
    assert [one.key.item for one in found.items] == ["job"]


# -- gone, not deployed, not seen -------------------------------------------------------------------------


def test_w34_a_service_that_production_lost_is_one_drift() -> None:
    """Somebody deleted the service in production; a look at the whole cluster finds nothing of it."""
    found = compare(shop(), empty())
    assert told(found) == [("service", "service_gone", "drift", "high")]
    assert only(found, "service").status == "left_only"


def test_w34_without_that_finding_every_fact_would_be_missing() -> None:
    nothing = stream({"dependencies": section({}), "release": section({})})
    found = compare(shop(), nothing)
    assert len(found.items) == 4
    assert not any(one.key.kind == "service_gone" for one in found.items)


def test_w34_what_development_stops_is_no_alarm() -> None:
    assert told(compare(empty(), shop(), pair=DEV_TO_STAGING)) == [
        ("service", "service_gone", "drift", "info")
    ]


def test_w34_a_rule_may_say_that_a_service_may_go() -> None:
    rule = Rule(name="r", match=Match(kind=("service_gone",)), outcome=Outcome(ignore=True))
    assert drifts(compare(shop(), empty(), rules=[rule])) == {}


def test_a_service_that_cannot_be_seen_is_not_gone() -> None:
    blind = stream({"dependencies": failed("denied"), "release": failed("denied")})
    found = compare(shop(), blind)
    assert {one.verdict for one in found.items} <= {"unknown"}
    assert not is_gone(view(blind))


def test_a_file_that_holds_nothing_does_not_make_its_service_gone() -> None:
    nothing: Any = {"config": section({}, basis="declared")}
    assert not is_gone(view(stream(nothing, source="dotenv")))
    assert not is_gone(view(stream({"config": section({})})))  # nor a process without any key
    found = compare({"config": section(keys(A="some text", B="more"))}, nothing)
    assert drifts(found) == {"A": "high", "B": "high"}


def test_a_service_that_both_lost_has_nothing_to_say() -> None:
    assert told(compare(empty(), empty())) == []


# -- other names ------------------------------------------------------------------------------------------


def lone(*services: str, there: dict[str, Any]) -> dict[str, str | None]:
    """Return service -> what it may be called, of lone services of staging."""
    views = {
        "staging": {name: view(shop()) for name in services},
        "prod": {name: view(one, environment="prod") for name, one in there.items()},
    }
    entries = unmatched([("staging", name) for name in services], views, configured=("orders",))
    return {one.service: one.did_you_mean for one in entries}


def test_a_service_under_another_name_is_known_by_its_image() -> None:
    assert lone("orders", there={"orders-api": shop()}) == {"orders": "orders-api"}
    views = {"staging": {"orders": view(shop())}, "prod": {"orders-api": view(shop())}}
    (entry,) = unmatched([("prod", "orders-api")], views, configured=("orders",))
    assert entry.did_you_mean == "orders"
    assert entry.hint == (
        "both run the image acme/shop; where they are one: {name: orders, aliases: [orders-api]}"
    )


def test_a_service_under_another_name_is_known_by_words_of_environments() -> None:
    plain = stream({"dependencies": section({"pkg:pypi/django": "5.2.8"})})
    assert lone("orders-stg", there={"orders-prod-blue": plain}) == {"orders-stg": "orders-prod-blue"}
    assert lone("orders-stg", there={"invoices-prod": plain}) == {"orders-stg": None}


def test_one_image_of_many_services_tells_nothing_by_itself() -> None:
    """A monorepo: five services run one image."""
    many = {"web": shop(), "worker": shop()}
    assert lone("orders", there=many) == {"orders": None}
    assert lone("worker-stg", there=many) == {"worker-stg": "worker"}
