"""Charts as coordinates: lanes over time, drawn as SVG by the templates."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

WIDTH: Final = 1180
LANE: Final = 34
_LABEL: Final = 92
SPARK_WIDTH: Final = 120
SPARK_HEIGHT: Final = 22
_SPARK_EDGE: Final = 2
_TICKS: Final = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Something on a lane: a point where ``width`` is 0, else a span."""

    x: float
    width: float
    title: str
    text: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One line of a chart."""

    name: str
    y: float
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Lanes over one stretch of time."""

    lanes: tuple[Lane, ...]
    #: Position and label of each tick.
    ticks: tuple[tuple[float, str], ...]
    left: float = _LABEL
    width: float = WIDTH

    @property
    def height(self) -> float:
        """Height of the whole, ticks included."""
        return len(self.lanes) * LANE + 26


def changes_chart(
    environments: Iterable[str], changes: Iterable[Mapping[str, Any]], *, now: datetime, back: timedelta
) -> Chart:
    """Return when a service changed, a lane for each environment."""
    scale = _Scale(now - back, now)
    changes = list(changes)
    lanes = []
    for row, name in enumerate(environments):
        marks = [
            Mark(
                x=scale.x(datetime.fromisoformat(change["at"])),
                width=0,
                title=f"{name}#{change['number']} · {_minute(change['at'])} · {_counts(change['changed'])}",
            )
            for change in changes
            if change["environment"] == name
        ]
        lanes.append(Lane(name=name, y=row * LANE + LANE / 2, marks=tuple(marks)))
    return Chart(lanes=tuple(lanes), ticks=scale.ticks())


def values_chart(
    rows: Sequence[Mapping[str, Any]], environments: Iterable[str], *, now: datetime
) -> Chart | None:
    """Return what an item was over time, a lane for each environment; None without any history."""
    if not rows:
        return None
    first = min(datetime.fromisoformat(row["opened"]) for row in rows)
    scale = _Scale(min(first, now - timedelta(hours=1)), now)
    lanes: list[Lane] = []
    for name in environments:
        here = [row for row in rows if row["environment"] == name]
        if not here:
            continue
        marks = []
        for row in reversed(here):
            start = scale.x(datetime.fromisoformat(row["opened"]))
            end = scale.x(datetime.fromisoformat(row["closed"]) if row["closed"] else now)
            room = max(2.0, end - start)
            marks.append(
                Mark(
                    x=start,
                    width=room,
                    title=f"{row['shown']} · {_minute(row['opened'])} – {_minute(row['closed'] or 'now')}",
                    text=row["shown"] if room > 7.6 * len(row["shown"]) + 12 else "",
                    tone="" if row["closed"] else "current",
                )
            )
        lanes.append(Lane(name=name, y=len(lanes) * LANE + LANE / 2, marks=tuple(marks)))
    return Chart(lanes=tuple(lanes), ticks=scale.ticks()) if lanes else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spark:
    """A score over time in the size of a word: a line of steps, broken where nothing was measured."""

    path: str
    #: Where it stands now; None where nothing is measured.
    end: float | None
    title: str
    width: float = SPARK_WIDTH
    height: float = SPARK_HEIGHT


def spark_of(
    trend: Sequence[tuple[datetime, float | None]], *, now: datetime, back: timedelta
) -> Spark | None:
    """Return the trend of a score; None where there was none yet."""
    known = [score for _, score in trend if score is not None]
    if not known:
        return None
    drawn, room = SPARK_WIDTH - 2 * _SPARK_EDGE, SPARK_HEIGHT - 2 * _SPARK_EDGE

    def x(at: datetime) -> float:
        share = 1 - (now - at) / back
        return round(_SPARK_EDGE + min(1.0, max(0.0, share)) * drawn, 1)

    def y(score: float) -> float:
        return round(_SPARK_EDGE + (1 - score) * room, 1)

    steps: list[str] = []
    pen = False
    for (at, score), (until, _) in zip(trend, [*trend[1:], (now, None)], strict=True):
        if score is not None:
            steps.append(f"V{y(score)}" if pen else f"M{x(at)} {y(score)}")
            steps.append(f"H{x(until)}")
        pen = score is not None
    last = trend[-1][1]
    return Spark(
        path="".join(steps),
        end=None if last is None else y(last),
        title=(
            f"Score over {back.days} days: from {known[0]:.2f}, lowest {min(known):.2f}, "
            + ("not measured now" if last is None else f"now {last:.2f}")
        ),
    )


class _Scale:
    """Maps times to positions."""

    def __init__(self, first: datetime, last: datetime) -> None:
        self._first, self._span = first, max((last - first).total_seconds(), 1.0)

    def x(self, at: datetime) -> float:
        share = (at - self._first).total_seconds() / self._span
        return round(_LABEL + min(1.0, max(0.0, share)) * (WIDTH - _LABEL - 8), 1)

    def ticks(self) -> tuple[tuple[float, str], ...]:
        step = self._span / _TICKS
        form = "%d %b" if self._span > 3 * 86_400 else "%d %b %H:%M"
        times = [self._first + timedelta(seconds=step * number) for number in range(_TICKS)]
        return tuple((self.x(at), at.strftime(form)) for at in times)


def _minute(time: str) -> str:
    return time[:16].replace("T", " ")


def _counts(changed: Mapping[str, int]) -> str:
    parts = [f"{count} {word}" for word, count in changed.items() if count]
    return ", ".join(parts) or "nothing counted"
