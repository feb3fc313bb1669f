"""What the code reads and an environment, or a file, lacks: what `parity missing` asks."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from detector.config.policy import Policy
from detector.engine.coverage import Blind, coverage_of
from detector.engine.missing import MissingKey, missing_in
from detector.engine.policy import Environment, Service
from detector.engine.reads import UNSEEN_CODE
from detector.engine.view import View
from detector.errors import UsageError
from detector.model.items import matches
from detector.queries.files import FileState, view_of_files
from detector.queries.views import Views
from detector.reader import Part

SCHEMA = "parity.missing/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """All that is missing in one environment."""

    environment: str
    #: Service -> the environment whose source told what its code reads.
    code_of: dict[str, str]
    keys: tuple[MissingKey, ...]
    #: What of the code and of the config was not seen.
    unseen: tuple[Blind, ...]
    #: Services whose code nobody reads.
    unread: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether everything was seen that could need a key or hold one."""
        return not self.unseen and not any(one.need == "unknown" for one in self.keys)

    def document(self) -> dict[str, Any]:
        """Return ``parity.missing/v1``."""
        return {
            "schema": SCHEMA,
            "environment": self.environment,
            "complete": self.complete,
            "code_of": self.code_of,
            "items": [one.document() for one in self.keys],
            "unseen": [blind.document() for blind in self.unseen],
            "not_measured": list(self.unread),
        }


class MissingKeys:
    """Finds what environments lack, out of the store."""

    def __init__(self, views: Views, policy: Callable[[], Policy]) -> None:
        self._views = views
        self._policy = policy

    async def of(self, name: str, *, now: datetime, services: Collection[str] | None = None) -> Missing:
        """Return what an environment lacks. Raises NotFoundError for an unknown one.

        The code is that of the environment itself; where no source reads that, of the nearest environment
        before it in promotion order, then behind it.
        """
        policy = self._policy()
        environment = policy.environment(name)
        order = list(policy.environments)
        here = order.index(name)
        views = {
            each: await self._views.of(each, now=now, services=services)
            for each in (*reversed(order[: here + 1]), *order[here + 1 :])
        }
        keys: list[MissingKey] = []
        unseen: list[Blind] = []
        code_of: dict[str, str] = {}
        unread: list[str] = []
        for service in self._services(policy, environment, views[name], services):
            lender = next((each for each, found in views.items() if _reads(found, service)), None)
            if lender is None:
                unread.append(service)
                continue
            view = views[name].get(service) or self._views.nothing(name, service, now=now)
            code_of[service] = lender
            keys += missing_in(view, environment, (views[lender][service],))
            unseen += _unseen(view, views[lender][service], policy.service(service))
        return Missing(
            environment=name, code_of=code_of, keys=tuple(keys), unseen=tuple(unseen), unread=tuple(unread)
        )

    def _services(
        self, policy: Policy, environment: Environment, views: Iterable[str], wanted: Collection[str] | None
    ) -> list[str]:
        known = {name for name, service in policy.services.items() if service.sources.get(environment.name)}
        return [
            name
            for name in sorted({*views, *known})
            if policy.service(name).kind == "app"
            and policy.service(name).expected_in(environment.name)
            and (wanted is None or name in wanted)
        ]


def missing_in_file(state: FileState, code: Part, *, service: str | None, now: datetime) -> Missing:
    """Return what a file lacks of all that some code reads. Raises UsageError if it names several."""
    names = sorted({part.service for part in state.parts if part.service})
    if service is None and len(names) > 1:
        raise UsageError(f"{state.expression} names {len(names)} services: choose one with --service")
    chosen = service or next(iter(names), None)
    parts = [part for part in state.parts if part.service in (None, chosen)]
    both = replace(state, parts=(*parts, replace(code, service=None)))
    name, view = view_of_files(both, chosen, now=now)
    environment = Environment(name=state.expression, tier=state.tier)
    return Missing(
        environment=state.expression,
        code_of={name: state.expression},
        keys=tuple(missing_in(view, environment, (view,))),
        unseen=tuple(_unseen(view, view, Service(name=name))),
    )


def _reads(views: Mapping[str, View], service: str) -> bool:
    return service in views and bool(views[service].reads)


def _unseen(view: View, code: View, service: Service) -> list[Blind]:
    """Return what was not seen of the config of one view and of the code of another."""
    here = coverage_of(view, service.sources.get(view.environment, ()))
    config = [
        one for one in here.unseen if one.section in ("config", "*") and not matches(UNSEEN_CODE, one.item)
    ]
    there = coverage_of(code, ())
    return [*config, *(one for one in there.unseen if matches(UNSEEN_CODE, one.item))]
