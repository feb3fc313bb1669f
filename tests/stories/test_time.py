"""Time between two environments: patience in its place, and alerts that wait where answers do not."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from detector.engine.calendars import Calendar
from detector.engine.comparison import ServiceVerdicts
from detector.engine.life import Witnesses
from detector.engine.pack import PACK
from detector.engine.policy import Pair, Service, SourcePolicy
from detector.engine.rollout import rollout_of, settled_view
from detector.engine.rules import Allowance, Match, Outcome, Rule
from detector.engine.verdicts import Both, verdicts_on
from detector.engine.view import Interner, Place
from detector.model.records import Drift, DriftEvent, Interval, Judged, Key
from detector.model.words import Severity, State
from tests.builders import (
    NOW,
    PROD,
    STAGING,
    STAGING_TO_PROD,
    ago,
    compare,
    drifts,
    interval,
    only,
    policy,
    section,
    stream,
    view,
)

DJANGO = "pkg:pypi/django"


def packages(**versions: Any) -> Any:
    return {"dependencies": section({f"pkg:pypi/{name}": version for name, version in versions.items()})}


def lagging(right: str, now: Sequence[tuple[str, float]]) -> Any:
    """Return the verdict on django where staging got (version, days ago) and prod runs ``right``."""
    closed = [ago(days=days) for _, days in now[1:]]
    history: list[Interval] = [
        interval(version, ago(days=days), end)
        for (version, days), end in zip(now, [*closed, None], strict=True)
    ]
    place = ("main", "dependencies", DJANGO)
    return only(
        compare(packages(django=now[-1][0]), packages(django=right), histories={("staging", place): history}),
        DJANGO,
    )


def test_w17_a_lead_is_as_old_as_the_oldest_version_that_prod_lacks() -> None:
    """A bot moves django in staging every three days; prod is deployed each week."""
    weekly = [(f"5.2.{number}", 30 - 3 * number) for number in range(10)]
    # Prod has what staging had a week ago: no drift, though the two have differed for a month.
    assert lagging("5.2.7", weekly).verdict == "expected"
    # Prod stood still for three weeks: drift, though staging's newest is three days old.
    stuck = lagging("5.2.2", weekly)
    assert (stuck.verdict, stuck.since) == ("drift", ago(days=21))


FREEZE = Calendar(freeze=((date(2026, 11, 15), date(2026, 12, 2)),))


def test_w18_a_code_freeze_stops_the_clock_of_what_production_lacks() -> None:
    """Code freeze in production from 15 November to 2 December; django leads there since the 5th."""
    place = ("main", "dependencies", DJANGO)
    since = {("staging", place): [interval("5.2.8", ago(days=17))]}
    frozen = Pair(left=STAGING, right=replace(PROD, calendar=FREEZE))
    one = only(
        compare(packages(django="5.2.8"), packages(django="5.2.7"), pair=frozen, histories=since), DJANGO
    )
    assert one.verdict == "expected"
    # Nine and a half days had gone when the freeze began; the rest runs from 3 December on.
    assert one.review_at is not None
    assert one.review_at.isoformat() == "2026-12-07T12:00:00+00:00"


def test_w18_without_the_calendar_every_lead_expires_in_the_freeze() -> None:
    """The same lead, where nobody told Parity of the freeze."""
    place = ("main", "dependencies", DJANGO)
    since = {("staging", place): [interval("5.2.8", ago(days=17))]}
    found = compare(packages(django="5.2.8"), packages(django="5.2.7"), histories=since)
    assert drifts(found) == {DJANGO: "low"}
    # A freeze of staging excuses nobody from catching up in production.
    frozen = Pair(left=replace(STAGING, calendar=FREEZE), right=PROD)
    assert drifts(compare(packages(django="5.2.8"), packages(django="5.2.7"), pair=frozen, histories=since))


def drift_row(*, state: State, first: datetime = NOW) -> Drift:
    """Return the row of django's drift, which was first seen at a time."""
    return Drift(
        id="d1",
        comparison="staging..prod",
        key=Key("shop", "main", "dependencies", DJANGO),
        state=state,
        severity="high",
        owner=None,
        opened_at=first,
        item={},
        first_left_at=first,
        first_right_at=first,
    )


def with_policies(
    *, staging: SourcePolicy, prod: SourcePolicy, left: Any, right: Any, now: datetime = NOW, **more: Any
) -> ServiceVerdicts:
    """Judge two sides whose one source each is trusted as its policy says."""
    interner = Interner()
    sides = [
        view(side, environment=name, policies=[one], now=now, interner=interner)
        for side, name, one in ((left, "staging", staging), (right, "prod", prod))
    ]
    service = Service(name="shop", sources={"staging": (staging,), "prod": (prod,)})
    both = Both(service=service, left=sides[0], right=sides[1], first=False, **more)
    return verdicts_on(both, pair=STAGING_TO_PROD, rules=PACK, now=now, interner=interner)


