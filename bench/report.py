"""What was measured: a table in Markdown for people, a document for whoever keeps the curve."""

import os
import platform
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from statistics import median
from typing import Any

from bench.measuring import Result, Row, Sample, spread


def markdown(results: Sequence[Result], *, rounds: int) -> str:
    """Return the table: one line for each rival, the goal beside the one that it speaks of."""
    header = ("#", "work", "ours", "rival", "its time", "ratio (CPU)", "spread", "ratio (wall)", "goal")
    lines = [f"| {' | '.join(header)} |", "|" + " --- |" * len(header)]
    lines += [f"| {' | '.join(cells)} |" for result in results for cells in _lines(result)]
    machine = f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores"
    about = f"Medians of {rounds} interleaved rounds; times are CPU of the process tree; {machine}."
    return "\n".join((*lines, "", about))


def _lines(result: Result) -> Iterator[tuple[str, ...]]:
    work = result.work
    for position, row in enumerate(result.rows):
        low, high = spread(row.ratios)
        first = (work.number, work.title, _time(_cpu(row.ours))) if position == 0 else ("", "", "")
        yield (
            *first,
            row.rival,
            _time(_cpu(row.theirs)),
            _times(row.ratio),
            f"{_times(low)} – {_times(high)}",
            _times(row.wall_ratio),
            _goal(result, row) or (_seconds(result, row) if position == 0 else ""),
        )


def document(results: Sequence[Result], *, rounds: int) -> dict[str, Any]:
    """Return every sample, so that other figures can be made of them later."""
    return {
        "schema": "parity.bench/v1",
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "load": os.getloadavg(),
        "rounds": rounds,
        "works": [
            {
                "number": result.work.number,
                "title": result.work.title,
                "goal": asdict(result.work.goal) if result.work.goal else None,
                "goal_seconds": result.work.seconds,
                "rivals": [
                    {
                        "name": row.rival,
                        "ratio": row.ratio,
                        "spread": spread(row.ratios),
                        "wall_ratio": row.wall_ratio,
                        "ours": [asdict(sample) for sample in row.ours],
                        "theirs": [asdict(sample) for sample in row.theirs],
                    }
                    for row in result.rows
                ],
            }
            for result in results
        ],
    }


def _goal(result: Result, row: Row) -> str:
    goal = result.work.goal
    if goal is None or row is not result.decisive:
        return ""
    reached = "reached" if row.ratio >= goal.ratio else f"missed by {goal.ratio / row.ratio:.2f}×"
    design = f" (design {_times(goal.design)})" if goal.design else ""
    return f"≥ {_times(goal.ratio)}{design}: {reached}"


def _seconds(result: Result, row: Row) -> str:
    if result.work.seconds is None:
        return ""
    taken = median(sample.wall for sample in row.ours)
    return f"≤ {result.work.seconds} s: took {taken:.2f} s by the wall clock"


def _cpu(samples: Sequence[Sample]) -> float:
    return median(sample.cpu for sample in samples)


def _time(seconds: float) -> str:
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds:.2f} s"


def _times(ratio: float) -> str:
    return f"{ratio:,.0f}×" if ratio >= 10 else f"{ratio:.2f}×"
