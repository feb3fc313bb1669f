"""`python -m bench`: measure against rivals, print the table, keep the samples."""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Final

import orjson

from bench import (
    arriving,
    bills,
    differing,
    judging,
    keeping,
    looking_back,
    ordering,
    overviewing,
    puppetdb,
    pushing,
    readying,
    scheduling,
    searching,
    starting,
)
from bench.measuring import Result, Work, WrongResultError, measure
from bench.report import document, markdown
from bench.sizes import FULL, QUICK, Size

#: Number of the work -> what sets it up, in some size. A set-up may yield several variants.
WORKS: Final[dict[str, Callable[[Size], Iterator[Work]]]] = {
    "B1": lambda size: differing.warm(size.facts),
    "B2": lambda size: differing.cold(size.facts),
    "B3": lambda size: differing.judged(size.facts),
    "B4": lambda size: pushing.unchanged(size.pushes),
    "B5": lambda size: pushing.whole(size.pushes),
    "B6": lambda size: keeping.environment(size.kept),
    "B7": lambda size: keeping.job(size.job),
    "B8": lambda size: puppetdb.commands(size.nodes),
    "B9": lambda size: chain(
        looking_back.states_and_histories(size.lookback), searching.who_runs(size.searched)
    ),
    "B10": lambda size: overviewing.matrix(size.matrix),
    "B11": lambda size: arriving.steadily(size.arrivals),
    "B12": lambda size: scheduling.due_every_minute(size.scheduled),
    "B13": lambda size: readying.start(size.started),
    "B14": lambda _: starting.whole_process(),
    "J1": lambda size: judging.many(size.facts),
    "J2": lambda size: judging.again(size.facts),
    "S1": lambda size: bills.read(size.components),
    "V1": lambda size: ordering.steps(size.version_pairs),
}
OUT: Final = Path(__file__).parent / "out" / "bench.json"


def main(arguments: Sequence[str], *, quick: Size = QUICK) -> int:
    """Run what is asked for. Returns 1 where a rival said something else than ours; no time ever fails."""
    asked = _parser().parse_args(arguments)
    size = FULL if asked.full else quick
    rounds = asked.rounds or size.rounds
    results: list[Result] = []
    try:
        for number in asked.only:
            for work in WORKS[number](size):
                print(f"{work.number}: {work.title}", file=sys.stderr)
                results.append(measure(work, rounds=rounds))
    except WrongResultError as error:
        print(f"wrong result: {error}", file=sys.stderr)
        return 1
    print(markdown(results, rounds=rounds))
    asked.json.parent.mkdir(parents=True, exist_ok=True)
    asked.json.write_bytes(orjson.dumps(document(results, rounds=rounds), option=orjson.OPT_INDENT_2))
    print(f"every sample: {asked.json}", file=sys.stderr)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Parity against rivals.")
    parser.add_argument(
        "--only", type=_numbers, default=list(WORKS), metavar="B1,…", help=f"of {', '.join(WORKS)}"
    )
    parser.add_argument("--full", action="store_true", help="in the sizes that the goals speak of (long)")
    parser.add_argument(
        "--rounds", type=_count, help=f"if not given {QUICK.rounds}, or {FULL.rounds} with --full"
    )
    parser.add_argument("--json", type=Path, default=OUT, metavar="FILE", help="where every sample goes")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("at least one round")
    return int(text)


def _numbers(text: str) -> list[str]:
    numbers = text.upper().split(",")
    for number in numbers:
        if number not in WORKS:
            raise argparse.ArgumentTypeError(f"no work {number}; there are {', '.join(WORKS)}")
    return numbers


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
