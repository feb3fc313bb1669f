"""Verdicts that were reached once and stand while nothing that they rest on moved, and no clock ran out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from detector.config.policy import Policy
from detector.engine.acceptance import Accepted
from detector.engine.comparison import ServiceVerdicts
from detector.engine.lineage import Lineage
from detector.engine.memory import Kept, size_of
from detector.engine.policy import Pair
from detector.engine.view import View
from detector.model.deployments import Deployment
from detector.model.records import Drift

#: A verdict says itself when the clock may change it; nobody has to believe that for longer.
_LONGEST: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that the verdicts on one service rest on, but the clock. Equal evidence has equal verdicts."""

    policy: Policy
    left: View | None
    right: View | None
    rows: Sequence[Drift]
    first: bool
    accepted: Accepted
    #: What was last deployed to either side.
    deployed: tuple[Deployment | None, ...]
    #: Environment -> the views of the backing services that the service uses there.
    servers: Mapping[str, Sequence[View]]
    lineage: Lineage
    #: Causes are numbered through a whole comparison.
    first_cause: int

    @property
    def views(self) -> list[View]:
        """Every view of it."""
        own = [view for view in (self.left, self.right) if view is not None]
        return [*own, *(view for views in self.servers.values() for view in views)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reached:
    evidence: Evidence
    at: datetime
    until: datetime
    verdicts: ServiceVerdicts


class KeptVerdicts:
    """Keeps the newest verdicts on each service of each pair, within a bound of bytes."""

    def __init__(self, bound: int = 48 << 20) -> None:
        self.kept: Kept[tuple[str, str], _Reached] = Kept(bound)

    def still(self, pair: Pair, service: str, evidence: Evidence, *, now: datetime) -> ServiceVerdicts | None:
        """Return verdicts that still stand, None where they have to be reached anew."""
        known = self.kept.get((pair.name, service))
        if known is None or not known.at <= now < known.until or known.evidence != evidence:
            return None
        return known.verdicts

    def rests_on(self, pair: Pair, service: str, left: View, right: View) -> bool:
        """Tell whether what is kept of a service was reached from these very views."""
        known = self.kept.get((pair.name, service))
        return known is not None and known.evidence.left is left and known.evidence.right is right

    def keep(self, pair: Pair, evidence: Evidence, verdicts: ServiceVerdicts, *, now: datetime) -> None:
        """Keep verdicts that were reached."""
        times = [verdicts.review_at, *(view.fresh_until for view in evidence.views), now + _LONGEST]
        reached = _Reached(
            evidence=evidence,
            at=now,
            until=min(at for at in times if at is not None),
            verdicts=verdicts,
        )
        self.kept.put((pair.name, verdicts.service), reached, size=size_of(len(verdicts.items)))
