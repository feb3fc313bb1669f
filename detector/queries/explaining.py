"""Explains one item of a comparison: out of the store, or of two files."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from detector.config.policy import Policy
from detector.engine.acceptance import Accepted, accepted_by, why_over
from detector.engine.explanation import Explanation, explain_item
from detector.engine.pack import PACK
from detector.engine.questions import Question
from detector.engine.view import Interner
from detector.errors import NotFoundError, did_you_mean
from detector.model.clock import print_time
from detector.model.expressions import EnvironmentState
from detector.model.records import Drift
from detector.queries.comparison import Comparisons
from detector.queries.files import FileState, pair_of, services_of
from detector.queries.names import require_services
from detector.queries.views import Views
from detector.store.store import Store


class Explaining:
    """Says why an item has its verdict, with the history of its drift."""

    def __init__(
        self, *, store: Store, views: Views, comparisons: Comparisons, policy: Callable[[], Policy]
    ) -> None:
        self._store = store
        self._views = views
        self._comparisons = comparisons
        self._policy = policy

    async def explain(
        self,
        left: EnvironmentState,
        right: EnvironmentState,
        service: str,
        question: Question,
        *,
        now: datetime,
    ) -> dict[str, Any]:
        """Return ``parity.explain/v1`` of an item between two states.

        Raises NotFoundError for a name that nothing has, UsageError where it means several items.
        """
        await require_services(self._store, self._policy(), [service])
        standing = await self._comparisons.standing(left, right, service, now=now)
        explanation = explain_item(
            standing.both,
            question,
            pair=standing.pair,
            rules=self._policy().rules,
            now=standing.at,
            interner=self._views.interner,
        )
        row = await self._row(explanation)
        ours, theirs = standing.left.document(), standing.right.document()
        if standing.turned:
            ours, theirs = theirs, ours
        return {
            **explanation.document(row, turned=standing.turned),
            "acceptance": await self._acceptance(explanation, standing.both.accepted, standing.at),
            "states": {"left": ours, "right": theirs},
        }

    async def _acceptance(
        self, explanation: Explanation, accepted: Accepted, at: datetime
    ) -> dict[str, Any] | None:
        """Return whose acceptance lets the item be, or the last one that did, and why it is over."""
        judged = explanation.judged
        if judged is not None and judged.accepted is not None:
            return {**judged.accepted.document(), "ended_at": None, "why": None}
        binding = await self._store.last_binding(*explanation.subject, at=at)
        last = await self._store.acceptance(binding.acceptance) if binding is not None else None
        if binding is None or last is None or last.expires_at is None:
            return None
        by = accepted_by(last, binding.until, last.expires_at)
        if binding.ended_at is not None and binding.ended_at <= at:
            return {**by.document(), "ended_at": print_time(binding.ended_at), "why": binding.why}
        # It ended since the service last judged this item, or holds for a difference that is not there.
        return {**by.document(), "ended_at": None, "why": why_over(binding, judged, accepted, at)}

    async def _row(self, explanation: Explanation) -> Drift | None:
        """Return the newest row of the register on what is explained, also a settled one, with its events."""
        comparison, key = explanation.subject
        rows = await self._store.register(
            comparison=comparison, service=key.service, section=key.section, kind=key.kind
        )
        # The newest comes first.
        found = next((row for row in rows if row.key == key), None)
        return await self._store.drift(found.id) if found is not None else None


def explain_files(
    left: FileState, right: FileState, service: str | None, question: Question, *, now: datetime
) -> dict[str, Any]:
    """Return ``parity.explain/v1`` of an item between two files; ``service`` may be left out where it is one.

    Raises NotFoundError for a name that neither file has.
    """
    interner = Interner()
    every = {both.service.name: both for both in services_of(left, right, now=now, interner=interner)}
    if service is None and len(every) != 1:
        listed = f": {', '.join(every)}" if every else ""
        raise NotFoundError(f"the files share {len(every)} services{listed}; name one before the item")
    name = next(iter(every)) if service is None else service
    if name not in every:
        raise NotFoundError(f"no service {name} in both files{did_you_mean(name, list(every))}")
    explanation = explain_item(
        every[name], question, pair=pair_of(left, right), rules=PACK, now=now, interner=interner
    )
    states = {
        side: {"expression": state.expression, "environment": None, "snapshot": None, "taken_at": None}
        for side, state in (("left", left), ("right", right))
    }
    return {**explanation.document(), "acceptance": None, "states": states}
