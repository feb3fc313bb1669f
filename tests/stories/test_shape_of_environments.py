"""The shape of environments: what stands beside what, what is gone, and what was never there."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from detector.alerts.wording import title_of
from detector.config.comparisons import default_comparisons
from detector.config.models import Environment as EnvironmentEntry
from detector.engine.comparison import Comparison, ServiceVerdicts, State
from detector.engine.gone import is_gone
from detector.engine.one_image import told_once
from detector.engine.policy import Environment, Pair, Service
from detector.engine.rules import Match, Outcome, Rule
from detector.engine.unmatched import unmatched
from detector.model.facts import Section
from detector.model.words import SEVERITIES
from tests.builders import (
    DEV,
    STAGING,
    STAGING_TO_PROD,
    ago,
    compare,
    drifts,
    failed,
    interval,
    keys,
    only,
    section,
    stream,
    told,
    view,
)

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
    """The same two task sets, when nobody says which of them takes traffic."""
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
    """Somebody scaled the job of staging to nothing."""
    staging, prod = [shop(), cron(replicas=0)], [shop(), cron(replicas=3)]
    assert told(compare(staging, prod)) == [("replicas", "difference", "expected", "info")]


def test_w29_left_out_while_it_is_suspended_it_would_be_a_missing_job() -> None:
    """A collector that lists only what runs does not see the job of staging."""
    found = compare([shop()], [shop(), cron(schedule="0 3 * * *", suspended=False)])
    assert [one.key.item for one in found.items] == ["job"]


# -- gone, not deployed, not seen -------------------------------------------------------------------------


def test_w34_a_service_that_production_lost_is_one_drift() -> None:
    """Somebody deleted the service in production; a look at the whole cluster finds nothing of it."""
    found = compare(shop(), empty())
    assert told(found) == [("service", "service_gone", "drift", "high")]
    assert only(found, "service").status == "left_only"


def test_w34_without_that_finding_every_fact_would_be_missing() -> None:
    """An empty look like any other: each fact for itself, and none that says what happened."""
    nothing = stream({"dependencies": section({}), "release": section({})})
    found = compare(shop(), nothing)
    assert len(found.items) == 4
    assert not any(one.key.kind == "service_gone" for one in found.items)


def test_w34_what_development_stops_is_no_alarm() -> None:
    """Developers stop what they do not work on."""
    assert told(compare(empty(), shop(), pair=DEV_TO_STAGING)) == [
        ("service", "service_gone", "drift", "info")
    ]


def test_w34_a_rule_may_say_that_a_service_may_go() -> None:
    """It was taken out of service, and everybody knows."""
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


# -- peers ------------------------------------------------------------------------------------------------

EU = Environment(name="prod-eu", tier="production", group="prod")
US = Environment(name="prod-us", tier="production", group="prod")
REGIONS = Pair(left=EU, right=US, peers=True)


def region(tag: str) -> Any:
    return {"release": section({"image#repository": "acme/shop", "image#tag": tag})}


def first_in(environment: str, days: float) -> dict[Any, Any]:
    """Return histories in which one region got 1.5.0 some days ago, and the other has 1.4.2 as before."""
    new = [interval("1.4.2", ago(days=90), ago(days=days)), interval("1.5.0", ago(days=days))]
    return {
        (name, ("main", "release", "image#tag")): new
        if name == environment
        else [interval("1.4.2", ago(days=90))]
        for name in ("prod-eu", "prod-us")
    }


@pytest.mark.parametrize("first", ["prod-eu", "prod-us"])
def test_w1_a_release_that_reached_one_region_first_is_expected_for_a_day(first: str) -> None:
    """Two regions of production are one group. A release goes out to either of them before the other."""
    tags = ("1.5.0", "1.4.2") if first == "prod-eu" else ("1.4.2", "1.5.0")

    def verdict(days: float) -> Any:
        return only(compare(*map(region, tags), pair=REGIONS, histories=first_in(first, days)), "image#tag")

    assert [verdict(days).verdict for days in (0.1, 0.9, 1, 5)] == ["expected", "expected", "drift", "drift"]
    # Nobody promotes from one region to the other, so neither is ahead.
    assert {verdict(days).direction for days in (0.1, 5)} == {"unordered"}


def test_w1_each_region_is_compared_with_staging_and_the_regions_as_peers() -> None:
    """Nobody wrote a word on comparisons; the group says what the two are to each other."""
    order = [
        EnvironmentEntry.model_validate(entry)
        for entry in ({"name": "staging"}, *({"name": one.name, "group": one.group} for one in (EU, US)))
    ]
    found = [(one.left, one.right, one.peer) for one in default_comparisons(order)]
    assert found == [
        ("staging", "prod-eu", False), ("staging", "prod-us", False), ("prod-eu", "prod-us", True)
    ]  # fmt: skip


def test_w1_without_the_group_the_second_region_would_have_a_fix_that_never_came_back() -> None:
    """The same two regions, each a stage of its own: what comes later in the order may not be ahead."""
    stages = Pair(left=replace(EU, group=None), right=replace(US, group=None))
    found = compare(region("1.4.2"), region("1.5.0"), pair=stages, histories=first_in("prod-us", 0.1))
    one = only(found, "image#tag")
    assert (one.verdict, one.direction) == ("drift", "right_ahead")


ACME = Environment(name="prod-acme", tier="production", group="prod")
BMW = Environment(name="prod-bmw", tier="production", group="prod")
PEERS = Pair(left=ACME, right=BMW, peers=True)
TENANTS = replace(PEERS, spread=True)


def since(days: float, django: str, tag: str, environment: str) -> dict[Any, Any]:
    """Return histories in which a tenant has had a release for some days, and another before."""
    before = {"pkg:pypi/django": "4.0", "image#tag": "0.9"}
    now = {"pkg:pypi/django": ("dependencies", django), "image#tag": ("release", tag)}
    return {
        (environment, ("main", section_, item)): [
            interval(before[item], ago(days=100), ago(days=days)),
            interval(value, ago(days=days)),
        ]
        for item, (section_, value) in now.items()
    }


def tenant(django: str, tag: str) -> Any:
    release = {"image#repository": "acme/shop", "image#tag": tag}
    return stream({"dependencies": section({"pkg:pypi/django": django}), "release": section(release)})


def test_w35_tenants_may_be_at_versions_of_their_own() -> None:
    """Two tenants, one on the release of this week and one on that of last week."""
    sides = tenant("5.2.8", "1.5.0"), tenant("4.2.26", "1.4.0")
    histories = {**since(3, "5.2.8", "1.5.0", "prod-acme"), **since(60, "4.2.26", "1.4.0", "prod-bmw")}
    for pair in (TENANTS, replace(TENANTS, left=BMW, right=ACME)):
        ordered = sides if pair.left is ACME else sides[::-1]
        found = compare(*ordered, pair=pair, histories=histories)
        assert {one.verdict for one in found.items} == {"expected"}
        assert {one.direction for one in found.items} == {"unordered"}  # nobody promotes to anybody


def test_w35_a_tenant_that_stays_behind_is_an_outlier() -> None:
    """The same two, but the newer release is a month old and one tenant never got it."""
    sides = tenant("5.2.8", "1.5.0"), tenant("4.2.26", "1.4.0")
    histories = {**since(30, "5.2.8", "1.5.0", "prod-acme"), **since(60, "4.2.26", "1.4.0", "prod-bmw")}
    for pair in (TENANTS, replace(TENANTS, left=BMW, right=ACME)):
        ordered = sides if pair.left is ACME else sides[::-1]
        assert set(drifts(compare(*ordered, pair=pair, histories=histories))) == {
            "pkg:pypi/django",
            "image#tag",
        }


def test_w35_as_plain_peers_both_would_be_drift_after_a_day() -> None:
    """The same two, where nobody says that tenants may be apart."""
    sides = tenant("5.2.8", "1.5.0"), tenant("4.2.26", "1.4.0")
    histories = {**since(3, "5.2.8", "1.5.0", "prod-acme"), **since(60, "4.2.26", "1.4.0", "prod-bmw")}
    assert set(drifts(compare(*sides, pair=PEERS, histories=histories))) == {"pkg:pypi/django", "image#tag"}


def test_w35_a_key_that_one_tenant_lacks_is_drift_all_the_same() -> None:
    """A version of one's own is no licence to lack config."""
    sides: list[Any] = [{"config": section(keys(some))} for some in ({"A": "text", "B": "text"}, {"A": "x"})]
    place = ("main", "config", "B")
    histories = {("prod-acme", place): [interval({"type": "text"}, ago(days=2))]}
    assert set(drifts(compare(*sides, pair=TENANTS, histories=histories))) == {"B"}


