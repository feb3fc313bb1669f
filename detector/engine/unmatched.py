"""Services that only one side has, and under which other name the other side may have them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from detector.engine.gone import is_there
from detector.engine.view import View

#: Words that say where something runs and not what it is.
_PLACES: Final = frozenset(
    {
        *("dev", "develop", "development", "test", "testing", "qa", "int", "uat", "stg", "stag", "stage"),
        *("staging", "pre", "preprod", "prod", "prd", "production", "live", "blue", "green", "canary"),
    }
)
#: What tells that two services are one, and how that is said.
_SIGNS: Final = (("image#repository", "both run the image"), ("repo#url", "both are built from"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmatched:
    """A service that only one side has."""

    environment: str
    service: str
    #: The name that the other side may have it under.
    did_you_mean: str | None = None
    #: Why, and what to write so that the two are compared.
    hint: str | None = None

    def document(self) -> dict[str, Any]:
        """Return the entry as ``coverage.unmatched`` shows it."""
        return {
            "environment": self.environment,
            "service": self.service,
            "did_you_mean": self.did_you_mean,
            "hint": self.hint,
        }


def unmatched(
    lone: Sequence[tuple[str, str]],
    views: Mapping[str, Mapping[str, View]],
    *,
    configured: Collection[str],
) -> tuple[Unmatched, ...]:
    """Return the lone services, each with the one of the other side that it may be.

    ``lone`` are (environment, service), ``views`` those of both environments by service. Services that run
    one image, or are built from one repository, may be one; of several that name decides which is the same
    without words of environments.
    """
    if not lone:
        return ()
    places = _PLACES | {word for name in views for word in _words(name)}
    absent: dict[str, dict[str, View]] = {name: {} for name in views}
    for environment, here in views.items():
        for name, view in here.items():
            others = (there for other, there in views.items() if other != environment)
            if is_there(view) and not any(name in there and is_there(there[name]) for there in others):
                absent[environment][name] = view
    return tuple(_entry(*one, absent, configured, places) for one in lone)


def plain(name: str, places: Collection[str] = _PLACES) -> str:
    """Return a name without the words that say where it runs: ``orders`` of ``orders-stg``."""
    words = _words(name)
    return "-".join(word for word in words if word not in places) or name


def _entry(
    environment: str,
    service: str,
    absent: Mapping[str, Mapping[str, View]],
    configured: Collection[str],
    places: Collection[str],
) -> Unmatched:
    mine = absent.get(environment, {}).get(service)
    candidates = {
        name: view for other, here in absent.items() if other != environment for name, view in here.items()
    }
    same, why = None, ""
    for item, said in _SIGNS if mine is not None else ():
        sign = _value(mine, item) if mine is not None else None
        alike = [name for name, view in candidates.items() if sign and _value(view, item) == sign]
        same = _one_of(alike, service, places)
        if same is not None:
            why = f"{said} {sign}"
            break
    if same is None:
        named = [name for name in candidates if plain(name, places) == plain(service, places)]
        same, why = _one_of(named, service, places), "only words of environments differ"
    if same is None:
        return Unmatched(environment=environment, service=service)
    name, alias = _name_and_alias(service, same, configured)
    return Unmatched(
        environment=environment,
        service=service,
        did_you_mean=same,
        hint=f"{why}; where they are one: {{name: {name}, aliases: [{alias}]}}",
    )


def _one_of(names: Sequence[str], service: str, places: Collection[str]) -> str | None:
    """Return the only name, or of several the only one that is the service's own but for its environment."""
    if len(names) > 1:
        names = [name for name in names if plain(name, places) == plain(service, places)]
    return names[0] if len(names) == 1 else None


def _name_and_alias(service: str, same: str, configured: Collection[str]) -> tuple[str, str]:
    """Return which of two names stays: the one that the file knows, else the shorter."""
    first, second = sorted((service, same), key=lambda name: (name not in configured, len(name), name))
    return first, second


def _value(view: View, item: str) -> str | None:
    found: Iterable[object] = (side.value for place, side in view.sides.items() if place.item == item)
    return next((value for value in found if isinstance(value, str)), None)


def _words(name: str) -> list[str]:
    for mark in "._":
        name = name.replace(mark, "-")
    return [word for word in name.lower().split("-") if word]
