"""`python -m bench`: measure against rivals, print the table, keep the samples."""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import orjson

from bench import differing, judging, ordering, starting
from bench.measuring import Result, Work, WrongResultError, measure
from bench.report import document, markdown

#: Number of the work -> what sets it up, for so many facts. A set-up may yield several variants.
WORKS: Final[dict[str, Callable[[int], Iterator[Work]]]] = {
    "B1": differing.warm,
    "B2": differing.cold,
    "B3": differing.judged,
    "J1": judging.many,
    "J2": judging.again,
    "B14": starting.whole_process,
    "V1": ordering.steps,
}
FACTS: Final = 10_000
ROUNDS: Final = 7
OUT: Final = Path(__file__).parent / "out" / "bench.json"


def main(arguments: Sequence[str], *, facts: int = FACTS) -> int:
    """Run what is asked for. Returns 1 where a rival said something else than ours; no time ever fails."""
    asked = _parser().parse_args(arguments)
    results: list[Result] = []
    try:
        for number in asked.only:
            for work in WORKS[number](facts):
                print(f"{work.number}: {work.title}", file=sys.stderr)
                results.append(measure(work, rounds=asked.rounds))
    except WrongResultError as error:
        print(f"wrong result: {error}", file=sys.stderr)
        return 1
    print(markdown(results, rounds=asked.rounds))
    asked.json.parent.mkdir(parents=True, exist_ok=True)
    asked.json.write_bytes(orjson.dumps(document(results, rounds=asked.rounds), option=orjson.OPT_INDENT_2))
    print(f"every sample: {asked.json}", file=sys.stderr)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Parity against rivals.")
    parser.add_argument(
        "--only", type=_numbers, default=list(WORKS), metavar="B1,…", help=f"of {', '.join(WORKS)}"
    )
    parser.add_argument("--rounds", type=_count, default=ROUNDS, help=f"{ROUNDS} if not given")
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
