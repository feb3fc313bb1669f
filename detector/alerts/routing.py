"""Which receivers hear of a group of drifts, and which of them only at the times of their digest."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from detector.engine.rules import Match, Subject

#: What a route may ask of an item; of its group it may ask owner and comparison.
ROUTED: Final = ("service", "component", "section", "item", "kind", "status", "severity")


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """The times at which a receiver hears what was collected: five cron fields in an IANA zone."""

    cron: str
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A receiver that hears: at once, or at the next time of its digest."""

    receiver: str
    digest: Digest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One line of ``alerting.routes``: what goes where."""

    match: Match = field(default_factory=Match)
    to: str
    #: Look at the routes below too.
    go_on: bool = False
    digest: Digest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """The routes in their order. Without any, an only receiver hears everything from low upwards."""

    routes: tuple[Route, ...] = ()
    receivers: tuple[str, ...] = ()

    def destinations(self, body: Mapping[str, Any]) -> tuple[Destination, ...]:
        """Return who hears of a summary, in the order of the routes; whoever hears at once has no digest."""
        heard: dict[str, Digest | None] = {}
        for subject in self._subjects(body):
            for route in self._ways(subject):
                if route.to not in heard or route.digest is None:
                    heard[route.to] = route.digest
        order = [route.to for route in self._all()]
        return tuple(
            Destination(receiver=receiver, digest=heard[receiver])
            for receiver in sorted(heard, key=order.index)
        )

    def possible(self, body: Mapping[str, Any]) -> tuple[str, ...]:
        """Return every receiver that may have heard of this group, whatever was in it then."""
        group = _subject(body, {})
        return tuple(
            dict.fromkeys(
                route.to
                for route in self._all()
                if Match(owner=route.match.owner, comparison=route.match.comparison).accepts(group)
            )
        )

    def _all(self) -> tuple[Route, ...]:
        if self.routes or len(self.receivers) != 1:
            return self.routes
        return (Route(match=Match(severity=">=low"), to=self.receivers[0]),)

    def _subjects(self, body: Mapping[str, Any]) -> Iterator[Subject]:
        """Give each kind of item that the routes can tell apart once: of ten thousand, few remain."""
        asked = [name for name in ROUTED if any(getattr(route.match, name) for route in self._all())]
        for said in sorted({tuple(item[name] for name in asked) for item in body["matches"]}):
            yield _subject(body, dict(zip(asked, said, strict=True)))

    def _ways(self, subject: Subject) -> Iterator[Route]:
        for route in self._all():
            if route.match.accepts(subject):
                yield route
                if not route.go_on:
                    return


def _subject(body: Mapping[str, Any], item: Mapping[str, str]) -> Subject:
    fields: dict[str, Any] = {"section": "", "item": "", **item}
    return Subject(**fields, owner=body["owner"] or "", comparison=body["comparison"])
