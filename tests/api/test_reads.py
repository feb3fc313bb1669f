import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.api.house import CONFIG, House, house, record

DIFF = "/api/v1/diff?left=staging&right=prod-eu"


async def test_the_matrix_names_what_is_worst_first(seeded: House) -> None:
    document = await seeded.json("/api/v1/matrix")
    assert [row["service"] for row in document["rows"]] == ["shop-db", "checkout", "search"]
    column = document["rows"][1]["comparisons"]["staging..prod-eu"]
    assert column["worst"] == "high"
    assert column["sections"] == {
        "dependencies": {"drift": 1, "worst": "high"},
        "config": {"drift": 1, "worst": "high"},
    }


async def test_the_matrix_can_be_asked_as_it_was(seeded: House) -> None:
    before = (datetime.now(UTC) - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    document = await seeded.json("/api/v1/matrix", params={"as_of": before})
    assert document["as_of"] == before
    assert {cell["version"] for row in document["rows"] for cell in row["cells"].values()} == {None}


async def test_a_comparison_says_what_differs(seeded: House) -> None:
    document = await seeded.json(DIFF)
    found = {(item["item"], item["status"], item["verdict"]) for item in document["items"]}
    assert found == {
        ("main#version", "changed", "drift"),
        ("pkg:pypi/django", "changed", "drift"),
        ("STRIPE_WEBHOOK_SECRET", "left_only", "drift"),
    }
    assert not document["complete"]  # two sources never ran


async def test_a_comparison_can_be_asked_the_other_way_round(seeded: House) -> None:
    document = await seeded.json("/api/v1/diff?left=prod-eu&right=staging&section=config")
    assert [item["status"] for item in document["items"]] == ["right_only"]


@pytest.mark.parametrize(
    ("query", "items"),
    [
        ("&section=config", {"STRIPE_WEBHOOK_SECRET"}),
        ("&section=config&section=dependencies", {"STRIPE_WEBHOOK_SECRET", "pkg:pypi/django"}),
        ("&severity=critical", {"main#version"}),
        ("&service=checkout", {"STRIPE_WEBHOOK_SECRET", "pkg:pypi/django"}),
        ("&service=checkout&severity=critical", set()),
    ],
)
async def test_filters_leave_what_they_name(seeded: House, query: str, items: set[str]) -> None:
    document = await seeded.json(DIFF + query)
    assert {item["item"] for item in document["items"]} == items


async def test_a_comparison_is_also_a_sheet(seeded: House) -> None:
    response = await seeded.get(DIFF, headers={"Accept": "text/csv"})
    assert response.content_type == "text/csv"
    assert 'filename="staging..prod-eu.csv"' in response.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(await response.text())))
    assert {row["item"]: row["right"] for row in rows}["STRIPE_WEBHOOK_SECRET"] == "absent"


async def test_a_comparison_is_also_markdown(seeded: House) -> None:
    response = await seeded.get(DIFF, headers={"Accept": "text/markdown, application/json;q=0.5"})
    assert response.content_type == "text/markdown"
    assert "## Dependencies (II)" in await response.text()


async def test_the_name_of_a_file_is_only_a_name(seeded: House) -> None:
    response = await seeded.get(
        "/api/v1/diff?left=staging%40{1.minutes.ago}&right=prod-eu", headers={"Accept": "text/csv"}
    )
    assert response.headers["Content-Disposition"].count('"') == 2
    assert "{" not in response.headers["Content-Disposition"]


async def test_snapshots_can_be_compared(seeded: House) -> None:
    now = datetime.now(UTC)
    await record(seeded, "staging", "checkout", {"dependencies": {"pkg:pypi/django": "5.2.8"}}, at=now)
    document = await seeded.json(
        "/api/v1/diff?left=staging%231&right=staging&service=checkout&section=dependencies"
    )
    django = next(item for item in document["items"] if item["item"] == "pkg:pypi/django")
    assert (django["left"]["value"], django["right"]["value"]) == ("4.2.26", "5.2.8")


