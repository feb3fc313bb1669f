"""What both sides have alike: nothing to judge, and listed only where everything is asked for."""

from collections.abc import Collection, Iterator

from detector.engine.values import LOCAL
from detector.engine.view import View
from detector.model.canonical import canonical
from detector.model.records import Judged, Key

RULE = "equal"


def equal_items(
    comparison: str, left: View, right: View, *, known: Collection[Key], owner: str | None
) -> Iterator[Judged]:
    """Return an item in sync for each place where both views have one value and no verdict speaks of it."""
    for place in sorted(left.sides.keys() & right.sides.keys()):
        key = Key(left.service, *place)
        ours, theirs = left.sides[place], right.sides[place]
        if key in known or place.item in LOCAL or not (ours.present and theirs.present):
            continue
        if canonical(ours.value) == canonical(theirs.value):
            yield Judged(
                key=key,
                comparison=comparison,
                status="same",
                left=ours,
                right=theirs,
                verdict="in_sync",
                severity="info",
                rule=RULE,
                owner=owner,
            )
