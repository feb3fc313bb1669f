"""Stories that only a running Parity can tell: what ran before, what was found, and what nobody deployed."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from detector.model.facts import Observation, Section
from detector.model.fingerprints import Fingerprinter
from tests.api.house import CONFIG, House, house, record
from tests.builders import FINGERPRINTER, ROTATED, keys

NOW = datetime.now(UTC)
#: How many of sixty services development runs.
IN_DEV = 8


async def release(here: House, environment: str, tag: str, *, minutes: float, keys: tuple[str, ...]) -> None:
    """Record checkout at a release, some minutes ago, with the keys that it was given there."""
    await record(
        here,
        environment,
        "checkout",
        {
            "release": {"image#repository": "acme/checkout", "image#tag": tag},
            "config": {name: {"type": "text"} for name in ("LOG_FORMAT", *keys)},
        },
        at=NOW - timedelta(minutes=minutes),
    )


@pytest.fixture
async def rolled_back(tmp_path: Path) -> AsyncIterator[House]:
    """Release 1.5 was tested in staging; then staging went back to 1.4, which is what production runs."""
    async with house(tmp_path) as here:
        await release(here, "staging", "1.5", minutes=30, keys=("STRIPE_KEY",))
        await release(here, "staging", "1.4", minutes=10, keys=())
        await release(here, "prod-eu", "1.4", minutes=5, keys=())
        await here.settle()
        yield here


async def test_w14_the_gate_compares_what_is_to_be_promoted(rolled_back: House) -> None:
    """The pipeline promotes the image that it tested half an hour ago. Staging runs another one by now."""
    gate = await rolled_back.json("/api/v1/gate?promote=acme/checkout:1.5&allow_incomplete=true")
    (service,) = gate["services"]
    assert service["sentence"].startswith("checkout 1.5 → prod-eu: 1 key missing")
    assert [one["item"] for one in service["missing"]] == ["STRIPE_KEY"]
    assert gate["exit_code"] == 1


async def test_w14_without_saying_what_is_promoted_the_gate_would_be_green(rolled_back: House) -> None:
    """What stands in staging now is what production has."""
    gate = await rolled_back.json("/api/v1/gate?allow_incomplete=true")
    assert gate["exit_code"] == 0


# -- previews ---------------------------------------------------------------------------------------------

DISCOVERY = """\
  - discover: {type: docker, label: parity.enable=true, environment: staging, ephemeral: ["pr-*"]}
"""


async def forty_previews(here: House) -> None:
    """Let the discovery of staging find a preview for each of forty pull requests."""
    for number in range(40):
        found = Observation(
            environment="staging",
            service=f"pr-{number}",
            source="docker",
            observed_at=NOW,
            sections={"release": Section(basis="running", facts={"image#tag": f"branch-{number}"})},
        )
        await here.running.reading.store.record(found, received_at=NOW, scheduled=True)


async def unmatched(here: House) -> list[str]:
    compared = await here.json("/api/v1/diff?left=staging&right=prod-eu")
    return [one["service"] for one in compared["coverage"]["unmatched"]]


async def test_w32_previews_of_pull_requests_are_listed_and_compared_with_nothing(tmp_path: Path) -> None:
    """Each pull request has a namespace of its own in staging, and staging's discovery finds them all."""
    async with house(tmp_path, config=CONFIG + DISCOVERY) as here:
        await forty_previews(here)
        assert await unmatched(here) == []
        rows = (await here.json("/api/v1/matrix"))["rows"]
        assert not any(row["service"].startswith("pr-") for row in rows)
        listed = (await here.json("/environments/staging.json"))["ephemeral"]
        assert len(listed) == 40


async def test_w32_without_the_pattern_there_would_be_forty_unmatched_services(tmp_path: Path) -> None:
    """The same forty, when nobody said what a preview is called."""
    plain = DISCOVERY.replace(', ephemeral: ["pr-*"]', "")
    async with house(tmp_path, config=CONFIG + plain) as here:
        await forty_previews(here)
        assert len(await unmatched(here)) == 40


# -- not deployed here ------------------------------------------------------------------------------------


