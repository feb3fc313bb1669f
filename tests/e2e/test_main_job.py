"""The main job: real parts in four environments, watched by the service, told through every door.

One shop for the whole file. The tests that only look come first, the one that mends and crashes last.
"""

import base64
import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from detector.model.words import SEVERITIES
from tests.e2e.canaries import files_below
from tests.e2e.service import Service, named
from tests.e2e.shop import CHANNEL, LOOPBACK_URL, PLANTED, SHARED_SECRET, Shop
from tests.servers.aws import AwsServer
from tests.servers.browser import Browser
from tests.servers.docker_engine import DockerEngine
from tests.servers.postgres import Postgres15, Postgres18
from tests.servers.redis import Redis6, Redis7
from tests.servers.slack_process import SlackProcess

#: Who owns what: one message for each (comparison, owner).
CONVERSATIONS = {
    "dev..staging team-payments",
    "staging..prod team-payments",
    "staging..prod team-data",
    "staging..prod-us team-payments",
    "staging..prod-us team-data",
    "prod team-payments",
}

COMPARISONS = (("dev", "staging"), ("staging", "prod"), ("staging", "prod-us"), ("prod", "prod-us"))


@pytest.fixture(scope="module")
def shop(
    tmp_path_factory: pytest.TempPathFactory, docker_staging: DockerEngine, docker_prod: DockerEngine
) -> Iterator[Shop]:
    with ExitStack() as stack:
        made = Shop(
            folder=tmp_path_factory.mktemp("shop"),
            staging=docker_staging,
            prod=docker_prod,
            postgres_staging=stack.enter_context(Postgres15()),
            postgres_prod=stack.enter_context(Postgres18()),
            redis_staging=stack.enter_context(Redis7(password=True)),
            redis_prod=stack.enter_context(Redis6(password=True)),
            aws=stack.enter_context(AwsServer()),
            slack=stack.enter_context(SlackProcess()),
        )
        stack.callback(made.close)
        made.build()
        yield made


@pytest.fixture(scope="module")
def service(shop: Shop) -> Iterator[Service]:
    """The service after it told of everything that was planted."""
    with Service(shop.write_config(), shop.port, environment=shop.aws_environment) as running:
        assert running.token is not None
        shop.canaries.known("secret of the admin token", running.token.rpartition("_")[2])
        running.until_open(PLANTED)
        running.until(lambda: len(conversations(shop)) >= len(CONVERSATIONS), "message for each owner")
        yield running


def conversations(shop: Shop) -> dict[str, dict[str, Any]]:
    """The messages in the channel by (comparison, owner); no conversation has two."""
    found: dict[str, dict[str, Any]] = {}
    for message in shop.slack.messages():
        about = message["versions"][-1]["metadata"]["event_payload"]["conversation"]
        name = about.removesuffix(" open").removesuffix(" resolved")
        assert name not in found, f"two messages of {name}"
        found[name] = message
    return found


def test_rest_lists_what_was_planted_and_nothing_else(service: Service) -> None:
    assert named(service.drifts("pending", "open", "accepted", "resolved")) == PLANTED
    differing = set()
    for left, right in COMPARISONS:
        answer = service.get("/api/v1/diff", left=left, right=right).json()
        # Of the code two places are not understood, on purpose; it says nothing of what is set.
        unseen = [part for part in answer["coverage"]["unseen"] if not part["item"].startswith("reads#")]
        assert (answer["complete"], unseen) == (True, [])
        differing |= named(item for item in answer["items"] if item["verdict"] == "drift")
    assert differing == PLANTED


def test_a_drift_of_rest_has_its_life_and_its_evidence(service: Service) -> None:
    for row in service.drifts("open"):
        assert [event["event"] for event in row["events"]] == ["opened", "confirmed"]
        assert (row["pending"], row["verdict"]) == (None, "drift"), row["item"]
        assert row["remedy"]
        assert row["owner"] == ("team-payments" if row["service"] == "checkout" else "team-data")
        alone = service.get(f"/api/v1/drift/{row['drift_id']}").json()
        assert alone["opened_at"] == row["opened_at"]


def test_without_the_token_nobody_is_told(service: Service) -> None:
    token, service.token = service.token, None
    try:
        assert service.get("/api/v1/drift").code == 401
        assert service.get("/livez").code == 200
    finally:
        service.token = token