def seen(version: str, *, source: str, at: datetime) -> Any:
    return stream(packages(django=version), source=source, seen=at)


def test_w19_what_waits_for_confirmation_is_drift_in_every_answer() -> None:
    """`parity snapshot && parity gate` in a new pipeline: everything was seen once."""
    row = drift_row(state="pending")
    found = compare(
        packages(django="4.2.26"), packages(django="5.2.8"), rows={(row.comparison, row.key): row}
    )
    one = only(found, DJANGO)
    assert (one.verdict, one.severity, one.pending) == ("drift", "high", "confirm")
    assert one.pending_because == "to be confirmed by another look"


def test_w19_without_it_the_first_gate_of_every_pipeline_would_be_green() -> None:
    """Counting only what two looks confirmed, the first gate has nothing to count."""
    row = drift_row(state="pending")
    found = compare(
        packages(django="4.2.26"), packages(django="5.2.8"), rows={(row.comparison, row.key): row}
    )
    assert [one for one in found.items if one.verdict == "drift" and one.state == "open"] == []


THREE_WEEKS = timedelta(days=21)


def test_w20_a_push_at_each_deploy_counts_until_the_next_one() -> None:
    """CI pushes the lockfile of prod once per deploy, the last time three weeks ago."""
    ci = policy("ci", valid=None, scheduled=False)
    found = with_policies(
        staging=policy("docker"),
        prod=ci,
        left=seen("5.2.8", source="docker", at=NOW),
        right=seen("4.2.26", source="ci", at=NOW - THREE_WEEKS),
    )
    one = only(found, DJANGO)
    assert (one.verdict, one.right.observed_at) == ("expected", NOW - THREE_WEEKS)
    # It is confirmed by itself: nobody will push the same a second time.
    row = drift_row(state="pending", first=NOW - THREE_WEEKS)
    witnesses = Witnesses(left=found.left, right=found.right, policies={"prod": {"ci": ci}})
    assert witnesses.confirmed(row)


def test_w20_by_three_runs_of_a_quarter_of_an_hour_it_would_be_stale_within_the_hour() -> None:
    """The same push, trusted for as long as a source that runs every quarter of an hour."""
    three_runs = timedelta(minutes=45)
    naive = policy("ci", valid=three_runs, scheduled=True)
    found = with_policies(
        staging=policy("docker"),
        prod=naive,
        left=seen("5.2.8", source="docker", at=NOW),
        right=seen("4.2.26", source="ci", at=NOW - THREE_WEEKS),
    )
    assert only(found, DJANGO).right.unknown == "stale"
    row = drift_row(state="pending", first=NOW - THREE_WEEKS)
    witnesses = Witnesses(left=found.left, right=found.right, policies={"prod": {"ci": naive}})
    assert not witnesses.confirmed(row)


def nightly(now: datetime, *, every: timedelta | None) -> Judged:
    """Return the verdict where prod changed at noon and dev's nightly look was at midnight."""
    place = ("main", "dependencies", DJANGO)
    since = {("prod", place): [interval("5.2.8", NOW)], ("staging", place): [interval("5.2.7", ago(days=9))]}
    found = with_policies(
        staging=replace(policy("nightly"), every=every),
        prod=replace(policy("docker"), every=timedelta(minutes=15)),
        left=seen("5.2.7", source="nightly", at=ago(hours=12)),
        right=seen("5.2.8", source="docker", at=NOW),
        now=now,
        histories=since,
    )
    return only(found, DJANGO)


def test_w21_the_side_that_is_looked_at_each_night_gets_its_night() -> None:
    """One side is polled every night, the other every quarter of an hour; a release reached both at noon."""
    one = nightly(NOW, every=timedelta(days=1))
    assert (one.verdict, one.pending) == ("drift", "skew")  # the answer is there, the alert waits
    assert one.pending_because == "prod changed at 12:00 UTC, and staging was not looked at since"
    assert one.review_at == NOW + timedelta(days=1)
    # A night without a look: one interval is all that it gets.
    assert nightly(NOW + timedelta(days=1), every=timedelta(days=1)).pending is None


def test_w21_without_an_interval_to_wait_for_every_release_would_alarm_at_noon() -> None:
    """The same release, where nobody says how often the slower side is looked at."""
    one = nightly(NOW, every=None)
    assert (one.verdict, one.pending) == ("drift", None)


