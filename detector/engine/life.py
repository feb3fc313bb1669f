"""The life of a drift: what a judgement does to the rows of the register.

States `pending open accepted resolved withdrawn`. A row begins when a verdict becomes drift; an unknown item
leaves its row as it is; a resolve needs both sides to be known. Everything that happens is an event.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from detector.engine.acceptance import last_day
from detector.engine.compared import sides
from detector.engine.looks import Look
from detector.engine.policy import SourcePolicy
from detector.engine.view import View
from detector.model.records import AcceptedBy, Drift, DriftEvent, Judged, Key, Owed, severity_rank
from detector.model.words import MAIN, State

#: What the engine itself is called in the history of a drift.
ACTOR = "parity"
#: From the most to the least worth saying: an alert says the first that happened.
SAID = ("escalated", "flapped", "reopened", "opened", "changed", "reminder", "resolved")
LIVING: Final[tuple[State, ...]] = ("pending", "open", "accepted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What one judgement changed: rows to write, events to append, alerts that are owed."""

    drifts: tuple[Drift, ...] = ()
    events: tuple[tuple[str, DriftEvent], ...] = ()
    owed: tuple[Owed, ...] = ()


@dataclass(slots=True, kw_only=True)
class Ledger:
    """Collects what one judgement of one (comparison, service) changes."""

    comparison: str
    now: datetime
    #: Makes the id of a new drift or alert, ordered by time.
    new_id: Callable[[], str]
    #: Environment -> number of its snapshot that was judged.
    snapshots: Mapping[str, int]
    drifts: list[Drift] = field(default_factory=list)
    events: list[tuple[str, DriftEvent]] = field(default_factory=list)
    said: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    #: Whether all that is judged came late: such news never alerts.
    late: bool = False

    def begun(self, one: Judged, row: Drift | None = None) -> Drift:
        """Return a drift as it begins, under the id of the row that it had before."""
        return Drift(
            id=row.id if row is not None else self.new_id(),
            comparison=self.comparison,
            key=one.key,
            state="pending",
            severity=one.severity,
            owner=one.owner,
            opened_at=self.now,
            item=one.document(),
        )

    def write(
        self,
        row: Drift,
        event: str,
        *,
        alert: str | None = None,
        actor: str = ACTOR,
        note: str | None = None,
    ) -> None:
        """Take down a row's new state with the event that led to it, and the alert it owes."""
        self.drifts.append(row)
        item = row.item
        self.events.append(
            (
                row.id,
                DriftEvent(
                    at=self.now,
                    event=event,
                    actor=actor,
                    left=item.get("left"),
                    right=item.get("right"),
                    snapshots=self.snapshots,
                    note=note,
                ),
            )
        )
        if alert is not None and not self.late:
            self.said.setdefault(row.owner or row.key.service, []).append((row.id, alert))

    def settled(self) -> Settled:
        """Return all that was taken down, with one alert for each owner."""
        owed = [
            Owed(
                id=self.new_id(),
                comparison=self.comparison,
                owner=owner,
                created_at=self.now,
                event=min((event for _, event in said), key=SAID.index),
                drift_ids=tuple(dict.fromkeys(drift for drift, _ in said)),
            )
            for owner, said in self.said.items()
        ]
        return Settled(drifts=tuple(self.drifts), events=tuple(self.events), owed=tuple(owed))


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnesses:
    """Who can confirm a difference: the scheduled sources of both sides."""

    left: View
    right: View
    policies: Mapping[str, Mapping[str, SourcePolicy]]
    #: Complete observations that an alert waits for.
    needed: int = 2

    def first_seen(self, view: View, key: Key) -> datetime | None:
        """Return since when every witness of a place on one side counts: the oldest of their last looks."""
        return min((look.stream.last_seen for look in looks_at(view, key)), default=None)

    def confirmed(self, row: Drift, needed: int | None = None) -> bool:
        """Tell whether every scheduled witness of both sides saw the difference often enough.

        ``needed`` is what a rule asks of this item, instead of what is asked of all.
        """
        needed = self.needed if needed is None else needed
        return self._often_enough(self.left, row, row.first_left_at, needed) and self._often_enough(
            self.right, row, row.first_right_at, needed
        )

    def _often_enough(self, view: View, row: Drift, since: datetime | None, needed: int) -> bool:
        if since is None:
            return True
        for look in looks_at(view, row.key):
            policy = self.policies.get(view.environment, {}).get(look.stream.source)
            if policy is None or not policy.scheduled:
                continue
            if sum(1 for at in look.stream.seen_at if at >= since) < needed:
                return False
        return True


