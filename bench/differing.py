"""B1 to B3: what differs between two environments; warm, cold from JSON bytes, and judged."""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

import orjson

from bench import rivals
from bench.made_up import NOW, SERVICE, Facts, Pair, flat, mixed, observation, plain
from bench.measuring import Contender, Goal, Work
from bench.rivals import Answer
from detector.engine.comparison import ServiceVerdicts
from detector.engine.pack import PACK
from detector.engine.pairing import Differences, differences
from detector.engine.policy import Environment, Service
from detector.engine.policy import Pair as Environments
from detector.engine.verdicts import Both, verdicts_on
from detector.engine.view import Interner, View, view_of
from detector.model.canonical import observation_document
from detector.model.facts import Observation
from detector.model.records import Stream
from detector.model.wire import json_document, observations_from

_STAGING: Final = Environment(name="staging", tier="staging")
_PROD: Final = Environment(name="prod", tier="production")


def warm(facts: int) -> Iterator[Work]:
    """Yield B1 for a realistic mix and for plain version texts."""
    for title, pair in (("mix", mixed(facts)), ("plain", plain(facts))):
        left, right, interner = _views(pair)
        yield Work(
            number="B1",
            title=f"difference of {facts:,} facts, 1 % changed, views compared before ({title})",
            ours=Contender(
                name="parity", run=partial(differences, left, right, interner), answer=_of_differences
            ),
            rivals=(*_deepdiff_modes(pair), *_other_libraries(pair)),
            goals=(Goal(ratio=500, against="DeepDiff"),),
        )


def cold(facts: int) -> Iterator[Work]:
    """Yield B2: from two documents of `parity.observation/v1` as bytes to the differences."""
    pair = mixed(facts)
    left, right = _document(pair.left, "staging"), _document(pair.right, "prod")

    def parsed(mode: str) -> Any:
        ours, theirs = json.loads(left)["sections"], json.loads(right)["sections"]
        return rivals.deepdiff(ours, theirs, mode)

    yield Work(
        number="B2",
        title=f"the same, cold from {(len(left) + len(right)) / 1e6:.1f} MB of JSON, names of items known",
        ours=Contender(name="parity", run=partial(_from_bytes, left, right), answer=_of_differences),
        rivals=tuple(
            Contender(
                name=f"{mode} of json",
                run=partial(parsed, mode),
                answer=rivals.from_deepdiff(mode, below=("facts",)),
            )
            for mode in rivals.DEEPDIFF_MODES
        ),
        goals=(Goal(ratio=20, against="DeepDiff"),),
    )


def judged(facts: int) -> Iterator[Work]:
    """Yield B3: status, distance, direction, severity and rule of every difference, by the shipped pack."""
    pair = mixed(facts)
    left, right, interner = _views(pair)
    both = Both(service=Service(name=SERVICE), left=left, right=right)
    between = Environments(left=_STAGING, right=_PROD)
    yield Work(
        number="B3",
        title=f"full verdict on {facts:,} facts with the shipped pack, views and rules known",
        ours=Contender(
            name="parity",
            run=partial(verdicts_on, both, pair=between, rules=PACK, now=NOW, interner=interner),
            answer=_of_verdicts,
        ),
        rivals=tuple(_deepdiff_modes(pair)),
        goals=(Goal(ratio=100, against="DeepDiff"),),
    )


def _deepdiff_modes(pair: Pair) -> Iterator[Contender]:
    left, right = flat(pair.left), flat(pair.right)
    for mode in rivals.DEEPDIFF_MODES:
        yield Contender(
            name=mode, run=partial(rivals.deepdiff, left, right, mode), answer=rivals.from_deepdiff(mode)
        )


def _other_libraries(pair: Pair) -> Iterator[Contender]:
    left, right = flat(pair.left), flat(pair.right)
    yield Contender(
        name="dictdiffer", run=partial(rivals.with_dictdiffer, left, right), answer=rivals.from_dictdiffer
    )
    yield Contender(
        name="jsondiff", run=partial(rivals.with_jsondiff, left, right), answer=rivals.from_jsondiff
    )


def _views(pair: Pair) -> tuple[View, View, Interner]:
    interner = Interner()
    left, right = observation(pair.left, "staging"), observation(pair.right, "prod")
    return _view(left, interner), _view(right, interner), interner


def _view(seen: Observation, interner: Interner) -> View:
    stream = Stream(
        environment=seen.environment,
        service=seen.service,
        source=seen.source,
        sections=seen.sections,
        digest="",
        last_seen=seen.observed_at,
        seen_at=(seen.observed_at,),
    )
    return view_of(
        seen.environment,
        seen.service,
        [stream],
        {},
        now=NOW,
        interner=interner,
        intermittent=True,
    )


def _document(facts: Facts, environment: str) -> bytes:
    return orjson.dumps(observation_document(observation(facts, environment)))


def _from_bytes(left: bytes, right: bytes) -> Differences:
    interner = Interner()
    [ours], [theirs] = observations_from(json_document(left)), observations_from(json_document(right))
    return differences(_view(ours, interner), _view(theirs, interner), interner)


def _of_differences(found: Differences) -> Answer:
    """Leave out what is watched although it is equal: no rival knows of secrets."""
    return {
        f"{difference.place.section} {difference.place.item}": difference.status
        for difference in found.items
        if difference.status != "same"
    }


def _of_verdicts(found: ServiceVerdicts) -> Answer:
    """Leave out findings on values that are equal: no rival looks for them."""
    return {
        f"{verdict.key.section} {verdict.key.item}": verdict.status
        for verdict in found.items
        if verdict.status != "same" and verdict.key.kind != "config_source_differs"
    }
