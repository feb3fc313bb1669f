"""A source that hangs, crashes or floods is one unseen source: the others run, and are told of, on time."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.service import Named, Service
from tests.servers.process import LOOPBACK, free_port

SECRET = "made-up-secret-of-a-stranger"
PLANTED: set[Named] = {
    ("staging..prod", "checkout", "shared_secret", "SESSION_SECRET"),
    ("staging..prod", "search", "difference", "MAIL_TOKEN"),
}

#: A stranger's distribution: a collector for each way to go wrong.
STRANGER = """
import asyncio
import time

from detector.collector import CollectorOptions

SECRET = "made-up-secret-of-a-stranger"


class Hangs:
    API = 1
    name = "hangs"
    Options = CollectorOptions
    basis = "declared"
    sections = ("config",)

    async def collect(self, options, context):
        await asyncio.Event().wait()


class HangsInThread(Hangs):
    name = "hangs-in-thread"

    async def collect(self, options, context):
        await context.in_thread(time.sleep, 6)


class Crashes(Hangs):
    name = "crashes"

    async def collect(self, options, context):
        raise RuntimeError(f"cannot reach https://user:{SECRET}@server.example")


class AnswersNonsense(Hangs):
    name = "answers-nonsense"

    async def collect(self, options, context):
        return {"password": SECRET}
"""
#: Source -> why it is unseen.
BAD = {
    "hangs": "timeout",
    "hangs-in-thread": "timeout",
    "crashes": "crashed",
    "answers-nonsense": "crashed",
    "postgres": "timeout",
}


@pytest.fixture
def stranger(tmp_path: Path) -> Path:
    """A folder for PYTHONPATH with an installed distribution of four bad collectors."""
    folder = tmp_path / "site"
    info = folder / "stranger-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / "stranger.py").write_text(STRANGER)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n")
    classes = {"hangs": "Hangs", "hangs-in-thread": "HangsInThread", "crashes": "Crashes"}
    classes["answers-nonsense"] = "AnswersNonsense"
    lines = [f"{name} = stranger:{cls}" for name, cls in classes.items()]
    (info / "entry_points.txt").write_text("\n".join(["[parity.collectors]", *lines, ""]))
    return folder


@pytest.fixture
def frozen() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server((LOOPBACK, 0)) as server:
        yield server.getsockname()[1]


def test_bad_sources_are_unseen_with_a_reason_and_the_others_run_on_time(
    tmp_path: Path, stranger: Path, frozen: int
) -> None:
    port = free_port()
    config = write_config(tmp_path, port, frozen)
    with Service(config, port, environment={"PYTHONPATH": str(stranger)}) as service:
        for name, reason in BAD.items():
            service.wait("source unseen", source=name, reason=reason)
        service.until_open(PLANTED)
        ran, opened = service.runs(), len(service.log)
        service.until(lambda: service.runs() > ran + 12, "runs of the good sources beside the bad ones")
        assert not [one for one in service.log[opened:] if one["event"].startswith("drift ")]

        states = {one["source"]: one["state"] for one in service.get("/api/v1/sources").json()["items"]}
        assert states == {"dotenv": "ok"} | dict.fromkeys(BAD, "failing")
        answer = service.get("/api/v1/diff", left="staging", right="prod").json()
        assert answer["complete"] is False
        assert {one["source"]: one["reason"] for one in answer["coverage"]["unseen"]} == BAD
        assert SECRET.encode() not in service.printed.encode() + json.dumps(answer).encode()
        assert service.end(seconds=10) == 0  # a thread that still sleeps holds nothing up


def write_config(folder: Path, port: int, frozen: int) -> Path:
    """Two services of dotenv files with one drift each; the bad sources stand beside one of them."""
    for place in ("staging", "prod"):
        (folder / f".env.checkout.{place}").write_text("SESSION_SECRET=0f1e2d3c4b5a\nLOG_LEVEL=info\n")
    (folder / ".env.search.staging").write_text("LOG_LEVEL=info\nMAIL_TOKEN=0a1b2c3d4e\n")
    (folder / ".env.search.prod").write_text("LOG_LEVEL=info\n")
    dsn = folder / "dsn"
    dsn.touch(mode=0o600)
    dsn.write_text(f"postgresql://shop:{SECRET}@{LOOPBACK}:{frozen}/shop")
    bad = [{"type": name, "timeout": "2s"} for name in BAD if name != "postgres"]
    bad.append({"type": "postgres", "dsn_file": "dsn", "timeout": "2s"})

    def dotenv(service: str, place: str) -> dict[str, str]:
        return {"type": "dotenv", "path": f".env.{service}.{place}"}

    settings = {
        "version": 1,
        "server": {"listen": f"{LOOPBACK}:{port}", "auth": "none", "database_url": "sqlite:///data/p.db"},
        "defaults": {"every": "1s"},
        "environments": [
            {"name": "staging", "tier": "staging"},
            {"name": "prod", "tier": "production"},
        ],
        "services": [
            {
                "name": "checkout",
                "sources": {
                    "staging": dotenv("checkout", "staging"),
                    "prod": [dotenv("checkout", "prod"), *bad],
                },
            },
            {
                "name": "search",
                "sources": {place: dotenv("search", place) for place in ("staging", "prod")},
            },
        ],
    }
    path = folder / "parity.yml"
    path.write_text(json.dumps(settings, indent=1))
    return path
