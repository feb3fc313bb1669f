"""One request, admitted and understood: what every handler is given."""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from aiohttp import web

from detector.api.params import Params
from detector.api.tokens import Principal
from detector.assembly import Reading, Running

P = TypeVar("P", bound=Params)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked(Generic[P]):
    """A request that passed the door. ``params`` are its query, checked."""

    request: web.Request
    params: P
    running: Running
    principal: Principal
    now: datetime

    @property
    def reading(self) -> Reading:
        """Everything that answers questions."""
        return self.running.reading

    def name(self, name: str) -> str:
        """Return a name out of the path."""
        return self.request.match_info[name]
