"""The matrix: all services and environments with their comparisons, in one answer."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from detector.config.policy import Policy
from detector.engine.comparison import Comparison, ServiceVerdicts
from detector.engine.coverage import coverage_of, together
from detector.engine.gone import is_gone
from detector.engine.rollout import mixed, telling
from detector.engine.score import counted, service_score
from detector.engine.values import counts_of
from detector.engine.view import Place, View
from detector.errors import ExpressionError, NotFoundError
from detector.model.clock import print_time
from detector.model.expressions import AsOf, EnvironmentState, Now
from detector.model.records import Judged, severity_rank
from detector.model.words import SECTIONS, SEVERITIES, Severity
from detector.queries.comparison import Comparisons
from detector.queries.views import Views
from detector.store.store import Store

#: What people call the version of a service, the best first.
VERSIONED: Final = ("image#tag", "main#version", "repo#commit")


#: A verdict says itself when the clock may change it; nobody has to believe that for longer.
_LONGEST: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """The matrix of everything, and what it rests on."""

    moved: tuple[int, int]
    policy: Policy
    at: datetime
    until: datetime
    document: dict[str, Any]


class Overview:
    """Answers what the first page asks."""

    def __init__(
        self, *, store: Store, views: Views, comparisons: Comparisons, policy: Callable[[], Policy]
    ) -> None:
        self._store = store
        self._views = views
        self._comparisons = comparisons
        self._policy = policy
        self._answer: _Answer | None = None
        #: (comparison, service) -> its verdicts, and what the matrix shows of them.
        self._columns: dict[tuple[str, str], tuple[ServiceVerdicts, dict[str, Any]]] = {}

    async def matrix(
        self, *, now: datetime, as_of: datetime | None = None, services: Collection[str] | None = None
    ) -> dict[str, Any]:
        """Return services × environments with the comparison columns between them, worst first.

        What it holds is shared with whoever asks while nothing moved: to be read only.
        """
        if as_of is not None or services is not None:
            return (await self._matrix(now=now, as_of=as_of, services=services))[0]
        moved, policy, known = self._store.moved, self._policy(), self._answer
        if (
            known is not None
            and (known.moved, known.policy) == (moved, policy)
            and known.at <= now < known.until
        ):
            return {**known.document, "as_of": print_time(now)}
        document, until = await self._matrix(now=now, as_of=None, services=None)
        if moved is not None:
            self._answer = _Answer(moved=moved, policy=policy, at=now, until=until, document=document)
        return {**document}

    async def _matrix(
        self, *, now: datetime, as_of: datetime | None, services: Collection[str] | None
    ) -> tuple[dict[str, Any], datetime]:
        """Return the matrix, and until when it stands where nothing moves."""
        policy = self._policy()
        at = as_of or now
        views = {
            name: await self._views.of(name, now=now, services=services, as_of=as_of)
            for name in policy.environments
        }
        compared: dict[str, Comparison] = {}
        for pair in policy.pairs:
            left, right = (_state(name, as_of) for name in (pair.left.name, pair.right.name))
            try:
                compared[pair.name] = await self._comparisons.compare(left, right, now=now, services=services)
            except (NotFoundError, ExpressionError):
                # At that time one of the two had not been seen yet: there is nothing to compare.
                continue
        snapshots = await self._store.latest_snapshots()
        names = sorted({*policy.services, *(name for here in views.values() for name in here)})
        names = [name for name in names if services is None or name in services]
        verdicts = {
            (pair, one.service): one for pair, comparison in compared.items() for one in comparison.services
        }
        rows = [self._row(name, views, verdicts) for name in names]
        rows.sort(key=_worst_first)
        times = [
            *(view.fresh_until for here in views.values() for view in here.values()),
            *(one.review_at for one in verdicts.values()),
            now + _LONGEST,
        ]
        document = {
            "as_of": print_time(at),
            "environments": [
                {
                    "name": environment.name,
                    "tier": environment.tier,
                    "group": environment.group,
                    "snapshot": snapshots[environment.name].number if environment.name in snapshots else None,
                    "taken_at": print_time(snapshots[environment.name].at)
                    if environment.name in snapshots
                    else None,
                }
                for environment in policy.environments.values()
            ],
            "comparisons": {
                name: {
                    "summary": comparison.summary(),
                    "complete": comparison.complete,
                    "score": comparison.score,
                    "sources_ok": comparison.coverage.sources_ok,
                    "sources_expected": comparison.coverage.sources_expected,
                    "unmatched": [entry.document() for entry in comparison.unmatched],
                }
                for name, comparison in compared.items()
            },
            "rows": rows,
            "coverage": self._coverage(views, names),
        }
        return document, min(at for at in times if at is not None)

    def _row(
        self,
        name: str,
        views: Mapping[str, Mapping[str, View]],
        verdicts: Mapping[tuple[str, str], ServiceVerdicts],
    ) -> dict[str, Any]:
        policy = self._policy()
        service = policy.service(name)
        cells = {
            environment: _cell(
                here.get(name),
                awaited=bool(service.sources.get(environment)) and service.expected_in(environment),
            )
            for environment, here in views.items()
        }
        here = {environment for environment, cell in cells.items() if cell["freshness"] != "not_deployed"}
        return {
            "service": name,
            "kind": service.kind,
            "owner": service.owner,
            "cells": cells,
            "comparisons": {
                pair.name: self._column(verdicts[pair.name, name])
                for pair in policy.pairs
                # Two environments without it are not in sync: there is nothing to compare.
                if (pair.name, name) in verdicts and here & {pair.left.name, pair.right.name}
            },
            "spread": self._spread(name, views),
        }

    def _column(self, verdicts: ServiceVerdicts) -> dict[str, Any]:
        """Return the column of one service, the same one while its verdicts are."""
        here = (verdicts.comparison, verdicts.service)
        known = self._columns.get(here)
        if known is None or known[0] is not verdicts:
            known = self._columns[here] = (verdicts, _column(verdicts))
        return known[1]

    def _spread(self, name: str, views: Mapping[str, Mapping[str, View]]) -> dict[str, list[dict[str, Any]]]:
        """Return group of peers -> the versions that its members run, the most frequent first."""
        found: dict[str, dict[str, list[str]]] = {}
        for environment in self._policy().environments.values():
            view = views[environment.name].get(name)
            version = _version(view) if view is not None else None
            if environment.group is not None and version is not None:
                found.setdefault(environment.group, {}).setdefault(version, []).append(environment.name)
        return {
            group: [
                {"version": version, "environments": where}
                for version, where in sorted(versions.items(), key=lambda entry: -len(entry[1]))
            ]
            for group, versions in found.items()
        }

    def _coverage(self, views: Mapping[str, Mapping[str, View]], names: Collection[str]) -> dict[str, Any]:
        policy = self._policy()
        parts = []
        for environment, here in views.items():
            for name in names:
                expected = policy.service(name).sources.get(environment, ())
                view = here.get(name)
                if view is not None or expected:
                    parts.append(coverage_of(view or _blank(environment, name), expected))
        whole = together(parts)
        return {
            "sources_ok": whole.sources_ok,
            "sources_expected": whole.sources_expected,
            "unseen": [blind.document() for blind in whole.unseen],
        }


def _blank(environment: str, service: str) -> View:
    return View(environment=environment, service=service, looks={}, kinds={})


def _state(name: str, as_of: datetime | None) -> EnvironmentState:
    return AsOf(environment=name, at=as_of) if as_of is not None else Now(environment=name)


def _cell(view: View | None, *, awaited: bool) -> dict[str, Any]:
    """Return one service in one environment: its release or server version, and how fresh that is."""
    if view is None or not view.looks or is_gone(view):
        freshness = "unknown" if awaited and not (view and view.looks) else "not_deployed"
        return {"version": None, "observed_at": None, "freshness": freshness}
    looks = [look for here in view.looks.values() for look in here]
    seen = max(look.stream.last_seen for look in looks)
    if all(look.section.status == "failed" for look in looks):
        freshness = "unknown"
    else:
        freshness = "fresh" if all(look.fresh for look in looks) else "stale"
    return {"version": _version(view), "observed_at": print_time(seen), "freshness": freshness}


def _version(view: View) -> str | None:
    place = view.found(version_place)
    if place is None:
        several = next((at for at in telling(view) if at.item in VERSIONED), None)
        counts = counts_of(view.found(mixed)[several].value) if several is not None else {}
        # What most replicas run, and that it is not all of them.
        most = max(counts, key=lambda value: counts[value], default=None)
        return f"{most} +{len(counts) - 1}" if most is not None else None
    value = str(view.sides[place].value)
    return value[:12] if place.item == "repo#commit" else value


def version_place(view: View) -> Place | None:
    """Return where what people call the version stands: image's tag, server's version, else the commit."""
    for item in VERSIONED:
        for component, section in view.looks:
            place = Place(component, section, item)
            side = view.sides.get(place)
            if side is not None and isinstance(side.value, str):
                return place
    return None


def _column(verdicts: ServiceVerdicts) -> dict[str, Any]:
    told = counted(verdicts.items, verdicts.causes)
    worst = max((severity for _, severity in told), key=severity_rank, default=None)
    since = [one.opened_at for one, severity in told if severity == worst and one.opened_at]
    expected = [one for one in verdicts.items if one.verdict == "expected"]
    # A lead is one whether it is still allowed, has spent what it was allowed, or was accepted.
    leads = [
        one.since
        for one in verdicts.items
        if one.since and (one.direction == "left_ahead" or one.status == "left_only")
    ]
    severities = [severity for _, severity in told]
    return {
        "worst": worst,
        "worst_since": print_time(min(since)) if since else None,
        "summary": {name: severities.count(name) for name in reversed(SEVERITIES) if name in severities},
        "score": service_score(told, verdicts.measured),
        "sections": _sections(told),
        "unknown": sum(1 for one in verdicts.items if one.verdict == "unknown"),
        "expected": len(expected),
        "accepted": sum(1 for one in verdicts.items if one.verdict == "accepted"),
        "pending": sum(1 for one in verdicts.items if one.pending),
        "pending_because": next((one.pending_because for one in _longest_held(verdicts)), None),
        "complete": verdicts.coverage.complete,
        "ahead_since": print_time(min(leads)) if leads else None,
    }


def _longest_held(verdicts: ServiceVerdicts) -> list[Judged]:
    """Return what is held for more than its confirmation, what a roll-out holds first."""
    held = [one for one in verdicts.items if one.pending not in (None, "confirm")]
    return sorted(held, key=lambda one: one.pending != "rollout")


def _sections(told: Collection[tuple[Judged, Severity]]) -> dict[str, dict[str, Any]]:
    """Return the sections that drift, the three inventories first: how often, and how badly."""
    found: dict[str, dict[str, Any]] = {}
    for section in SECTIONS:
        severities = [severity for judged, severity in told if judged.key.section == section]
        if severities:
            found[section] = {"drift": len(severities), "worst": max(severities, key=severity_rank)}
    return found


def _worst_first(row: Mapping[str, Any]) -> tuple[int, str]:
    worst = [column["worst"] for column in row["comparisons"].values() if column["worst"]]
    return (-max((severity_rank(name) for name in worst), default=-1), row["service"])
