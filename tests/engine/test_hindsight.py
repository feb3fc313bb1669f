"""Hindsight: the state of a drift is that of the last moment at which both sides were known."""

from collections.abc import Mapping
from dataclasses import replace

from detector.engine.hindsight import Hindsight, Moment
from detector.engine.life import Ledger
from detector.model.records import Drift, Judged, Key, Side
from detector.model.words import State, Verdict
from tests.builders import NOW, ago

KEY = Key("shop", "main", "disposability", "grace")


def judged(verdict: Verdict) -> Judged:
    return Judged(
        key=KEY,
        comparison="staging..prod",
        status="unknown" if verdict == "unknown" else "changed",
        left=Side(present=True, value="one"),
        right=Side(present=True, value="two"),
        verdict=verdict,
        severity="info",
        rule="default/rest",
    )


def moment(word: Verdict | bool | None) -> Moment:  # noqa: FBT001 - it is what `settled` says
    """Return a moment with a verdict, or with what is settled of a key without one."""
    if isinstance(word, str):
        return Moment(judged={KEY: judged(word)}, settled=lambda _: None)
    return Moment(judged={}, settled=lambda _: word)


def row(state: State, **more: object) -> Drift:
    fresh = Drift(
        id="a drift",
        comparison="staging..prod",
        key=KEY,
        state=state,
        severity="info",
        owner=None,
        opened_at=ago(hours=1),
        item={},
    )
    return replace(fresh, **more)  # type: ignore[arg-type]  # fields of a drift


def ledger() -> Ledger:
    return Ledger(comparison="staging..prod", now=NOW, new_id=lambda: "a new drift", snapshots={}, late=True)


def after(now: Moment, *past: Moment, rows: Mapping[Key, Drift] | None = None) -> list[tuple[str, str]]:
    """Return (state, event) of what looking back over moments changed, newest first."""
    written = ledger()
    hindsight = Hindsight(now, rows or {}, written)
    for then in past:
        hindsight.look(then)
    hindsight.forget(since=ago(hours=2))
    assert written.settled().owed == ()
    events = [event.event for _, event in written.events]
    return [(drift.state, event) for drift, event in zip(written.drifts, events, strict=True)]


def test_what_was_a_drift_when_last_seen_begins_and_waits_for_the_next_look() -> None:
    assert after(moment("unknown"), moment(None), moment("drift")) == [("pending", "backdated")]


def test_what_agreed_when_last_seen_ends() -> None:
    assert after(moment("unknown"), moment(True), moment("drift"), rows={KEY: row("open")}) == [
        ("resolved", "backdated")
    ]


def test_what_is_known_now_needs_no_hindsight() -> None:
    assert after(moment("in_sync"), moment("drift")) == []
    assert after(moment(True), moment("drift")) == []


def test_a_newer_word_counts_although_nobody_waited_for_it() -> None:
    # The key has no row and no verdict at the newer moment: both sides were known to lack it.
    assert after(moment(None), moment(True), moment("drift")) == []


def test_a_row_that_the_last_word_bears_out_stays() -> None:
    assert after(moment("unknown"), moment("drift"), rows={KEY: row("open")}) == []


def test_a_row_that_no_moment_bears_out_any_more_is_withdrawn() -> None:
    assert after(moment("unknown"), moment("unknown"), rows={KEY: row("open")}) == [
        ("withdrawn", "backdated")
    ]


def test_a_row_older_than_what_is_remembered_stays() -> None:
    old = row("open", opened_at=ago(days=30))
    assert after(moment("unknown"), moment("unknown"), rows={KEY: old}) == []


def test_what_was_withdrawn_for_want_of_proof_begins_again_with_it() -> None:
    assert after(moment("unknown"), moment("drift"), rows={KEY: row("withdrawn")}) == [
        ("pending", "backdated")
    ]


def test_what_people_accepted_stays_theirs() -> None:
    assert after(moment("unknown"), moment(True), rows={KEY: row("accepted")}) == []
