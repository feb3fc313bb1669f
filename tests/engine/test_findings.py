"""Findings: what both sides of the production boundary share, and what is wrong inside one environment."""

from itertools import product
from typing import Any

import pytest

from detector.engine.policy import Environment, Pair
from detector.engine.rules import Match, Outcome, Rule
from detector.engine.values import equal_values, identity_of
from tests.builders import (
    DEV,
    DEV_TO_STAGING,
    FINGERPRINTER,
    PROD,
    ROTATED,
    STAGING_TO_PROD,
    compare,
    drifts,
    keys,
    only,
    section,
    stream,
    told,
)

SAME = "one and the same value"
#: Shapes that stand for one value, for others, or for what nobody can tell.
SHAPES = [
    *(
        {"type": kind, "fingerprint": f"{key}:{tag * 32}"}
        for kind in ("text", "url")
        for key, tag in (("k1", "a"), ("k2", "a"), ("k1", "b"))
    ),
    {"type": "text", "fingerprint": "k2:" + "b" * 32},
    *({"type": "text"}, {"type": "empty"}, {"type": "empty", "fingerprint": "k1:" + "a" * 32}, {}),
    *({"type": "text", "opaque": True}, {"type": "empty", "opaque": True}),
]
PLAIN = Pair(left=Environment(name="a"), right=Environment(name="b"))


def shared(name: str, value: str = SAME, *, pair: Pair = STAGING_TO_PROD, **more: Any) -> list[str]:
    """Return the kinds of findings where both sides have one value under one key."""
    side: Any = {"config": section(keys({name: value}, **more))}
    return [line[1] for line in told(compare(side, side, pair=pair))]


@pytest.mark.parametrize(("one", "other"), [*product(SHAPES, SHAPES)])
def test_two_values_have_one_identity_where_they_are_known_to_be_equal(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    alike = identity_of(one) is not None and identity_of(one) == identity_of(other)
    assert alike == (equal_values(one, other) is True)


@pytest.mark.parametrize(
    "name",
    ["STRIPE_SECRET", "API_TOKEN", "DB_PASSWORD", "JWT_PRIVATE_KEY", "DJANGO_SECRET_KEY", "MAPS_API_KEY",
     "SECRET", "TOKEN", "PASSWORD", "PRIVATE_KEY", "SECRET_KEY", "API_KEY",
     "session_secret", "spring.datasource.password", "billing/stripe-api-key"],
)  # fmt: skip
def test_a_secret_that_production_shares_is_a_finding(name: str) -> None:
    assert shared(name) == ["shared_secret"]


@pytest.mark.parametrize(
    "name",
    ["GPG_KEY", "STRIPE_PUBLISHABLE_KEY", "JWT_PUBLIC_KEY", "EVENTS_PARTITION_KEY", "EVENTS_SORT_KEY",
     "SENTRY_DSN", "WEB_SENTRY_DSN", "TIMEZONE", "TOKENIZER", "SECRETARIAT"],
)  # fmt: skip
def test_public_values_may_be_shared(name: str) -> None:
    assert shared(name) == []


@pytest.mark.parametrize(
    ("url", "kinds"),
    [
        ("https://hooks.example.com/x", []),  # one public address of a third party
        ("https://user:pw@hooks.example.com/x", ["shared_secret"]),
        ("postgres://app:pw@db.example.com/shop", ["shared_endpoint"]),  # the graver of both
        ("postgres://app:pw@10.0.3.7/shop", ["shared_endpoint"]),
        ("postgres://app:pw@localhost/shop", ["loopback_in_production", "shared_secret"]),
        ("postgres://app@db/shop", []),  # another host in each network
        ("postgres://app@db.shop.svc/shop", []),
        ("redis://cache.local:6379/0", []),
        ("smtp://relay.example.com:587", []),  # a relay keeps nothing of whoever uses it
    ],
)
def test_urls_that_both_sides_use(url: str, kinds: list[str]) -> None:
    assert sorted(shared("SOME_URL", url)) == kinds


def test_an_old_dsn_of_sentry_stays_public() -> None:
    assert shared("SENTRY_DSN", "https://public:secret@sentry.example.com/1") == []


@pytest.mark.parametrize(
    ("source_class", "kinds"),
    [
        ("literal", ["shared_secret"]),
        ("env_file", ["shared_secret"]),
        ("image_default", []),
        ("platform", []),
    ],
)
def test_what_the_image_brings_is_never_a_shared_secret(source_class: str, kinds: list[str]) -> None:
    assert shared("BASE_TOKEN", source_class=source_class) == kinds


@pytest.mark.parametrize(
    ("pair", "kinds"),
    [
        (STAGING_TO_PROD, ["shared_secret"]),
        (Pair(left=DEV, right=PROD), ["shared_secret"]),
        (Pair(left=PROD, right=DEV), ["shared_secret"]),
        (DEV_TO_STAGING, []),
        (PLAIN, []),  # without tiers there is no production side
        (Pair(left=PROD, right=Environment(name="prod-us", tier="production"), peers=True), []),
    ],
)
def test_sharing_matters_across_the_production_boundary_alone(pair: Pair, kinds: list[str]) -> None:
    assert shared("API_TOKEN", pair=pair) == kinds


def test_secrets_of_their_own_are_what_both_sides_must_have() -> None:
    left, right = (section(keys(API_TOKEN=value)) for value in ("one of staging", "one of production"))
    items = compare({"config": left}, {"config": right}).items
    assert {(one.key.kind, one.verdict) for one in items} == {("difference", "in_sync")}


def test_a_shared_secret_is_the_same_and_still_drift() -> None:
    side: Any = {"config": section(keys(API_TOKEN=SAME))}
    one = only(compare(side, side), "API_TOKEN", kind="shared_secret")
    assert (one.status, one.verdict, one.severity) == ("same", "drift", "high")


def test_a_shared_endpoint_is_found_under_any_two_keys_and_whoever_logs_in() -> None:
    left: Any = {"config": section(keys(MAIN_DB="postgres://staging:a@db.example.com/shop?sslmode=require"))}
    right: Any = {"config": section(keys(DATABASE_URL="postgresql://prod:b@DB.example.com:5432/shop"))}
    one = only(compare(left, right), "DATABASE_URL", kind="shared_endpoint")
    assert (one.verdict, one.severity, one.status) == ("drift", "critical", "same")


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("postgres://db.example.com/shop", "postgres://db.example.com/shop2"),
        ("postgres://db.example.com/shop", "postgres://db.example.com:5433/shop"),
        ("postgres://db.example.com/shop", "postgres://db2.example.com/shop"),
        ("redis://cache.example.com/0", "redis://cache.example.com/1"),
    ],
)
def test_two_endpoints_are_two(left: str, right: str) -> None:
    sides: Any = [{"config": section(keys(DATABASE_URL=url))} for url in (left, right)]
    assert drifts(compare(*sides)) == {}


