"""The addresses that people open in a browser."""

from typing import Final

from detector.api import accept_pages, operating, signing_in
from detector.api.answers import HTML
from detector.api.pages import PAGES_SHOWN
from detector.api.params import LoginParams, RegisterParams, StaticParams
from detector.api.route import Route

SIGNING_IN: Final = (
    Route(
        method="GET",
        path="/login",
        scope="public",
        handler=signing_in.login,
        params=LoginParams,
        forms=(HTML,),
        page=True,
    ),
    Route(
        method="POST",
        path="/login",
        scope="public",
        handler=signing_in.sign_in,
        params=LoginParams,
        forms=(HTML,),
        page=True,
    ),
    Route(method="POST", path="/logout", scope="read", handler=signing_in.sign_out, forms=(HTML,), page=True),
    Route(
        method="GET",
        path="/static/{name}",
        scope="public",
        handler=operating.static,
        params=StaticParams,
        forms=("text/css", "text/javascript", "image/svg+xml"),
    ),
)
PAGES: Final = tuple(
    Route(
        method="GET",
        path=path,
        scope="read",
        handler=handler,
        params=page.params,
        forms=(form,),
        page=form == HTML,
        form=True,
    )
    for page in PAGES_SHOWN
    for path, form, handler in page.forms()
)
FORMS: Final = (
    Route(
        method="POST",
        path="/drift",
        scope="drift:write",
        handler=accept_pages.accept_chosen,
        params=RegisterParams,
        forms=(HTML,),
        page=True,
        form=True,
    ),
    Route(
        method="POST",
        path="/drift/{id}",
        scope="drift:write",
        handler=accept_pages.accept_one,
        forms=(HTML,),
        page=True,
    ),
    Route(
        method="POST",
        path="/drift/{id}/reopen",
        scope="drift:write",
        handler=accept_pages.reopen,
        forms=(HTML,),
        page=True,
    ),
)
