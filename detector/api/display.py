"""How records read on a page: glyphs and words of states, ages, and what the value of a side looks like."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from detector.alerts.wording import name_of
from detector.model.clock import print_duration
from detector.model.words import SECTIONS
from detector.queries.rendering import TITLES, shown


class Sign(NamedTuple):
    """What stands for a state: never colour alone."""

    glyph: str
    word: str
    #: Class of the style sheet.
    tone: str


SIGNS: Final[Mapping[str, Sign]] = {
    "critical": Sign("✖", "critical", "critical"),
    "high": Sign("▲", "high", "high"),
    "medium": Sign("●", "medium", "medium"),
    "low": Sign("○", "low", "low"),
    "info": Sign("·", "info", "info"),
    "in_sync": Sign("✓", "in sync", "ok"),
    "expected": Sign("→", "expected", "expected"),
    "accepted": Sign("◇", "accepted", "expected"),
    "unknown": Sign("?", "unknown", "unknown"),
    "partial": Sign("?", "not all seen", "unknown"),
    "blind": Sign("?", "not seen", "unknown"),
    "pending": Sign("◔", "pending", "pending"),
    "open": Sign("◆", "open", "open"),
    "resolved": Sign("✓", "resolved", "ok"),
    "withdrawn": Sign("–", "withdrawn", "quiet"),
    "fresh": Sign("✓", "fresh", "ok"),
    "stale": Sign("◷", "stale", "stale"),
    "not_deployed": Sign("–", "not here", "quiet"),
    "ok": Sign("✓", "sees", "ok"),
    "failing": Sign("✖", "failing", "high"),
    "never": Sign("?", "never ran", "unknown"),
    "complete": Sign("✓", "complete", "ok"),
    "measured": Sign("✓", "measured", "ok"),
    "partly": Sign("◐", "partly", "pending"),
    "not_measured": Sign("–", "not measured", "quiet"),
    "failed": Sign("✖", "failed", "high"),
}
#: Section -> the number of its factor, as the short form of its name.
NUMERALS: Final = {name: title.rpartition("(")[2].rstrip(")") for name, title in TITLES.items()}
_WORDS_OF_KIND: Final = {
    "variant": "another variant",
    "shared_secret": "the same secret on both sides",
    "shared_endpoint": "the same backing service on both sides",
    "config_source_differs": "config comes from somewhere else",
    "rebuilt": "rebuilt: same name, other content",
    "mixed": "replicas differ",
    "floating": "floating tag",
    "contradiction": "two sources contradict each other",
    "placeholder": "placeholder in production",
    "loopback_in_production": "points at the machine itself",
    "read_but_unset": "read by the code, set nowhere",
    "default_in_production": "a default that is none for production",
    "set_but_unread": "set, and read nowhere in the code",
    "emulator": "an emulator in place of the service",
    "literal_secret": "a secret in plain text",
    "environment_switch": "names the environment",
    "nonproduction_host": "points at another environment",
    "client_skew": "older than its server",
    "service_gone": "the service is gone",
    "substitution": "another kind of backing service",
}
_WORDS_OF_DIRECTION: Final = {"left_ahead": "left is ahead", "right_ahead": "right is ahead"}


def sign(state: str) -> Sign:
    """Return what stands for a state."""
    return SIGNS.get(state) or Sign("·", state.replace("_", " "), "quiet")


def column_sign(column: Mapping[str, Any] | None) -> Sign:
    """Return the sign of one service in one comparison: green only where everything was seen."""
    if column is None:
        return sign("blind")
    if column["worst"] is not None:
        return sign(column["worst"])
    if column["unknown"]:
        return sign("unknown")
    if column["score"] is None:
        return sign("blind")
    if not column["complete"]:
        return sign("partial")
    quiet = next((name for name in ("accepted", "expected") if column[name]), "in_sync")
    return sign(quiet)


def comparison_sign(comparison: Mapping[str, Any]) -> Sign:
    """Return the sign of a comparison as a whole."""
    worst = comparison["summary"]["worst"]
    if worst is not None:
        return sign(worst)
    if comparison["score"] is None:
        return sign("blind")
    return sign("in_sync" if comparison["complete"] else "partial")


def item_sign(item: Mapping[str, Any]) -> Sign:
    """Return the sign of an item: its severity where it is drift, else its verdict."""
    return sign(item["severity"] if item["verdict"] == "drift" else item["verdict"])


def moment(time: str | datetime | None) -> datetime | None:
    """Return a time of a document."""
    return datetime.fromisoformat(time) if isinstance(time, str) else time


def age(time: str | datetime | None, now: datetime) -> str:
    """Return how long ago something was: ``10d``, ``4m``."""
    at = moment(time)
    return print_duration(now - at) if at is not None else ""


def span(seconds: float) -> str:
    """Return a duration in its largest unit."""
    return print_duration(timedelta(seconds=seconds))


def why(item: Mapping[str, Any]) -> str:
    """Return in a few words what is between two sides: kind, distance, direction."""
    words = []
    if item["kind"] in _WORDS_OF_KIND:
        words.append(_WORDS_OF_KIND[item["kind"]])
    elif item["status"] in ("left_only", "right_only"):
        words.append(f"only {item['status'].removesuffix('_only')}")
    if item["distance"]:
        words.append(item["distance"])
    if item["direction"] in _WORDS_OF_DIRECTION:
        words.append(_WORDS_OF_DIRECTION[item["direction"]])
    return " · ".join(words)


def score(value: float) -> str:
    """Return a score with two digits, rounded down: 1.00 is for those in which nothing differs."""
    return f"{int(value * 100 + 1e-9) / 100:.2f}"


def by_section(items: Iterable[Mapping[str, Any]]) -> list[tuple[str, list[Mapping[str, Any]]]]:
    """Return items under their sections, the three inventories first."""
    found: dict[str, list[Mapping[str, Any]]] = {name: [] for name in SECTIONS}
    for item in items:
        found[item["section"]].append(item)
    return [(name, here) for name, here in found.items() if here]


FILTERS: Final[Mapping[str, Any]] = {
    "age": age,
    "item_name": name_of,
    "item_sign": item_sign,
    "column_sign": column_sign,
    "comparison_sign": comparison_sign,
    "sign": sign,
    "shown": shown,
    "span": span,
    "why": why,
    "score": score,
    "by_section": by_section,
    "section_title": TITLES.__getitem__,
    "numeral": NUMERALS.__getitem__,
    "words": lambda text: str(text).replace("_", " "),
}
