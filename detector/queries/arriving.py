"""What a promotion meets, in one sentence for each service."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from detector.engine.arrival import Arrival
from detector.engine.causes import product_title
from detector.engine.pairing import product_of
from detector.engine.policy import Pair, Service
from detector.engine.view import Place
from detector.model.records import Judged

#: Arrivals of one promotion, each with those of the backing services that it uses.
Attached = list[tuple[Arrival, tuple[Arrival, ...]]]


def attached(arrivals: Sequence[Arrival], services: Mapping[str, Service]) -> Attached:
    """Return what is promoted with the servers it meets: a shared one is said of each that uses it."""
    backing = {one.service: one for one in arrivals if _used_by(one, services)}
    promoted = [one for one in arrivals if one.service not in backing and one.after.left.looks]
    known = {one.service for one in promoted}
    found = [
        (one, tuple(other for other in backing.values() if one.service in _used_by(other, services)))
        for one in promoted
    ]
    # A server that nobody uses who is promoted speaks for itself.
    alone = [one for one in backing.values() if not known & set(_used_by(one, services))]
    return [*found, *((one, ()) for one in alone)]


def _used_by(arrival: Arrival, services: Mapping[str, Service]) -> tuple[str, ...]:
    service = services.get(arrival.service)
    return service.used_by if service is not None and service.kind == "backing_service" else ()


def arrival_document(arrival: Arrival, pair: Pair, backing: Sequence[Arrival]) -> dict[str, Any]:
    """Return what one service meets, as ``parity.gate/v1`` shows it."""
    servers = [(judged, one) for one in (arrival, *backing) for judged in one.servers]
    return {
        "service": arrival.service,
        "release": arrival.release,
        "replaces": arrival.replaces,
        "to": pair.right.name,
        "sentence": sentence_of(arrival, pair, servers),
        "missing": [_named(one) for one in arrival.missing],
        "migrations": [_named(one) for one in arrival.migrations],
        "backing_services": [_named(one) for one, _ in servers],
        "others": [_named(one) for one in arrival.others],
        "opens": [_named(one) for one in arrival.opens],
        "closes": len(arrival.closes),
    }


def sentence_of(arrival: Arrival, pair: Pair, servers: Sequence[tuple[Judged, Arrival]]) -> str:
    """Return one sentence: ``checkout 1.5 → prod: 2 keys missing, 1 migration pending, PostgreSQL 16→14``."""
    name = f"{arrival.service} {arrival.release}" if arrival.release else arrival.service
    parts = [
        _counted(len(arrival.missing), "key", "missing"),
        _counted(len(arrival.migrations), "migration", "pending"),
        *(_step(judged, one) for judged, one in servers),
        _rest(arrival.others),
    ]
    said = ", ".join(part for part in parts if part) or "nothing stands against it"
    if arrival.release is not None and arrival.release == arrival.replaces:
        said = f"runs there already; {said}"
    closes = f"; closes {len(arrival.closes)}" if arrival.closes else ""
    return f"{name} → {pair.right.name}: {said}{closes}"


def _counted(count: int, thing: str, what: str) -> str:
    return f"{count} {thing}{'s' * (count != 1)} {what}" if count else ""


def _rest(others: Iterable[Judged]) -> str:
    found = [one for one in others if one.severity != "info"]
    return f"{len(found)} other drift{'s' * (len(found) != 1)}" if found else ""


def _step(judged: Judged, arrival: Arrival) -> str:
    """Return ``PostgreSQL 16→14`` of a server: no more of a version than tells them apart."""
    ours, theirs = (str(side.value) if side else "" for side in (judged.left, judged.right))
    if judged.key.item.endswith("#product"):
        return f"{product_title(ours)}→{product_title(theirs)}"
    numbers = {"major": 1, "minor": 2}.get(judged.distance or "")
    if numbers is not None:
        one, other = (".".join(value.split(".")[:numbers]) for value in (ours, theirs))
        ours, theirs = (one, other) if one != other else (ours, theirs)
    product = product_of(arrival.after.left, Place(*judged.key[1:4]))
    return f"{product_title(product) or judged.key.item.partition('#')[0]} {ours}→{theirs}"


def _named(one: Judged) -> dict[str, Any]:
    return {
        "component": one.key.component,
        "section": one.key.section,
        "item": one.key.item,
        "kind": one.key.kind,
        "severity": one.severity,
        "due": one.due,
        "remedy": one.remedy,
    }