def laptop(*, intermittent: bool) -> Any:
    closed_at_six = ago(hours=14)
    here = stream(packages(django="5.2.8"), source="agent", seen=closed_at_six)
    known = [policy("agent", valid=timedelta(minutes=45))]
    return view(here, environment="dev", policies=known, intermittent=intermittent)


def test_w22_a_laptop_that_was_closed_is_known_as_it_was() -> None:
    """Dev is laptops, closed at six; it is morning."""
    side = laptop(intermittent=True).sides[Place("main", "dependencies", DJANGO)]
    assert (side.present, side.value, side.observed_at) == (True, "5.2.8", ago(hours=14))
    assert laptop(intermittent=True).fresh_until is None


def test_w22_as_a_server_it_would_be_unknown_every_evening() -> None:
    """The same laptop, where nobody says that it may be closed."""
    side = laptop(intermittent=False).sides[Place("main", "dependencies", DJANGO)]
    assert (side.unknown, side.last) == ("stale", "5.2.8")


@pytest.mark.parametrize(("days", "verdict"), [(9, "expected"), (10, "drift")])
def test_w23_automatic_minor_upgrades_reach_one_server_first(days: int, verdict: str) -> None:
    """RDS upgrades each instance in a window of its own; for some days two minors run side by side."""

    def server(version: str, *, managed: bool = True) -> Any:
        facts = {"main#product": "postgresql", "main#version": version}
        hints = {"main#version": {"managed": True, "auto_minor_upgrade": True}} if managed else {}
        return {"backing_services": section(facts, hints=hints)}

    place = ("main", "backing_services", "main#version")
    since = {("prod", place): [interval("16.4", ago(days=days))]}
    for left, right in (("16.3", "16.4"), ("16.4", "16.3")):  # either may be first
        found = compare(server(left), server(right), histories=since)
        assert only(found, "main#version").verdict == verdict
    # A server that is not managed has three days, and a major upgrade none.
    unmanaged = compare(server("16.3", managed=False), server("16.4", managed=False), histories=since)
    assert drifts(unmanaged) == {"main#version": "low"}
    assert drifts(compare(server("16.4"), server("17.1"), histories=since)) == {"main#version": "critical"}


def test_every_patience_says_when_it_ends() -> None:
    one = only(compare(packages(django="5.2.8"), packages(django="5.2.7"), pair=STAGING_TO_PROD), DJANGO)
    assert one.review_at == NOW + timedelta(days=14)


def flapping_row(severity: Severity = "high") -> Drift:
    turns = [
        DriftEvent(at=ago(minutes=50 - 10 * number), event=event, actor="parity")
        for number, event in enumerate(["opened", "resolved", "reopened", "resolved", "reopened"])
    ]
    return replace(drift_row(state="pending"), severity=severity, events=tuple(turns))


def test_w25_what_comes_and_goes_is_held_but_not_for_long() -> None:
    """A node pool with one stale node: django is 5.2.8 or 4.2.26, as the look has it."""
    row = flapping_row()
    rows = {(row.comparison, row.key): row}
    one = only(compare(packages(django="4.2.26"), packages(django="5.2.8"), rows=rows), DJANGO)
    assert (one.verdict, one.pending) == ("drift", "flap")
    assert one.pending_because == "opened or resolved 5 times within a day"
    assert one.review_at == ago(minutes=10) + timedelta(hours=4)
    later = compare(packages(django="4.2.26"), packages(django="5.2.8"), rows=rows, now=one.review_at)
    assert only(later, DJANGO).pending == "confirm"


def test_w25_what_is_critical_among_it_is_never_held() -> None:
    """The same turns, of something that people have to know at once."""
    row = flapping_row("critical")
    grave = Rule(name="r", match=Match(item=(DJANGO,)), outcome=Outcome(severity={"*": "critical"}))
    found = compare(
        packages(django="4.2.26"),
        packages(django="5.2.8"),
        rows={(row.comparison, row.key): row},
        rules=[grave],
    )
    assert only(found, DJANGO).pending == "confirm"


def restless() -> list[DriftEvent]:
    """Return the events of a drift that opened and resolved every two hours since three days ago."""
    return [
        DriftEvent(at=ago(hours=72 - 2 * number), event=event, actor="parity")
        for number, event in enumerate(["opened", *["resolved", "reopened"] * 18])
    ]


