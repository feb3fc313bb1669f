import pytest

from detector.alerts.routing import Destination, Digest, Route, Routing
from detector.engine.rules import Match
from tests.alerts.documents import Document, body_of, drift

MONDAYS = Digest(cron="0 9 * * 1", timezone="Europe/Berlin")
#: The routes of the documented example.
EXAMPLE = Routing(
    receivers=("payments", "audit"),
    routes=(
        Route(match=Match(severity=">=low"), to="audit", go_on=True),
        Route(match=Match(owner=("team-payments",), severity=">=high"), to="payments"),
        Route(to="payments", digest=MONDAYS),
    ),
)


def key_drift(severity: str) -> Document:
    return drift("STRIPE_KEY", section="config", severity=severity)


def heard(routing: Routing, *items: Document) -> list[str]:
    return [
        f"{way.receiver} later" if way.digest else way.receiver
        for way in routing.destinations(body_of(*items))
    ]


def test_the_first_match_ends_the_search_unless_it_goes_on() -> None:
    assert heard(EXAMPLE, drift(severity="critical")) == ["audit", "payments"]
    assert heard(EXAMPLE, drift(severity="low")) == ["audit", "payments later"]
    last = Routing(routes=(Route(to="first"), Route(to="second")))
    assert heard(last, drift()) == ["first"]


def test_who_hears_one_thing_at_once_waits_for_no_digest() -> None:
    both = [drift("pkg:pypi/a", severity="low"), drift("pkg:pypi/b", severity="high")]
    assert heard(EXAMPLE, *both) == ["audit", "payments"]


@pytest.mark.parametrize(
    "match, hears",
    [
        (Match(), True),
        (Match(owner=("team-payments",)), True),
        (Match(owner=("team-*",)), True),
        (Match(owner=("team-search",)), False),
        (Match(comparison=("staging..prod",)), True),
        (Match(comparison=("*..prod-us",)), False),
        (Match(service=("check*",)), True),
        (Match(section=("dependencies", "config")), True),
        (Match(section=("dependencies",)), False),
        (Match(kind=("shared_secret",)), False),
        (Match(item=("STRIPE_*",)), True),
        (Match(severity="medium"), False),
        (Match(severity=">=medium"), True),
        (Match(severity="high", section=("dependencies",)), False),  # all of a match must agree
    ],
)
def test_a_match_looks_at_the_group_and_at_each_item(match: Match, *, hears: bool) -> None:
    item = key_drift("high")
    assert heard(Routing(routes=(Route(match=match, to="r"),)), item) == (["r"] if hears else [])


def test_one_item_must_fit_a_route_whole() -> None:
    apart = [drift(severity="high"), key_drift("low")]
    route = Route(match=Match(section=("config",), severity=">=high"), to="r")
    assert heard(Routing(routes=(route,)), *apart) == []


def test_a_group_without_an_owner_fits_no_route_of_an_owner() -> None:
    body = body_of(drift(owner=None), owner=None, service="checkout")
    routing = Routing(routes=(Route(match=Match(owner=("team-*",)), to="r"),))
    assert routing.destinations(body) == ()


def test_an_only_receiver_needs_no_routes() -> None:
    assert heard(Routing(receivers=("ops",)), drift(severity="low")) == ["ops"]
    assert heard(Routing(receivers=("ops", "dev")), drift()) == []
    assert heard(Routing(receivers=("ops",))) == []


def test_a_digest_carries_its_times() -> None:
    (audit, payments) = EXAMPLE.destinations(body_of(drift(severity="low")))
    assert (audit, payments) == (
        Destination(receiver="audit"),
        Destination(receiver="payments", digest=MONDAYS),
    )


def test_whoever_may_have_heard_is_known_when_nothing_is_left() -> None:
    assert EXAMPLE.possible(body_of()) == ("audit", "payments")
    assert EXAMPLE.possible(body_of(owner="team-search")) == ("audit", "payments")  # by the last route
    narrow = Routing(routes=(Route(match=Match(owner=("team-search",), item=("x",)), to="search"),))
    assert narrow.possible(body_of()) == ()
    assert narrow.possible(body_of(owner="team-search")) == ("search",)
