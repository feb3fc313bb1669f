"""What the store knows of roll-outs, and of drifts that come and go: what may hold an alert."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from detector.config.policy import Policy
from detector.engine.flapping import WITHIN
from detector.engine.life import LIVING
from detector.engine.policy import Pair
from detector.engine.rollout import rollout_of
from detector.engine.verdicts import Both
from detector.engine.view import Place, View
from detector.model.deployments import Deployment
from detector.model.records import Drift
from detector.queries.views import Views
from detector.store.store import Store


class Rollouts:
    """Adds to the two sides of a service what holds its alerts."""

    def __init__(self, store: Store, views: Views, policy: Callable[[], Policy]) -> None:
        self._store = store
        self._views = views
        self._policy = policy

    def settled(
        self, both: Both, pair: Pair, deployed: Mapping[tuple[str, str], Deployment], now: datetime
    ) -> Both:
        """Return a service with its roll-outs, each view with what its replicas settle on.

        What was drift before stays as it is seen until every replica agrees: a half is no end.
        """
        rollouts = {
            view.environment: rollout
            for view in (both.left, both.right)
            if (
                rollout := rollout_of(
                    view,
                    both.histories,
                    deployed.get((view.environment, view.service)),
                    window=self._policy().rollout,
                    now=now,
                )
            )
            is not None
        }

        def settles(view: View) -> View:
            rollout = rollouts.get(view.environment)
            if rollout is None:
                return view
            before = {
                Place(*key[1:4])
                for (name, key), row in both.rows.items()
                if name == pair.name and row.state in LIVING and row.opened_at < rollout.since
            }
            return self._views.settled(view, rollout.settled_but(before))

        return replace(both, left=settles(both.left), right=settles(both.right), rollouts=rollouts)

    async def deployed(self, environments: Iterable[str], now: datetime) -> dict[tuple[str, str], Deployment]:
        """Return (environment, service) -> what was last announced there within the window of a roll-out."""
        since = now - self._policy().rollout
        return {
            (environment, one.service): one
            for environment in environments
            for one in reversed(await self._store.deployments(environment=environment, since=since))
        }

    async def with_turns(self, rows: Iterable[Drift], now: datetime) -> list[Drift]:
        """Return rows with the events of those that turned lately and may be flapping."""
        rows = list(rows)
        lately = [
            row.id
            for row in rows
            if row.state in ("pending", "resolved") and (row.resolved_at or row.opened_at) > now - WITHIN
        ]
        events = await self._store.events_of(lately) if lately else {}
        return [replace(row, events=tuple(events[row.id])) if row.id in events else row for row in rows]