@pytest.mark.parametrize(
    ("name", "value", "kinds"),
    [
        ("API_TOKEN", SAME, {"shared_secret"}),
        ("DATABASE_URL", "postgres://a:b@db.example.com/shop", {"shared_endpoint", "shared_secret"}),
        ("PLAIN", SAME, set()),
    ],
)
def test_fingerprints_of_two_keys_can_tell_nothing(name: str, value: str, kinds: set[str]) -> None:
    left: Any = {"config": section(keys({name: value}, fingerprinter=FINGERPRINTER))}
    right: Any = {"config": section(keys({name: value}, fingerprinter=ROTATED))}
    found = told(compare(left, right))
    assert {(line[1], line[2]) for line in found} == {(kind, "unknown") for kind in kinds}


@pytest.mark.parametrize("expect", ["any", "equal"])
def test_a_rule_may_allow_a_secret_to_be_shared(expect: str) -> None:
    rule = Rule(name="r", match=Match(item=("API_TOKEN",)), outcome=Outcome(expect=expect))
    side: Any = {"config": section(keys(API_TOKEN=SAME))}
    assert drifts(compare(side, side, rules=[rule])) == {}


@pytest.mark.parametrize(
    ("side", "kind"),
    [
        ({"config": section(keys(SIGNING="changeme"))}, "placeholder"),
        ({"config": section(keys(QUEUE_URL="amqp://127.0.0.1"))}, "loopback_in_production"),
    ],
)
def test_what_is_wrong_in_production_alone(side: Any, kind: str) -> None:
    assert told(compare({"config": section({})}, side))[-1][1:] == (kind, "drift", "high")
    assert kind not in {line[1] for line in told(compare(side, {"config": section({})}))}


@pytest.mark.parametrize(
    ("facts", "floats"),
    [
        ({"image#tag": "latest"}, True),
        ({"image#tag": "1.4"}, True),
        ({"image#tag": "1.4.2"}, False),
        ({"image#tag": "4f1c2aa"}, False),
    ],
)
def test_a_floating_tag_is_a_low_finding_of_its_environment(facts: Any, *, floats: bool) -> None:
    found = told(compare({"release": section({})}, {"release": section(facts)}))
    assert (("image#tag", "floating", "drift", "low") in found) is floats


@pytest.mark.parametrize(("basis", "floats"), [("declared", True), ("running", False)])
def test_only_what_is_declared_can_float_among_servers(basis: Any, *, floats: bool) -> None:
    facts = {"main#product": "postgresql", "main#version": "16"}
    side: Any = {"backing_services": section(facts, basis=basis)}
    assert ("floating" in {line[1] for line in told(compare(side, side))}) is floats


def test_a_contradiction_inside_one_environment_is_a_low_finding_of_it() -> None:
    streams = [
        stream({"dependencies": section({"pkg:pypi/django": "2.0"})}, source="docker"),
        stream({"dependencies": section({"pkg:pypi/django": "2.1"}, basis="declared")}, source="lockfile"),
    ]
    found = compare(streams, {"dependencies": section({"pkg:pypi/django": "2.0"})})
    one = only(found, "pkg:pypi/django", kind="contradiction")
    assert (one.comparison, one.verdict, one.severity) == ("staging", "drift", "low")
    assert one.left is None


def test_an_agent_beside_the_application_may_be_on_the_machine_itself() -> None:
    config = section(keys(DD_TRACE_AGENT_URL="http://localhost:8126", API_URL="http://localhost:8000"))
    found = compare({"config": config}, {"config": config})
    assert {one.key.item for one in found.items if one.key.kind == "loopback_in_production"} == {"API_URL"}
