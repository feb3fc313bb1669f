"""What people send out of forms: read field by field, with what is wrong told beside the field."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, cast
from urllib.parse import parse_qs

from aiohttp import web

from detector.api.bodies import Limits, body_of
from detector.api.problems import RefusalError
from detector.engine.acceptance import UNTILS, Until, expiry
from detector.errors import UsageError
from detector.jobs.accept import Said, check
from detector.model.clock import duration

MEDIA_TYPE: Final = "application/x-www-form-urlencoded"
#: As many drifts as a page shows at most, with their reason.
_LIMITS: Final = Limits(body_bytes=128 * 1024, body_seconds=10)
_MOST_FIELDS: Final = 1024
_LONGEST_REASON: Final = 1000
#: How long acceptances of the form may last, the first of them unless another is chosen.
SPANS: Final[Mapping[str, str]] = {
    "14d": "2 weeks",
    "7d": "1 week",
    "30d": "30 days",
    "90d": "90 days",
    "180d": "half a year",
}


async def fields_of(request: web.Request) -> dict[str, list[str]]:
    """Return the fields of a form. Raises RefusalError for anything else, and for too much of it."""
    if request.content_type != MEDIA_TYPE:
        raise RefusalError(415, "unsupported-media-type", "send the form of this page")
    text = (await body_of(request, _LIMITS)).decode("utf-8", "replace")
    try:
        return parse_qs(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise RefusalError(
            413, "payload-too-large", f"a form has at most {_MOST_FIELDS} fields: choose fewer"
        ) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptForm:
    """The form that lets drifts be, as it was filled in."""

    reason: str = ""
    lasts: str = next(iter(SPANS))
    expires: str = ""
    until: str = ""
    #: Ids of the drifts that were ticked.
    chosen: Sequence[str] = ()
    #: Field -> what is wrong with it; the empty name is of the form as a whole.
    wrong: Mapping[str, str] = field(default_factory=dict)

    @property
    def sent(self) -> bool:
        """Whether somebody filled it in, and something is wrong with it."""
        return bool(self.wrong)


def accept_form(fields: Mapping[str, Sequence[str]]) -> AcceptForm:
    """Return the form as it was filled in."""
    first = {name: found[0].strip() for name, found in fields.items() if found}
    return AcceptForm(
        reason=first.get("reason", ""),
        lasts=first.get("for", ""),
        expires=first.get("expires", ""),
        until=first.get("until", ""),
        chosen=tuple(dict.fromkeys(fields.get("drift", ()))),
    )


def said_of(form: AcceptForm, *, author: str, now: datetime) -> tuple[Said | None, dict[str, str]]:
    """Return what somebody said, or None and what is wrong with which field."""
    wrong: dict[str, str] = {}
    if not form.reason:
        wrong["reason"] = "say why: whoever finds this in half a year asks for it"
    elif len(form.reason) > _LONGEST_REASON:
        wrong["reason"] = f"at most {_LONGEST_REASON} characters"
    elif not form.reason.isprintable():
        wrong["reason"] = "printable characters only"
    if form.until not in ("", *UNTILS):
        wrong["until"] = "choose one of the list"
    at = "expires" if form.expires else "for"
    expires_at = None
    try:
        # A day that was picked says more than the span that the list begins with.
        expires_at = expiry(form.expires) if form.expires else now + duration(form.lasts)
    except (UsageError, OverflowError) as error:
        too_long = "at most two years: give a day on which somebody looks again"
        wrong[at] = str(error) if isinstance(error, UsageError) else too_long
    if expires_at is None:
        return None, wrong
    said = Said(
        reason=form.reason or "-",
        author=author,
        expires_at=expires_at,
        until=cast("Until", form.until) if form.until else None,
    )
    try:
        check(said, now)
    except UsageError as error:
        wrong[at] = str(error)
    return (None if wrong else said), wrong