def looks_at(view: View, key: Key) -> list[Look]:
    """Return who looks at a place; where nobody sees the component, who would have seen it."""
    if key.kind == "service_gone":
        return [look for here in view.looks.values() for look in here]
    for component in (key.component, MAIN):
        if looks := view.looks.get((component, key.section)):
            return list(looks)
    return [look for (_, section), here in view.looks.items() if section == key.section for look in here]


def live(
    rows: Mapping[Key, Drift],
    judged: Iterable[Judged],
    *,
    ledger: Ledger,
    witnesses: Witnesses,
    settled_now: Callable[[Key], bool | None],
    why_ended: Callable[[Drift, Judged], str] = lambda _row, _one: "its acceptance ended",
) -> Settled:
    """Carry every row of one (comparison, service) through one judgement.

    ``settled_now`` says of a key that is not in ``judged``: True, both sides are known and agree; False,
    a rule hides it; None, it is unknown. ``why_ended`` says of a row that is accepted and drifts again whose
    acceptance ended, and why.
    """
    verdicts = {one.key: one for one in judged}
    for key, one in verdicts.items():
        row = rows.get(key)
        if one.verdict == "drift":
            if row is not None and row.state == "accepted":
                ledger.write(row, "acceptance_ended", note=why_ended(row, one))
            _drifting(one, row, ledger, witnesses)
        elif one.verdict == "accepted":
            _accepting(one, row, ledger)
        elif row is not None and row.state in LIVING and one.verdict != "unknown":
            _over(row, one, ledger)
    for key, row in rows.items():
        if key in verdicts or row.state not in LIVING:
            continue
        known = settled_now(key)
        if known is None:
            continue
        if known:
            _resolve(row, row.item, ledger)
        else:
            ledger.write(replace(row, state="withdrawn", resolved_at=ledger.now), "withdrawn")
    return ledger.settled()


def withdraw(rows: Iterable[Drift], ledger: Ledger) -> Settled:
    """End rows whose service, source or comparison left the config: neither a resolve nor a green line."""
    for row in rows:
        if row.state in LIVING:
            ledger.write(replace(row, state="withdrawn", resolved_at=ledger.now), "withdrawn")
    return ledger.settled()


def taken_back(rows: Iterable[Drift], ledger: Ledger, *, actor: str, note: str) -> Settled:
    """Reopen accepted rows because a person ended their acceptance. Whoever owns them hears of it."""
    for row in rows:
        document = {**row.item, "verdict": "drift", "accepted": None}
        ledger.write(row, "acceptance_ended", actor=actor, note=note)
        ledger.write(
            replace(row, state="open", item=document, again=True),
            "reopened",
            alert="reopened",
            actor=actor,
            note=note,
        )
    return ledger.settled()


def let_be(row: Drift, item: Mapping[str, Any], by: AcceptedBy, ledger: Ledger) -> None:
    """Accept a row because a person said so: no alert, and nothing else changes."""
    document = {**item, "verdict": "accepted", "rule": by.name, "accepted": by.document(), "due": False}
    accepted = replace(row, state="accepted", item=document)
    ledger.write(accepted, "accepted", actor=by.author, note=_note(by))