def test_the_command_line_says_the_same(service: Service) -> None:
    diff = service.cli("diff", "staging", "prod", "-o", "json")
    assert diff.code == 1, diff.err
    drifting = named(item for item in diff.json()["items"] if item["verdict"] == "drift")
    assert drifting == {one for one in PLANTED if one[0] in ("staging..prod", "prod")}
    assert "drift" in diff.err.splitlines()[-1]

    status = service.cli("status")
    assert status.code == 0, status.err
    for word in ("checkout", "shop-db", "cache", "prod-us", "11 of 11 sources seen"):
        assert word in status.out
    gate = service.cli("gate")
    assert gate.code == 1, gate.err


def test_slack_was_told_once_for_each_comparison_and_owner(shop: Shop, service: Service) -> None:
    told = conversations(shop)
    assert set(told) == CONVERSATIONS
    assert {message["channel"] for message in told.values()} == {CHANNEL}
    for comparison, _, _, item in PLANTED:
        speaks = item.removeprefix("main#").removeprefix("pkg:pypi/")
        assert any(
            speaks in json.dumps(message["versions"][-1])
            for name, message in told.items()
            if name.startswith(f"{comparison} ")
        ), item


async def test_the_pages_show_the_same(service: Service, browser: Browser) -> None:
    page = await browser.page(f"{service.url}/")
    await page.fill("input[name=token]", service.token or "")
    await page.click("button[type=submit]")
    await page.wait_for_selector("table.matrix")
    services = await page.locator("table.matrix tbody th[scope=row] a").all_inner_texts()
    assert sorted(services) == ["cache", "checkout", "shop-db"]

    await page.goto(f"{service.url}/diff/staging..prod")
    rows = await page.locator("tbody.item").all()
    shown = [
        (await row.locator(".name").inner_text(), await row.locator("td.state").inner_text()) for row in rows
    ]
    drifting = sorted(name for name, state in shown if any(word in state.lower() for word in SEVERITIES))
    items = [item for comparison, _, _, item in PLANTED if comparison in ("staging..prod", "prod")]
    assert drifting == sorted(item.removeprefix("main#").removeprefix("pkg:pypi/") for item in items)
    assert browser.errors == []
    await page.context.close()


def test_mending_one_cause_resolves_it_behind_every_door_through_a_crash(
    shop: Shop, service: Service
) -> None:
    first = {row["drift_id"]: row["opened_at"] for row in service.drifts("open")}
    told = {name: message["ts"] for name, message in conversations(shop).items()}

    service.kill()
    service.start()
    service.until_open(PLANTED)
    assert {row["drift_id"]: row["opened_at"] for row in service.drifts("open")} == first
    assert {name: message["ts"] for name, message in conversations(shop).items()} == told

    before = len(service.log)
    edits = conversations(shop)["staging..prod team-payments"]["edits"]
    shop.run_prod(shop.canaries.marked("SESSION_SECRET of prod alone"))
    comparison, owner, kind, item = SHARED_SECRET
    service.wait("drift resolved", after=before, comparison=comparison, service=owner, kind=kind, item=item)
    service.kill()  # between the resolve and its delivery, or after: both must end alike
    service.start()
    service.until_open(PLANTED - {SHARED_SECRET})
    service.until(
        lambda: conversations(shop)["staging..prod team-payments"]["edits"] > edits, "edit of the message"
    )
    assert {row["drift_id"] for row in service.drifts("open")} < set(first)
    (over,) = [row for row in service.drifts("resolved") if row["item"] == "SESSION_SECRET"]
    assert (over["drift_id"] in first, over["opened_at"]) == (True, first[over["drift_id"]])
    assert over["resolved_at"] is not None

    diff = service.cli("diff", "staging", "prod", "-o", "json").json()
    assert "SESSION_SECRET" not in {i["item"] for i in diff["items"] if i["verdict"] == "drift"}
    after = conversations(shop)
    assert {name: message["ts"] for name, message in after.items()} == told  # edited, never posted again
    versions = after["staging..prod team-payments"]["versions"]
    assert "SESSION_SECRET" in json.dumps(versions[0])
    assert "SESSION_SECRET" not in json.dumps(versions[-1])


