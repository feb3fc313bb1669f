"""The rows of the register that are not over, by pair: kept while nothing was judged or said."""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from detector.engine.life import LIVING
from detector.engine.policy import Pair
from detector.model.records import Drift
from detector.queries.known import names_of
from detector.queries.rollouts import Rollouts
from detector.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Living:
    """What the register knows of a pair."""

    #: How much had been said when it was read; None where nobody can tell.
    said: int | None = None
    #: Service -> its rows that are not over, newest first.
    rows: Mapping[str, tuple[Drift, ...]]
    #: (comparison, service) that was ever judged.
    judged: Container[tuple[str, str]]


#: Of a past state: the register speaks of the present.
NOTHING_LIVES: Final = Living(rows={}, judged=())


class LivingRows:
    """Reads what the register knows of pairs."""

    def __init__(self, store: Store, rollouts: Rollouts) -> None:
        self._store = store
        self._rollouts = rollouts
        self._known: dict[str, Living] = {}

    async def of(self, pair: Pair, now: datetime) -> Living:
        """Return what is known of a pair, the same rows while nobody but the sources said anything."""
        moved, known = self._store.moved, self._known.get(pair.name)
        if moved is not None and known is not None and known.said == moved[1]:
            return known
        judged = await self._store.judged_through()
        rows: dict[str, list[Drift]] = {}
        for comparison in names_of(pair):
            living = await self._store.register(comparison=comparison, states=LIVING)
            for row in await self._rollouts.with_turns(living, now):
                rows.setdefault(row.key.service, []).append(row)
        found = Living(
            said=None if moved is None else moved[1],
            rows={name: tuple(some) for name, some in rows.items()},
            judged=judged,
        )
        self._known[pair.name] = found
        return found
