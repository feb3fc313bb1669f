"""The forms of pages that let drifts be and open them again: each leads back to what it changed."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from aiohttp import hdrs, web

from detector.api.asked import Asked
from detector.api.drifts import ULID
from detector.api.forms import AcceptForm, accept_form, fields_of, said_of
from detector.api.pages import DRIFT, REGISTER, Page
from detector.api.params import Params, RegisterParams
from detector.api.problems import RefusalError
from detector.api.templates import path_of
from detector.errors import NotFoundError, UsageError
from detector.jobs.accept import StateError


async def accept_one(asked: Asked[Params]) -> web.StreamResponse:
    """Accept one drift as the form of its page says, or show the form again."""
    form = accept_form(await fields_of(asked.request))
    name = asked.name("id")
    return await _accepted(asked, DRIFT, replace(form, chosen=(name,)), to=path_of("drift", name))


async def accept_chosen(asked: Asked[RegisterParams]) -> web.StreamResponse:
    """Accept the drifts that were ticked, for one reason and to one end, or show the form again."""
    form = accept_form(await fields_of(asked.request))
    if not form.chosen:
        return await _again(asked, REGISTER, form, {"": "tick the drifts that are meant"}, status=422)
    return await _accepted(asked, REGISTER, form)


async def reopen(asked: Asked[Params]) -> web.StreamResponse:
    """Open one accepted drift again."""
    await fields_of(asked.request)
    name = asked.name("id")
    _require_ids((name,))
    try:
        await asked.running.accepting.reopen(name, by=asked.principal.who, now=asked.now)
    except StateError as error:
        raise RefusalError(409, "conflict", str(error)) from None
    return _to(path_of("drift", name))


async def _accepted(
    asked: Asked[Any], page: Page, form: AcceptForm, *, to: str | None = None
) -> web.StreamResponse:
    """Accept what is chosen and lead to an address, or to the register, which says what was accepted."""
    _require_ids(form.chosen)
    said, wrong = said_of(form, author=asked.principal.who, now=asked.now)
    if said is None:
        return await _again(asked, page, form, wrong, status=422)
    try:
        made = await asked.running.accepting.drifts(form.chosen, said, now=asked.now)
    except StateError as error:
        return await _again(asked, page, form, {"": str(error)}, status=409)
    except UsageError as error:
        return await _again(asked, page, form, {"": str(error)}, status=422)
    return _to(to or str(asked.request.rel_url.update_query(accepted=made.acceptance.id)))


async def _again(
    asked: Asked[Any], page: Page, form: AcceptForm, wrong: dict[str, str], *, status: int
) -> web.StreamResponse:
    """Show a page with its form as it was filled in, and what is wrong with it."""
    if not asked.principal.may("read", {}):
        # The page tells more than whoever may only write is to know.
        detail = "; ".join(f"{name}: {message}" if name else message for name, message in wrong.items())
        raise RefusalError(status, "validation-failed" if status == 422 else "conflict", detail)
    return await page.drawn(asked, status=status, form=replace(form, wrong=wrong))


def _require_ids(ids: Sequence[str]) -> None:
    if not all(ULID.fullmatch(one) for one in ids):
        raise NotFoundError("no drift has this id; /drift lists them")


def _to(path: str) -> web.Response:
    return web.Response(status=303, headers={hdrs.LOCATION: path, hdrs.CACHE_CONTROL: "no-store"})