def sixty(only_in: str) -> str:
    """Return a configuration of sixty services, with ``only_in`` at those that development does not run."""
    services = "".join(
        f"  - name: app-{number}\n"
        + (only_in if number >= IN_DEV else "")
        + "    sources: {staging: [{type: push, name: ci, valid: until_replaced}]}\n"
        for number in range(60)
    )
    return f"""\
version: 1
server: {{listen: "127.0.0.1:8080", public_url: "PUBLIC_URL", auth: AUTH}}
environments:
  - {{name: dev, tier: development}}
  - {{name: staging, tier: staging}}
services:
{services}"""


async def compared(folder: Path, only_in: str) -> Any:
    """Return what development and staging have to say to each other, where staging runs all sixty."""
    async with house(folder, config=sixty(only_in)) as here:
        for number in range(60):
            for environment in ("dev", "staging") if number < IN_DEV else ("staging",):
                await record(here, environment, f"app-{number}", {"release": {"image#tag": "1.4.2"}}, at=NOW)
        return await here.json("/api/v1/diff?left=dev&right=staging")


async def test_w33_what_development_was_never_meant_to_run_is_no_drift_and_nothing_unknown(
    tmp_path: Path,
) -> None:
    """Laptops run eight of sixty services; the file says of the others where they are."""
    document = await compared(tmp_path, "    only_in: [staging]\n")
    coverage = document["coverage"]
    assert (document["items"], coverage["unmatched"], coverage["unseen"]) == ([], [], [])
    assert coverage["sources_ok"] == coverage["sources_expected"]
    assert coverage["items_compared"] == IN_DEV


async def test_w33_unsaid_there_would_be_fifty_two_services_without_an_answer(tmp_path: Path) -> None:
    """The same sixty, of which the file says nothing: each asks to be looked after."""
    coverage = (await compared(tmp_path, ""))["coverage"]
    assert (len(coverage["unmatched"]), coverage["items_compared"]) == (60 - IN_DEV, IN_DEV)


# -- fingerprints -----------------------------------------------------------------------------------------


def token(fingerprinter: Fingerprinter, *, key_id: str | None = None) -> dict[str, Any]:
    """Return what an agent keeps of one and the same token, made with its fingerprint key."""
    shape: Any = keys(API_TOKEN="one secret", fingerprinter=fingerprinter)["API_TOKEN"]
    named, _, tag = shape["fingerprint"].partition(":")
    return {"API_TOKEN": {**shape, "fingerprint": f"{key_id or named}:{tag}"}}


async def state(here: House, staging: Any, prod: Any, *, minutes: float) -> str:
    """Record the token as each side has it, and return how the one finding about it stands then."""
    for environment, facts in (("staging", staging), ("prod-eu", prod)):
        at = NOW - timedelta(minutes=minutes)
        await record(here, environment, "search", {"config": facts}, at=at)
    await here.settle()
    (row,) = (await here.json("/api/v1/drift?service=search&state=open&state=resolved"))["items"]
    assert row["kind"] == "shared_secret"
    return str(row["state"])


OLD, NEW = token(FINGERPRINTER), token(ROTATED)


async def test_w47_a_shared_secret_stays_open_while_fingerprint_keys_are_exchanged(shared: House) -> None:
    """Staging's agent gets the new key before that of production: for a while nobody can compare."""
    assert await state(shared, NEW, OLD, minutes=20) == "open"
    compared = await shared.json("/api/v1/diff?left=staging&right=prod-eu&service=search")
    (found,) = [one for one in compared["items"] if one["kind"] == "shared_secret"]
    assert (found["verdict"], found["right"]["unknown"]) == ("unknown", "key_rotated")
    assert await state(shared, NEW, NEW, minutes=10) == "open"


async def test_w47_taken_for_two_values_the_open_finding_would_have_resolved(shared: House) -> None:
    """What the new key gives, under the name of the old one: as if the secret had been changed."""
    unnamed = token(ROTATED, key_id=FINGERPRINTER.key_id)
    assert await state(shared, unnamed, OLD, minutes=20) == "resolved"


@pytest.fixture
async def shared(tmp_path: Path) -> AsyncIterator[House]:
    """Staging and production use one token, and somebody was told."""
    async with house(tmp_path) as here:
        assert await state(here, OLD, OLD, minutes=30) == "open"
        yield here
