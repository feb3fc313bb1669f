"""The gate over the interface: what is, and what would be after a promotion."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.api.house import House, record

NOW = datetime.now(UTC)


async def at(here: House, environment: str, tag: str, *, minutes: float, **more: Any) -> None:
    """Record checkout at a release, some minutes ago."""
    keys = {"DATABASE_URL": {"type": "url"}, **{name: {"type": "text"} for name in more.get("keys", ())}}
    await record(
        here,
        environment,
        "checkout",
        {
            "dependencies": {"pkg:pypi/django": more.get("django", "5.2")},
            "config": keys,
            "release": {"image#repository": "acme/checkout", "image#tag": tag},
            "admin": {"migration/django": more.get("head", "0041_a")},
        },
        at=NOW - timedelta(minutes=minutes),
    )


async def servers(here: House, *, staging: str = "16.3", prod: str = "14.11") -> None:
    for environment, version in (("staging", staging), ("prod-eu", prod)):
        facts = {"main#product": "postgresql", "main#version": version}
        await record(here, environment, "shop-db", {"backing_services": facts}, at=NOW - timedelta(minutes=9))


@pytest.fixture
async def leading(empty: House) -> House:
    """Release 1.5 is in staging, with a key and a migration that production lacks, on a newer server."""
    await at(empty, "staging", "1.5", minutes=2, keys=["STRIPE_KEY"], head="0042_b", django="5.3")
    await at(empty, "prod-eu", "1.4", minutes=2)
    await servers(empty)
    await empty.settle()
    return empty


async def test_one_sentence_for_each_service(leading: House) -> None:
    document = await leading.json("/api/v1/gate?promote=staging&allow_incomplete=true")
    assert (document["exit_code"], document["promote"]["to"]) == (1, ["prod-eu"])
    assert [one["sentence"] for one in document["services"]] == [
        "checkout 1.5 → prod-eu: 1 key missing, 1 migration pending, PostgreSQL 16→14; closes 2"
    ]
    (service,) = document["services"]
    assert [one["item"] for one in service["missing"]] == ["STRIPE_KEY"]
    assert service["missing"][0]["remedy"].startswith("in prod-eu: set STRIPE_KEY")


async def test_w8_a_key_that_the_leading_release_needs_is_due_in_the_gate_and_silent_elsewhere(
    leading: House,
) -> None:
    """Staging has release 1.5 with a new key; production is on 1.4, within the lead."""
    for path, verdict in (("diff?left=staging&right=prod-eu", "expected"), ("gate", "drift")):
        document = await leading.json(f"/api/v1/{path}")
        document = document["comparisons"][0] if path == "gate" else document
        (key,) = [one for one in document["items"] if one["item"] == "STRIPE_KEY"]
        assert (key["due"], key["verdict"], key["severity"]) == (True, verdict, "high")
    register = (await leading.json("/api/v1/drift?service=checkout"))["items"]
    assert "STRIPE_KEY" not in [one["item"] for one in register]


async def test_w14_an_image_that_staging_already_left_is_looked_up_where_it_ran(empty: House) -> None:
    """Staging went on to 1.6, which needs one key more; the pipeline promotes 1.5."""
    await at(empty, "staging", "1.5", minutes=30, keys=["STRIPE_KEY"])
    await at(empty, "staging", "1.6", minutes=10, keys=["STRIPE_KEY", "PAYPAL_KEY"])
    await at(empty, "prod-eu", "1.4", minutes=5)
    await empty.settle()
    for image in ("1.5", "acme/checkout:1.5", "registry.example/acme/checkout:1.5"):
        document = await empty.json(f"/api/v1/gate?promote={image}&allow_incomplete=true")
        (service,) = document["services"]
        assert (service["release"], [one["item"] for one in service["missing"]]) == ("1.5", ["STRIPE_KEY"])
        assert document["exit_code"] == 1
    # What stands in staging now is another question.
    now = await empty.json("/api/v1/gate?promote=staging&allow_incomplete=true")
    assert [one["item"] for one in now["services"][0]["missing"]] == ["PAYPAL_KEY", "STRIPE_KEY"]


async def test_w14_the_same_comparison_of_today_would_let_it_pass(empty: House) -> None:
    """Staging was rolled back to what production runs: today nothing differs, and 1.5 still needs its key."""
    await at(empty, "staging", "1.5", minutes=30, keys=["STRIPE_KEY"])
    await at(empty, "staging", "1.4", minutes=10)
    await at(empty, "prod-eu", "1.4", minutes=5)
    await servers(empty, prod="16.3")
    await empty.settle()
    assert (await empty.json("/api/v1/gate?allow_incomplete=true"))["exit_code"] == 0
    assert (await empty.json("/api/v1/gate?promote=1.5&allow_incomplete=true"))["exit_code"] == 1


async def test_a_promotion_that_meets_nothing_may_go(empty: House) -> None:
    await at(empty, "staging", "1.5", minutes=2)
    await at(empty, "prod-eu", "1.4", minutes=2)
    await servers(empty, prod="16.3")
    await empty.settle()
    document = await empty.json("/api/v1/gate?promote=staging&allow_incomplete=true")
    assert document["exit_code"] == 0
    assert document["services"][0]["sentence"] == (
        "checkout 1.5 → prod-eu: nothing stands against it; closes 1"
    )


async def test_what_was_never_seen_cannot_be_told(leading: House) -> None:
    # search has sources, and none of them ever ran.
    await at(leading, "prod-eu", "1.5", minutes=1, keys=["STRIPE_KEY"], head="0042_b", django="5.3")
    await servers(leading, prod="16.3")
    assert (await leading.json("/api/v1/gate?promote=staging&fail_on=critical"))["exit_code"] == 3


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("promote=stagign", 404, "did you mean staging?"),
        ("promote=9.9", 404, "no image of that name was ever seen"),
        ("promote=acme/other:1.5", 404, "no image of that name"),
        ("promote=prod-eu", 422, "nothing is promoted from prod-eu"),
        ("promote=prod-eu&to=staging", 422, "it does not come before it"),
        ("promote=staging&to=nowhere", 404, "no environment nowhere"),
        ("to=prod-eu", 422, "give promote as well"),
        ("promote=1.4", 422, "was seen in prod-eu alone"),
        ("fail_on=awful", 422, "fail_on"),
    ],
)
async def test_a_promotion_that_means_nothing_is_refused(
    leading: House, query: str, status: int, words: str
) -> None:
    response = await leading.get(f"/api/v1/gate?{query}")
    assert response.status == status
    assert words in (await response.json(content_type=None))["detail"]


async def test_rules_in_force_say_what_they_hide(leading: House) -> None:
    items = (await leading.json("/api/v1/rules"))["items"]
    assert items[0]["rule"] == "default/rest"
    assert all(one["shipped"] and one["now"] is None for one in items)


async def test_rules_with_errors_never_replace_those_in_force(leading: House) -> None:
    path = leading.running.reading.settings.config.path
    good = path.read_text()
    path.write_text(good + "rules: [{match: {item: STRIPE_KEY}, ignore: true}]\n")
    assert (await leading.ask("POST", "/-/reload", who="admin")).status == 200
    (mine,) = [one for one in (await leading.json("/api/v1/rules"))["items"] if not one["shipped"]]
    assert mine["now"]["matches"] == 1
    path.write_text(good + "rules: [{match: {sektion: config}, ignore: true}]\n")
    refused = await leading.ask("POST", "/-/reload", who="admin")
    assert refused.status == 422
    problem = await refused.json(content_type=None)
    assert problem["detail"] == "parity.yml has problems; the old one stays in force"
    assert "did you mean section?" in problem["errors"][0]["message"]
    after = [one for one in (await leading.json("/api/v1/rules"))["items"] if not one["shipped"]]
    assert [one["rule"] for one in after] == [mine["rule"]]
    explained = await leading.json(
        "/api/v1/explain?left=staging&right=prod-eu&service=checkout&item=STRIPE_KEY"
    )
    assert explained["because"] == f"{mine['rule']} hides it"
