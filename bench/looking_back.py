"""B9: the past of one target: its state at a time, and one item over all polls."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import orjson

from bench.designs import BlobPerPoll, Design, Facts, RowPerFact
from bench.fleet import Targets, moments
from bench.keeping import Intervals
from bench.measuring import Contender, Goal, Limit, Work
from bench.sizes import Lookback
from detector.model.facts import Value

#: How often the item changes of which the history is asked, however many polls there are.
_CHANGES: Final = 10
_ITEM: Final = "pkg:pypi/asked-for"
_SHORT: Final = 100
#: Facts of the target whose history is long.
_FEW: Final = 100


def states_and_histories(size: Lookback) -> Iterator[Work]:
    """Yield B9: a state among many polls, and a history after many polls beside one after a hundred."""
    with TemporaryDirectory(prefix="parity-bench-") as name, ExitStack() as stack:
        folder = Path(name)

        def kept(design: Callable[[Path], Design], file: str, facts: int, polls: int) -> Any:
            return stack.enter_context(closing(_kept(design, folder / file, facts, polls)))

        times = dict(moments(size.polls))
        ours = kept(partial(Intervals, moments=times), "ours.db", size.facts, size.polls)
        rows = kept(RowPerFact, "rows.db", size.facts, size.polls)
        blobs = kept(BlobPerPoll, "blobs.db", size.facts, size.polls)
        at = size.polls // 2
        yield Work(
            number="B9",
            title=f"state of {size.facts:,} facts as of poll {at} of {size.polls}",
            ours=_state("parity", ours, at),
            rivals=(_state("a row per fact", rows, at), _state("a zstd blob per poll", blobs, at)),
            goals=(Limit(figure="cpu", most=0.002),),
        )
        yield Work(
            number="B9",
            title=f"history of an item that changed {_CHANGES} times in {size.polls} polls",
            ours=_history("parity", ours),
            rivals=(_history("a row per fact", rows), _history("a zstd blob per poll", blobs)),
        )
        long = kept(partial(Intervals, moments=dict(moments(size.most))), "long.db", _FEW, size.most)
        short = kept(partial(Intervals, moments=dict(moments(_SHORT))), "short.db", _FEW, _SHORT)
        yield Work(
            number="B9",
            title=f"history of that item after {size.most:,} polls",
            ours=_history("parity", long),
            rivals=(_history(f"parity after {_SHORT} polls", short),),
            goals=(Goal(against="parity after", most=1.3),),
        )


def _kept(design: Callable[[Path], Design], path: Path, facts: int, polls: int) -> Design:
    """Return the history of one target, of which one package changes at each poll."""
    keeper = design(path)
    targets = Targets(1, facts)
    [state] = targets.states
    for at in range(polls):
        if at:
            targets.change(0)
        state["dependencies"][_ITEM] = f"1.{at * _CHANGES // polls}"
        keeper.record(0, at, state)
    return keeper


def _state(name: str, keeper: Design, at: int) -> Contender:
    return Contender(name=name, run=partial(keeper.state, 0, at), answer=_of_state)


def _of_state(state: Facts) -> dict[str, bytes]:
    return {
        f"{section} {item}": orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        for section, found in state.items()
        for item, value in found.items()
    }


def _history(name: str, keeper: Design) -> Contender:
    return Contender(name=name, run=partial(_course, keeper), answer=lambda course: course)


def _course(keeper: Design) -> list[Value]:
    seen: Iterable[tuple[int, Value]] = keeper.history(0, "dependencies", _ITEM)
    return [value for value, _ in groupby(seen, key=itemgetter(1))]
