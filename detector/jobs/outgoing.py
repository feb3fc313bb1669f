"""Groups of alerts on their way out, and the channels that they take."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from detector.errors import DeliveryError
from detector.model.records import Owed
from detector.notifier import Notifier

#: Slack takes about one message a second into one channel.
PACE_SECONDS: Final = 1.0
_LONGEST_BACKOFF_SECONDS: Final = 900.0
_LONGEST_ASKED_SECONDS: Final = 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one group at one receiver: heard, to be tried at ``next_try``, or parked."""

    error: str | None = None
    next_try: datetime | None = None

    @property
    def heard(self) -> bool:
        return self.error is None


@dataclass(slots=True, kw_only=True)
class Group:
    """The leased alerts of one (comparison, owner), said as one message."""

    comparison: str
    owner: str
    #: Oldest first.
    owed: list[Owed] = field(default_factory=list)
    tries: int = 0
    body: Mapping[str, Any] = field(default_factory=dict)
    handles: dict[str, Mapping[str, str] | None] = field(default_factory=dict)
    #: Receivers that hear a digest now: a message of its own.
    digests: set[str] = field(default_factory=set)
    #: Of every receiver, in the order in which they are asked; None where it is not asked yet.
    outcomes: dict[str, Outcome | None] = field(default_factory=dict)
    settled: bool = False

    @property
    def key(self) -> str:
        return f"{self.comparison} {self.owner}"

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(owed.id for owed in self.owed)

    @property
    def unheard(self) -> list[Outcome]:
        return [outcome for outcome in self.outcomes.values() if outcome and not outcome.heard]

    @property
    def complete(self) -> bool:
        return None not in self.outcomes.values()


@dataclass(slots=True, kw_only=True)
class Channel:
    """One receiver: its notifier, when it may be spoken to again, and what is wrong with it."""

    notifier: Notifier
    clock: Callable[[], float]
    #: Between 0 and 1.
    jitter: Callable[[], float]
    free_at: float = 0.0
    closed_until: float = 0.0
    #: Why it cannot work until somebody mends it.
    broken: str | None = None

    @property
    def seconds_to_pace(self) -> float:
        """How long the next message has to wait for its turn."""
        return max(0.0, self.free_at - self.clock())

    @property
    def seconds_closed(self) -> float:
        """How long nothing may be tried after a failure."""
        return max(0.0, self.closed_until - self.clock())

    def spoke(self) -> None:
        """Note that it was spoken to, with whatever success."""
        self.free_at = self.clock() + PACE_SECONDS

    def close_for(self, error: DeliveryError, tries: int) -> float:
        """Close it after a failure, and return for how many seconds: what it asked for, within bounds."""
        asked = error.retry_after
        wait = (
            backoff(tries, self.jitter()) if asked is None else min(max(asked, 1.0), _LONGEST_ASKED_SECONDS)
        )
        self.closed_until = self.clock() + wait
        return wait


def backoff(tries: int, jitter: float) -> float:
    """Return the seconds until the next try: full jitter between one second and a bound that doubles."""
    bound = 2.0 ** (tries + 1) if tries < 20 else _LONGEST_BACKOFF_SECONDS
    return max(1.0, jitter * min(_LONGEST_BACKOFF_SECONDS, bound))


def grouped(leased: Iterable[tuple[Owed, int]]) -> list[Group]:
    """Return the groups in the order of their oldest alert."""
    groups: dict[tuple[str, str], Group] = {}
    for owed, tries in sorted(leased, key=lambda entry: (entry[0].created_at, entry[0].id)):
        group = groups.setdefault(
            (owed.comparison, owed.owner), Group(comparison=owed.comparison, owner=owed.owner)
        )
        group.owed.append(owed)
        group.tries = max(group.tries, tries)
    return list(groups.values())
