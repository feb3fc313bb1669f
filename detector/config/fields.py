"""The kinds of text that stand in parity.yml, as annotated types, each with our words for what it takes."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Final, NamedTuple

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from detector.config.schedule import next_cron_time, zone
from detector.errors import UsageError
from detector.model.addresses import repository_url
from detector.model.clock import duration, print_exactly
from detector.model.expressions import ENVIRONMENT_NAME
from detector.model.words import SEVERITIES

NAME: Final = re.compile(r"(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
#: Any moment will do to ask whether an expression has a next time at all.
_SOME_DAY: Final = datetime(2026, 1, 1, tzinfo=UTC)
_RUNS: Final = re.compile(r"([0-9]{1,3}) runs?")
#: Tags of a union whose members differ in form; in angles, so that no key of a document is called so.
WORD, LISTED, MAPPING = "<word>", "<list>", "<mapping>"
_ADDRESS: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})")


class Strict(BaseModel):
    """A mapping of parity.yml: frozen, unknown keys refused, ``x-*`` keys free."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        json_schema_extra={"patternProperties": {"^x-": True}},
    )

    @model_validator(mode="before")
    @classmethod
    def _leave_free_keys_out(cls, data: Any) -> Any:
        return _without_free_keys(data)


class Validity(NamedTuple):
    """How long an observation counts as fresh: so many runs, so long, or until the next one."""

    runs: int | None = None
    age: timedelta | None = None

    def __str__(self) -> str:
        if self.runs is not None:
            return f"{self.runs} runs"
        return print_exactly(self.age) if self.age is not None else "until_replaced"


class Days(NamedTuple):
    """Days from the first to the last, both included."""

    first: date
    last: date

    def __str__(self) -> str:
        return f"{self.first}..{self.last}"


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise PydanticCustomError("config-type", "must be text; put it in quotes")
    return value


def _repository(value: Any) -> str:
    found = repository_url(_text(value))
    if found is None:
        raise PydanticCustomError("config-type", "must be the address of a repository: host and path")
    return found


def _environment(value: Any) -> str:
    if not ENVIRONMENT_NAME.fullmatch(_text(value)):
        raise PydanticCustomError("config-type", "must begin with a-z and hold only a-z 0-9 -, at most 63")
    return str(value)


def _name(value: Any) -> str:
    if not NAME.fullmatch(_text(value)):
        raise PydanticCustomError(
            "config-type", "must begin with a letter or digit and hold only A-Z a-z 0-9 . _ -, without .."
        )
    return str(value)


def _duration(value: Any) -> timedelta:
    if isinstance(value, timedelta):
        return value
    try:
        return duration(_text(value))
    except UsageError as error:
        raise PydanticCustomError("config-type", "{words}", {"words": str(error)}) from None


def _between(low: str, high: str) -> BeforeValidator:
    least, most = duration(low), duration(high)

    def check(value: Any) -> timedelta:
        found = _duration(value)
        if not least <= found <= most:
            raise PydanticCustomError(
                "config-range", "must be from {low} to {high}", {"low": low, "high": high}
            )
        return found

    return BeforeValidator(check)


def _runs(value: Any) -> int:
    match = _RUNS.fullmatch(_text(value))
    if match is None:
        raise PydanticCustomError("config-type", "must be a number of runs, as in 2 runs")
    if not 1 <= int(match[1]) <= 100:
        raise PydanticCustomError("config-range", "must be from 1 to 100 runs")
    return int(match[1])


def _validity(value: Any) -> Validity:
    if isinstance(value, Validity):
        return value
    text = _text(value)
    if text == "until_replaced":
        return Validity()
    if text.endswith(("run", "runs")):
        return Validity(runs=_runs(text))
    try:
        age = duration(text)
    except UsageError:
        words = "must be runs, a duration or until_replaced, as in 3 runs or 7d"
        raise PydanticCustomError("config-type", "{words}", {"words": words}) from None
    if not age:
        raise PydanticCustomError("config-range", "must be longer than nothing")
    return Validity(age=age)


def _timezone(value: Any) -> str:
    try:
        zone(_text(value))
    except UsageError as error:
        raise PydanticCustomError("config-schedule", "{words}", {"words": str(error)}) from None
    return str(value)


def _cron(value: Any) -> str:
    try:
        next_cron_time(_text(value), after=_SOME_DAY)
    except UsageError as error:
        raise PydanticCustomError("config-schedule", "{words}", {"words": str(error)}) from None
    return str(value)


