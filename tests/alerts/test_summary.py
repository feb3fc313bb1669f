import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from detector.alerts.slack_message import full
from detector.alerts.summary import MOST_LINES, reminding, reply_of
from detector.model.records import AcceptedBy, Side
from tests.alerts.documents import NOW, body_of, cause, document, drift, key

SHAPE = {"type": "url", "scheme": "postgresql", "host": "private", "fingerprint": "k1:CANARY"}


def titles(body: dict[str, Any]) -> list[str]:
    return [line["title"] for line in body["causes"]]


@pytest.mark.parametrize(
    "item, title",
    [
        (drift(), "checkout · django 4.2.26 → 5.2.8"),
        (drift("pkg:npm/%40babel/core", left="7.1", right="7.2"), "checkout · @babel/core 7.1 → 7.2"),
        (drift("pkg:deb/debian/openssl", left="3.0", right="3.1"), "checkout · openssl 3.0 → 3.1"),
        (drift(left=None), "checkout · django missing in staging"),
        (drift(right=None), "checkout · django missing in prod"),
        # Two versions of one package are all named; of many, the first.
        (drift(left=["1", "2"], right=["1", "2", "3", "4", "5"]), "checkout · django 1, 2 → 1, 2, 3 +2"),
        # Replicas count per version.
        (drift(right={"values": {"5.2.8": 2, "5.2.7": 1}}), "checkout · django 4.2.26 → 5.2.7, 5.2.8"),
        (
            drift("main#version", section="backing_services", left="14.11", right="16.3"),
            "checkout · version 14.11 → 16.3",
        ),
        # A setting may hold anything: it differs.
        (
            drift("main#setting/search_path", section="backing_services", left="a", right="b"),
            "checkout · setting/search_path differs",
        ),
        (drift("DATABASE_URL", section="config", left=SHAPE, right=SHAPE), "checkout · DATABASE_URL differs"),
        (
            drift("STRIPE_KEY", section="config", left=SHAPE, right=None),
            "checkout · STRIPE_KEY missing in prod",
        ),
        (
            drift("SECRET_KEY", section="config", kind="shared_secret", left=SHAPE, right=SHAPE),
            "checkout · SECRET_KEY is the same secret in staging and prod",
        ),
        (drift("CMD", section="processes", left="run --pw x", right="run"), "checkout · CMD differs"),
    ],
)
def test_a_title_says_from_and_to_and_never_a_config_value(item: dict[str, Any], title: str) -> None:
    assert titles(body_of(item)) == [title]


def test_a_finding_of_one_environment_names_that_environment() -> None:
    finding = drift("DEBUG", section="config", kind="placeholder", left=None, comparison="prod")
    body = body_of(finding | {"left": None}, name="prod")
    assert (body["comparison"], body["left"], body["right"]) == ("prod", None, "prod")
    assert titles(body) == ["checkout · DEBUG still holds a placeholder"]
    assert body["consequence"] == "A part of prod was never configured."
    # The pair's own message says nothing of it.
    assert body_of(finding)["causes"] == []


def test_the_worst_comes_first_and_then_the_oldest() -> None:
    body = body_of(
        drift("pkg:pypi/a", severity="low", days=90),
        drift("pkg:pypi/b", severity="critical", days=2),
        drift("pkg:pypi/c", severity="critical", days=41),
    )
    assert [line["severity"] for line in body["causes"]] == ["critical", "critical", "low"]
    assert [line["age"] for line in body["causes"]] == ["41d", "2d", "90d"]
    assert (body["worst"], body["worst_since"], body["worst_age"]) == (
        "critical",
        "2026-10-12T10:00:00Z",
        "41d",
    )
    assert body["counts"] == {"critical": 2, "high": 0, "medium": 0, "low": 1, "info": 0}


def test_a_cause_counts_once_with_its_worst_child_and_its_own_title() -> None:
    parent = drift("main#version", section="backing_services", left="14", right="16", severity="medium")
    child = drift("main#extension/postgis", section="backing_services", cause="c1", severity="high", days=99)
    body = body_of(
        parent,
        child,
        child | {"item": "main#setting/x"},
        causes=[cause("c1", 2, key("main#version", section="backing_services"))],
    )
    (line,) = body["causes"]
    assert (line["title"], line["children"]) == ("checkout · version 14 → 16", 2)
    assert (line["severity"], line["age"]) == ("high", "99d")
    assert (sum(body["counts"].values()), body["children"]) == (1, 2)


def test_a_cause_that_is_no_item_stands_for_its_children() -> None:
    many = [drift(f"pkg:pypi/p{number}", cause="c1", service=f"s{number}") for number in range(5)]
    body = body_of(*many, causes=[cause("c1", 5, title="lockfile of pypi")])
    assert titles(body) == ["s0, s1, s2 +2 · lockfile of pypi"]


def test_more_causes_than_fit_are_counted() -> None:
    body = body_of(*(drift(f"pkg:pypi/p{number:02}") for number in range(37)))
    assert (len(body["causes"]), body["more"]) == (MOST_LINES, 29)


@pytest.mark.parametrize(
    "section, severity, told",
    [
        ("dependencies", "low", True),
        ("dependencies", "info", False),
        ("config", "medium", True),
        ("logs", "medium", False),
        ("admin", "high", True),  # a rule raised it
    ],
)
def test_the_inventories_alert_and_others_when_a_rule_raised_them(
    section: str, severity: str, *, told: bool
) -> None:
    body = body_of(drift("x", section=section, severity=severity))
    assert (len(body["causes"]), body["quiet"], body["resolved"]) == (int(told), int(not told), not told)


