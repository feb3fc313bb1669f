"""Clients against servers inside one environment: a tool or driver that is older than what it talks to.

`pg_dump` refuses a server of a newer major than its own (PostgreSQL documentation, pg_dump, Notes); other
tools work and miss what the server can do since. A client that is newer than its server is no finding.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from detector.engine.difference import Difference
from detector.engine.view import Place, View
from detector.model.items import matches
from detector.model.records import Key, Side
from detector.model.versions.families import family_of, product_named

#: Globs of packages -> the family of servers that they talk to.
CLIENTS: Final[Mapping[str, str]] = {
    "pkg:deb/*/postgresql-client-1*": "postgresql",
    "pkg:deb/*/postgresql-client-9*": "postgresql",
    "pkg:deb/*/libpq5": "postgresql",
    "pkg:apk/*/postgresql*-client": "postgresql",
    "pkg:apk/*/libpq": "postgresql",
    "pkg:deb/*/mysql-client-core-*": "mysql",
    "pkg:deb/*/mysql-community-client": "mysql",
    "pkg:deb/*/redis-tools": "redis",
    "pkg:deb/*/valkey-tools": "redis",
}
#: How products of a family are called in messages.
_TITLES: Final[Mapping[str, str]] = {"postgresql": "PostgreSQL", "mysql": "MySQL", "redis": "Redis"}
#: Products of a family whose own numbers are those of the family's first one.
_NUMBERED_ALIKE: Final = frozenset({"postgresql", "mysql", "redis"})


class _Client(NamedTuple):
    place: Place
    side: Side
    family: str
    series: tuple[int, ...]


def client_skews(view: View, servers: Iterable[View] = ()) -> Iterator[Difference]:
    """Yield clients that are older than a server that the service talks to, in one environment.

    ``servers`` are the views of the backing services it uses there, beside those that it names itself. Of
    several servers of one family the newest counts: a client must be able to talk to each.
    """
    clients = view.found(_clients)
    if not clients:
        return
    known = _servers((view, *servers))
    for client in clients:
        server = known.get(client.family)
        if server is not None and client.series < server[0]:
            value = {"client": client.side.value, "server": server[1], "product": _TITLES[client.family]}
            side = Side(
                present=True,
                value=value,
                basis=client.side.basis,
                source=client.side.source,
                observed_at=client.side.observed_at,
            )
            yield Difference(client.place, "same", Side(), side, "client_skew")


def skew_settled(view: View, servers: Sequence[View], key: Key) -> bool | None:
    """Tell what became of a skew without a verdict; see `detector.engine.settling.settled`."""
    place = Place(key.component, key.section, key.item)
    if any(one.place == place for one in client_skews(view, servers)):
        return False
    side = view.side(place)
    if side.unknown:
        return None
    if not side.present:
        return True
    families = {client.family for client in view.found(_clients) if client.place == place}
    # A server that cannot be seen now does not say that the client got newer.
    return True if families & _servers((view, *servers)).keys() else None


def _clients(view: View) -> tuple[_Client, ...]:
    found = []
    for place, side in view.sides.section("dependencies", such=_talks_to):
        if not isinstance(side.value, str):
            continue
        family = _talks_to(place.item)
        series = _series(side.value.partition(":")[2] or side.value, family) if family else None
        if family is not None and series is not None:
            found.append(_Client(place, side, family, series))
    return tuple(sorted(found, key=lambda client: client.place))


@lru_cache(maxsize=65_536)
def _talks_to(item: str) -> str | None:
    """Return the family of servers that a package talks to: services share most of their packages."""
    if not item.startswith(("pkg:deb/", "pkg:apk/")):
        return None
    return next((family for glob, family in CLIENTS.items() if matches(glob, item)), None)


def _servers(views: Iterable[View]) -> dict[str, tuple[tuple[int, ...], str]]:
    """Return the newest server of each family: its series, and its version as it says it."""
    found: dict[str, tuple[tuple[int, ...], str]] = {}
    for view in views:
        for place, side in view.sides.section("backing_services"):
            name, _, aspect = place.item.partition("#")
            if aspect != "version" or not side.present or not isinstance(side.value, str):
                continue
            product = view.sides.get(Place(place.component, "backing_services", f"{name}#product"))
            text = product.value if product is not None else None
            if not isinstance(text, str) or product_named(text) not in _NUMBERED_ALIKE:
                continue
            family = family_of(text)
            series = _series(side.value, family)
            if series is not None and series > found.get(family, ((), ""))[0]:
                found[family] = (series, side.value)
    return found


def _series(version: str, family: str) -> tuple[int, ...] | None:
    """Return the numbers in which a client may not be behind its server: of MySQL two, of others one."""
    numbers: list[int] = []
    for part in version.split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits or len(digits) > 4:
            break
        numbers.append(int(digits))
        if len(digits) < len(part):
            break
    old_postgresql = family == "postgresql" and numbers[:1] < [10]
    wanted = 2 if family == "mysql" or old_postgresql else 1
    return tuple(numbers[:wanted]) if len(numbers) >= wanted else None
