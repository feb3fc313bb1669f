"""The query of a request: repeatable plain filters, checked before anything is asked."""

import re
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Annotated, Any, Final, Literal, TypeVar, cast, get_origin

from multidict import MultiMapping
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema
from pydantic_core import PydanticCustomError

from detector.api.problems import RefusalError
from detector.errors import UsageError, did_you_mean
from detector.model.clock import duration
from detector.model.words import Kind, SectionName, Severity, State, Traffic

_DIGITS: Final = re.compile(r"[0-9]{1,9}")
_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_FIELD_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}")
#: What a person asks about; beyond it is another calendar or another unit.
_FIRST, _LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
MOST: Final = 1000


def _number(text: Any) -> Any:
    if isinstance(text, str):
        if not _DIGITS.fullmatch(text):
            raise PydanticCustomError("number", "a number in the digits 0 to 9")
        return int(text)
    return text


def _time(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    if not _TIME.fullmatch(text):
        raise PydanticCustomError("time", "a time with its zone, such as 2026-11-22T09:28:14Z (RFC 3339)")
    try:
        at = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise PydanticCustomError("time", "no time of the calendar") from None
    if not _FIRST <= at <= _LAST:
        raise PydanticCustomError("time", "a time of this century or the next")
    return at


def _span(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    try:
        return duration(text)
    except UsageError as error:
        raise PydanticCustomError("duration", "{why}", {"why": str(error)}) from None


def _flag(text: Any) -> Any:
    if text in ("true", "false"):
        return text == "true"
    if isinstance(text, str):
        raise PydanticCustomError("flag", "true or false")
    return text


Limit = Annotated[int, BeforeValidator(_number), Field(ge=1, le=MOST, description="How many at most")]
Time = Annotated[datetime, BeforeValidator(_time)]
Span = Annotated[
    timedelta,
    BeforeValidator(_span),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,6}[smhdwy]$"}),
]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
#: Anything a person may have written into a name: printable, never long.
Word = Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[^\x00-\x1f\x7f]+$")]


class Params(BaseModel):
    """A query without any parameter."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class AsOf(Params):
    """What is read as it was at a time."""

    as_of: Time | None = Field(default=None, description="The state at this time, as known now")


class Listed(Params):
    """What is read page by page."""

    limit: Limit = 100
    cursor: Annotated[str, Field(max_length=512)] | None = Field(
        default=None, description="`next_cursor` of the page before"
    )


def _page_time(text: Any) -> Any:
    """Take what the field for date and time of a browser sends: without seconds, meant as UTC."""
    if text == "":
        return None
    return _time(f"{text}:00Z" if isinstance(text, str) and _FIELD_TIME.fullmatch(text) else text)


class PageAsOf(Params):
    """A page as it was at a time."""

    as_of: Annotated[datetime | None, BeforeValidator(_page_time)] = None


class MatrixParams(PageAsOf):
    """Which rows of the matrix are shown."""

    q: Annotated[str, Field(max_length=128)] | None = None
    owner: tuple[Word, ...] = ()
    drift: bool = False


class FactorParams(Params):
    """Which comparison is told by the twelve factors."""

    comparison: Word | None = None


class LoginParams(Params):
    """A sign-in and where it leads."""

    code: Annotated[str, Field(max_length=128)] | None = None
    #: A path of this server: `//host` and a backslash would lead to another.
    next: Annotated[str, Field(max_length=512, pattern=r"^/([^/\\\s][^\\\s]*)?$")] = "/"


class StaticParams(Params):
    """Which version of a file is meant: its address changes with its content."""

    v: Annotated[str, Field(max_length=64)] | None = None


class DiffFilters(Params):
    """Which part of a comparison is shown."""

    service: tuple[Name, ...] = Field(default=(), description="Only these services")
    section: tuple[SectionName, ...] = Field(default=(), description="Only these sections")
    severity: tuple[Severity, ...] = Field(default=(), description="Only drift of these severities")
    include: tuple[Annotated[str, Field(pattern="^same$")], ...] = Field(
        default=(), description="`same`: also what is in sync"
    )


class CollectParams(Params):
    """Whose sources to run."""

    service: tuple[str, ...] = Field(default=(), max_length=1000, description="of this service (repeatable)")


class DiffParams(DiffFilters):
    """Two states and which part of their comparison is shown."""

    left: Word = Field(description="An environment, also as prod#241, prod~1, prod@{2.days.ago}")
    right: Word = Field(description="The other one")


class ExplainParams(Params):
    """One item of one service between two states."""

    left: Word = Field(description="An environment, also as prod#241, prod~1, prod@{2.days.ago}")
    right: Word = Field(description="The other one")
    service: Name
    item: Annotated[str, Field(min_length=1, max_length=512, pattern=r"^[^\x00-\x1f\x7f]+$")] = Field(
        description="Its whole name, or what people say: `django`"
    )
    section: SectionName | None = Field(default=None, description="Only an item of this section")
    component: Name | None = Field(default=None, description="Only of this process type, container or job")
    kind: Kind | None = Field(default=None, description="Only this kind of finding")


class GateParams(Params):
    """What a pipeline asks: may this go on?"""

    promote: Word | None = Field(
        default=None, description="An environment, or an image (`acme/checkout:1.5`, a tag, a digest)"
    )
    to: Name | None = Field(default=None, description="Where `promote` leads; default: its comparisons")
    fail_on: Severity = Field(default="high", description="Drift from this severity on is drift")
    allow_incomplete: bool = Field(default=False, description="Not everything need have been seen")


class DriftFilters(Params):
    """Which drifts of the register are meant."""

    state: tuple[State, ...] = ()
    severity: tuple[Severity, ...] = ()
    service: Name | None = None
    owner: Word | None = None
    section: SectionName | None = None
    comparison: Word | None = None
    kind: Kind | None = None
    opened_before: Time | None = None


class DriftParams(DriftFilters, Listed):
    """One page of the register."""


class RegisterParams(DriftParams):
    """The page of the register."""

    accepted: Name | None = Field(default=None, description="The acceptance that was just made: said on top")


class PromotionParams(AsOf):
    """Whose way through the environments is shown, and over what time."""

    service: Name | None = Field(default=None, description="Only this service")
    item: Word | None = Field(default=None, description="One item, such as urllib3 or pkg:pypi/django")
    since: Span | None = Field(default=None, description="How long back the figures go, as in 30d")


class ScoreParams(Params):
    """Whose score is shown, and how far back its trend goes."""

    service: Name | None = Field(default=None, description="Only this service")
    since: Span | None = Field(default=None, description="How long back the trend goes; default 90d")


class AcceptedParams(Listed):
    """One page of what is accepted."""

    state: Literal["open", "ended"] = Field(default="open", description="`ended`: those that are over")
    unused: Annotated[bool, BeforeValidator(_flag)] | None = Field(
        default=None, description="Those that matched nothing for 30 days, or the others"
    )


class HistoryParams(Listed):
    """One page of the history of an item."""

    environment: Name | None = None
    section: SectionName | None = None
    component: Name | None = None


class SearchParams(AsOf):
    """Which item is looked for."""

    item: Word = Field(description="Its whole name, a package URL, or what people say: django")
    version: Annotated[str, Field(min_length=1, max_length=512)] | None = Field(
        default=None,
        description="A range, in its ecosystem's order: `<4.2.27`, `>=4.2,<5`, `~=4.2.1`, `==1.4.*`",
    )
    environment: tuple[Name, ...] = ()


class PushParams(Params):
    """Where below its service an observation belongs."""

    component: Name | None = Field(default=None, description="Default: main; agrees with the body")
    traffic: Traffic | None = Field(
        default=None, description="Default: live; agrees with the body. With If-Match: which stream is meant"
    )


P = TypeVar("P", bound=Params)


def params_of(model: type[P], query: MultiMapping[str], *, form: bool = False) -> P:
    """Return a query as its model; the empty fields of a ``form`` are left out.

    Raises RefusalError that names every parameter at fault.
    """
    if not query:
        plain = _without_query(model)
        if plain is not None:
            return cast("P", plain)
    given: dict[str, Any] = {}
    errors: list[dict[str, str]] = []
    known = model.model_fields
    for name in dict.fromkeys(query.keys()):
        values = [value for value in query.getall(name) if value or not form]
        if name not in known:
            hint = did_you_mean(name, list(known)) if len(name) <= 64 else ""
            errors.append(_error(name, f"no parameter of this route{hint}"))
        elif not values:
            continue
        elif get_origin(known[name].annotation) is tuple:
            given[name] = tuple(values)
        elif len(values) > 1:
            errors.append(_error(name, "given more than once"))
        else:
            given[name] = values[0]
    try:
        read = model.model_validate(given)
    except ValidationError as refused:
        found = refused.errors(include_url=False, include_input=False, include_context=False)
        errors += [_error(str(one["loc"][0]), one["msg"]) for one in found if one["loc"]]
        read = None
    if errors or read is None:
        detail = "; ".join(f"{error['pointer'][1:]}: {error['message']}" for error in errors[:3])
        raise RefusalError(422, "validation-failed", detail, errors=errors)
    return read


@cache
def _without_query(model: type[Params]) -> Params | None:
    """Return what an empty query says: most requests have none. None where a parameter is needed."""
    return None if any(field.is_required() for field in model.model_fields.values()) else model()


def _error(name: str, message: str) -> dict[str, str]:
    shown = name if len(name) <= 64 and name.isprintable() else "…"
    return {"pointer": f"/{shown}", "code": "validation-failed", "message": message}
