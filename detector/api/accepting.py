"""What people let be: accept, reopen, list and end. Every change is acknowledged when it is committed."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Final, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from detector.api.answers import list_answer, page_of
from detector.api.asked import Asked
from detector.api.bodies import Limits, body_of
from detector.api.drifts import ULID
from detector.api.idempotency import answered, once
from detector.api.params import AcceptedParams, Params
from detector.api.problems import RefusalError, invalid
from detector.config.rules import MatchEntry
from detector.engine.acceptance import Until, expiry
from detector.errors import NotFoundError, UsageError
from detector.jobs.accept import Made, Said, StateError
from detector.model.clock import duration
from detector.model.records import Drift
from detector.model.wire import json_document
from detector.queries.acceptances import document as acceptance_document
from detector.store.acceptances import Use

_BODY: Final = Limits(body_bytes=64 * 1024, body_seconds=10)
M = TypeVar("M", bound="AcceptBody")


class AcceptBody(BaseModel):
    """Why a drift is let be, and until when: one of ``expires`` and ``for``."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    reason: Annotated[str, Field(min_length=1, max_length=1000, pattern="[^ ]")]
    expires: str | None = Field(default=None, max_length=32, description="A day, or a time with its zone")
    for_: str | None = Field(default=None, alias="for", max_length=16, description="As in 30d")
    until: Until | None = None


class NoBody(BaseModel):
    """Nothing: the address says it all."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class AcceptMatchBody(AcceptBody):
    """A wider match."""

    match: MatchEntry
    #: Only what is open now, and nothing that comes to match later.
    baseline: bool = False
    #: A must where the match leaves nothing out.
    confirm: bool = False


async def accept(asked: Asked[Params]) -> web.StreamResponse:
    """Accept one drift as it is now. The author is who asks."""
    body = await body_of(asked.request, _BODY)
    request = await once(asked, body)
    if request.replay is not None:
        return request.replay
    said = _said(_read(AcceptBody, body), asked)
    name = asked.name("id")
    if not ULID.fullmatch(name):
        raise NotFoundError("no drift has this id; /api/v1/drift lists them")
    try:
        made = await asked.running.accepting.drift(
            name,
            said,
            now=asked.now,
            remember=lambda made: request.remembered(_document(made, asked.now)),
        )
    except StateError as error:
        raise RefusalError(409, "conflict", str(error)) from None
    return answered(_document(made, asked.now))


async def accept_match(asked: Asked[Params]) -> web.StreamResponse:
    """Accept all that a match describes, now and later. Says how many open drifts it hides."""
    body = await body_of(asked.request, _BODY)
    request = await once(asked, body)
    if request.replay is not None:
        return request.replay
    read = _read(AcceptMatchBody, body)
    if read.match.matches_all and not (read.confirm or read.baseline):
        errors = [{"pointer": "/match", "code": "rule-too-broad", "message": "leaves nothing out"}]
        detail = "this accepts everything, now and later: say what, or send confirm: true"
        raise RefusalError(422, "rule-too-broad", detail, errors=errors)
    made = await asked.running.accepting.matching(
        read.match.match(),
        _said(read, asked),
        later=not read.baseline,
        now=asked.now,
        remember=lambda made: request.remembered(_document(made, asked.now)),
    )
    return answered(_document(made, asked.now))


async def reopen(asked: Asked[Params]) -> web.StreamResponse:
    """Open one accepted drift again."""
    body = await body_of(asked.request, _BODY)
    request = await once(asked, body)
    if request.replay is not None:
        return request.replay
    if body.strip() not in (b"", b"{}"):
        raise invalid("", "reopening takes no body")
    name = asked.name("id")
    if not ULID.fullmatch(name):
        raise NotFoundError("no drift has this id; /api/v1/drift lists them")

    def told(row: Drift) -> dict[str, Any]:
        return {"drift_id": row.id, "state": row.state}

    try:
        row = await asked.running.accepting.reopen(
            name,
            by=asked.principal.who,
            now=asked.now,
            remember=lambda row: request.remembered(told(row)),
        )
    except StateError as error:
        raise RefusalError(409, "conflict", str(error)) from None
    return answered(told(row))


async def acceptances(asked: Asked[AcceptedParams]) -> web.StreamResponse:
    """Acceptances, newest first; those that ended where they are asked for."""
    items = await asked.reading.accepted.documents(now=asked.now, ended=asked.params.state == "ended")
    if asked.params.unused is not None:
        items = [one for one in items if one["unused"] == asked.params.unused]
    page, following = page_of(
        items,
        key=lambda one: str(one["id"]),
        limit=asked.params.limit,
        cursor=asked.params.cursor,
        of="accepted",
    )
    return list_answer(asked.request, page, following)


async def end(asked: Asked[Params]) -> web.StreamResponse:
    """End an acceptance: what it hid is open again."""
    try:
        ended = await asked.running.accepting.end(asked.name("id"), by=asked.principal.who, now=asked.now)
    except StateError as error:
        raise RefusalError(409, "conflict", str(error)) from None
    return answered(await asked.reading.accepted.document(ended, now=asked.now))


def _document(made: Made, now: datetime) -> dict[str, Any]:
    use = Use(now=made.hides, ever=made.hides, last=None)
    return {**acceptance_document(made.acceptance, use, now=now), "hides": made.hides}


def _said(body: AcceptBody, asked: Asked[Any]) -> Said:
    """Return what somebody said. Raises RefusalError with the field at fault."""
    if (body.expires is None) == (body.for_ is None):
        raise invalid("/expires", "give one of expires and for")
    try:
        expires_at = expiry(body.expires) if body.expires is not None else asked.now + _span(body.for_ or "")
    except UsageError as error:
        raise invalid("/expires" if body.expires is not None else "/for", str(error)) from None
    if expires_at <= asked.now:
        raise invalid("/expires" if body.expires is not None else "/for", "must be in the future")
    return Said(
        reason=body.reason.strip(), author=asked.principal.who, expires_at=expires_at, until=body.until
    )


def _span(text: str) -> timedelta:
    span = duration(text)
    if span > timedelta(days=10_000):
        raise UsageError("at most two years: give a day on which somebody looks again")
    return span


def _read(model: type[M], body: bytes) -> M:
    """Return a body as its model. Raises RefusalError with a pointer to every field at fault."""
    document = json_document(body)
    if not isinstance(document, dict):
        raise invalid("", "an object with a reason and a last day")
    try:
        return model.model_validate(document)
    except ValidationError as refused:
        found = refused.errors(include_url=False, include_input=False, include_context=False)
        errors = [
            {
                "pointer": "/" + "/".join(str(step)[:64] for step in one["loc"]),
                "code": "validation-failed",
                "message": _words(one["type"], one["msg"]),
            }
            for one in found
        ]
        detail = "; ".join(f"{error['pointer'][1:]}: {error['message']}" for error in errors[:3])
        raise RefusalError(422, "validation-failed", detail, errors=errors) from None


def _words(kind: str, message: str) -> str:
    return {"extra_forbidden": "no field of this request", "missing": "is required"}.get(kind, message)
