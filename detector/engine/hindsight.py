"""Hindsight: what an observation that came late changes of drifts that nobody can see now.

The state of a drift is that of the last moment at which both sides were known. While they are known, that
moment is now. Where one is out of sight, what is inserted into the past may be the last word.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from detector.engine.life import Ledger
from detector.model.records import Drift, Judged, Key
from detector.model.words import State

#: States that facts alone end: what people accepted stays theirs.
_LIVING: Final[tuple[State, ...]] = ("pending", "open")
_OVER: Final[tuple[State, ...]] = ("resolved", "withdrawn")


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One service in one comparison, judged as it was at one time."""

    judged: Mapping[Key, Judged]
    #: Of a key without a verdict: True, both sides agree; False, a rule hides it; None, it is unknown.
    settled: Callable[[Key], bool | None]

    def word_on(self, key: Key) -> Judged | bool | None:
        """Return the verdict on a key; without one, whether it was settled."""
        verdict = self.judged.get(key)
        if verdict is None:
            return self.settled(key)
        return verdict if verdict.verdict != "unknown" else None


class Hindsight:
    """Gives rows the state of the last moment at which their keys were known: moments come newest first."""

    def __init__(self, now: Moment, rows: Mapping[Key, Drift], ledger: Ledger) -> None:
        self._rows = rows
        self._ledger = ledger
        self._newer = [now]
        #: Keys of living rows on which no moment had a word so far.
        self.waiting = {key for key, row in rows.items() if row.state in _LIVING and now.word_on(key) is None}

    def look(self, then: Moment) -> None:
        """Take the word of one moment on every key that no newer one knew."""
        for key in sorted({*self.waiting, *then.judged}):
            word = then.word_on(key)
            if word is not None and all(newer.word_on(key) is None for newer in self._newer):
                self.waiting.discard(key)
                self._take(key, word)
        self._newer.append(then)

    def forget(self, *, since: datetime) -> None:
        """Withdraw rows that began ``since`` the first moment asked, which none of them bears out."""
        for key in sorted(self.waiting):
            if self._rows[key].opened_at >= since:
                self._end(self._rows[key], "withdrawn")

    def _take(self, key: Key, word: object) -> None:
        row = self._rows.get(key)
        if isinstance(word, Judged) and word.verdict == "drift":
            if row is None or row.state in _OVER:
                self._ledger.write(self._ledger.begun(word, row), "backdated")
        elif row is not None and row.state in _LIVING:
            self._end(row, "resolved")

    def _end(self, row: Drift, state: State) -> None:
        self._ledger.write(replace(row, state=state, resolved_at=self._ledger.now), "backdated")
