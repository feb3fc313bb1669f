"""A service that is killed again and again while its files change: no drift is lost, nobody is told twice."""

import json
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.e2e.service import STATES, Named, Service, name_of
from tests.e2e.test_quickstart import PLANTED, QUICKSTART
from tests.servers.process import LOOPBACK, free_port
from tests.servers.slack_process import SlackProcess

KILLS = 25
#: Longer than the lease of a delivery that a kill cut off.
PATIENCE = 360.0

#: Keys that come and go in production alone, and the files they are in.
COMING: dict[Named, str] = {
    ("staging..prod", service, "difference", f"{name}_TOKEN"): f"deploy/prod/.env.{service}"
    for service in ("api", "web")
    for name in ("CDN", "MAPS", "SEARCH", "BILLING")
}


class Quickstart:
    """A copy of the quickstart that tells Slack, and what is in its files beside what was planted."""

    def __init__(self, folder: Path, slack: SlackProcess) -> None:
        self.folder = folder / "quickstart"
        self.port = free_port()
        self.there: set[Named] = set()
        shutil.copytree(QUICKSTART, self.folder, ignore=shutil.ignore_patterns("data"))
        token = self.folder / "slack-token"
        token.touch(mode=0o600)
        token.write_text(slack.token)
        receiver = {"channel": "C0SHOP", "bot_token_file": "slack-token", "api_url": slack.url}
        alerting = {"receivers": [{"name": "shop", "slack": receiver}]}
        self.config = self.folder / "parity.yml"
        text = self.config.read_text().replace("127.0.0.1:8080", f"{LOOPBACK}:{self.port}")
        self.config.write_text(
            f"{text.replace('every: 2s', 'every: 1s')}\nalerting: {json.dumps(alerting)}\n"
        )

    @property
    def drifts(self) -> set[Named]:
        """What differs now."""
        return PLANTED | self.there

    def toggle(self, drift: Named) -> None:
        """Add a key to its file, or remove it, in one step, as an editor does."""
        path = self.folder / COMING[drift]
        line = f"{drift[3]}=of-production-alone-{drift[3]}\n"
        text = path.read_text()
        new = path.with_suffix(".new")
        new.write_text(text.replace(line, "") if drift in self.there else text + line)
        new.replace(path)
        self.there ^= {drift}


@pytest.fixture
def slack() -> Iterator[SlackProcess]:
    with SlackProcess() as running:
        yield running


@pytest.mark.proof
def test_no_drift_is_lost_and_nobody_is_told_twice_by_a_kill(
    tmp_path: Path, slack: SlackProcess, record_property: Callable[[str, object], None]
) -> None:
    seeded = Random(2026)
    shop = Quickstart(tmp_path, slack)
    known: set[str] = set()
    twice = [0]
    with ExitStack() as stack:
        service = stack.enter_context(Service(shop.config, shop.port))
        for number in range(KILLS):
            for drift in seeded.sample(sorted(COMING), seeded.randint(1, 3)):
                shop.toggle(drift)
            moment = seeded.uniform(0, 4)
            if number % 2:
                time.sleep(moment)
            else:
                until_called(slack, len(slack.calls()), 1 + moment)  # and its answer is under way
            service.kill()
            twice.append(said_twice(slack.calls()))
            known |= {record["drift_id"] for record in service.log if record["event"] == "drift opened"}
            if seeded.random() < 0.3:
                shop.toggle(seeded.choice(sorted(COMING)))
            service.start()
        # What the last kills cut off is delivered when its lease is over.
        service.until_open(shop.drifts, seconds=60)
        service.until(lambda: nothing_owed(service), "end of what is owed", PATIENCE)
        rows = service.drifts(*STATES)
        drifts, told = service.drifts("open"), service.until(lambda: open_messages(slack), "open message")
        twice.append(said_twice(slack.calls()))

    lost = (known - {row["drift_id"] for row in rows}) | {
        row["drift_id"] for row in drifts if name_of(row) in COMING and not mentioned(row, told)
    }
    in_one_kill = [after - before for before, after in pairwise(twice)]
    record_property("kills", KILLS)
    record_property("drifts", len(rows))
    record_property("lost", len(lost))
    record_property("messages", sum(call["method"] == "chat.postMessage" for call in slack.calls()))
    record_property("duplicates", twice[-1])
    assert lost == set(), f"{len(lost)} of {len(rows)} drifts lost by {KILLS} kills"
    assert max(in_one_kill) <= 1, f"{twice[-1]} duplicates by {KILLS} kills: {in_one_kill}"
    assert len(known) > len(PLANTED)


def until_called(slack: SlackProcess, before: int, seconds: float) -> None:
    """Wait for the next call, or for so long."""
    deadline = time.monotonic() + seconds
    while len(slack.calls()) == before and time.monotonic() < deadline:
        time.sleep(0.002)


def nothing_owed(service: Service) -> bool:
    """Tell whether the outbox is empty; asks once a second, because it takes minutes."""
    time.sleep(1)
    return "parity_outbox_messages 0.0" in service.get("/metrics", accept="text/plain").out.splitlines()


def said_twice(calls: Sequence[dict[str, Any]]) -> int:
    """How many messages were posted while one of the same conversation stood open, and repeated replies."""
    standing: set[str] = set()
    replies: dict[str, str] = {}
    count = 0
    for call in calls:
        if call["answer"] != "ok" or call["method"] not in ("chat.postMessage", "chat.update"):
            continue
        body = call["body"]
        if body.get("thread_ts"):
            count += replies.get(body["thread_ts"]) == body["text"]
            replies[body["thread_ts"]] = body["text"]
            continue
        key, state = conversation(body)
        count += call["method"] == "chat.postMessage" and key in standing
        if state == "open":
            standing.add(key)
        else:
            standing.discard(key)
        if call["method"] == "chat.update":
            replies.pop(body["ts"], None)
    return count


def conversation(content: dict[str, Any]) -> tuple[str, str]:
    """Comparison and owner of a message, and whether it is open or resolved."""
    key, _, state = content["metadata"]["event_payload"]["conversation"].rpartition(" ")
    return key, state


def open_messages(slack: SlackProcess) -> dict[str, str]:
    """What the newest open message of each conversation says."""
    newest = [message["versions"][-1] for message in slack.messages() if not message["thread_ts"]]
    return {
        key: json.dumps(said) for said in newest for key, state in [conversation(said)] if state == "open"
    }


def mentioned(row: dict[str, Any], told: dict[str, str]) -> bool:
    """Tell whether a drift stands in the message of its owner."""
    return row["item"] in told.get(f"{row['comparison']} {row['owner']}", "")
