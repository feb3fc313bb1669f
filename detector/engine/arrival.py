"""The arrival of a release: what two environments would still differ in, were left's release on the right.

What an image or a deployment brings along is alike then; the keys of the environment, its servers and the
heads of its databases stay what they are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from detector.engine.comparison import ServiceVerdicts
from detector.engine.difference import Difference, Differences
from detector.engine.pairing import differences
from detector.engine.policy import Pair
from detector.engine.rules import Rule
from detector.engine.verdicts import Both, Differ, verdicts_on
from detector.engine.view import Interner, View
from detector.model.records import Judged, Key, severity_rank
from detector.model.words import COMPONENT_KINDS, MAIN, Kind

#: What says which release runs, the first that is known.
_NAMES = (("release", "image#tag"), ("codebase", "repo#commit"))
_BROUGHT = ("dependencies", "release", "codebase")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What the release of one service meets where it would arrive."""

    service: str
    #: What leaves, and what it replaces; None where nobody says.
    release: str | None
    replaces: str | None
    #: The comparison as it would be then.
    after: ServiceVerdicts
    #: What differs now, and would not any more.
    closes: tuple[Judged, ...]
    #: Drift then that is none now: a key that the release needs, a head that it expects.
    opens: tuple[Judged, ...]

    @property
    def missing(self) -> tuple[Judged, ...]:
        """Keys that the release has on the left and would not find on the right, those it asks for first."""
        new = {one.key for one in self.opens}
        found = [one for one in self._drift if one.key.section == "config" and _is_missing(one)]
        return tuple(
            sorted(found, key=lambda one: (one.key not in new, -severity_rank(one.severity), one.key))
        )

    @property
    def migrations(self) -> tuple[Judged, ...]:
        """Databases whose head is not the one that the release expects."""
        return tuple(one for one in self._drift if one.key.kind == "schema_behind")

    @property
    def servers(self) -> tuple[Judged, ...]:
        """Backing services that are of another kind or version than where the release was tested."""
        return tuple(
            one
            for one in self._drift
            if one.key.section == "backing_services" and one.key.item.endswith(("#product", "#version"))
        )

    @property
    def others(self) -> tuple[Judged, ...]:
        """All other drift that would be left."""
        told = {one.key for one in (*self.missing, *self.migrations, *self.servers)}
        return tuple(one for one in self._drift if one.key not in told)

    @property
    def _drift(self) -> Iterator[Judged]:
        return (
            one
            for one in self.after.items
            if one.verdict == "drift" and one.comparison == self.after.comparison
        )


def arrival_of(
    both: Both,
    *,
    pair: Pair,
    rules: Sequence[Rule],
    now: datetime,
    interner: Interner,
    first_cause: int = 1,
    differ: Differ = differences,
) -> Arrival:
    """Judge one service as if left's release were on the right, and say what that changes."""

    def then(left: View, right: View, interner: Interner) -> Differences:
        found = differ(left, right, interner)
        return replace(found, items=tuple(_as_arrived(found.items)))

    before = verdicts_on(both, pair=pair, rules=rules, now=now, interner=interner, differ=differ)
    after = verdicts_on(
        both,
        pair=pair,
        rules=rules,
        now=now,
        interner=interner,
        first_cause=first_cause,
        differ=then,
    )
    left_over = {_identity(one) for one in after.items if one.verdict != "in_sync"}
    was_drift = {_identity(one) for one in before.items if one.verdict == "drift"}
    return Arrival(
        service=both.service.name,
        release=_release(both.left),
        replaces=_release(both.right),
        after=after,
        closes=tuple(
            one
            for one in before.items
            if one.verdict in ("drift", "expected", "accepted")
            and one.comparison == pair.name
            and _identity(one) not in left_over
        ),
        opens=tuple(one for one in after.items if one.verdict == "drift" and _identity(one) not in was_drift),
    )


def _identity(one: Judged) -> tuple[str, Key]:
    """Return what a verdict is about; a head that is pending is still the difference that it was."""
    kind: Kind = "difference" if one.key.kind == "schema_behind" and one.left is not None else one.key.kind
    return one.comparison, one.key._replace(kind=kind)


def _as_arrived(found: Sequence[Difference]) -> Iterator[Difference]:
    for difference in found:
        section, item = difference.place.section, difference.place.item
        if section in _BROUGHT or (section == "processes" and item in (*COMPONENT_KINDS, "command")):
            continue
        if section == "admin" and item.startswith("migration/") and _pending(difference):
            yield difference._replace(kind="schema_behind", status="changed", direction="left_ahead")
        else:
            yield difference


def _pending(difference: Difference) -> bool:
    """Tell whether the release finds a database without the head that it works on where it comes from."""
    if difference.status == "changed":
        return difference.direction != "right_ahead"
    return difference.status == "left_only"


def _is_missing(one: Judged) -> bool:
    """Tell whether a key is missing on the right, or empty there."""
    empty = isinstance(one.right.value, dict) and one.right.value.get("type") == "empty"
    return one.status == "left_only" or (one.status == "changed" and empty)


def _release(view: View) -> str | None:
    for section, item in _NAMES:
        values = {
            place.component: side.value
            for place, side in view.sides.items()
            if place.section == section and place.item == item and isinstance(side.value, str)
        }
        if values:
            name = str(values.get(MAIN) or values[min(values)])
            return name[:12] if item == "repo#commit" else name
    return None
