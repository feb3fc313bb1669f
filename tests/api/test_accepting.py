"""Accept, reopen, list and end: acknowledged when it is committed, and done once."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from detector.store.register_tables import audit_event
from tests.api.house import CONFIG, House, house, record
from tests.cli.conftest import Answer, as_process

DJANGO = "pkg:pypi/django"
FUTURE = (datetime.now(UTC) + timedelta(days=20)).date().isoformat()
BODY = {"reason": "waits for the LTS", "expires": FUTURE}


async def drift(here: House, item: str = DJANGO) -> dict[str, Any]:
    found = await here.json("/api/v1/drift?comparison=staging..prod-eu")
    (one,) = [each for each in found["items"] if each["item"] == item]
    return dict(one)


async def post(here: House, path: str, body: Any = None, *, who: str = "write", **headers: str) -> Any:
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return await here.ask("POST", f"/api/v1{path}", who=who, json=body, headers=headers)


async def accepted(here: House, **more: Any) -> dict[str, Any]:
    one = await drift(here)
    response = await post(here, f"/drift/{one['drift_id']}/accept", {**BODY, **more})
    assert response.status == 200, await response.text()
    return dict(await response.json())


async def test_an_accepted_drift_says_who_why_and_until_when_everywhere(seeded: House) -> None:
    made = await accepted(seeded, until="changed")
    assert (made["author"], made["hides"], made["state"]) == ("write", 1, "in_force")
    one = await drift(seeded)
    assert (one["state"], one["verdict"]) == ("accepted", "accepted")
    assert one["accepted"]["reason"] == "waits for the LTS"
    assert (one["events"][-1]["event"], one["events"][-1]["actor"]) == ("accepted", "write")
    found = await seeded.json("/api/v1/diff?left=staging&right=prod-eu")
    (item,) = [each for each in found["items"] if each["item"] == DJANGO]
    assert (item["verdict"], item["rule"]) == ("accepted", f"acceptance {made['id']} by write")
    assert found["summary"]["accepted"] == 1
    page = await seeded.get(f"/drift/{one['drift_id']}")
    assert "waits for the LTS" in await page.text()
    # The judgement after it finds the same and writes nothing.
    events = len(one["events"])
    await seeded.settle()
    assert len((await drift(seeded))["events"]) == events


async def test_accepting_owes_no_alert_and_its_end_owes_one(seeded: House) -> None:
    store = seeded.running.reading.store
    before = await store.outbox_size()
    made = await accepted(seeded, until="changed")
    await seeded.settle()
    assert await store.outbox_size() == before
    response = await seeded.ask("DELETE", f"/api/v1/accepted/{made['id']}", who="write")
    assert (response.status, (await response.json())["why"]) == (200, "write took it back")
    assert await store.outbox_size() == before + 1
    one = await drift(seeded)
    assert [each["event"] for each in one["events"][-2:]] == ["acceptance_ended", "reopened"]
    assert one["events"][-1]["note"].endswith("ended: write took it back")
    assert one["state"] == "open"
    again = await seeded.ask("DELETE", f"/api/v1/accepted/{made['id']}", who="write")
    assert again.status == 409


async def test_a_changed_difference_reopens_by_itself_and_says_whose_acceptance_it_was(
    seeded: House,
) -> None:
    await accepted(seeded, until="changed")
    facts: Any = {"dependencies": {DJANGO: "5.2.9", "pkg:pypi/urllib3": "2.5.0"}}
    await record(seeded, "prod-eu", "checkout", facts)
    await seeded.settle()
    one = await drift(seeded)
    (ended,) = [each for each in one["events"] if each["event"] == "acceptance_ended"]
    assert ended["note"] == f"acceptance of write until {FUTURE} ended: the difference changed"
    assert one["accepted"] is None
    (gone,) = (await seeded.json("/api/v1/accepted?state=ended"))["items"]
    assert gone["why"] == "the difference changed"


async def test_reopening_one_leaves_the_rest_of_a_wide_acceptance(seeded: House) -> None:
    body = {**BODY, "match": {"service": "checkout"}, "until": "resolved"}
    made = await (await post(seeded, "/accepted", body)).json()
    assert made["hides"] >= 2
    one = await drift(seeded)
    response = await post(seeded, f"/drift/{one['drift_id']}/reopen")
    assert (response.status, await response.json()) == (
        200,
        {"drift_id": one["drift_id"], "state": "open"},
    )
    await seeded.settle()
    assert (await drift(seeded))["state"] == "open"
    assert (await drift(seeded, "STRIPE_WEBHOOK_SECRET"))["state"] == "accepted"
    (listed,) = (await seeded.json("/api/v1/accepted"))["items"]
    assert (listed["holds_for"], listed["held_for"]) == (made["hides"] - 1, made["hides"])
    twice = await post(seeded, f"/drift/{one['drift_id']}/reopen")
    assert twice.status == 409


async def test_a_baseline_holds_for_what_is_open_now_and_for_nothing_after(seeded: House) -> None:
    made = await (await post(seeded, "/accepted", {**BODY, "match": {}, "baseline": True})).json()
    assert made["hides"] == 3
    found = await seeded.json("/api/v1/diff?left=staging&right=prod-eu")
    assert [item for item in found["items"] if item["verdict"] == "drift"] == []
    await record(seeded, "prod-eu", "checkout", {"config": {}})
    await seeded.settle()
    assert (await drift(seeded, "DATABASE_URL"))["state"] != "accepted"


async def test_the_command_line_asks_a_service_for_what_is_hidden_and_for_what_may_be_meant(
    seeded: House, tmp_path: Path
) -> None:
    await accepted(seeded)

    async def parity(*words: str) -> Answer:
        environ = {"PARITY_TOKEN": seeded.tokens["admin"], "PARITY_SERVER": seeded.url}
        return await asyncio.to_thread(as_process, "accept", *words, cwd=tmp_path, **environ)

    listed = await parity("--list")
    assert listed.out.splitlines()[2] == "  holds for 1 of 1: django of checkout in staging..prod-eu"
    refused = await parity("staging..prod-eu", "chekout", "django", "--reason", "r", "--for", "1d")
    assert (refused.code, refused.why) == (2, "parity: no service chekout (did you mean checkout?)")


async def test_the_same_key_is_answered_as_the_first_time_and_does_nothing_twice(seeded: House) -> None:
    one = await drift(seeded)
    path = f"/drift/{one['drift_id']}/accept"
    first = await post(seeded, path, BODY, Idempotency_Key="k-1")
    second = await post(seeded, path, BODY, Idempotency_Key="k-1")
    assert (await first.text(), second.status) == (await second.text(), 200)
    assert second.headers["Idempotency-Replayed"] == "true"
    assert len((await seeded.json("/api/v1/accepted"))["items"]) == 1
    other = await post(seeded, path, {**BODY, "reason": "another"}, Idempotency_Key="k-1")
    assert (other.status, (await other.json())["type"]) == (422, "/problems/idempotency-key-reused")
    # Another asker's key is another key.
    assert (await post(seeded, path, BODY, who="admin", Idempotency_Key="k-1")).status == 200
    assert (await post(seeded, path, BODY, Idempotency_Key="a b")).status == 400


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"expires": FUTURE}, "/reason"),
        ({"reason": " ", "expires": FUTURE}, "/reason"),
        ({"reason": "a"}, "/expires"),
        ({**BODY, "for": "3d"}, "/expires"),
        ({"reason": "a", "expires": "2020-01-01"}, "/expires"),
        ({"reason": "a", "expires": "2026-02-30"}, "/expires"),
        ({"reason": "a", "for": "soon"}, "/for"),
        ({"reason": "a", "for": "999999y"}, "/for"),
        ({**BODY, "until": "never"}, "/until"),
        ({**BODY, "author": "somebody else"}, "/author"),
    ],
)
async def test_what_is_wrong_in_an_acceptance_is_pointed_at(
    seeded: House, body: dict[str, Any], pointer: str
) -> None:
    one = await drift(seeded)
    response = await post(seeded, f"/drift/{one['drift_id']}/accept", body)
    assert response.status == 422
    assert [each["pointer"] for each in (await response.json())["errors"]] == [pointer]
    assert (await drift(seeded))["state"] != "accepted"


async def test_refusals(seeded: House) -> None:
    one = await drift(seeded)
    path = f"/drift/{one['drift_id']}/accept"
    assert (await post(seeded, path, BODY, who="read")).status == 403
    assert (await post(seeded, "/drift/01JD9W3Z6M6C3Y9S5V2H3R7K1A/accept", BODY)).status == 404
    assert (await post(seeded, f"/drift/{one['drift_id']}/reopen")).status == 409
    assert (await post(seeded, path, {**BODY, "expires": "2199-01-01"})).status == 422
    broad = await post(seeded, "/accepted", {**BODY, "match": {"item": "*"}})
    assert (broad.status, (await broad.json())["type"]) == (422, "/problems/rule-too-broad")
    long = await post(seeded, "/accepted", {**BODY, "match": {"item": "(a+)+$" * 2000}})
    assert (long.status, (await long.json())["errors"][0]["pointer"][:11]) == (422, "/match/item")
    nothing = await post(seeded, "/accepted", {**BODY, "match": {"item": "nothing"}, "baseline": True})
    assert nothing.status == 422
    assert (await seeded.ask("DELETE", "/api/v1/accepted/none", who="write")).status == 404


async def test_every_act_is_in_the_audit_log(seeded: House) -> None:
    made = await accepted(seeded)
    await seeded.ask("DELETE", f"/api/v1/accepted/{made['id']}", who="write")
    database = seeded.running.reading.store._database
    async with database.read() as connection:
        acts = (await connection.execute(audit_event.select())).all()
    assert [(act.actor, act.action) for act in acts] == [
        ("write", "drift.accept"),
        ("write", "acceptance.end"),
    ]


async def test_what_an_accepted_cause_explains_follows_it_within_a_review(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        for environment, version, extension in (("staging", "16.3", "2"), ("prod-eu", "14.11", "1")):
            facts = {
                "main#product": "postgresql",
                "main#version": version,
                "main#extension/a": extension,
            }
            for _ in range(2):
                await record(here, environment, "shop-db", {"backing_services": facts})
        await here.settle()
        parent = await drift(here, "main#version")
        await post(here, f"/drift/{parent['drift_id']}/accept", BODY)
        await here.running.watch.review(datetime.now(UTC))
        child = await drift(here, "main#extension/a")
        assert (child["state"], child["accepted"]["by_cause"]) == ("accepted", True)
        assert (await post(here, f"/drift/{child['drift_id']}/reopen")).status == 409


async def test_what_a_file_accepts_is_bound_at_first_sight_and_stays_so_over_a_restart(
    tmp_path: Path,
) -> None:
    entry = f"- {{item: {DJANGO!r}, reason: waits, author: anna, expires: {FUTURE}, until: changed}}\n"
    (tmp_path / "accepted.yml").write_text(entry)
    config = f"{CONFIG}accepted_drift: [accepted.yml]\n"

    async def seen(here: House, left: str, right: str) -> dict[str, Any]:
        for environment, version in (("staging", left), ("prod-eu", right)):
            await record(here, environment, "checkout", {"dependencies": {DJANGO: version}})
        await here.settle()
        return await drift(here)

    async with house(tmp_path, config=config) as here:
        one = await seen(here, "4.2.26", "5.2.8")
        assert (one["state"], one["rule"]) == ("accepted", "accepted.yml:1")
        (listed,) = (await here.json("/api/v1/accepted"))["items"]
        assert (listed["place"], listed["holds_for"]) == ("accepted.yml:1", 1)
        ended = await here.ask("DELETE", f"/api/v1/accepted/{listed['id']}", who="write")
        assert (ended.status, "take it out there" in await ended.text()) == (409, True)
    (tmp_path / "accepted.yml").write_text(f"# moved down\n{entry}")
    async with house(tmp_path, config=config) as here:
        assert (await seen(here, "4.2.26", "5.2.8"))["state"] == "accepted"
        one = await seen(here, "4.2.26", "5.2.9")
        (event,) = [each for each in one["events"] if each["event"] == "acceptance_ended"]
        assert event["note"] == f"acceptance of anna until {FUTURE} ended: the difference changed"
        # As it was before it is another time, and the same acceptance is over for it.
        assert (await seen(here, "4.2.26", "5.2.8"))["state"] != "accepted"
    (tmp_path / "accepted.yml").write_text(entry.replace("waits", "waits for longer"))
    async with house(tmp_path, config=config) as here:
        assert (await seen(here, "4.2.26", "5.2.8"))["state"] == "accepted"
        (tmp_path / "accepted.yml").write_text("")
        here.running.reload({})
        one = await seen(here, "4.2.26", "5.2.8")
        assert one["events"][-2]["note"].endswith("ended: it is no longer in accepted.yml")
