"""Whether a drift that no verdict speaks of any more is over, hidden, or out of sight."""

from detector.engine.view import Place, View
from detector.model.canonical import canonical
from detector.model.records import Key
from detector.model.words import COMPONENT_KINDS


def settled(left: View, right: View, key: Key) -> bool | None:
    """Tell what became of a key without a verdict.

    True: both sides are known and there is nothing left of it. False: it is still there, but a rule hides
    it. None: one side cannot be seen, so nothing is known.
    """
    if key.section == "processes" and key.item in COMPONENT_KINDS:
        return True if left.kinds and right.kinds else None
    place = Place(key.component, key.section, key.item)
    ours, theirs = left.side(place), right.side(place)
    if ours.unknown or theirs.unknown:
        return None
    if key.kind != "difference":
        return True
    if ours.present != theirs.present:
        return False
    return not ours.present or canonical(ours.value) == canonical(theirs.value)