def _days(value: Any) -> Days:
    if isinstance(value, Days):
        return value
    first, dots, last = _text(value).partition("..")
    try:
        days = Days(date.fromisoformat(first), date.fromisoformat(last if dots else first))
    except ValueError:
        raise PydanticCustomError("config-type", "must be days, as in 2026-12-20..2027-01-02") from None
    if days.last < days.first:
        raise PydanticCustomError("config-range", "the last day is before the first")
    return days


def split_address(text: str) -> tuple[str, int] | None:
    """Return host and port of ``host:port`` or ``[v6]:port``; None when it is neither."""
    match = _ADDRESS.fullmatch(text)
    if match is None or not 0 <= int(match[2]) <= 65_535:
        return None
    return match[1].strip("[]"), int(match[2])


def _address(value: Any) -> str:
    if split_address(_text(value)) is None:
        raise PydanticCustomError("config-type", "must be host:port, as in 127.0.0.1:8080")
    return str(value)


def _severity_filter(value: Any) -> str:
    if _text(value).removeprefix(">=") not in SEVERITIES:
        words = f"must be one of {', '.join(SEVERITIES)}, or the least of them as in >=high"
        raise PydanticCustomError("config-type", "{words}", {"words": words})
    return str(value)


def _form(value: Any) -> str:
    if isinstance(value, dict | BaseModel):
        return MAPPING
    return LISTED if isinstance(value, list | tuple) else WORD


def _some(value: tuple[Any, ...]) -> tuple[Any, ...]:
    if not value:
        raise PydanticCustomError("config-semantics", "must name at least one")
    return value


def _without_free_keys(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: value for key, value in data.items() if not str(key).startswith("x-")}
    return data


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _schema(pattern: str, example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^{pattern}$", "examples": [example]})


_DURATION_SCHEMA: Final = _schema("[0-9]{1,6}[smhdwy]", "15m")

EnvironmentName = Annotated[str, BeforeValidator(_environment), _schema(ENVIRONMENT_NAME.pattern, "prod-eu")]
Name = Annotated[str, BeforeValidator(_name), _schema(NAME.pattern, "checkout")]
#: A text in which ``*`` stands for anything; nothing else is special.
Glob = Annotated[str, Field(min_length=1, max_length=512)]
Duration = Annotated[timedelta, BeforeValidator(_duration), _DURATION_SCHEMA]
Every = Annotated[timedelta, _between("1s", "31d"), _DURATION_SCHEMA]
Timeout = Annotated[timedelta, _between("1s", "10m"), _DURATION_SCHEMA]
Runs = Annotated[int, BeforeValidator(_runs), _schema("[0-9]{1,3} runs?", "2 runs")]
Valid = Annotated[
    Validity,
    BeforeValidator(_validity),
    _schema("([0-9]{1,3} runs?|[0-9]{1,6}[smhdwy]|until_replaced)", "3 runs"),
]
Timezone = Annotated[str, BeforeValidator(_timezone), _schema("[A-Za-z0-9_+/-]+", "Europe/Berlin")]
Cron = Annotated[str, BeforeValidator(_cron), _schema("[^ ]+( [^ ]+){4}", "0 6 * * 1-5")]
Freeze = Annotated[
    Days, BeforeValidator(_days), _schema("[0-9-]{10}(\\.\\.[0-9-]{10})?", "2026-12-20..2027-01-02")
]
RepositoryAddress = Annotated[
    str, BeforeValidator(_repository), _schema(".+/.+", "https://github.com/acme/checkout")
]
Address = Annotated[str, BeforeValidator(_address), _schema(".+:[0-9]{1,5}", "127.0.0.1:8080")]
SeverityFilter = Annotated[
    str,
    BeforeValidator(_severity_filter),
    _schema(f"(>=)?({'|'.join(SEVERITIES)})", ">=high"),
]
#: Of a list that must not be empty. A length limit of pydantic would count wrong entries as missing.
NOT_EMPTY: Final = AfterValidator(_some)
#: Leaves ``x-*`` keys out of a mapping from names.
FREE_KEYS: Final = BeforeValidator(_without_free_keys)
#: Chooses the member of a union that is tagged `WORD`, `LISTED` or `MAPPING`.
BY_FORM: Final = Discriminator(_form)
#: Lets a list of one be written without brackets.
OR_LIST: Final = BeforeValidator(_listed)