async def test_an_unchanged_answer_is_not_sent_again(seeded: House) -> None:
    before = (await seeded.get(DIFF)).headers["ETag"]
    for path in ("/api/v1/matrix", DIFF, "/api/v1/drift", "/api/v1/services", "/api/v1/environments"):
        first = await seeded.get(path)
        tag = first.headers["ETag"]
        again = await seeded.get(path, headers={"If-None-Match": f'"other", {tag}'})
        assert (again.status, await again.read(), again.headers["ETag"]) == (304, b"", tag), path
    await record(seeded, "staging", "checkout", {"dependencies": {"pkg:pypi/django": "4.2.27"}})
    assert (await seeded.get(DIFF, headers={"If-None-Match": before})).status == 200


async def test_the_register_is_read_page_by_page(seeded: House) -> None:
    whole = [drift["drift_id"] for drift in (await seeded.json("/api/v1/drift"))["items"]]
    assert len(whole) == 3
    assert whole == sorted(whole, reverse=True)
    found: list[str] = []
    path: str | None = "/api/v1/drift?limit=1"
    while path is not None:
        response = await seeded.get(path)
        page = await response.json()
        found += [drift["drift_id"] for drift in page["items"]]
        link = response.headers.get("Link")
        assert (link is None) == (page["next_cursor"] is None)
        path = link.partition(">")[0][1:] if link else None
    assert found == whole


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/services",
        "/api/v1/sources",
        "/api/v1/environments",
        "/api/v1/environments/staging/snapshots",
        "/api/v1/comparisons",
    ],
)
async def test_lists_are_read_page_by_page(seeded: House, path: str) -> None:
    whole = (await seeded.json(path))["items"]
    assert len(whole) > 1
    found, cursor = [], None
    for _ in whole:
        page = await seeded.json(path, params={"limit": "1", **({"cursor": cursor} if cursor else {})})
        found += page["items"]
        cursor = page["next_cursor"]
    assert (found, cursor) == (whole, None)


async def test_history_is_read_page_by_page_though_much_began_at_once(seeded: House) -> None:
    path = "/api/v1/services/checkout/items/pkg%3Apypi%2Furllib3/history"
    whole = (await seeded.json(path))["items"]
    assert len({row["opened"] for row in whole}) < len(whole)  # both environments began at the same time
    first = await seeded.json(f"{path}?limit=1")
    second = await seeded.json(path, params={"limit": "1", "cursor": first["next_cursor"]})
    assert [*first["items"], *second["items"]] == whole
    assert second["next_cursor"] is None


async def test_history_says_from_when_to_when(seeded: House) -> None:
    await record(seeded, "staging", "checkout", {"dependencies": {"pkg:pypi/django": "5.2.8"}})
    path = "/api/v1/services/checkout/items/pkg%3Apypi%2Fdjango/history?environment=staging"
    newest, oldest = (await seeded.json(path))["items"]
    assert (oldest["value"], newest["value"], newest["closed"]) == ("4.2.26", "5.2.8", None)
    assert oldest["closed"] == newest["opened"]


async def test_a_drift_tells_its_life(seeded: House) -> None:
    row = next(
        drift for drift in (await seeded.json("/api/v1/drift"))["items"] if drift["severity"] == "critical"
    )
    drift = await seeded.json(f"/api/v1/drift/{row['drift_id']}")
    assert (drift["service"], drift["comparison"]) == ("shop-db", "staging..prod-eu")
    assert drift["events"][0]["event"] == "opened"


@pytest.mark.parametrize(
    ("query", "services"),
    [
        ("severity=critical", {"shop-db"}),
        ("severity=critical&severity=high", {"shop-db", "checkout"}),
        ("owner=team-payments", {"checkout"}),
        ("state=resolved", set()),
        ("section=config", {"checkout"}),
        ("comparison=dev..staging", set()),
        ("opened_before=2020-01-01T00:00:00Z", set()),
    ],
)
async def test_the_register_is_filtered(seeded: House, query: str, services: set[str]) -> None:
    document = await seeded.json(f"/api/v1/drift?{query}")
    assert {drift["service"] for drift in document["items"]} == services


async def test_a_snapshot_holds_facts_and_no_value_of_config(seeded: House) -> None:
    document = await seeded.json("/api/v1/environments/staging/snapshots/1")
    facts = {section["section"]: section["facts"] for section in document["sections"]}
    assert facts["dependencies"]["pkg:pypi/django"] == "4.2.26"
    assert facts["config"]["DATABASE_URL"] == {"type": "url"}


