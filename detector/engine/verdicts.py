"""Judge one service between two environments: pair, judge, explain, and add what the register knows."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from detector.engine.acceptance import NOTHING, Accepted, accept
from detector.engine.ahead import Histories
from detector.engine.causes import explain
from detector.engine.clients import client_skews
from detector.engine.comparison import ServiceVerdicts
from detector.engine.coverage import coverage_of, together
from detector.engine.difference import by_place
from detector.engine.findings import equal_and_asked_about, findings_of, shared_between
from detector.engine.gone import gone_between
from detector.engine.judgement import Case, judge
from detector.engine.lineage import Lineage
from detector.engine.mirrors import without_mirrors
from detector.engine.pairing import Difference, Differences, differences
from detector.engine.pending import held
from detector.engine.policy import Environment, Pair, Service
from detector.engine.rollout import Rollout
from detector.engine.rows import with_rows
from detector.engine.rules import Rule
from detector.engine.settings import plain_secrets_between
from detector.engine.sources import config_source_differs
from detector.engine.substitution import substitutions_between
from detector.engine.successors import with_successors
from detector.engine.unset import unset_between
from detector.engine.view import Interner, Place, View
from detector.model.records import Drift, Judged, Key
from detector.model.words import MAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Both:
    """The two views of one service, with its rows of the register by key."""

    service: Service
    left: View
    right: View
    rows: Mapping[tuple[str, Key], Drift] = field(default_factory=dict)
    histories: Histories = field(default_factory=dict)
    #: How commits follow each other, where a repository is at hand.
    lineage: Lineage = field(default_factory=dict)
    #: Environment -> the roll-out that the service is in there.
    rollouts: Mapping[str, Rollout] = field(default_factory=dict)
    #: Whether this service was never compared here before.
    first: bool = True
    accepted: Accepted = NOTHING
    #: Environment -> the views of the backing services that the service uses there.
    servers: Mapping[str, Sequence[View]] = field(default_factory=dict)


#: Gives the differences of two views; a service that keeps results passes its memory here.
Differ = Callable[[View, View, Interner], Differences]


def verdicts_on(
    both: Both,
    *,
    pair: Pair,
    rules: Sequence[Rule],
    now: datetime,
    interner: Interner,
    first_cause: int = 1,
    differ: Differ = differences,
) -> ServiceVerdicts:
    """Judge one service between two environments, with the findings of either environment."""
    found = differ(both.left, both.right, interner)
    (case, between), *inside = cases_of(both, found, pair=pair, rules=rules, now=now)
    judged = _judged(case, between)
    judged, causes = explain(judged, both.left, both.right, first=first_cause)
    known_source = any(key.kind == "config_source_differs" for _, key in both.rows)
    if both.first or known_source:
        judged, causes = config_source_differs(judged, causes, case, first=first_cause)
    judged, causes = accept(judged, causes, both.accepted, now)
    alone = [verdict for here, findings in inside for verdict in _judged(here, findings)]
    alone, _ = accept(alone, (), both.accepted, now)
    views = {pair.left.name: (both.left, both.left), pair.right.name: (both.right, both.right)}
    items = with_rows([*judged, *alone], both.rows, {**views, pair.name: (both.left, both.right)})
    items = with_holds(items, both, pair=pair, now=now)
    measured = both.left.found(_measured) & both.right.found(_measured)
    return ServiceVerdicts(
        comparison=pair.name,
        service=both.service.name,
        owner=both.service.owner,
        left=both.left,
        right=both.right,
        items=tuple(items),
        causes=tuple(causes),
        coverage=together(
            coverage_of(view, both.service.sources.get(environment.name, ()))
            for view, environment in ((both.left, pair.left), (both.right, pair.right))
        ),
        compared=found.compared,
        not_compared=found.not_compared,
        not_measured=tuple(sorted(found.not_measured)),
        measured=tuple(sorted(measured)),
    )


def cases_of(
    both: Both, found: Differences, *, pair: Pair, rules: Sequence[Rule], now: datetime
) -> Iterator[tuple[Case, list[Difference]]]:
    """Yield what asks for a verdict, with the case it belongs to: between two sides, then inside each."""
    case = Case(
        pair=pair,
        service=both.service,
        rules=rules,
        left=both.left,
        right=both.right,
        now=now,
        histories=both.histories,
        lineage=both.lineage,
    )
    yield case, to_judge(both, pair, rules, found)
    sides = [(pair.left, both.left), (pair.right, both.right)]
    for environment, view in sides if pair.left != pair.right else sides[1:]:
        servers = both.servers.get(environment.name, ())
        yield _inside(view, environment, servers, service=both.service, rules=rules, now=now)


def _inside(
    view: View,
    environment: Environment,
    servers: Sequence[View],
    *,
    service: Service,
    rules: Sequence[Rule],
    now: datetime,
) -> tuple[Case, list[Difference]]:
    """Return what is wrong inside one environment, with its case."""
    case = Case(
        pair=Pair(left=environment, right=environment),
        service=service,
        rules=rules,
        left=view,
        right=view,
        now=now,
        histories={},
        alone=True,
    )
    return case, [*findings_of(view, environment), *client_skews(view, servers)]


def _judged(case: Case, found: Iterable[Difference]) -> list[Judged]:
    return [verdict for difference in found if (verdict := judge(case, difference)) is not None]


def to_judge(both: Both, pair: Pair, rules: Sequence[Rule], found: Differences) -> list[Difference]:
    """Return all between two sides that asks for a verdict, in the order of every screen."""
    vanished = gone_between(both.left, both.right)
    if vanished is not None:
        return [vanished]  # what one side lost it has not one fact of
    known = {difference.place for difference in found.items}
    asked = [one for one in equal_and_asked_about(both.left, both.right, rules) if one.place not in known]
    return sorted(
        [
            *with_successors(without_mirrors(found.items, both.service)),
            *asked,
            *shared_between(both.left, both.right, pair),
            *unset_between(both.left, both.right, pair),
            *plain_secrets_between(both.left, both.right, pair),
            *substitutions_between(both.left, both.right, found.items),
        ],
        key=by_place,
    )


def with_holds(items: Sequence[Judged], both: Both, *, pair: Pair, now: datetime) -> list[Judged]:
    """Return the items with what holds the alerts of those that are drift."""
    return held(
        items,
        pair=pair,
        service=both.service,
        views={pair.left.name: both.left, pair.right.name: both.right},
        rows=both.rows,
        histories=both.histories,
        rollouts=both.rollouts,
        now=now,
    )


def findings_in(
    view: View,
    *,
    service: Service,
    pair: Pair,
    rules: Sequence[Rule],
    now: datetime,
    accepted: Accepted = NOTHING,
    servers: Sequence[View] = (),
) -> list[Judged]:
    """Judge what is wrong inside one environment: ``pair`` has it on both sides.

    ``servers`` are the views of the backing services that the service uses there.
    """
    case, found = _inside(view, pair.right, servers, service=service, rules=rules, now=now)
    return accept(_judged(case, found), (), accepted, now)[0]


def _measured(view: View) -> set[str]:
    """Return the sections of which something was seen."""
    return {
        section
        for (_, section), looks in view.looks.items()
        if any(look.fresh and look.section.status != "failed" for look in looks)
    }


def places_that_lead(found: Differences) -> list[Place]:
    """Return the places whose history a verdict may need: those where values differ or only one side has one.

    Where a side names no component, what speaks for it has the history.
    """
    places: dict[Place, None] = {}
    for difference in found.items:
        if difference.kind not in ("difference", "variant", "rebuilt") or not _moved(difference):
            continue
        places[difference.place] = None
        if difference.place.section in found.joins:
            places[Place(MAIN, difference.place.section, difference.place.item)] = None
    return list(places)


def _moved(difference: Difference) -> bool:
    if difference.status == "same":
        # Keys of one type and other values: what is expected to be equal has a clock too.
        return difference.place.section == "config" and difference.left.value != difference.right.value
    return difference.status != "unknown"
