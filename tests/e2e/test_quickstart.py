"""The quickstart finds what was planted in it and nothing else, and follows what happens to its files."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.service import Named, Service, name_of, named, parity
from tests.servers.process import LOOPBACK, free_port

QUICKSTART = Path(__file__).parents[2] / "examples" / "quickstart"

PLANTED: set[Named] = {
    ("dev..staging", "api", "substitution", "QUEUE_URL"),
    ("staging..prod", "shop-db", "difference", "main#version"),
    ("staging..prod", "api", "shared_endpoint", "CACHE_URL"),
    ("staging..prod", "api", "shared_secret", "SESSION_SECRET"),
    ("staging..prod", "api", "difference", "STRIPE_WEBHOOK_SECRET"),
    ("staging..prod", "api", "difference", "image#tag"),
    ("staging..prod", "api", "difference", "pkg:pypi/urllib3"),
    ("staging..prod", "api", "difference", "probe/health"),
    ("prod", "web", "loopback_in_production", "PUBLIC_API_URL"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the quickstart, on a port of its own."""
    copy = tmp_path / "quickstart"
    shutil.copytree(QUICKSTART, copy, ignore=shutil.ignore_patterns("data"))
    return copy


@pytest.fixture
def service(folder: Path) -> Iterator[Service]:
    port = free_port()
    config = folder / "parity.yml"
    config.write_text(config.read_text().replace("127.0.0.1:8080", f"{LOOPBACK}:{port}"))
    with Service(config, port) as running:
        yield running


def test_one_round_finds_what_was_planted_and_nothing_else(folder: Path) -> None:
    config = str(folder / "parity.yml")
    once = parity("once", "--config", config)
    assert once.code == 1, once.err
    found = set()
    for left, right in (("dev", "staging"), ("staging", "prod")):
        diff = parity("diff", left, right, "-o", "json", "--config", config)
        document = diff.json()
        assert (diff.code, document["complete"]) == (1, True)
        drifting = [item for item in document["items"] if item["verdict"] == "drift"]
        found |= named(drifting)
    assert found == PLANTED

    again = parity("once", "--config", config)
    assert (again.code, again.out.count("changed")) == (1, 0), again.err
    items = parity("diff", "staging", "prod", "-o", "json", "--config", config).json()["items"]
    assert {item["state"] for item in items if item["verdict"] == "drift"} == {"open"}


def test_the_service_finds_what_was_planted_and_follows_an_edit(service: Service, folder: Path) -> None:
    service.until_open(PLANTED)

    edited = folder / "deploy/prod/.env.api"
    before = len(service.log)
    edited.write_text(edited.read_text() + "STRIPE_WEBHOOK_SECRET=whsec_of_production\n")
    mended = {"comparison": "staging..prod", "service": "api", "item": "STRIPE_WEBHOOK_SECRET"}
    service.wait("drift resolved", after=before, seconds=10, **mended)

    before = len(service.log)
    web = folder / "deploy/prod/.env.web"
    web.write_text(web.read_text() + "CDN_TOKEN=a-token-of-production\n")
    planted = {"comparison": "staging..prod", "service": "web", "item": "CDN_TOKEN"}
    service.wait("drift opened", after=before, seconds=10, **planted)
    gone = ("staging..prod", "api", "difference", "STRIPE_WEBHOOK_SECRET")
    come = ("staging..prod", "web", "difference", "CDN_TOKEN")
    service.until_open(PLANTED - {gone} | {come})


def test_a_broken_edit_of_the_configuration_changes_nothing_and_says_so(
    service: Service, folder: Path
) -> None:
    service.until_open(PLANTED)
    good = service.config.read_text()
    broken = good.replace("shop-db", "shop_db*").replace("every: 2s", "evry: 2s")
    before = len(service.log)
    service.config.write_text(broken)
    service.hang_up()
    said = service.wait("configuration not taken over", after=before, seconds=10)
    assert any("evry" in problem and "did you mean" in problem for problem in said["problems"]), said
    ran = service.runs()
    service.until(lambda: service.runs() > ran + 5, "more runs of the old configuration")
    assert named(service.drifts("open")) == PLANTED

    before = len(service.log)
    service.config.write_text(good.replace("every: 2s", "every: 1s"))
    service.hang_up()
    service.wait("configuration taken over", after=before, seconds=10)
    assert named(service.drifts("open")) == PLANTED


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:4000]), "malformed"),
        (lambda path: path.unlink(), "unreachable"),
        (lambda path: path.write_bytes(b"\xff\xfe\x00" * 100), "malformed"),
    ],
)
def test_a_lockfile_that_cannot_be_read_is_unseen_and_resolves_nothing(
    service: Service, folder: Path, spoil: object, reason: str
) -> None:
    service.until_open(PLANTED)
    before = len(service.log)
    assert callable(spoil)
    spoil(folder / "deploy/prod/api/uv.lock")
    unseen = {"environment": "prod", "service": "api", "source": "lockfile"}
    service.wait("source unseen", after=before, seconds=10, reason=reason, **unseen)

    def seen_to_be_unseen() -> bool:
        diff = service.get("/api/v1/diff", left="staging", right="prod").json()
        return any(unseen.items() <= {**one, "reason": None}.items() for one in diff["coverage"]["unseen"])

    service.until(seen_to_be_unseen, "unseen part in the comparison")
    answer = service.get("/api/v1/diff", left="staging", right="prod").json()
    assert answer["complete"] is False
    assert named(service.drifts("open")) == PLANTED  # nothing resolves because nobody can look
    assert not [one for one in service.log[before:] if one["event"] == "drift resolved"]
    assert service.cli("diff", "staging", "prod").code == 1  # the other drifts stand


def test_sigterm_ends_it_in_time_with_the_drifts_kept(service: Service) -> None:
    first = {row["drift_id"]: row["opened_at"] for row in service.until_open(PLANTED)}
    started = time.monotonic()
    assert service.end(seconds=10) == 0
    assert time.monotonic() - started < 10
    assert not list((service.config.parent / "data").glob("*-wal"))  # nothing left to recover
    service.start()
    assert {row["drift_id"]: row["opened_at"] for row in service.drifts("open")} == first
    opened = [one for one in service.log if one["event"] == "drift opened"]
    assert sorted(map(name_of, opened)) == sorted(PLANTED)


def test_a_second_service_on_the_same_database_is_refused_and_told_who_has_it(service: Service) -> None:
    port = free_port()
    other = service.config.with_name("other.yml")
    other.write_text(service.config.read_text().replace(f":{service.port}", f":{port}"))
    refused = parity("serve", "--config", str(other))
    assert refused.code == 4
    assert str(service.pid) in refused.err.splitlines()[-1]
    assert service.get("/readyz").code == 200
