"""Services that are gone: what a whole look found there before, and does not find any more.

A service that was never there is not deployed, one that cannot be seen is unknown: neither is gone.
"""

from typing import Final

from detector.engine.difference import Difference
from detector.engine.looks import Look
from detector.engine.view import ABSENT, Place, View
from detector.model.records import Side
from detector.model.words import MAIN

#: Where a finding about a service as a whole stands.
WHOLE: Final = Place(MAIN, "processes", "service")


def is_gone(view: View) -> bool:
    """Tell whether everyone who looks at what runs does not find it any more, though it was there.

    What is only declared says nothing of it.
    """
    running = [look for here in view.looks.values() for look in here if look.section.basis == "running"]
    return bool(running) and all(_does_not_find(look) for look in running)


def is_there(view: View) -> bool:
    """Tell whether something of the service is seen now."""
    seen = (look for here in view.looks.values() for look in here if look.fresh and look.section.facts)
    return any(look.section.status != "failed" for look in seen) and not is_gone(view)


def gone_between(left: View, right: View) -> Difference | None:
    """Return the one difference of a service that one side lost, or None."""
    if right.found(is_gone) and is_there(left):
        return Difference(WHOLE, "left_only", _side_of(left), ABSENT, "service_gone")
    if left.found(is_gone) and is_there(right):
        return Difference(WHOLE, "right_only", ABSENT, _side_of(right), "service_gone")
    return None


def gone_settled(left: View, right: View) -> bool | None:
    """Tell whether a service that was gone is so no more: back, or gone from both. None: nobody can see."""
    if is_gone(left) or is_gone(right):
        return True if is_gone(left) and is_gone(right) else None
    return True if is_there(left) and is_there(right) else None


def _does_not_find(look: Look) -> bool:
    return look.fresh and look.section.gone and not look.section.facts


def _side_of(view: View) -> Side:
    look = max(
        (look for here in view.looks.values() for look in here if look.section.facts),
        key=lambda look: (look.fresh, look.stream.last_seen),
    )
    return Side(
        present=True,
        value="deployed",
        basis=look.section.basis,
        source=look.stream.source,
        observed_at=look.stream.last_seen,
    )
