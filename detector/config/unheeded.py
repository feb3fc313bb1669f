"""Keys that parity.yml may hold and that nothing acts on yet: whoever sets one is told so."""

from collections.abc import Iterator
from typing import Final

from detector.config.draft import Draft, Piece

#: Paths of keys; ``*`` stands for each entry of a list or each name of a mapping.
UNHEEDED: Final = (
    "server.outgoing",
    "comparisons.*.alert",
    "alerting.platform",
    "alerting.group_by",
    "alerting.renotify_after",
    "alerting.receivers.*.slack.interactive",
    "alerting.receivers.*.slack.signing_secret",
    "alerting.receivers.*.slack.signing_secret_file",
)


def warn_of_unheeded(draft: Draft) -> None:
    """Warn of each key in the file that changes nothing yet."""
    for path in UNHEEDED:
        for piece in _found(draft.root, path.split(".")):
            draft.problems.warn(piece.path, "nothing acts on this yet: it is checked and has no effect")


def _found(piece: Piece, keys: list[str]) -> Iterator[Piece]:
    if not keys:
        if piece.node.value is not None:
            yield piece
        return
    key, *rest = keys
    if key != "*":
        yield from _found(piece.at(key), rest)
    elif isinstance(piece.node.value, tuple):
        for each in piece.each():
            yield from _found(each, rest)
    elif piece.node.value is not None:
        for name in piece.node.value if isinstance(piece.node.value, dict) else ():
            yield from _found(piece.at(name), rest)
