"""Clocks of leads as Prometheus reads them: they run on when what was allowed is spent."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from tests.api.house import House, record

DAY = 86_400.0


async def see(here: House, environment: str, tag: str, *, days: float) -> None:
    at = datetime.now(UTC) - timedelta(days=days)
    await record(here, environment, "checkout", {"release": {"image#tag": tag}}, at=at)


async def metric(here: House, name: str) -> dict[tuple[str, str], float]:
    text = await (await here.get("/metrics")).text()
    pattern = rf'^{name}{{left="([\w-]+)",right="([\w-]+)",service="checkout"}} (\S+)$'
    found = re.findall(pattern, text, re.MULTILINE)
    return {(left, right): float(value) for left, right, value in found}


@pytest.mark.parametrize("days", [3, 30])  # still allowed, and long spent
async def test_the_clock_of_a_lead_runs_on_when_its_allowance_is_spent(empty: House, days: int) -> None:
    await see(empty, "staging", "1.0.0", days=60)
    await see(empty, "prod-eu", "1.0.0", days=60)
    await see(empty, "staging", "1.1.0", days=days)
    for environment, tag in (("staging", "1.1.0"), ("prod-eu", "1.0.0")):
        await see(empty, environment, tag, days=0)
    await empty.settle()
    here = ("staging", "prod-eu")
    for name in ("parity_ahead_seconds", "parity_waiting_seconds"):
        assert (await metric(empty, name))[here] == pytest.approx(days * DAY, abs=60), name
    await see(empty, "prod-eu", "1.1.0", days=0)
    assert (await metric(empty, "parity_waiting_seconds"))[here] == 0.0
    assert (await metric(empty, "parity_lead_time_seconds"))[here] == pytest.approx(days * DAY, abs=60)
