"""The one error tree of Parity.

Every error knows the exit code of the command line and whether trying again could help. Messages say
what to do next and never hold a config value, a credential or the text of a foreign exception.

    ParityError                      exit 2
    ├── UsageError                   a wrong word on the command line or in a request
    │   └── ExpressionError          an expression that names no state
    ├── ConfigError                  parity.yml is wrong: every problem at once, each with its place
    ├── PluginError                  a collector, reader or notifier that cannot be loaded
    ├── UnseenError                  a source, or a part of one, could not be seen, and why
    │   └── NotThereError            everything was looked at, and the service is not there
    ├── DeliveryError                a notifier could not deliver
    ├── NotFoundError                a name that nothing defines
    └── StoreError                   exit 4: the store refused
        ├── StoreBusyError           locked or full: the same call may work later
        ├── StoreInUseError          another process owns it
        └── StoreSchemaError         newer, foreign or corrupt
"""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import ClassVar, Final, Literal


class ParityError(Exception):
    """Anything Parity refuses or could not do, in words a user can act on."""

    exit_code: ClassVar[int] = 2
    #: Whether the same call could succeed later without anybody changing anything.
    retryable: ClassVar[bool] = False


class UsageError(ParityError):
    """A word of the command line or of a request that means nothing here."""


class ExpressionError(UsageError):
    """An expression of the compare grammar that names no state."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Problem:
    """One thing wrong in a file: where it stands, what it is, and never the value itself."""

    file: str
    line: int
    column: int
    #: Path of keys, such as ``environments[0].tier``.
    path: str
    message: str
    code: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.path}: {self.message}"


class ConfigError(ParityError):
    """The configuration is wrong. ``problems`` holds every one that was found, in file order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class PluginError(ParityError):
    """A plugin is missing, broken, doubled or of another contract version; the message names it."""


#: Why something could not be seen: a closed list.
Reason = Literal[
    "not_collected",
    "denied",
    "unreachable",
    "timeout",
    "crashed",
    "unsupported",
    "malformed",
    "too_large",
    "stale",
    "held",
    "not_in_view",
    "not_comparable",
    "key_rotated",
]


class UnseenError(ParityError):
    """A source or a part of one that could not be seen.

    ``reason`` is one of a closed list; ``detail`` is our own words. Raised by readers and
    collectors, recorded by the host as unseen: it never ends a run.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason}: {detail}")


class NotThereError(UnseenError):
    """Everything was looked at, and nothing of the service is there: gone where it was seen before."""

    def __init__(self, detail: str) -> None:
        super().__init__("not_in_view", detail)


class DeliveryError(ParityError):
    """A message that did not arrive. ``permanent`` says that trying again cannot help."""

    def __init__(self, message: str, *, permanent: bool, retry_after: float | None = None) -> None:
        self.permanent = permanent
        #: Seconds that the receiver asked us to wait, if it did.
        self.retry_after = retry_after
        super().__init__(message)


class NotFoundError(ParityError):
    """A name that nothing defines; the message lists what there is."""


class StoreError(ParityError):
    """The store refused."""

    exit_code = 4


class StoreBusyError(StoreError):
    """The database is locked, full or gone for now. Nothing was half stored."""

    retryable = True


class StoreInUseError(StoreError):
    """Another process owns this database; the message names its pid."""


class StoreSchemaError(StoreError):
    """The database is newer than this program, foreign or damaged; the message names the remedy."""


#: Names that a hint lists before it only counts the rest.
_LISTED: Final = 16


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """Return `` (did you mean X?)`` for a near miss, else a list of what is known, cut where it is long."""
    close = get_close_matches(name, known, n=1, cutoff=0.6)
    if close:
        return f" (did you mean {close[0]}?)"
    more = f" and {len(known) - _LISTED} more" if len(known) > _LISTED else ""
    return f" (known: {', '.join(known[:_LISTED])}{more})" if known else ""