EQUAL = Rule(name="equal", match=Match(item=("PARTNER_KEY",)), outcome=Outcome(expect="equal"))


def rotated(days: float) -> Any:
    """Return two regions of one key, of which the first got another value some days ago."""
    new, old = keys(PARTNER_KEY="a new one")["PARTNER_KEY"], keys(PARTNER_KEY="the old one")["PARTNER_KEY"]
    place = ("main", "config", "PARTNER_KEY")
    histories = {
        ("prod-acme", place): [interval(old, ago(days=90), ago(days=days)), interval(new, ago(days=days))],
        ("prod-bmw", place): [interval(old, ago(days=90))],
    }
    sides: list[Any] = [{"config": section({"PARTNER_KEY": value})} for value in (new, old)]
    return sides, histories


def test_w48_a_key_that_must_be_equal_may_be_rotated_in_one_region_first() -> None:
    """The key of a partner: eu gets the new one on Monday, us some hours later."""
    sides, histories = rotated(0.3)
    assert told(compare(*sides, pair=PEERS, rules=[EQUAL], histories=histories)) == [
        ("PARTNER_KEY", "difference", "expected", "medium")
    ]
    held = only(compare(*sides, pair=PEERS, rules=[EQUAL], histories=histories), "PARTNER_KEY")
    assert held.review_at == ago(days=0.3) + timedelta(days=1)