def test_the_last_mended_cause_turns_its_message_green(shop: Shop, service: Service) -> None:
    before = conversations(shop)["prod team-payments"]
    secret = shop.canaries.marked("SESSION_SECRET of prod alone, once more")
    shop.run_prod(secret, metrics="metrics.prod.shop.example")
    service.until_open(PLANTED - {SHARED_SECRET, LOOPBACK_URL})

    def resolved() -> dict[str, Any] | None:
        message = conversations(shop)["prod team-payments"]
        payload = message["versions"][-1]["metadata"]["event_payload"]
        return message if payload["conversation"].endswith(" resolved") else None

    message = service.until(resolved, "green message")
    assert message["ts"] == before["ts"]
    assert "METRICS_URL" in json.dumps(message["versions"][0])
    assert "METRICS_URL" not in json.dumps(message["versions"][-1])
    assert len(conversations(shop)) == len(CONVERSATIONS)


def test_no_value_left_its_collector(shop: Shop, service: Service) -> None:
    canaries = shop.canaries
    assert len(canaries.planted) >= 20
    pasted = canaries.marked("query of an address that somebody pasted")
    said = {"log": b"", **answers(service), **commands(service)}
    service.get("/api/v1/drift", token=pasted)
    data = shop.folder / "data"
    said |= {
        "log": service.printed.encode(),
        "Slack's messages": json.dumps(shop.slack.messages()).encode(),
        "Slack's calls": json.dumps(shop.slack.calls(), ensure_ascii=False).encode(),
        **files_below(data),
    }
    assert any(name.endswith("-wal") for name in said)
    assert canaries.found_in(said) == set()
    assert service.end() == 0
    assert canaries.found_in(files_below(data)) == set()

    # The same search sees each value in the very same places.
    for place, value in canaries.planted.items():
        (data / "leak").write_bytes(base64.b64encode(b"shop:" + value.encode()))
        assert {place} == {found for found, _, _ in canaries.found_in(files_below(data))}


def answers(service: Service) -> dict[str, bytes]:
    """What the service answers behind every address to read from, in each of its forms."""
    paths = ["matrix", "comparisons", "drift", "services", "environments", "sources", "openapi.json"]
    pages = ["/", "/drift", "/sources", "/matrix.csv", "/drift.csv", "/metrics", "/livez", "/readyz"]
    for name in ("checkout", "shop-db", "cache"):
        paths += [f"services/{name}"]
        pages += [f"/services/{name}"]
    for key in ("DATABASE_URL", "SESSION_SECRET", "GREETING", "MAIL_TOKEN"):
        paths += [f"services/checkout/items/{key}/history?section=config&environment=prod"]
    for name in ("dev", "staging", "prod", "prod-us"):
        newest = service.get(f"/api/v1/environments/{name}/snapshots").json()["items"][0]["number"]
        paths += [f"environments/{name}/snapshots", f"environments/{name}/snapshots/{newest}"]
    for row in service.drifts("open", "resolved"):
        paths += [f"drift/{row['drift_id']}"]
        pages += [f"/drift/{row['drift_id']}"]
    for left, right in COMPARISONS:
        paths += [f"diff?left={left}&right={right}&include=same"]
        pages += [f"/diff/{left}..{right}", f"/diff/{left}..{right}.csv"]
    found = {path: service.get(f"/api/v1/{path}") for path in paths}
    found |= {path: service.get(path, accept="*/*") for path in pages}
    assert {path: answer.code for path, answer in found.items() if answer.code != 200} == {}
    return {path: answer.out.encode() for path, answer in found.items()}


def commands(service: Service) -> dict[str, bytes]:
    """What the commands print that tell of what is stored, configured or seen."""
    lines: list[tuple[str, ...]] = [("diff", *pair, "--all", "-o", "json") for pair in COMPARISONS]
    lines += [("status",), ("gate",), ("log",), ("config", "show"), ("doctor",), ("check", "--online")]
    lines += [("snapshot", "--no-store", "--format", "json")]
    ran = {" ".join(words): service.cli(*words) for words in lines}
    assert not [name for name, answer in ran.items() if "Traceback" in answer.err or answer.code > 3]
    return {name: f"{answer.out}\n{answer.err}".encode() for name, answer in ran.items()}
