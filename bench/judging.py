"""J1 and J2: judging many items, and judging everything again after the rules changed."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Final

from structlog.testing import capture_logs

from bench.made_up import NOW, SERVICE, Facts, mixed, observation
from bench.measuring import Contender, Limit, Work
from detector.config.policy import Policy
from detector.engine.judgement import Case, judge, subject_of
from detector.engine.pack import PACK
from detector.engine.pairing import Difference
from detector.engine.policy import Environment, Pair, Service
from detector.engine.rules import Match, Outcome, Rule, decide
from detector.engine.view import Interner, Place, view_of
from detector.jobs.compare import TOGETHER, Compare
from detector.model.records import Judged, Side
from detector.queries.comparison import Comparisons
from detector.queries.views import Views
from detector.store.store import Store, open_store

_ENVIRONMENTS: Final = (
    Environment(name="dev", tier="development"),
    Environment(name="staging", tier="staging"),
    Environment(name="prod", tier="production"),
)
_PAIRS: Final = (
    Pair(left=_ENVIRONMENTS[0], right=_ENVIRONMENTS[1]),
    Pair(left=_ENVIRONMENTS[1], right=_ENVIRONMENTS[2]),
)
#: What is added to the pack when the rules change.
_NEW: Final = Rule(
    name="parity.yml:1",
    match=Match(section=("dependencies",), item=("pkg:npm/*",)),
    outcome=Outcome(severity={"*": "low"}),
)


def many(facts: int) -> Iterator[Work]:
    """Yield J1: ten times as many differences as facts of the other works, each judged by the pack."""
    case, found = _case(), _differences(facts * 10)
    # Whoever merges all rules for each item again: of this every hundredth says enough.
    some = found[::100]
    yield Work(
        number="J1",
        title=f"judging {len(found):,} items by the shipped pack, rules compiled",
        ours=Contender(
            name="parity",
            run=lambda: [judge(case, difference) for difference in found],
            answer=lambda judged: _said(judged[::100]),
        ),
        rivals=(
            Contender(
                name="plain merge of 1 %",
                run=partial(_plainly, case, some),
                answer=lambda said: said,
            ),
        ),
        goals=(Limit(figure="wall", most=1.0),),
    )


def again(facts: int) -> Iterator[Work]:
    """Yield J2: a rule is added, and every service is judged again in all its comparisons.

    The rival is the same program without what it remembers: views, differences and histories.
    """
    services = max(1, facts // 500)
    with (
        TemporaryDirectory(prefix="parity-bench-") as folder,
        closing(asyncio.new_event_loop()) as loop,
        capture_logs(),
    ):
        store = loop.run_until_complete(_filled(Path(folder), services))
        try:
            remembering = _Service(store, services)
            loop.run_until_complete(remembering.judge_all())
            yield Work(
                number="J2",
                title=f"new rules: {services} services × {len(_ENVIRONMENTS)} environments judged again",
                ours=Contender(
                    name="parity",
                    run=lambda: loop.run_until_complete(remembering.judge_all()),
                    answer=lambda said: said,
                ),
                rivals=(
                    Contender(
                        name="nothing remembered",
                        run=lambda: loop.run_until_complete(_Service(store, services).judge_all()),
                        answer=lambda said: said,
                    ),
                ),
                goals=(Limit(figure="wall", most=5.0 * services / 200),),  # five seconds for 200 services
            )
        finally:
            loop.run_until_complete(store.close())


class _Service:
    """Everything between the store and the register, as a running service holds it."""

    def __init__(self, store: Store, services: int) -> None:
        self._names = [f"service-{number}" for number in range(services)]
        self._policy = Policy(
            environments={one.name: one for one in _ENVIRONMENTS},
            pairs=_PAIRS,
            services={name: Service(name=name) for name in self._names},
        )
        self._rules = 0
        views = Views(store, lambda: self._policy)
        comparisons = Comparisons(store, views, lambda: self._policy)
        ids = count()
        self._compare = Compare(
            store, comparisons, views, lambda: self._policy, lambda: f"{next(ids):013d}{id(self):013d}"
        )

    async def judge_all(self) -> int:
        """Judge everything by rules that were never used before. Returns how many judgements that were."""
        self._rules += 1
        rule = replace(_NEW, name=f"parity.yml:{self._rules}")
        self._policy = replace(self._policy, rules=(*PACK, rule))
        done = 0
        everywhere = [one.name for one in _ENVIRONMENTS]
        for start in range(0, len(self._names), TOGETHER):
            wanted = dict.fromkeys(self._names[start : start + TOGETHER], everywhere)
            done += len(await self._compare.judge_together(wanted, now=NOW, half_seen={}))
        return done


async def _filled(folder: Path, services: int) -> Store:
    store = await open_store(f"sqlite:///{folder}/parity.db")
    for number in range(services):
        pair = mixed(100, seed=number)
        for environment, facts in (("dev", pair.left), ("staging", pair.left), ("prod", pair.right)):
            seen = replace(
                observation(facts, environment),
                service=f"service-{number}",
                observed_at=NOW - timedelta(days=1),
            )
            await store.record(seen, received_at=NOW, scheduled=True)
    await store.flush()
    return store


def _case() -> Case:
    view = view_of("staging", SERVICE, [], {}, now=NOW, interner=Interner())
    return Case(
        pair=_PAIRS[1],
        service=Service(name=SERVICE),
        rules=PACK,
        left=view,
        right=view,
        now=NOW,
        histories={},
    )


def _differences(count: int) -> Sequence[Difference]:
    """Return made-up differences of packages: four of five changed, the rest on one side alone."""
    random = Random(1)
    facts: Facts = mixed(count).left
    found = []
    for section, items in facts.items():
        for item, value in items.items():
            here = Side(present=True, value=value, basis="running", source="bench", observed_at=NOW)
            place = Place("main", section, item)
            if random.random() < 0.8:
                distance = random.choice(("major", "minor", "patch"))
                direction = random.choice(("left_ahead", "right_ahead"))
                found.append(Difference(place, "changed", here, here, "difference", distance, direction))
            else:
                found.append(Difference(place, "left_only", here, Side(), direction="left_ahead"))
    return found


def _said(judged: Sequence[Judged | None]) -> Sequence[tuple[str, str] | None]:
    return [(one.severity, one.rule) if one is not None else None for one in judged]


def _plainly(case: Case, found: Sequence[Difference]) -> Sequence[tuple[str, str] | None]:
    said: list[tuple[str, str] | None] = []
    for difference in found:
        subject = subject_of(case, difference)
        decision = decide(case.rules, subject)
        hidden = decision.outcome.ignore
        said.append(None if hidden else (decision.severity(subject.distance), decision.rule))
    return said
