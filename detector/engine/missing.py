"""The keys that the code reads and one environment lacks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from detector.engine.pack import PLATFORM_KEYS
from detector.engine.policy import Environment
from detector.engine.reads import Reading, WithReads, places_of, reading_of, where_read
from detector.engine.unset import is_set, is_unset
from detector.engine.view import View
from detector.model.items import matches

#: Whether a key has to be set: `yes`, `no` since the code goes on without it, `unknown` if nobody could see.
Need = Literal["yes", "no", "unknown"]
_ORDER: Final[Mapping[Need, int]] = {"yes": 0, "unknown": 1, "no": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingKey:
    """A key that the code of one component reads, and that the environment lacks as far as anybody sees."""

    service: str
    component: str
    key: str
    need: Need
    reading: Reading
    #: ``read at billing/hooks.py:14, no default``
    where: str
    places: tuple[Mapping[str, Any], ...]

    def document(self) -> dict[str, Any]:
        """Return the key as ``parity.missing/v1`` shows it."""
        return {
            "service": self.service,
            "component": self.component,
            "item": self.key,
            "needed": {"yes": True, "no": False, "unknown": None}[self.need],
            "reading": self.reading,
            "where": self.where,
            "read": [dict(place) for place in self.places],
        }


def missing_in(view: View, environment: Environment, code: Iterable[WithReads]) -> list[MissingKey]:
    """Return what a view lacks of all that some code reads: what is needed first.

    A default that is none for production is no default there. What platforms set is never missing.
    """
    views = tuple(code)
    found = []
    read = {(name, key) for one in views for name, code_of in one.reads.items() for key in code_of.places}
    for component, key in sorted(read):
        if any(matches(glob, key) for glob in PLATFORM_KEYS) or is_set(view, component, key):
            continue
        reading = reading_of(views, component, key)
        need: Need = "no"
        if reading == "required" or (reading == "stand_in" and environment.tier == "production"):
            need = "yes" if is_unset(view, component, key) else "unknown"
        found.append(
            MissingKey(
                service=view.service,
                component=component,
                key=key,
                need=need,
                reading=reading,
                where=where_read(views, component, key),
                places=tuple(places_of(views, component, key)),
            )
        )
    return sorted(found, key=lambda one: (_ORDER[one.need], one.component, one.key))