async def test_sources_that_never_ran_come_before_those_that_see(seeded: House) -> None:
    states = [source["state"] for source in (await seeded.json("/api/v1/sources"))["items"]]
    assert states == sorted(states, key=["failing", "stale", "never", "ok"].index)
    assert {"never", "ok"} == set(states)


async def test_what_nobody_configured_is_listed_all_the_same(seeded: House) -> None:
    await record(
        seeded, "dev", "legacy-cron", {"dependencies": {"pkg:pypi/requests": "2.32.3"}}, source="agent"
    )
    services = {one["service"]: one["configured"] for one in (await seeded.json("/api/v1/services"))["items"]}
    assert services["legacy-cron"] is False
    sources = (await seeded.json("/api/v1/sources"))["items"]
    assert [one["configured"] for one in sources if one["service"] == "legacy-cron"] == [False]


async def test_a_service_tells_where_it_is_and_since_when(seeded: House) -> None:
    document = await seeded.json("/api/v1/services/checkout")
    staging = next(one for one in document["environments"] if one["name"] == "staging")
    assert (staging["version"], staging["freshness"]) == ("1.4.2", "fresh")
    assert staging["version_since"] is not None
    assert [drift["severity"] for drift in document["drifts"]] == ["high", "high"]


async def test_metrics_have_the_names_of_the_contract(seeded: House) -> None:
    response = await seeded.get("/metrics")
    text = await response.text()
    samples = [line for line in text.splitlines() if not line.startswith("#")]
    assert (
        'parity_drift_items{left="staging",right="prod-eu",section="backing_services",service="shop-db",'
        'severity="critical",state="open"} 1.0'
    ) in samples
    for name in (
        "parity_score_ratio",
        "parity_coverage_ratio",
        "parity_drift_oldest_timestamp_seconds",
        "parity_ahead_seconds",
        "parity_source_last_success_timestamp_seconds",
        "parity_collector_runs_total",
        "parity_collector_duration_seconds",
        "parity_notifications_total",
        "parity_kept_bytes",
        "parity_outbox_messages",
        "parity_config_last_reload_successful",
        "parity_scheduler_leader",
        "parity_build_info",
    ):
        assert f"# TYPE {name} " in text, name
    assert "django" not in text  # items never become labels


async def test_runs_of_collectors_are_counted(tmp_path: Path) -> None:
    config = CONFIG.replace("[{type: push, name: ci, every: 15m}]", "[{type: dotenv, path: .env}]", 1)
    (tmp_path / ".env").write_text("A=1\n")
    async with house(tmp_path, config=config) as here:
        source = next(one for one in here.running.reading.settings.config.sources if one.type == "dotenv")
        await here.running.watch.run(source)
        (tmp_path / ".env").unlink()
        await here.running.watch.run(source)
        samples = (await (await here.get("/metrics")).text()).splitlines()
    runs = 'parity_collector_runs_total{collector="dotenv",environment="dev",result='
    assert sum(line.startswith(runs + '"ok"} 1') for line in samples) == 1
    assert sum(line.startswith(runs) for line in samples) == 2
    counted = 'parity_collector_duration_seconds_count{collector="dotenv",environment="dev"} 2.0'
    assert counted in samples


async def test_a_bad_configuration_changes_nothing_and_is_told(seeded: House) -> None:
    path = seeded.running.reading.settings.config.path
    good = path.read_text()
    path.write_text(good + "\nslak: {}\n")
    refused = await seeded.ask("POST", "/-/reload", who="admin")
    assert refused.status == 422
    assert "slak" in (await refused.json(content_type=None))["errors"][0]["message"]
    assert "parity_config_last_reload_successful 0.0" in await (await seeded.get("/metrics")).text()
    page = await (await seeded.get("/", headers={"Accept": "text/html"})).text()
    assert "was not taken over" in page
    path.write_text(good)
    assert (await seeded.ask("POST", "/-/reload", who="admin")).status == 200
    assert "parity_config_last_reload_successful 1.0" in await (await seeded.get("/metrics")).text()
