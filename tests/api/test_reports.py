"""The twelve factors as a client reads them."""

from datetime import UTC, datetime

from detector.model.deployments import Deployment
from tests.api.house import House

REPORT = "/api/v1/comparisons/staging..prod-eu/report"


async def test_a_report_is_the_comparison_told_by_factors(seeded: House) -> None:
    document = await seeded.json(REPORT)
    (found,) = document["comparisons"]
    diff = await seeded.json("/api/v1/diff?left=staging&right=prod-eu")
    assert found["summary"] == diff["summary"]
    assert [{**item, "reads": []} for item in diff["items"]] == found["items"]
    by_number = {row["factor"]: row for row in found["factors"]}
    assert by_number["IV"]["worst"] == by_number["X"]["worst"] == "critical"
    assert by_number["I"]["measured"] == "not_measured"
    assert "docker" in by_number["I"]["would_measure"]
    assert [one["item"] for one in found["gaps"]["tools"]["differ"]] == ["main#version"]
    assert found["score"]["score"] == diff["summary"]["score"]


async def test_a_report_is_also_markdown_and_a_sheet(seeded: House) -> None:
    text = await (await seeded.get(REPORT, headers={"Accept": "text/markdown"})).text()
    assert text.startswith("# staging → prod-eu by the twelve factors")
    sheet = await seeded.get(REPORT, headers={"Accept": "text/csv"})
    assert (await sheet.text()).count("\r\n") == 13
    assert sheet.headers["Content-Disposition"] == 'attachment; filename="staging..prod-eu.csv"'


async def test_a_report_on_what_does_not_exist_is_refused(seeded: House) -> None:
    for pair in ("staging", "staging..moon"):
        assert (await seeded.get(f"/api/v1/comparisons/{pair}/report")).status == 404


async def test_announced_deployments_are_counted_and_their_authors_unknown(seeded: House) -> None:
    now = datetime.now(UTC)
    for number, environment in enumerate(("prod-eu", "prod-eu", "staging")):
        await seeded.running.reading.store.announce(
            Deployment(
                id=f"01J{number}",
                environment=environment,
                service="checkout",
                version=f"1.{number}",
                commit="02ab7c4",
                actor="ana",
                at=now,
            )
        )
    (found,) = (await seeded.json(REPORT))["comparisons"]
    assert found["gaps"]["personnel"] == {"deployments": 2, "known": 0, "by_author": 0, "share": None}
