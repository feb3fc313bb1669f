"""The grammar of what may be compared: one parser for command line, API and page addresses.

    SNAP    := ENV [SELECT] | LOCATOR | "-"
    SELECT  := "#" N | "~" N | "@{" ISO8601 "}" | "@{" N "." UNIT ".ago}" | "@" LABEL
    LOCATOR := TYPE ":" PATH

Parsing needs no clock and no file system; which bare paths name a file is decided by their form (a slash
or a dot), since an environment's name has neither.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, get_args

from detector.errors import ExpressionError, did_you_mean

LocatorType = Literal[
    "binary",
    "compose",
    "docker",
    "dotenv",
    "image",
    "installed",
    "lockfile",
    "manifests",
    "python",
    "sbom",
    "settings",
    "snapshot",
    "terraform",
]
LOCATOR_TYPES: Final[tuple[LocatorType, ...]] = get_args(LocatorType)
ENVIRONMENT_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,62}")
_LABEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,127}")
#: Further back nothing was ever observed, and calendars end.
_LONGEST_AGO: Final = timedelta(days=36_525)
_UNITS: Final = {
    "seconds": 1,
    "minutes": 60,
    "hours": 3600,
    "days": 86_400,
    "weeks": 604_800,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """An environment as it is known now."""

    environment: str

    def __str__(self) -> str:
        return self.environment


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """Snapshot ``#number`` of an environment, or with ``back`` the one so many before the last."""

    environment: str
    number: int
    back: bool = False

    def __str__(self) -> str:
        return f"{self.environment}{'~' if self.back else '#'}{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AsOf:
    """An environment at a time."""

    environment: str
    at: datetime

    def __str__(self) -> str:
        return f"{self.environment}@{{{self.at.isoformat().replace('+00:00', 'Z')}}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ago:
    """An environment some time ago."""

    environment: str
    count: int
    unit: str

    @property
    def delta(self) -> timedelta:
        """How long ago."""
        return timedelta(seconds=self.count * _UNITS[self.unit])

    def __str__(self) -> str:
        return f"{self.environment}@{{{self.count}.{self.unit}.ago}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """An environment as it was when a label was put on it."""

    environment: str
    label: str

    def __str__(self) -> str:
        return f"{self.environment}@{self.label}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Locator:
    """Something outside the store: a file, a container, an image. ``type`` is None for a bare path."""

    type: LocatorType | None
    path: str

    def __str__(self) -> str:
        return f"{self.type}:{self.path}" if self.type else self.path


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardInput:
    """Whatever comes on standard input."""

    def __str__(self) -> str:
        return "-"


EnvironmentState = Now | Numbered | AsOf | Ago | Labelled
Expression = EnvironmentState | Locator | StandardInput


def parse(text: str) -> Expression:
    """Return what an expression names. Raises ExpressionError with the grammar's own remedy."""
    if text == "-":
        return StandardInput()
    head, colon, path = text.partition(":")
    if colon and head in LOCATOR_TYPES:
        if not path:
            raise ExpressionError(f"{head}: needs a path after the colon, as in {head}:FILE")
        return Locator(type=head, path=path)
    match = ENVIRONMENT_NAME.match(text)
    name, select = (match.group(), text[match.end() :]) if match else ("", text)
    if match and not select:
        return Now(environment=name)
    if match and select[0] in "#~@":
        return _selected(name, select, text)
    if colon and "/" not in head and "." not in head:
        raise ExpressionError(f"{head}: is no type of locator{did_you_mean(head, LOCATOR_TYPES)}")
    if text and ("/" in text or "." in text):
        return Locator(type=None, path=text)
    raise ExpressionError(
        f"{text!r} is no environment (lower case, digits, dashes), no file and no TYPE:PATH"
        if text
        else "an empty expression; give an environment, a file or -"
    )


def both_of(text: str) -> tuple[EnvironmentState, EnvironmentState]:
    """Return the two states that ``prod#12..prod#15`` names. Raises ExpressionError."""
    at = text.find("..")
    while at > 0:
        try:
            left, right = parse(text[:at]), parse(text[at + 2 :])
        except ExpressionError:
            pass  # a label may hold dots as well
        else:
            if isinstance(left, EnvironmentState) and isinstance(right, EnvironmentState):
                return left, right
        at = text.find("..", at + 1)
    raise ExpressionError(f"{text!r} is one expression: give two, or LEFT..RIGHT such as prod#12..prod#15")


def _selected(name: str, select: str, text: str) -> EnvironmentState:
    mark, rest = select[0], select[1:]
    if mark in "#~":
        if not (rest.isascii() and rest.isdigit() and len(rest) < 10):
            raise ExpressionError(f"{text!r}: {name}{mark} needs a number, as in {name}{mark}1")
        return Numbered(environment=name, number=int(rest), back=mark == "~")
    if rest.startswith("{") and rest.endswith("}"):
        return _timed(name, rest[1:-1], text)
    if _LABEL.fullmatch(rest):
        return Labelled(environment=name, label=rest)
    raise ExpressionError(f"{text!r}: after @ comes a label or a time in braces, as in {name}@{{2.days.ago}}")


def _timed(name: str, inner: str, text: str) -> EnvironmentState:
    parts = inner.split(".")
    if len(parts) == 3 and parts[2] == "ago":
        unit = parts[1] if parts[1].endswith("s") else parts[1] + "s"
        if unit not in _UNITS or not (parts[0].isascii() and parts[0].isdigit() and len(parts[0]) < 7):
            raise ExpressionError(f"{text!r}: write a number and one of {', '.join(_UNITS)}: 2.days.ago")
        ago = Ago(environment=name, count=int(parts[0]), unit=unit)
        if ago.delta > _LONGEST_AGO:
            raise ExpressionError(f"{text!r}: more than a hundred years ago")
        return ago
    try:
        at = datetime.fromisoformat(inner)
    except ValueError:
        raise ExpressionError(f"{text!r}: no time; write 2026-11-22T14:00:00Z or 2.days.ago") from None
    if at.tzinfo is None:
        raise ExpressionError(f"{text!r}: a time needs its zone, as in {inner}Z")
    try:
        return AsOf(environment=name, at=at.astimezone(UTC))
    except OverflowError:
        raise ExpressionError(f"{text!r}: a time outside of all calendars") from None
