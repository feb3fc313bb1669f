"""Fills the templates of `dashboards`: everything is escaped, nothing that is missing passes in silence."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final
from urllib.parse import quote

from aiohttp import hdrs, web
from jinja2 import Environment, FunctionLoader, StrictUndefined

import dashboards
from detector.api.display import FILTERS
from detector.assembly import Settings

_VERSION_LETTERS: Final = 10


class Templates:
    """The pages of one server."""

    def __init__(self, settings: Settings, *, signs_in: bool) -> None:
        self.static = dashboards.static_files()
        digest = sha256(b"".join(self.static[name] for name in sorted(self.static))).hexdigest()
        self._environment = Environment(
            loader=FunctionLoader(dashboards.template),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(FILTERS)
        self._environment.globals.update(
            # A file keeps its address for as long as it keeps its content.
            static=lambda name: f"/static/{name}?v={digest[:_VERSION_LETTERS]}",
            signs_in=signs_in,
            reload_failed=lambda: settings.reload_failed,
            path_of=path_of,
        )

    def page(self, name: str, *, status: int = 200, **context: Any) -> web.Response:
        """Return a filled template as an answer."""
        text = self._environment.get_template(name).render({"now": datetime.now(UTC), **context})
        return web.Response(
            status=status,
            text=text,
            content_type="text/html",
            charset="utf-8",
            headers={hdrs.CACHE_CONTROL: "private, no-store"},
        )


def path_of(*parts: str) -> str:
    """Return an address of this server: every part escaped, so that a name stays one part of it."""
    return "/" + "/".join(quote(part, safe=".~@:") for part in parts)
