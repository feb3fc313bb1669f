"""The life of a drift: what one judgement after the other does to its row, and what is said of it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest

from detector.engine.acceptance import NOTHING, Acceptance, Accepted, Binding, changes, why_ended
from detector.engine.life import Ledger, Witnesses, live, taken_back, withdraw
from detector.engine.pack import PACK
from detector.engine.policy import Pair, Service
from detector.engine.rules import Match, Outcome, Rule
from detector.engine.settling import settled
from detector.engine.view import Interner
from detector.model.records import Drift, DriftEvent, Key, Owed
from tests.builders import (
    NOW,
    STAGING_TO_PROD,
    acceptance,
    accepting,
    failed,
    keys,
    policy,
    section,
    stream,
    view,
)

DJANGO = "pkg:pypi/django"
EVERY = timedelta(minutes=15)


class Watched:
    """One service in one pair of environments, looked at again and again."""

    def __init__(
        self, *, scheduled: bool = True, rules: Sequence[Rule] = (), pair: Pair = STAGING_TO_PROD
    ) -> None:
        self.rows: dict[Key, Drift] = {}
        self.events: list[str] = []
        self.history: list[DriftEvent] = []
        self.owed: list[Owed] = []
        self.now = NOW
        self.rules = list(rules)
        self._pair = pair
        self._scheduled = scheduled
        self._seen: dict[str, list[datetime]] = {"left": [], "right": []}
        self._ids = count(1)
        self.accepted = NOTHING

    def look(self, left: Any, right: Any, *, at: Iterable[str] = ("left", "right")) -> list[str]:
        """Look at both sides a quarter of an hour later, and return what happened."""
        from detector.engine.verdicts import Both, verdicts_on

        self.now += EVERY
        for side in at:
            self._seen[side].append(self.now)
        interner = Interner()
        views = {
            name: view(
                stream(sections, source=name, seen=self._seen[name][-1], seen_at=self._seen[name]),
                environment=environment.name,
                interner=interner,
                now=self.now,
            )
            for name, sections, environment in (
                ("left", left, self._pair.left),
                ("right", right, self._pair.right),
            )
        }
        rows = {(row.comparison, row.key): row for row in self.rows.values()}
        verdicts = verdicts_on(
            Both(
                service=Service(name="shop", owner="team-shop"),
                left=views["left"],
                right=views["right"],
                rows=rows,
                accepted=self.accepted,
            ),
            pair=self._pair,
            rules=[*PACK, *self.rules],
            now=self.now,
            interner=interner,
        )
        self.score = verdicts
        outcome = live(
            self.rows,
            [one for one in verdicts.items if one.comparison == self._pair.name],
            ledger=self.ledger(),
            witnesses=Witnesses(
                left=views["left"],
                right=views["right"],
                policies={
                    environment.name: {name: policy(name, scheduled=self._scheduled)}
                    for name, environment in (("left", self._pair.left), ("right", self._pair.right))
                },
            ),
            settled_now=lambda key: settled(views["left"], views["right"], key),
            why_ended=lambda row, one: why_ended(row, one, self.accepted, self.now),
        )
        over = {row.key for row in outcome.drifts if row.state == "resolved"}
        self._bind(changes(verdicts.items, over, self.accepted, self._pair.name, self.now))
        self.rows |= {row.key: row for row in outcome.drifts}
        self.owed = list(outcome.owed)
        self.history += [event for _, event in outcome.events]
        return [event.event for _, event in outcome.events]

    def accept(self, **said: Any) -> Acceptance:
        """Let anna accept for a month what a match describes, or all that is open now."""
        ordinary: dict[str, Any] = {"created_at": self.now, "expires_at": self.now + timedelta(days=30)}
        made = acceptance(**(ordinary | said))
        self.accepted = Accepted(acceptances={**self.accepted.acceptances, made.id: made})
        if made.match is None:
            mine = [one for one in self.score.items if one.verdict == "drift"]
            self.accepted = accepting(*mine, **(ordinary | said))
        return made

    def _bind(self, written: Sequence[Binding]) -> None:
        bindings = {place: list(known) for place, known in self.accepted.bindings.items()}
        for one in written:
            known = bindings.setdefault((one.comparison, one.key), [])
            known[:] = [other for other in known if other.acceptance != one.acceptance] + [one]
        self.accepted = replace(self.accepted, bindings=bindings)

    def ledger(self) -> Ledger:
        return Ledger(
            comparison=self._pair.name,
            now=self.now,
            new_id=lambda: f"d{next(self._ids)}",
            snapshots={"staging": 1, "prod": 2},
        )

    @property
    def row(self) -> Drift:
        (row,) = self.rows.values()
        return row

    @property
    def said(self) -> list[str]:
        return [owed.event for owed in self.owed]


def django(version: str | None) -> Any:
    return {
        "dependencies": section({DJANGO: version, "os#arch": "amd64"} if version else {"os#arch": "amd64"})
    }


BLIND: Any = {"dependencies": section({DJANGO: "5.2.8"}, status="failed", unseen=[("*", "timeout")])}
OLD, NEW = django("4.2.26"), django("5.2.8")  # right ahead: at once drift


def test_a_drift_is_pending_until_it_was_seen_twice_then_open_and_said_once() -> None:
    shop = Watched()
    assert (shop.look(OLD, NEW), shop.row.state, shop.said) == (["opened"], "pending", [])
    assert (shop.look(OLD, NEW), shop.row.state, shop.said) == (["confirmed"], "open", ["opened"])
    assert (shop.look(OLD, NEW), shop.said) == ([], [])
    assert shop.row.opened_at == NOW + EVERY
    assert [event.actor for event in shop.history] == ["parity", "parity"]
    assert shop.history[0].snapshots == {"staging": 1, "prod": 2}


def test_a_source_without_a_schedule_needs_one_look() -> None:
    shop = Watched(scheduled=False)
    assert (shop.look(OLD, NEW), shop.row.state, shop.said) == (["opened"], "open", ["opened"])


def test_one_side_alone_confirms_nothing() -> None:
    shop = Watched()
    shop.look(OLD, NEW)
    assert (shop.look(OLD, NEW, at=["left"]), shop.row.state) == ([], "pending")
    assert (shop.look(OLD, NEW, at=["right"]), shop.row.state) == (["confirmed"], "open")


def opened(**more: Any) -> Watched:
    shop = Watched(**more)
    shop.look(OLD, NEW)
    shop.look(OLD, NEW)
    return shop


def test_the_end_of_a_drift_is_said_where_its_beginning_was() -> None:
    shop = opened()
    assert (shop.look(NEW, NEW), shop.row.state, shop.said) == (["resolved"], "resolved", ["resolved"])
    assert shop.row.resolved_at == shop.now
    pending = Watched()
    pending.look(OLD, NEW)
    assert (pending.look(NEW, NEW), pending.row.state, pending.said) == (["resolved"], "resolved", [])


def test_a_drift_that_comes_back_is_the_same_one() -> None:
    shop = opened()
    first = shop.row.id
    shop.look(NEW, NEW)
    assert shop.look(OLD, NEW) == ["reopened"]
    assert (shop.row.id, shop.row.state) == (first, "pending")
    assert shop.row.opened_at == shop.now


@pytest.mark.parametrize("side", ["left", "right"])
def test_an_unknown_item_leaves_its_row_as_it_is(side: str) -> None:
    shop = opened()
    sides = {"left": OLD, "right": NEW, side: BLIND}
    before = shop.row
    assert shop.look(sides["left"], sides["right"]) == []
    assert shop.row == before
    # Seen again, and nothing changed: no resolve was invented.
    assert shop.look(OLD, NEW) == []


def test_a_source_that_forgot_everything_resolves_nothing() -> None:
    shop = opened()
    nothing: Any = {"dependencies": failed("denied")}
    assert shop.look(nothing, nothing) == []
    assert shop.row.state == "open"


def test_a_graver_drift_escalates_and_another_value_is_a_change() -> None:
    shop = Watched()
    for _ in range(2):
        shop.look(django("5.2.7"), django("5.2.8"))
    assert shop.row.severity == "low"
    assert (shop.look(django("4.2.26"), NEW), shop.said) == (["escalated"], ["escalated"])
    assert (shop.look(django("4.2.27"), NEW), shop.said) == (["changed"], ["changed"])
    assert (shop.look(django("5.2.7"), NEW), shop.said, shop.row.severity) == (
        ["changed"],
        ["changed"],
        "low",
    )


def test_a_pending_drift_that_moves_is_confirmed_anew_and_in_silence() -> None:
    shop = Watched()
    shop.look(OLD, NEW)
    assert (shop.look(django("4.2.27"), NEW), shop.said, shop.row.state) == (["changed"], [], "pending")
    assert (shop.look(django("4.2.27"), NEW), shop.row.state) == (["confirmed"], "open")


def test_a_rule_that_hides_a_drift_withdraws_it_without_a_green_line() -> None:
    shop = opened()
    shop.rules = [Rule(name="r", match=Match(item=(DJANGO,)), outcome=Outcome(ignore=True))]
    assert (shop.look(OLD, NEW), shop.row.state, shop.said) == (["withdrawn"], "withdrawn", [])
    shop.rules = []
    assert shop.look(OLD, NEW) == ["reopened"]


def test_a_difference_that_a_rule_expects_is_withdrawn() -> None:
    shop = opened()
    shop.rules = [Rule(name="r", match=Match(item=(DJANGO,)), outcome=Outcome(expect="any"))]
    assert (shop.look(OLD, NEW), shop.row.state, shop.said) == (["withdrawn"], "withdrawn", [])


def test_left_overtaking_right_ends_the_drift_and_begins_a_lead() -> None:
    shop = opened()
    assert (shop.look(django("5.2.9"), NEW), shop.row.state, shop.said) == (
        ["resolved"],
        "resolved",
        ["resolved"],
    )


def test_a_package_whose_predecessor_the_other_side_got_is_missing_no_more() -> None:
    def system(**packages: str) -> Any:
        named = {f"pkg:deb/debian/{name}": version for name, version in packages.items()}
        return {"dependencies": section({"os#arch": "amd64", **named})}

    shop, prod = Watched(scheduled=False), system(libssl3t64="3.5.1-1")
    shop.look(system(), prod)
    assert {row.key.item: row.state for row in shop.rows.values()} == {"pkg:deb/debian/libssl3t64": "open"}
    assert shop.look(system(libssl3="3.0.15-1"), prod) == ["opened", "resolved"]
    assert {row.key.item.rpartition("/")[2]: row.state for row in shop.rows.values()} == {
        "libssl3t64": "resolved",
        "libssl3": "open",
    }
    # Taken away again it is the same drift as before.
    assert sorted(shop.look(system(), prod)) == ["reopened", "resolved"]
    # Where two on one side may be it, nobody knows, and it stays missing.
    assert shop.look(system(libssl3="3.0.15-1", **{"libssl1.1": "1.1.1-1"}), prod) == []


def test_an_expected_difference_has_no_row() -> None:
    shop = Watched()
    shop.look(NEW, OLD)
    assert shop.rows == {}


def test_a_rotated_value_is_no_change() -> None:
    shop = Watched()

    def token(value: str, other: str) -> tuple[Any, Any]:
        return (
            {"config": section(keys(A="some text", KEY=value))},
            {"config": section(keys(A="some text", KEY=other) if other else keys(A="some text"))},
        )

    for _ in range(2):
        shop.look(*token("one secret", ""))
    assert shop.look(*token("another secret", "")) == []
    assert shop.look(*token("12", "")) == ["changed"]  # another type is one


def test_every_owner_is_told_once() -> None:
    shop = Watched(scheduled=False)
    left: Any = {"dependencies": section({DJANGO: "4.2.26", "pkg:pypi/attrs": "1.0"})}
    right: Any = {"dependencies": section({DJANGO: "5.2.8", "pkg:pypi/attrs": "2.0"})}
    shop.look(left, right)
    (owed,) = shop.owed
    assert (owed.owner, owed.event, len(owed.drift_ids)) == ("team-shop", "opened", 2)


def test_an_alert_says_the_worst_that_happened() -> None:
    shop = Watched(scheduled=False)
    shop.look(
        {"dependencies": section({DJANGO: "5.2.7", "a": "1"})},
        {"dependencies": section({DJANGO: "5.2.8", "a": "1"})},
    )
    shop.look(
        {"dependencies": section({DJANGO: "4.2.0", "a": "1"})},
        {"dependencies": section({DJANGO: "5.2.8", "a": "2"})},
    )
    assert shop.said == ["escalated"]


def test_what_left_the_configuration_is_withdrawn() -> None:
    shop = opened()
    outcome = withdraw(shop.rows.values(), shop.ledger())
    assert [row.state for row in outcome.drifts] == ["withdrawn"]
    assert outcome.owed == ()
    assert withdraw(outcome.drifts, shop.ledger()).drifts == ()


# -- findings end as differences do -----------------------------------------------------------------------

SECRET: Any = {"config": section(keys(A="some text", API_TOKEN="one secret"))}
OTHER: Any = {"config": section(keys(A="some text", API_TOKEN="another secret"))}
NONE: Any = {"config": section(keys(A="some text"))}


def test_a_shared_secret_ends_with_a_value_of_its_own() -> None:
    shop = Watched(scheduled=False)
    shop.look(SECRET, SECRET)
    assert shop.look(OTHER, SECRET) == ["resolved"]


def test_a_rotated_fingerprint_key_resolves_neither_secret_nor_endpoint() -> None:
    from tests.builders import ROTATED

    url = "postgres://db.example.com/shop"
    shop = Watched(scheduled=False)
    both: Any = {"config": section(keys(API_TOKEN="one secret", DATABASE_URL=url))}
    shop.look(both, both)
    assert {row.key.kind for row in shop.rows.values()} == {"shared_secret", "shared_endpoint"}
    rotated: Any = {"config": section(keys(fingerprinter=ROTATED, API_TOKEN="one secret", DATABASE_URL=url))}
    assert shop.look(rotated, both) == []
    assert shop.look(both, rotated) == []
    assert {row.state for row in shop.rows.values()} == {"open"}
    # All agents have the new key: it is still the same drift.
    assert shop.look(rotated, rotated) == []


def test_a_shared_endpoint_stays_open_while_the_key_behind_it_cannot_be_seen() -> None:
    url = "postgres://db.example.com/shop"
    right: Any = {"config": section(keys(DATABASE_URL=url))}
    shop = Watched(scheduled=False)
    shop.look({"config": section(keys(A="some text", MAIN_DB=url))}, right)
    remembered = section(keys(A="some text", MAIN_DB=url), status="failed", unseen=[("*", "denied")])
    shared = next(key for key in shop.rows if key.kind == "shared_endpoint")
    assert shop.rows[shared].state == "open"
    shop.look({"config": remembered}, right)
    assert shop.rows[shared].state == "open"
    shop.look({"config": section(keys(A="some text", MAIN_DB="postgres://own.example.com/shop"))}, right)
    assert shop.rows[shared].state == "resolved"


@pytest.mark.parametrize("kind", ["shared_secret", "shared_endpoint"])
def test_a_rule_that_hides_a_finding_withdraws_it(kind: Any) -> None:
    shop = Watched(scheduled=False)
    both: Any = {
        "config": section(keys(API_TOKEN="one secret", DATABASE_URL="postgres://db.example.com/shop"))
    }
    shop.look(both, both)
    shop.rules = [Rule(name="r", match=Match(kind=(kind,)), outcome=Outcome(ignore=True))]
    assert shop.look(both, both) == ["withdrawn"]


def test_an_image_that_turns_out_to_be_one_ends_the_drift_of_its_tag() -> None:
    def image(tag: str, digest: str) -> Any:
        return {"release": section({"image#tag": tag, "image#digest": digest})}

    shop = Watched(scheduled=False)
    shop.look(image("1.4.2", "a"), image("1.5.0", "b"))
    assert shop.look(image("1.4.2", "b"), image("1.5.0", "b")) == ["resolved"]


def test_a_rebuild_ends_with_one_image_and_is_withdrawn_by_a_rule() -> None:
    def image(digest: str) -> Any:
        return {"release": section({"image#tag": "1.4.2", "image#digest": digest})}

    shop = Watched(scheduled=False)
    shop.look(image("a"), image("b"))
    shop.rules = [Rule(name="r", match=Match(kind=("rebuilt",)), outcome=Outcome(ignore=True))]
    assert shop.look(image("a"), image("b")) == ["withdrawn"]
    shop.rules = []
    assert shop.look(image("a"), image("b")) == ["reopened"]
    assert shop.look(image("b"), image("b")) == ["resolved"]


# -- a dead collector -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (OLD, NEW),
        (NONE, SECRET),  # the only side that has the key goes blind
        (
            {
                "dependencies": section({"os#arch": "a"}),
                "backing_services": section({"main#product": "redis"}),
            },
            {
                "dependencies": section({"os#arch": "a"}),
                "backing_services": section({"main#product": "mysql"}),
            },
        ),
        (SECRET, SECRET),
    ],
)
@pytest.mark.parametrize("forgets", [False, True])
def test_a_dead_collector_never_raises_a_score(left: Any, right: Any, *, forgets: bool) -> None:
    from detector.engine.score import counted, service_score

    def score(shop: Watched) -> float:
        told = counted(shop.score.items, shop.score.causes)
        found = service_score(told, shop.score.measured)
        assert found is not None
        return found

    shop = Watched(scheduled=False)
    shop.look(left, right)
    shop.look(left, right)
    before = score(shop)
    assert before < 1
    dead = {
        name: section({} if forgets else one.facts, status="failed", unseen=[("*", "timeout")])
        for name, one in right.items()
    }
    shop.look(left, dead)
    assert score(shop) <= before
    assert {one.verdict for one in shop.score.items if one.drift_id} == {"unknown"}


def test_a_row_that_nobody_can_judge_stays_as_it_is() -> None:
    shop = opened()
    nothing = view(environment="prod")
    outcome = live(
        shop.rows,
        [],
        ledger=shop.ledger(),
        witnesses=Witnesses(left=nothing, right=nothing, policies={}),
        settled_now=lambda _: None,
    )
    assert (outcome.drifts, outcome.events, outcome.owed) == ((), (), ())


# --- acceptance ---------------------------------------------------------------------------------------


def test_accepting_an_open_drift_says_who_and_why_and_alerts_nobody() -> None:
    shop = opened()
    shop.accept(until="changed")
    assert (shop.look(OLD, NEW), shop.row.state, shop.said) == (["accepted"], "accepted", [])
    event = shop.history[-1]
    assert (event.actor, event.note) == ("anna", "planned upgrade (until 2026-12-22)")
    assert shop.row.document()["accepted"]["reason"] == "planned upgrade"
    assert shop.look(OLD, NEW) == []


def test_a_changed_difference_ends_its_acceptance_and_waits_for_a_second_look_before_it_alerts() -> None:
    shop = opened()
    first = shop.row.opened_at
    shop.accept(until="changed")
    shop.look(OLD, NEW)
    newer = django("6.0.1")
    assert (shop.look(OLD, newer), shop.said) == (["acceptance_ended", "reopened"], [])
    assert shop.history[-2].note == "acceptance of anna until 2026-12-22 ended: the difference changed"
    assert (shop.look(OLD, newer), shop.row.state, shop.said) == (["confirmed"], "open", ["reopened"])
    assert shop.row.opened_at == first
    # What ended stays ended, also where the difference is what it was.
    shop.look(OLD, NEW)
    assert shop.row.state == "open"


def test_an_acceptance_whose_time_is_up_reopens_at_once() -> None:
    shop = opened()
    shop.accept(until="changed", expires_at=shop.now + timedelta(minutes=40))
    assert shop.look(OLD, NEW) == ["accepted"]
    assert shop.score.review_at == shop.now + timedelta(minutes=25)
    shop.look(OLD, NEW)
    assert (shop.look(OLD, NEW), shop.said) == (["acceptance_ended", "reopened"], ["reopened"])
    assert shop.history[-2].note == "acceptance of anna until 2026-11-22 ended: its time is up"


def test_an_accepted_difference_that_is_gone_resolves_in_silence_and_its_return_is_drift() -> None:
    shop = opened()
    shop.accept(until="resolved")
    shop.look(OLD, NEW)
    assert (shop.look(NEW, NEW), shop.row.state, shop.said) == (["resolved"], "resolved", [])
    assert (shop.look(OLD, NEW), shop.row.state) == (["reopened"], "pending")


def test_what_a_match_accepts_at_first_sight_is_listed_as_accepted_and_never_alerts() -> None:
    shop, ahead = Watched(), django("4.3.0")
    shop.accept(match=Match(section=("dependencies",)), until="worse")
    assert (shop.look(OLD, ahead), shop.row.state, shop.said) == (["accepted"], "accepted", [])
    assert shop.look(OLD, django("4.4.1")) == ["changed"]
    assert shop.look(OLD, NEW) == ["acceptance_ended", "reopened"]
    assert shop.history[-2].note == (
        "acceptance of anna until 2026-12-22 ended: it got worse: medium became high"
    )


def test_an_unseen_side_leaves_an_accepted_drift_as_it_is() -> None:
    shop = opened()
    shop.accept(until="changed")
    shop.look(OLD, NEW)
    assert (shop.look(OLD, BLIND), shop.row.state) == ([], "accepted")


def test_taking_an_acceptance_back_reopens_and_alerts() -> None:
    shop = opened()
    made = shop.accept(until="changed")
    shop.look(OLD, NEW)
    settled_rows = taken_back([shop.row], shop.ledger(), actor="bob", note=made.ended("bob took it back"))
    assert [event.event for _, event in settled_rows.events] == ["acceptance_ended", "reopened"]
    assert [owed.event for owed in settled_rows.owed] == ["reopened"]
    assert settled_rows.drifts[-1].state == "open"