def test_w48_a_key_that_nobody_rotated_in_the_other_region_is_drift_after_a_day() -> None:
    """Thursday came and went."""
    sides, histories = rotated(3)
    assert drifts(compare(*sides, pair=PEERS, rules=[EQUAL], histories=histories)) == {
        "PARTNER_KEY": "medium"
    }


def test_w48_without_the_skew_of_peers_the_rotation_would_be_drift_at_once() -> None:
    """The same two regions, which nobody calls a group."""
    sides, histories = rotated(0.3)
    pair = Pair(left=replace(ACME, group=None), right=replace(BMW, group=None))
    assert drifts(compare(*sides, pair=pair, rules=[EQUAL], histories=histories)) == {"PARTNER_KEY": "medium"}


# -- what several services share --------------------------------------------------------------------------


def test_w30_the_shared_server_is_one_drift_that_says_whom_it_affects() -> None:
    """Twelve services on one database; its engine differs between staging and production."""
    apps = tuple(f"app-{number}" for number in range(12))
    database = Service(name="shop-db", kind="backing_service", used_by=apps)
    sides: list[Any] = [
        {"backing_services": section({"main#product": "postgresql", "main#version": version})}
        for version in ("16.4", "14.11")
    ]
    found = compare(*sides, service=database)
    assert drifts(found) == {"main#version": "critical"}
    one = only(found, "main#version")
    assert one.affects == apps
    title = title_of(one.document(), "staging", "prod")
    assert title == "shop-db · version 16.4 → 14.11, affects 12 services"


def test_w30_as_a_fact_of_every_service_it_would_be_twelve_criticals() -> None:
    """The same server, told by each of the services that use it."""
    facts = {"db#product": "postgresql"}
    sides: list[Any] = [
        {"backing_services": section({**facts, "db#version": version})} for version in ("16.4", "14.11")
    ]
    naive = [compare(*sides, service=Service(name=f"app-{number}")) for number in range(12)]
    assert sum(len(drifts(found)) for found in naive) == 12


def of_the_monorepo(tag: str, django: str, celery: str) -> Any:
    release = {"image#repository": "acme/mono", "image#tag": tag, "image#digest": f"sha256:{tag}"}
    facts = {"pkg:pypi/django": django, "pkg:pypi/celery": celery}
    return {"release": section(release), "dependencies": section(facts)}


