"""A repository at hand in one environment tells how the commits of all others follow each other."""

import os
import shutil
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from detector.assembly import Running, running
from detector.config.load import load
from detector.engine.comparison import Comparison
from detector.model.deployments import Deployment
from detector.model.expressions import Now
from detector.model.facts import Observation, Section
from tests.collectors.repositories import Code

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs the program git")

CONFIG = """
version: 1
server: {auth: none, database_url: "sqlite:///parity.db"}
environments: [{name: dev, tier: development}, {name: staging, tier: staging}, {name: prod, tier: production}]
services:
  - name: checkout
    sources:
      dev: {type: git, path: code, every: 1h, authors: true}
      staging: {type: push, name: ci}
      prod: {type: push, name: ci}
"""


@pytest.fixture
def code(tmp_path: Path) -> Code:
    return Code(tmp_path / "code")


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Running]:
    (tmp_path / "parity.yml").write_text(CONFIG)
    async with running(load(tmp_path / "parity.yml", os.environ)) as made:
        yield made


async def runs(here: Running, environment: str, commit: str) -> None:
    """Say that an environment runs a commit, and have it judged."""
    now = datetime.now(UTC)
    facts: Mapping[str, Any] = {"repo#commit": commit}
    section = Section(basis="running", facts=facts, covers=())
    observation = Observation(
        environment=environment,
        service="checkout",
        source="ci",
        observed_at=now,
        sections={"codebase": section},
    )
    await here.reading.store.record(observation, received_at=now, scheduled=False)
    await here.watch.judge(environment, "checkout")


async def looked(here: Running) -> None:
    (source,) = here.schedule.sources
    assert (await here.watch.run(source)).result is None


async def between(here: Running) -> tuple[str | None, str]:
    """Direction and verdict of the commits of staging and prod."""
    found: Comparison = await here.reading.comparisons.compare(
        Now(environment="staging"), Now(environment="prod"), now=datetime.now(UTC)
    )
    (judged,) = [one for one in found.items if one.key.item == "repo#commit"]
    return judged.direction, judged.rule


async def test_who_is_ahead_is_told_by_the_repository_of_a_third_place(here: Running, code: Code) -> None:
    old, new = code.commit("one"), code.commit("two")
    # An abbreviation, as a label has it.
    await runs(here, "staging", new[:12])
    await runs(here, "prod", old)
    assert (await between(here))[0] == "unordered"
    await looked(here)
    assert (await between(here))[0] == "left_ahead"


async def test_a_hotfix_that_is_not_in_staging_has_diverged(here: Running, code: Code) -> None:
    code.commit("one")
    new = code.commit("two")
    code.git("checkout", "-q", "-b", "hotfix", "HEAD~1")
    hotfix = code.commit("hotfix")
    code.git("checkout", "-q", "main")
    await runs(here, "staging", new)
    await runs(here, "prod", hotfix)
    await looked(here)
    assert await between(here) == ("unordered", "default/codebase/diverged")
    # The register learnt it too, although nothing came of staging or prod.
    rows = await here.reading.store.register(comparison="staging..prod")
    assert [(row.key.item, row.severity) for row in rows] == [("repo#commit", "medium")]


async def test_a_commit_that_the_repository_lacks_is_ordered_by_nothing(here: Running, code: Code) -> None:
    await runs(here, "staging", code.commit("one"))
    await runs(here, "prod", "f" * 40)
    await looked(here)
    assert (await between(here))[0] == "unordered"


async def test_the_personnel_gap_knows_who_wrote_what_was_deployed(here: Running, code: Code) -> None:
    old = code.commit("one")
    code.commit("two", author="Bob")
    new = code.commit("three", author="Cid")
    await runs(here, "prod", old)
    for number, (commit, actor) in enumerate([(old, "bob@shop.example"), (new, "BOB@shop.example")]):
        await here.reading.store.announce(
            Deployment(
                id=f"{number:026d}",
                environment="prod",
                service="checkout",
                version=str(number),
                commit=commit,
                actor=actor,
                at=datetime.now(UTC) - timedelta(hours=2 - number),
            )
        )
    await looked(here)
    report = await here.reading.reports.report(
        [(Now(environment="staging"), Now(environment="prod"))], now=datetime.now(UTC)
    )
    personnel = report["comparisons"][0]["gaps"]["personnel"]
    # Bob wrote part of what came with the newer one, and nothing of the older.
    assert (personnel["deployments"], personnel["known"], personnel["by_author"]) == (2, 2, 1)
