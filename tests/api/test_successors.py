"""Packages that go on under another name, through the real store, the interface and the command line."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.api.house import House, record
from tests.cli.conftest import as_process

JWT = "pkg:golang/github.com/golang-jwt/jwt"
BEFORE = {"pkg:pypi/psycopg2": "2.9.9", f"{JWT}/v4": "4.5.0", "pkg:pypi/six": "1.17.0"}
AFTER = {"pkg:pypi/psycopg2-binary": "2.9.10", f"{JWT}/v5": "5.2.1", "pkg:pypi/six": "1.17.0"}


@pytest.fixture
async def renamed(empty: House) -> House:
    """A Parity whose production has both packages under the names of their successors."""
    now = datetime.now(UTC)
    for ago in (2, 1):
        for environment, facts in (
            ("staging", {"pkg:pypi/psycopg2": "2.9.9", f"{JWT}/v4": "4.5.0", "pkg:pypi/six": "1.17.0"}),
            (
                "prod-eu",
                {"pkg:pypi/psycopg2-binary": "2.9.10", f"{JWT}/v5": "5.2.1", "pkg:pypi/six": "1.17.0"},
            ),
        ):
            at = now - timedelta(minutes=ago)
            await record(empty, environment, "checkout", {"dependencies": facts}, at=at)
    await empty.settle()
    return empty


async def test_one_difference_stands_for_both_names(renamed: House) -> None:
    found = (await renamed.json("/api/v1/diff?left=staging&right=prod-eu"))["items"]
    told = {
        one["item"]: (one["left"]["value"], one["right"]["value"], one["right"].get("item")) for one in found
    }
    assert told == {
        "pkg:pypi/psycopg2": ("2.9.9", "2.9.10", "pkg:pypi/psycopg2-binary"),
        f"{JWT}/v4": ("4.5.0", "5.2.1", f"{JWT}/v5"),
    }
    assert {one["status"] for one in found} == {"changed"}
    register = (await renamed.json("/api/v1/drift?comparison=staging..prod-eu"))["items"]
    assert {row["item"] for row in register} == {"pkg:pypi/psycopg2", f"{JWT}/v4"}


@pytest.mark.parametrize("name", ["psycopg2", "psycopg2-binary", "pkg:pypi/psycopg2-binary"])
async def test_it_is_explained_by_either_name(renamed: House, name: str) -> None:
    asked = f"/api/v1/explain?left=staging&right=prod-eu&service=checkout&item={name}"
    told = await renamed.json(asked)
    assert (told["item"], told["answer"]) == ("pkg:pypi/psycopg2", "drift")


async def test_a_successor_that_arrives_everywhere_ends_the_drift(renamed: House) -> None:
    """Staging gets the new names too: nothing is missing anywhere, and nothing of the old ones stays open."""
    at = datetime.now(UTC)
    await record(renamed, "staging", "checkout", {"dependencies": AFTER}, at=at)
    await renamed.settle()
    assert (await renamed.json("/api/v1/diff?left=staging&right=prod-eu"))["items"] == []
    rows = (await renamed.json("/api/v1/drift?comparison=staging..prod-eu"))["items"]
    assert {row["state"] for row in rows} == {"resolved"}


async def test_the_command_line_tells_the_same_out_of_the_store(renamed: House, tmp_path: Path) -> None:
    done = await asyncio.to_thread(as_process, "diff", "staging", "prod-eu", cwd=tmp_path)
    words = " ".join(done.out.split())
    assert "psycopg2 2.9.9 → psycopg2-binary 2.9.10" in words
    assert "jwt/v4 4.5.0 → github.com/golang-jwt/jwt/v5 5.2.1" in words
    assert "missing" not in words