def _accepting(one: Judged, row: Drift | None, ledger: Ledger) -> None:
    """Carry on with what a judgement found accepted. Where it is new to the register, it enters it so."""
    document, by = one.document(), one.accepted
    row = row or ledger.begun(one)
    now_row = replace(row, state="accepted", item=document, severity=one.severity, owner=one.owner)
    if row.state not in LIVING:
        now_row = replace(now_row, opened_at=ledger.now, resolved_at=None)
    was = row.item.get("accepted") or {}
    if by is not None and (row.state != "accepted" or was.get("id") != by.id):
        ledger.write(now_row, "accepted", actor=by.author, note=_note(by))
    elif sides(document) != sides(row.item) or one.severity != row.severity:
        ledger.write(now_row, "changed")


def _note(by: AcceptedBy) -> str:
    return f"{by.reason} (until {last_day(by.expires_at)})"


def _drifting(one: Judged, row: Drift | None, ledger: Ledger, witnesses: Witnesses) -> None:
    if row is None or row.state not in ("pending", "open"):
        _begin(one, row, ledger, witnesses)
        return
    document = one.document()
    graver = severity_rank(one.severity) > severity_rank(row.severity)
    moved = sides(document) != sides(row.item)
    now_row = replace(row, item=document, severity=one.severity, owner=one.owner)
    if row.state == "pending":
        if moved:
            ledger.write(_first_seen(now_row, witnesses), "changed")
        elif not (ledger.late or is_held(one)) and witnesses.confirmed(row, one.confirm_after):
            again = "reopened" if row.again else "opened"
            said = "flapped" if row.item.get("pending") == "flap" else again
            ledger.write(replace(now_row, state="open"), "confirmed", alert=said)
        return
    if is_held(one):
        # The row keeps what was told, so that what is told later is the whole change.
        return
    if graver:
        ledger.write(now_row, "escalated", alert="escalated")
    elif moved or one.severity != row.severity:
        ledger.write(now_row, "changed", alert="changed")


def is_held(one: Judged) -> bool:
    """Tell whether an alert waits for something else than confirmation."""
    return one.pending not in (None, "confirm")


def _begin(one: Judged, row: Drift | None, ledger: Ledger, witnesses: Witnesses) -> None:
    again, document = row is not None, one.document()
    fresh = replace(ledger.begun(one, row), again=again)
    if row is not None and row.state == "accepted":
        # It was there all the time: its age goes on, and what was seen long ago needs no second look.
        fresh = replace(
            fresh,
            opened_at=row.opened_at,
            first_left_at=row.first_left_at,
            first_right_at=row.first_right_at,
        )
    if row is None or row.state != "accepted" or sides(document) != sides(row.item):
        fresh = _first_seen(fresh, witnesses)
    # The next observation that is not late confirms it, and is heard.
    waits = ledger.late or is_held(one)
    confirmed = not waits and witnesses.confirmed(fresh, one.confirm_after)
    event = "reopened" if again else "opened"
    ledger.write(
        replace(fresh, state="open") if confirmed else fresh, event, alert=event if confirmed else None
    )


def _first_seen(row: Drift, witnesses: Witnesses) -> Drift:
    return replace(
        row,
        first_left_at=witnesses.first_seen(witnesses.left, row.key),
        first_right_at=witnesses.first_seen(witnesses.right, row.key),
    )


def _over(row: Drift, one: Judged, ledger: Ledger) -> None:
    """End a row whose difference is no drift any more: mended, or allowed by a rule."""
    document = one.document()
    if one.verdict == "in_sync" or sides(document) != sides(row.item):
        _resolve(row, document, ledger)
    else:
        ledger.write(replace(row, state="withdrawn", resolved_at=ledger.now), "withdrawn")


def _resolve(row: Drift, item: Mapping[str, object], ledger: Ledger) -> None:
    over = replace(row, state="resolved", resolved_at=ledger.now, item=item)
    ledger.write(over, "resolved", alert="resolved" if row.state == "open" else None)
