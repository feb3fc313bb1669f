"""Documents of one file that Spring takes for some profiles and not for others (spring.config.activate)."""

from collections.abc import Collection, Iterable
from typing import Any, Final

from detector.model.facts import Unseen

#: Where a document says for whom it is; the second is the way of Spring Boot before 2.4.
ON_PROFILE: Final = "spring.config.activate.on-profile"
_PLACES: Final = (ON_PROFILE, "spring.profiles")
_OPERATORS: Final = frozenset("!&|()")


def active(
    documents: Iterable[tuple[int, dict[str, Any]]], name: str, profiles: Collection[str]
) -> tuple[list[dict[str, Any]], list[Unseen]]:
    """Return the documents that count for some profiles, and which could not be told."""
    taken: list[dict[str, Any]] = []
    unseen: list[Unseen] = []
    for line, document in documents:
        wanted = next((found for place in _PLACES if (found := _words(_at(document, place)))), [])
        if not wanted or any(word in profiles for word in wanted):
            taken.append(document)
        elif not profiles or any(_OPERATORS.intersection(word) for word in wanted):
            what = (
                "names of yours as `profiles` tell"
                if not profiles
                else "an expression of profiles, which hides"
            )
            detail = f"{name}:{line}: {what} whether this document counts"
            unseen.append(Unseen(item="*", reason="unsupported", detail=detail))
    return taken, unseen


def _at(document: Any, place: str) -> Any:
    """Return what stands at a place, however its name is cut into maps."""
    if not isinstance(document, dict):
        return None
    if place in document:
        return document[place]
    parts = place.split(".")
    for cut in range(1, len(parts)):
        found = _at(document.get(".".join(parts[:cut])), ".".join(parts[cut:]))
        if found is not None:
            return found
    return None


def _words(found: Any) -> list[str]:
    texts = found if isinstance(found, list) else [found]
    return [
        word.strip() for text in texts if isinstance(text, str) for word in text.split(",") if word.strip()
    ]
