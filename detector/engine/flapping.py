"""Flapping: a drift that opens and resolves again and again, of which one message is worth more than twenty.

Derived from the events of the drift itself, so that it is the same after a restart and in every answer.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from detector.engine.holds import Hold
from detector.model.records import DriftEvent

#: So many turns within `WITHIN` are flapping: opened, and come back for the second time.
TURNS: Final = 5
WITHIN: Final = timedelta(hours=24)
#: What kept still for so long has stopped.
CALM: Final = timedelta(hours=4)
#: Nothing is held longer, however long it goes on.
LONGEST: Final = timedelta(hours=24)
_TURNS: Final = frozenset({"opened", "reopened", "resolved"})


def turns_of(events: Iterable[DriftEvent]) -> list[datetime]:
    """Return when a drift opened or resolved, oldest first."""
    return sorted(event.at for event in events if event.event in _TURNS)


def flapping(events: Iterable[DriftEvent], now: datetime) -> Hold | None:
    """Return the hold of a drift that opened for the third time within a day, or more often.

    ``events`` are all of the drift's. The hold ends when the drift kept still for four hours, and a day after
    it began at the latest; after that it takes as many turns again to begin another one.
    """
    turns = [at for at in turns_of(events) if at <= now]
    began, first = None, 0
    for number, at in enumerate(turns):
        if began is not None and at >= began + LONGEST:
            began, first = None, number
        elif began is not None and at >= turns[number - 1] + CALM:
            began = None
        enough = number - first + 1 >= TURNS and at - turns[number + 1 - TURNS] <= WITHIN
        if began is None and enough:
            began = at
    if began is None or now >= (until := min(turns[-1] + CALM, began + LONGEST)):
        return None
    lately = sum(1 for at in turns if now - at <= WITHIN)
    return Hold("flap", f"opened or resolved {lately} times within a day", until)
