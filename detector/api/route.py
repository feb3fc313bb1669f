"""One address of the server: who may ask, what may be asked, what comes back."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

from aiohttp import web
from pydantic import BaseModel

from detector.api.answers import JSON
from detector.api.asked import Asked
from detector.api.params import Params
from detector.api.tokens import Scope

Handler = Callable[[Asked[Any]], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method at one address. The first sentence of its handler says what it is for."""

    method: Literal["GET", "PUT", "POST", "DELETE"]
    path: str
    scope: Scope
    handler: Handler
    params: type[Params] = Params
    #: What JSON it answers; None for other forms.
    answer: Any = None
    #: What JSON it takes, of those that may be sent a second time under an `Idempotency-Key`.
    body: type[BaseModel] | None = None
    forms: tuple[str, ...] = (JSON,)
    #: Whether it is read by people in a browser: refused with a page, sent to sign in.
    page: bool = False
    #: Whether its query comes out of a form, which sends its empty fields too: they say nothing.
    form: bool = False
