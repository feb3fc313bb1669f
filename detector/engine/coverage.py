"""Coverage: how much of what was expected was really seen, and why the rest was not."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from detector.engine.policy import SourcePolicy
from detector.engine.reads import UNSEEN_CODE
from detector.engine.view import View
from detector.errors import Reason
from detector.model.clock import print_time
from detector.model.items import matches


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Blind:
    """A part of one source that was not seen."""

    environment: str
    service: str
    source: str
    section: str
    item: str
    reason: Reason
    detail: str = ""
    since: datetime | None = None

    def document(self) -> dict[str, Any]:
        """Return the part as ``coverage.unseen`` shows it."""
        return {
            "environment": self.environment,
            "service": self.service,
            "source": self.source,
            "section": self.section,
            "item": self.item,
            "reason": self.reason,
            "detail": self.detail,
            "since": print_time(self.since) if self.since else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What the sources of some services and environments saw."""

    sources_ok: int = 0
    sources_expected: int = 0
    unseen: tuple[Blind, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether everything that is compared was seen: a file of code that was not leaves no key unknown."""
        needed = (blind for blind in self.unseen if not matches(UNSEEN_CODE, blind.item))
        return self.sources_ok == self.sources_expected and not any(needed)


def coverage_of(view: View, expected: Iterable[SourcePolicy]) -> Coverage:
    """Return what the sources of one service in one environment saw."""
    healthy, blind = view.found(_seen)
    unheard = [policy.source for policy in expected if policy.source not in healthy]
    missing = [
        Blind(
            environment=view.environment,
            service=view.service,
            source=source,
            section="*",
            item="*",
            reason="not_collected",
        )
        for source in unheard
    ]
    return Coverage(
        sources_ok=sum(healthy.values()),
        sources_expected=len(healthy) + len(set(unheard)),
        unseen=tuple(dict.fromkeys([*blind, *missing])),
    )


def _seen(view: View) -> tuple[Mapping[str, bool], Sequence[Blind]]:
    """Return the sources that look at a view, each with whether it is well, and what they did not see."""
    blind: list[Blind] = []
    healthy: dict[str, bool] = {}
    everything = [*view.looks.items(), *(((name, "config"), looks) for name, looks in view.readings.items())]
    for (_, section), looks in everything:
        for look in looks:
            if look.section.gone and not look.fresh:
                continue  # nobody has to look again for what is not there
            source = look.stream.source
            ok = look.fresh and look.section.status != "failed"
            healthy[source] = healthy.get(source, True) and ok
            here = partial(
                Blind, environment=view.environment, service=view.service, source=source, section=section
            )
            if not look.fresh:
                blind.append(here(item="*", reason="stale", since=look.stream.last_seen))
            blind.extend(
                here(item=part.item, reason=part.reason, detail=part.detail) for part in look.section.unseen
            )
            blind.extend(here(item=item, reason="held") for item in sorted(look.held))
    return healthy, blind


def together(parts: Iterable[Coverage]) -> Coverage:
    """Add up the coverage of several services and environments."""
    parts = list(parts)
    return Coverage(
        sources_ok=sum(part.sources_ok for part in parts),
        sources_expected=sum(part.sources_expected for part in parts),
        unseen=tuple(blind for part in parts for blind in part.unseen),
    )
