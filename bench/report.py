"""What was measured: a table in Markdown for people, a document for whoever keeps the curve."""

import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from statistics import median
from typing import Any, Final

from bench.measuring import Goal, Limit, Result, Row, Sample, spread


def markdown(results: Sequence[Result], *, rounds: int) -> str:
    """Return the table: one line for each rival, each goal beside the one that it speaks of."""
    header = ("#", "work", "ours", "rival", "its figure", "ratio", "spread", "ratio (wall)", "goal")
    lines = [f"| {' | '.join(header)} |", "|" + " --- |" * len(header)]
    lines += [f"| {' | '.join(cells)} |" for result in results for cells in _lines(result)]
    machine = f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores"
    about = (
        f"Medians of {rounds} interleaved rounds, fewer where a run is long. Times are CPU of the processes "
        f"that do the work; a ratio says how many times ours the rival took. {machine}."
    )
    return "\n".join((*lines, "", about))


def _lines(result: Result) -> Iterator[tuple[str, ...]]:
    work, figure = result.work, result.work.figure
    first = (work.number, work.title, _show(figure, _median(result.ours, figure)))
    if not result.rows:
        yield (*first, "", "", "", "", "", _limits(result))
    for position, row in enumerate(result.rows):
        low, high = spread(row.ratios(figure))
        yield (
            *(first if position == 0 else ("", "", "")),
            row.rival,
            _show(figure, _median(row.theirs, figure)),
            _times(row.ratio(figure)),
            f"{_times(low)} – {_times(high)}" if len(row.ours) > 1 else "",
            _times(row.ratio("wall")) if figure == "cpu" else "",
            "; ".join(filter(None, (_goals(result, row), _limits(result) if position == 0 else ""))),
        )


def document(results: Sequence[Result], *, rounds: int) -> dict[str, Any]:
    """Return every sample, so that other figures can be made of them later."""
    return {
        "schema": "parity.bench/v2",
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "load": os.getloadavg(),
        "rounds": rounds,
        "works": [
            {
                "number": result.work.number,
                "title": result.work.title,
                "figure": result.work.figure,
                "goals": [
                    asdict(goal) | {"measured": _measured(result, goal), "reached": _reached(result, goal)}
                    for goal in result.work.goals
                ],
                "ours": [_plain(sample) for sample in result.ours],
                "rivals": [
                    {
                        "name": row.rival,
                        "ratio": row.ratio(result.work.figure),
                        "spread": spread(row.ratios(result.work.figure)),
                        "wall_ratio": row.ratio("wall"),
                        "theirs": [_plain(sample) for sample in row.theirs],
                    }
                    for row in result.rows
                ],
            }
            for result in results
        ],
    }


def _plain(sample: Sample) -> dict[str, float]:
    return {"cpu": sample.cpu, "wall": sample.wall, **sample.more}


def _measured(result: Result, goal: Goal | Limit) -> float:
    """Return what stands against a goal: a figure of ours, or a ratio the way the goal counts it."""
    if isinstance(goal, Limit):
        return _median(result.ours, goal.figure)
    ratio = result.decisive(goal).ratio(goal.figure)
    return ratio if goal.ratio is not None else 1 / ratio


def _reached(result: Result, goal: Goal | Limit) -> bool:
    measured = _measured(result, goal)
    if isinstance(goal, Goal) and goal.ratio is not None:
        return measured >= goal.ratio
    return goal.most is not None and measured <= goal.most


def _goals(result: Result, row: Row) -> str:
    """Say of each goal that speaks of this rival whether it was reached."""
    mine = [goal for goal in result.work.goals if isinstance(goal, Goal) and row is result.decisive(goal)]
    return "; ".join(_goal(result, goal) for goal in mine)


def _goal(result: Result, goal: Goal) -> str:
    measured = _measured(result, goal)
    if goal.ratio is not None:
        asked, missed = f"≥ {_times(goal.ratio)}", goal.ratio / measured
    else:
        asked, missed = f"≤ {_times(goal.most or 0)}", measured / (goal.most or 1)
    of = "" if goal.figure == result.work.figure else f" {_name(goal.figure)} ({_times(measured)})"
    turned = f" ({_times(measured)})" if goal.most is not None and not of else ""
    design = f" (design {_times(goal.design)})" if goal.design else ""
    return f"{asked}{of}{turned}{design}: {_verdict(result, goal, missed)}"


def _limits(result: Result) -> str:
    said = []
    for limit in (goal for goal in result.work.goals if isinstance(goal, Limit)):
        measured = _measured(result, limit)
        about = limit.about or _name(limit.figure)
        verdict = _verdict(result, limit, measured / limit.most if limit.most else measured)
        said.append(
            f"{about} ≤ {_show(limit.figure, limit.most)} ({_show(limit.figure, measured)}): {verdict}"
        )
    return "; ".join(said)


def _verdict(result: Result, goal: Goal | Limit, missed: float) -> str:
    return "reached" if _reached(result, goal) else f"**missed** by {missed:.2f}×"


def _median(samples: Sequence[Sample], figure: str) -> float:
    return median(sample.of(figure) for sample in samples)


def _time(seconds: float) -> str:
    if seconds < 1e-3:
        return f"{seconds * 1e6:.3g} µs"
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds:.2f} s"


def _bytes(count: float) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count:.3g} B"


def _times(ratio: float) -> str:
    return f"{ratio:,.0f}×" if ratio >= 10 else f"{ratio:.2f}×" if ratio >= 0.1 else f"{ratio:.3f}×"


#: Figure -> what people call it, and how it is written. All others are times under their own names.
_SHOWN: Final[Mapping[str, tuple[str, Callable[[float], str]]]] = {
    "cpu": ("CPU", _time),
    "wall": ("by the wall clock", _time),
    "disk": ("on disk", _bytes),
    "memory": ("memory", _bytes),
}


def _name(figure: str) -> str:
    return _SHOWN[figure][0] if figure in _SHOWN else figure.replace("_", " ")


def _show(figure: str, measured: float) -> str:
    if figure in _SHOWN:
        return _SHOWN[figure][1](measured)
    if figure.startswith("bytes_"):
        return _bytes(measured)
    return f"{measured:,.0f}" if figure.startswith("count_") else _time(measured)