@pytest.mark.parametrize(
    "item",
    [
        drift(state="accepted", verdict="accepted"),
        drift(state="resolved", verdict="in_sync"),
        drift(state="pending", pending="confirm"),
        drift(verdict="expected", state=None),
        drift(owner="team-search"),
        drift(owner=None),
    ],
)
def test_only_open_drifts_of_the_group_are_told(item: dict[str, Any]) -> None:
    body = body_of(item)
    assert (body["causes"], body["matches"], body["resolved"]) == ([], [], True)


def test_without_an_owner_the_service_is_the_group() -> None:
    items = [drift(owner=None), drift(owner=None, service="search"), drift()]
    body = body_of(*items, owner=None, service="checkout")
    assert (len(body["causes"]), body["service"]) == (1, "checkout")


@pytest.mark.parametrize(
    "item",
    [
        drift(verdict="unknown", status="unknown", severity="info", right=Side(unknown="unreachable")),
        drift(pending="flap"),
    ],
)
def test_what_is_open_but_unseen_or_held_is_waiting_and_not_resolved(item: dict[str, Any]) -> None:
    body = body_of(item)
    assert (body["waiting"], body["resolved"], body["worst"]) == (1, False, None)


def test_why_it_is_held_is_said_in_words() -> None:
    why = "prod is rolling out since 14:02 UTC, 3 of 5 on 1.4.3"
    assert body_of(drift(pending="rollout", pending_because=why))["waiting_because"] == why
    assert body_of(drift())["waiting_because"] is None


def test_the_links_filter_by_the_group_and_hold_no_markup() -> None:
    assert body_of(drift())["links"] == {
        "diff": "https://parity.example/diff/staging..prod?owner=team-payments",
        "drift": "https://parity.example/drift?comparison=staging..prod&owner=team-payments",
    }
    hostile = body_of(owner="a>|<!channel>")["links"]["diff"]
    assert not set("<>|!") & set(hostile)


def test_no_shape_fingerprint_or_last_value_reaches_the_body() -> None:
    canary = "CANARY-7f3a"
    shape = {"type": canary, "scheme": canary, "fingerprint": f"k1:{canary}", "endpoint": canary}
    sides = (Side(present=True, value=shape, source=canary), Side(unknown="denied", last=shape))
    items = [
        drift("A_KEY", section=section, kind=kind, left=left, right=right, detail=[{"path": canary}])
        for section in ("config", "backing_services", "processes", "admin")
        for kind in ("difference", "shared_secret", "placeholder")
        for left in sides
        for right in sides
    ]
    items.append(drift("main#setting/x", section="backing_services", left=canary, right=canary))
    body = body_of(*items)
    assert body["causes"]
    assert canary not in json.dumps(body)


@pytest.mark.parametrize(
    "events, said",
    [
        (["opened"], None),
        (["changed", "resolved"], None),
        (["changed", "reopened"], "Back again, high: checkout · django 4.2.26 → 5.2.8"),
        (["flapped", "opened"], "Came and went, and stays now, high: checkout · django 4.2.26 → 5.2.8"),
        (["reopened", "escalated"], "Worse than before, now high: checkout · django 4.2.26 → 5.2.8"),
    ],
)
def test_only_what_got_worse_or_came_back_is_said_beside_the_edit(
    events: list[str], said: str | None
) -> None:
    assert reply_of(events, body_of(drift())) == said
    assert reply_of(events, body_of()) is None


def test_the_document_is_the_one_of_the_engine() -> None:
    from detector.engine.comparison import Comparison, State
    from detector.engine.policy import Environment, Pair

    pair = Pair(left=Environment(name="staging"), right=Environment(name="prod"))
    staging, prod = State(expression="staging"), State(expression="prod", taken_at=NOW)
    real = Comparison(pair=pair, left=staging, right=prod, services=()).document()
    for name, value in document().items():
        assert name in real
        if isinstance(value, dict):
            assert value.keys() <= real[name].keys()


def test_what_is_accepted_and_ends_within_a_week_is_told_with_whose_it_is() -> None:
    by = AcceptedBy(
        id="A1",
        name="acceptance A1 by anna",
        author="anna",
        reason="planned",
        expires_at=NOW + timedelta(days=6),
        until="changed",
    )
    soon = drift(verdict="accepted", state="accepted", accepted=by)
    covered = drift("pkg:pypi/a", verdict="accepted", state="accepted", accepted=replace(by, by_cause=True))
    patient = replace(by, expires_at=NOW + timedelta(days=9))
    later = drift("pkg:pypi/b", verdict="accepted", state="accepted", accepted=patient)
    body = body_of(soon, covered, later)
    (one,) = body["ending"]
    assert (one["items"], one["in"], body["resolved"]) == (1, "6d", True)
    said = reminding(body)
    assert (said["resolved"], [match["item"] for match in said["matches"]]) == (False, ["pkg:pypi/django"])
    assert reply_of(["reminder"], body) == (
        f"1 accepted difference ends on {one['last_day']} (in 6d), accepted by anna: planned"
    )
    shown = json.dumps(full(said, interactive=False).blocks, ensure_ascii=False)
    assert "Accepted, ends soon" in shown
    assert "accepted by anna: planned" in shown