def five(**more: Any) -> list[ServiceVerdicts]:
    """Return five services of one image, of which production runs another one than staging."""
    older, newer = of_the_monorepo("1.4.2", "4.2.26", "5.3.0"), of_the_monorepo("1.5.0", "5.2.8", "5.4.0")
    sides = (newer, older) if more.pop("ahead", True) else (older, newer)
    return [compare(*sides, service=Service(name=f"app-{number}"), **more) for number in range(5)]


def counts(services: Sequence[ServiceVerdicts]) -> tuple[int, int]:
    """Return how many drifts people are told of, and how many those explain."""
    state = State(expression="x")
    summary = Comparison(pair=STAGING_TO_PROD, left=state, right=state, services=tuple(services)).summary()
    return sum(summary[severity] for severity in SEVERITIES), summary["children"]


SPENT = {("staging", ("main", "release", "image#tag")): [interval("1.5.0", ago(days=30))]}


def test_w31_one_image_of_five_services_is_one_cause() -> None:
    """A monorepo: one image, five services, three differences in it. The lead of its release is spent."""
    found = told_once(five(histories=SPENT), first_cause=9)
    assert counts(found) == (1, 14)
    (cause,) = [cause for verdicts in found for cause in verdicts.causes]
    assert (cause.kind, cause.title, len(cause.children)) == ("release", "release 1.5.0 → 1.4.2", 14)
    assert cause.document()["affects"] == [f"app-{number}" for number in range(5)]


def test_w31_also_where_production_is_ahead_and_no_release_leads() -> None:
    """Production has the newer image: a drift of the tag, and all that is in it."""
    found = told_once(five(ahead=False), first_cause=9)
    assert counts(found) == (3, 12)
    (cause,) = [cause for verdicts in found for cause in verdicts.causes]
    assert (cause.id, cause.kind, cause.title) == ("c9", "image", "image 1.4.2 → 1.5.0")


def test_w31_told_for_each_service_it_would_be_five_of_everything() -> None:
    """The same five, each told for itself."""
    assert counts(five(histories=SPENT)) == (5, 10)
    assert counts(five(ahead=False)) == (15, 0)


def test_w31_another_image_of_the_same_tag_is_another_cause() -> None:
    """A sixth service has the same tag, and other content under it."""
    services = five(ahead=False)
    other = of_the_monorepo("1.5.0", "5.2.8", "5.4.0")
    other["release"] = section({**other["release"].facts, "image#digest": "sha256:other"})
    stranger = compare(of_the_monorepo("1.4.2", "4.2.26", "5.3.0"), other, service=Service(name="stranger"))
    assert counts(told_once([*services, stranger], first_cause=9)) == (6, 12)


def test_w31_what_only_one_of_them_lacks_stays_its_own() -> None:
    """One of them lacks a key, which no image explains."""
    services = five(ahead=False)
    lacking = of_the_monorepo("1.5.0", "5.2.8", "5.4.0")
    sides = {**of_the_monorepo("1.4.2", "4.2.26", "5.3.0"), "config": section(keys(A="some text"))}
    one = compare(sides, {**lacking, "config": section({})}, service=Service(name="zebra"))
    found = told_once([*services, one], first_cause=9)
    assert drifts(found[-1])["A"] == "high"
    assert only(found[-1], "A").cause is None


def served_by(server: str) -> Any:
    return {"processes": section({"server": server, "user": "app"})}


def test_production_behind_a_development_server_is_high() -> None:
    """Somebody copied the command of the laptop: `flask run` answers in production."""
    found = compare(served_by("gunicorn"), served_by("flask-development"))
    assert ("server", "development_server", "drift", "high") in told(found)
    assert drifts(found) == {"server": "high"}
    (one,) = [one for one in found.items if one.verdict == "drift"]
    assert (one.comparison, one.remedy) == ("prod", "in prod: start shop with a server for production")


def test_a_development_server_in_development_is_what_it_is_for() -> None:
    assert drifts(compare(served_by("flask-development"), served_by("gunicorn"), pair=DEV_TO_STAGING)) == {}
    assert drifts(compare(served_by("gunicorn"), served_by("uvicorn"))) == {}
