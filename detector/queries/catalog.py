"""What the installed collectors measure, and what none of their runs can see."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from detector import plugins
from detector.errors import PluginError
from detector.model.words import SECTIONS, SectionName


@lru_cache(maxsize=1)
def _installed() -> Mapping[str, Any]:
    """Load every collector that can be loaded: one whose extra is missing would not measure anything."""
    found = {}
    for name in plugins.names("parity.collectors"):
        try:
            found[name] = plugins.load("parity.collectors", name)
        except PluginError:
            continue
    return found


def measuring() -> Mapping[SectionName, tuple[str, ...]]:
    """Return which collectors measure each section."""
    return {
        section: tuple(name for name, collector in _installed().items() if section in collector.sections)
        for section in SECTIONS
    }


def cannot_see(collectors: Iterable[str]) -> list[dict[str, Any]]:
    """Return what collectors can never see, for those that say so."""
    found = []
    for name in sorted(set(collectors)):
        parts = getattr(_installed().get(name), "cannot_see", ())
        if parts:
            found.append({"collector": name, "parts": list(parts)})
    return found