def pending_at(at: datetime) -> str | None:
    """Return what holds the alerts of that drift, as far as it had happened by then."""
    row = replace(flapping_row(), events=tuple(one for one in restless() if one.at <= at))
    rows = {(row.comparison, row.key): row}
    sides = packages(django="4.2.26"), packages(django="5.2.8")
    return only(compare(*sides, rows=rows, now=at), DJANGO).pending


def test_w25_what_never_gets_calm_is_told_after_a_day() -> None:
    """It has opened and resolved every two hours since three days ago."""
    began = restless()[4].at
    after = [pending_at(began + timedelta(hours=hours)) for hours in (1, 23, 24)]
    assert after == ["flap", "flap", "confirm"]


def test_w25_without_an_end_the_hold_would_last_as_long_as_the_flapping(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same, where a hold ends with the flapping and not before."""
    began = restless()[4].at
    monkeypatch.setattr("detector.engine.flapping.LONGEST", timedelta(days=365))
    assert {pending_at(began + timedelta(hours=hours)) for hours in (1, 24, 48, 63)} == {"flap"}


TAG = "image#tag"
HALF_WAY: Any = {"values": {"1.4.2": 2, "1.4.3": 3}}


def release(tag: Any) -> Any:
    return {"release": section({"image#repository": "acme/shop", TAG: tag})}


def rolling(now: datetime, *, window: timedelta = timedelta(minutes=30)) -> ServiceVerdicts:
    """Return the verdicts while prod, which began at noon, runs two versions, and staging the newer one."""
    history = [interval("1.4.2", ago(days=9), NOW), interval(HALF_WAY, NOW)]
    histories: Any = {("prod", ("main", "release", TAG)): history}
    interner = Interner()
    staging = view(stream(release("1.4.3")), environment="staging", now=now, interner=interner)
    prod = view(stream(release(HALF_WAY)), environment="prod", now=now, interner=interner)
    rollout = rollout_of(prod, histories, None, window=window, now=now)
    assert rollout is not None
    both = Both(
        service=Service(name="shop"),
        left=staging,
        right=settled_view(prod, rollout.settled),
        histories=histories,
        rollouts={"prod": rollout},
        first=False,
    )
    return verdicts_on(both, pair=STAGING_TO_PROD, rules=PACK, now=now, interner=interner)


def test_a_rolling_update_is_no_drift_but_what_it_settles_on_may_be() -> None:
    """Kubernetes replaces five pods one after the other; three run the new version."""
    found = rolling(NOW + timedelta(minutes=5))
    one = only(found, TAG)
    assert (one.key.kind, one.verdict, one.pending) == ("mixed", "expected", "rollout")
    assert one.pending_because == "prod is rolling out since 12:00 UTC, 3 of 5 on 1.4.3"
    assert one.review_at == NOW + timedelta(minutes=30)


def test_a_rolling_update_that_got_stuck_is_told_with_how_many_run_what() -> None:
    one = only(rolling(NOW + timedelta(minutes=30)), TAG)
    assert (one.key.kind, one.verdict, one.severity, one.pending) == ("mixed", "drift", "high", None)
    assert one.right.value == HALF_WAY


def test_without_a_window_every_deploy_would_alarm() -> None:
    found = rolling(NOW, window=timedelta())
    assert drifts(found) == {TAG: "high"}
    # And by the plain values staging and prod differ, without any order.
    assert only(compare(release("1.4.3"), release(HALF_WAY)), TAG, kind="difference").verdict == "drift"


def test_w17_by_the_age_of_the_difference_or_of_the_newest_version_both_would_be_wrong() -> None:
    """What restarts with each new value never ends; what never restarts blames a weekly deploy."""
    restarts, never_restarts = [("5.2.9", 3.0)], [("5.2.9", 30.0)]
    assert lagging("5.2.2", restarts).verdict == "expected"  # three weeks behind, and nobody is told
    assert lagging("5.2.7", never_restarts).verdict == "drift"  # a week behind, as every week


def test_w23_without_the_hint_and_the_skew_each_minor_upgrade_would_alarm_at_once() -> None:
    """The same two minors, by a rule that has no patience."""

    def server(version: str) -> Any:
        hints = {"main#version": {"managed": True, "auto_minor_upgrade": True}}
        facts = {"main#product": "postgresql", "main#version": version}
        return {"backing_services": section(facts, hints=hints)}

    place = ("main", "backing_services", "main#version")
    since = {("prod", place): [interval("16.4", NOW)]}
    impatient = Allowance(span=timedelta())
    rule = Rule(name="r", match=Match(item=("*#version",)), outcome=Outcome(allow_skew=impatient))
    found = compare(server("16.3"), server("16.4"), histories=since, rules=[rule])
    assert drifts(found) == {"main#version": "low"}
