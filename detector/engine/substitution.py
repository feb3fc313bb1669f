"""One kind of backing service in place of another: known by URL, by the name of a backend, by handshake.

Behind one key it is a gap between two shapes. Where the sides name it by different keys, or one of them only
by the handshake of its server, what they attach to the same end is compared.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from detector.engine.difference import Difference
from detector.engine.values import attached_by
from detector.engine.view import Place, View
from detector.model.records import Side
from detector.model.stand_ins import STAND_INS
from detector.model.versions.families import family_of, product_named

#: What a product is for. Inside one end a file or the process itself is no server.
ENDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("postgresql", "mysql", "sqlserver", "oracle", "mongodb", "clickhouse", "cassandra", "sqlite"),
        "database",
    ),
    **dict.fromkeys(("rabbitmq", "kafka", "nats", "sqs"), "queue"),
    **dict.fromkeys(("elasticsearch", "solr"), "search"),
}


def substitutions_between(left: View, right: View, known: Iterable[Difference]) -> Iterator[Difference]:
    """Yield ends to which one side attaches a file, and the other a server, under no common key.

    ``known`` are the differences found behind single keys: what is said there is not said again.
    """
    here, there = left.found(_attached), right.found(_attached)
    said = {one.place for one in known if one.kind == "substitution"}
    for end in sorted(here.keys() & there.keys()):
        for ours, theirs, swapped in ((here[end], there[end], False), (there[end], here[end], True)):
            files = {place: side for place, side, product in ours if product in STAND_INS}
            servers = [(place, side) for place, side, product in theirs if product not in STAND_INS]
            if not files or len(files) < len(ours) or len(servers) < len(theirs):
                continue  # a file beside a server is an extra, and says nothing
            place, side = min(files.items())
            if said & (files.keys() | {at for at, _ in servers}):
                continue
            server = min(servers)[1]
            sides = (server, side) if swapped else (side, server)
            yield Difference(place, "changed", *sides, "substitution", None, "unordered")


def _attached(view: View) -> dict[str, list[tuple[Place, Side, str]]]:
    """Return what a view attaches to each end: by its config, and by the servers that it looks at itself."""
    found: dict[str, list[tuple[Place, Side, str]]] = {}
    for place, side in view.sides.section("config"):
        product = attached_by(side.value) if side.present else None
        if product is not None and (end := ENDS.get(family_of(product))) is not None:
            found.setdefault(end, []).append((place, side, product))
    for place, side in view.sides.section("backing_services"):
        if side.present and place.item.endswith("#product") and isinstance(side.value, str):
            product = product_named(side.value)
            # Two servers that say what they are differ by themselves.
            if product not in STAND_INS and (end := ENDS.get(family_of(product))) is not None:
                found.setdefault(end, []).append((place, side, product))
    return found
