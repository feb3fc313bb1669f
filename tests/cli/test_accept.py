"""`parity accept`: what is typed, what comes out, and the code it ends with."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Parity, as_process

FUTURE = (datetime.now(UTC) + timedelta(days=20)).date().isoformat()
DJANGO = ("staging..prod", "api", "pkg:pypi/django")
WHY = ("--reason", "waits for the LTS", "--expires", FUTURE)


@pytest.fixture(autouse=True)
def nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PARITY_SERVER", "PARITY_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def test_one_drift_is_accepted_and_no_verdict_of_the_gate_any_more(shop: Path, parity: Parity) -> None:
    done = parity("accept", *DJANGO, *WHY, "--author", "anna")
    assert (done.code, done.why) == (
        0,
        f"accept: pkg:pypi/django of api in staging..prod is accepted until {FUTURE}, or until it is worse",
    )
    found = json.loads(parity("diff", "staging", "prod", "-o", "json").out)
    (item,) = [one for one in found["items"] if one["item"] == "pkg:pypi/django"]
    assert (item["verdict"], item["accepted"]["author"]) == ("accepted", "anna")
    assert "1 accepted" in parity("status").out
    (one,) = json.loads(parity("accept", "--list", "-o", "json").out)["items"]
    assert [(drift["service"], drift["item"]) for drift in one["hides"]] == [("api", "pkg:pypi/django")]
    listed = parity("accept", "--list")
    assert listed.out.splitlines() == [
        f"{one['id']}  until {FUTURE}, by anna",
        "  waits for the LTS",
        "  holds for 1 of 1: django of api in staging..prod",
    ]
    assert listed.why == "accept: 1 acceptance holds for 1 difference"
    why = parity("explain", "staging", "prod", "api", "django")
    assert why.why.startswith("explain: accepted: anna accepted it until ")
    assert "\nAccepted\n" in why.out
    assert "(major, prod is ahead)" in why.out  # "accepted" is said once
    ended = parity("accept", "--end", one["id"])
    assert (ended.code, ended.why) == (0, f"accept: {one['id']} has ended: 1 difference open again")
    assert parity("accept", "--end", one["id"]).code == 2
    assert parity("accept", "--list").out == "Nothing is accepted.\n"


def test_an_item_goes_by_the_name_that_people_say(shop: Path, parity: Parity) -> None:
    comparison, service, _ = DJANGO
    printed = parity("accept", comparison, service, "Django", *WHY, "--print")
    assert (printed.code, "item: pkg:pypi/django\n" in printed.out) == (0, True)


def test_a_reason_that_steers_the_terminal_is_refused(shop: Path, parity: Parity) -> None:
    refused = parity("accept", *DJANGO, *WHY[:1], "fine\x1b[2J", *WHY[2:])
    assert refused.code == 2
    assert refused.why.endswith("a control character is in them")


def test_day_one_accepts_all_that_is_open_and_counts_it_down(shop: Path, parity: Parity) -> None:
    done = parity("accept", "--all", "--reason", "found on day one", "--for", "60d")
    assert done.code == 0
    (one,) = json.loads(parity("accept", "--list", "-o", "json").out)["items"]
    day = (datetime.fromisoformat(one["expires_at"]) - timedelta(microseconds=1)).date()
    count = f"{one['holds_for']} differences"
    author = one["author"]
    assert done.why == f"accept: {count} accepted until {day} by {author}; parity status counts them down"
    assert parity("diff", "staging", "prod").code == 0
    again = parity("accept", "--all", *WHY)
    assert (again.code, again.why) == (2, "parity: nothing that is open matches: parity log lists what is")


def test_what_is_printed_can_stand_in_a_file_and_accepts_the_same(shop: Path, parity: Parity) -> None:
    printed = parity("accept", "--all", "--print", *WHY, "--author", "anna")
    assert printed.code == 0
    entries = yaml.safe_load(printed.out)
    assert {one["item"]: one["until"] for one in entries}["pkg:pypi/django"] == "worse"
    (shop / "accepted.yml").write_text(printed.out)
    config = shop / "parity.yml"
    config.write_text(f"{config.read_text()}accepted_drift: [accepted.yml]\n")
    assert parity("check").err.count("warning") == 0
    found = json.loads(parity("diff", "staging", "prod", "-o", "json").out)
    assert [one for one in found["items"] if one["verdict"] == "drift"] == []
    assert any(one["rule"].startswith("accepted.yml:") for one in found["items"])


def test_beside_a_running_service_it_writes_nothing_and_names_the_other_ways(
    shop: Path, parity: Parity
) -> None:
    from detector.store.lock import OwnerLock

    lock = OwnerLock(shop / "parity.db")
    refused = parity("accept", *DJANGO, *WHY)
    assert refused.code == 4
    assert "--server URL" in refused.why
    assert "--print" in refused.why
    assert parity("accept", *DJANGO, *WHY, "--print").code == 0
    import os

    os.close(lock._descriptor)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((), "name one drift"),
        (("a", "b", *WHY), "name a drift by its id"),
        (DJANGO, "--reason is a must"),
        ((*DJANGO, "--reason", "x"), "nothing is accepted for ever"),
        ((*DJANGO, *WHY, "--for", "3d"), "give one of"),
        ((*DJANGO, "--reason", "x", "--expires", "2020-01-01"), "give one in the future"),
        ((*DJANGO, "--reason", "x", "--expires", "soon"), "no day of the calendar"),
        ((*DJANGO, "--reason", "x", "--for", "3y"), "at most two years"),
        (("--all", "--list"), "name one drift"),
        ((*DJANGO, *WHY, "--comparison", "staging..prod"), "--comparison goes with --all"),
        ((*DJANGO, *WHY, "--server", "http://localhost:1", "--author", "a"), "--author goes without"),
        (("staging..prod", "api", "pkg:pypi/djanga", *WHY), "did you mean pkg:pypi/django?"),
        (("staging..prd", "api", "django", *WHY), "no comparison staging..prd (did you mean staging..prod?)"),
        (("staging..prod", "apo", "django", *WHY), "no service apo (did you mean api?)"),
        (("--all", "--comparison", "stagin..prod", *WHY), "(did you mean staging..prod?)"),
        (("01JD9W3Z6M6C3Y9S5V2H3R7K1A", *WHY), "no open drift has the id"),
    ],
)
def test_what_is_wrong_ends_with_two_and_says_what_to_do(
    shop: Path, parity: Parity, words: tuple[str, ...], why: str
) -> None:
    done = parity("accept", *words)
    assert (done.code, done.out) == (2, "")
    assert why in done.why


def test_a_malformed_date_is_said_by_check_and_status(shop: Path, parity: Parity) -> None:
    entry = "- {service: api, item: pkg:pypi/django, reason: a, author: b, expires: soon}\n"
    (shop / "accepted.yml").write_text(entry)
    config = shop / "parity.yml"
    config.write_text(f"{config.read_text()}accepted_drift: [accepted.yml]\n")
    check = parity("check")
    assert (check.code, "accepted.yml:1:72: [0].expires: counts as expired" in check.err) == (0, True)
    assert "accepted.yml:1 has expired" in parity("status").out


def test_a_service_is_asked_over_http(shop: Path) -> None:
    refused = as_process("accept", *DJANGO, *WHY, "--server", "http://127.0.0.1:1", cwd=shop)
    assert (refused.code, "is --server right?" in refused.why) == (2, True)
