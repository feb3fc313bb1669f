"""Who hears: receivers with their notifiers, and the names by which routes reach them."""

from collections.abc import Mapping

from detector.config.alerting import AlertingEntry, ReceiverEntry, Route
from detector.config.draft import Draft, Piece
from detector.config.records import Receiver


def read_alerting(draft: Draft) -> tuple[AlertingEntry, tuple[Receiver, ...]]:
    """Return ``alerting`` and its receivers; notes what is wrong."""
    piece = draft.root.at("alerting")
    alerting = draft.one(AlertingEntry, "alerting")
    listed = list(draft.root.at("alerting", "receivers").each())
    draft.refuse_doubles([each.at("name") for each in listed], "receivers of one name")
    receivers = [receiver for each in listed if (receiver := _receiver(draft, each)) is not None]
    names = draft.names("alerting", "receivers")
    if piece.at("platform").text:
        draft.require(piece.at("platform"), piece.at("platform").text, names, "receiver")
    for each, route in draft.all(Route, "alerting", "routes"):
        draft.require(each.at("to"), route.to, names, "receiver")
    return alerting, tuple(receivers)


def _receiver(draft: Draft, piece: Piece) -> Receiver | None:
    value = piece.node.value
    entry = draft.problems.check(ReceiverEntry, piece.node, piece.path)
    if entry is None or not isinstance(value, Mapping):
        return None
    notifiers = [key for key in value if key != "name" and not key.startswith("x-")]
    if len(notifiers) != 1:
        message = "needs one notifier beside its name, as in slack: {…}"
        draft.problems.add(piece.path, "config-semantics", message)
        return None
    at = piece.at(notifiers[0])
    options = draft.options.read(
        "parity.notifiers", notifiers[0], at.node, at.path, at=at.path, beside=frozenset()
    )
    return Receiver(name=entry.name, notifier=notifiers[0], options=options) if options is not None else None
