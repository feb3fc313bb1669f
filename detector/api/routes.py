"""Every address of the server: who may ask, what may be asked, what comes back.

The application, its authorisation and the OpenAPI document are all made of this one table.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

from aiohttp import web
from pydantic import BaseModel

from detector.api import (
    accept_pages,
    accepting,
    comparing,
    deploying,
    drifts,
    exporting,
    granting,
    heartbeats,
    inventory,
    operating,
    pushing,
    reporting,
    signing_in,
)
from detector.api import acceptance_schemas as a
from detector.api import explain_schemas as e
from detector.api import inventory_schemas as i
from detector.api import push_schemas as p
from detector.api import report_schemas as r
from detector.api import schemas as s
from detector.api.answers import HTML, JSON
from detector.api.asked import Asked
from detector.api.pages import PAGES_SHOWN
from detector.api.params import (
    AcceptedParams,
    AsOf,
    DiffParams,
    DriftParams,
    ExplainParams,
    GateParams,
    HistoryParams,
    Listed,
    LoginParams,
    Params,
    PromotionParams,
    PushParams,
    RegisterParams,
    ScoreParams,
    SearchParams,
    StaticParams,
)
from detector.api.tokens import Scope
from detector.store.exporting import MEDIA_TYPE

Handler = Callable[[Asked[Any]], Awaitable[web.StreamResponse]]
V1: Final = "/api/v1"


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


INTERFACE: Final = (
    # First: what comes most often is found first.
    Route(
        method="PUT",
        path=f"{V1}/environments/{{environment}}/services/{{service}}/observations/{{source}}",
        scope="push",
        handler=pushing.push,
        params=PushParams,
        answer=p.Recorded,
    ),
    Route(
        method="POST",
        path=f"{V1}/heartbeats",
        scope="heartbeat",
        handler=heartbeats.heartbeats,
        answer=p.Heartbeats,
    ),
    Route(
        method="GET",
        path=f"{V1}/matrix",
        scope="read",
        handler=comparing.matrix,
        params=AsOf,
        answer=s.Matrix,
    ),
    Route(
        method="GET",
        path=f"{V1}/diff",
        scope="read",
        handler=comparing.diff,
        params=DiffParams,
        answer=s.Diff,
        forms=comparing.DIFF_FORMS,
    ),
    Route(
        method="GET",
        path=f"{V1}/explain",
        scope="read",
        handler=comparing.explain,
        params=ExplainParams,
        answer=e.Explanation,
    ),
    Route(
        method="GET",
        path=f"{V1}/gate",
        scope="read",
        handler=comparing.gate,
        params=GateParams,
        answer=e.Gate,
    ),
    Route(
        method="GET",
        path=f"{V1}/comparisons",
        scope="read",
        handler=comparing.comparisons,
        params=Listed,
        answer=s.Listing[s.Comparison],
    ),
    Route(
        method="GET",
        path=f"{V1}/comparisons/{{pair}}/score",
        scope="read",
        handler=reporting.score,
        params=ScoreParams,
        answer=r.Score,
    ),
    Route(
        method="GET",
        path=f"{V1}/comparisons/{{pair}}/report",
        scope="read",
        handler=reporting.report,
        answer=r.Report,
        forms=reporting.REPORT_FORMS,
    ),
    Route(
        method="GET",
        path=f"{V1}/drift",
        scope="read",
        handler=drifts.drifts,
        params=DriftParams,
        answer=s.Listing[s.Drift],
    ),
    Route(method="GET", path=f"{V1}/drift/{{id}}", scope="read", handler=drifts.drift, answer=s.Drift),
    Route(
        method="POST",
        path=f"{V1}/drift/{{id}}/accept",
        scope="drift:write",
        handler=accepting.accept,
        answer=a.AcceptanceMade,
        body=accepting.AcceptBody,
    ),
    Route(
        method="POST",
        path=f"{V1}/drift/{{id}}/reopen",
        scope="drift:write",
        handler=accepting.reopen,
        answer=a.Reopened,
        body=accepting.NoBody,
    ),
    Route(
        method="GET",
        path=f"{V1}/accepted",
        scope="read",
        handler=accepting.acceptances,
        params=AcceptedParams,
        answer=s.Listing[a.Acceptance],
    ),
    Route(
        method="POST",
        path=f"{V1}/accepted",
        scope="drift:write",
        handler=accepting.accept_match,
        answer=a.AcceptanceMade,
        body=accepting.AcceptMatchBody,
    ),
    Route(
        method="DELETE",
        path=f"{V1}/accepted/{{id}}",
        scope="drift:write",
        handler=accepting.end,
        answer=a.Acceptance,
    ),
    Route(
        method="GET",
        path=f"{V1}/services",
        scope="read",
        handler=inventory.services,
        params=Listed,
        answer=s.Listing[i.Service],
    ),
    Route(
        method="GET",
        path=f"{V1}/services/{{service}}",
        scope="read",
        handler=inventory.service,
        params=AsOf,
        answer=i.ServiceDetail,
    ),
    Route(
        method="GET",
        path=f"{V1}/services/{{service}}/items/{{item}}/history",
        scope="read",
        handler=inventory.history,
        params=HistoryParams,
        answer=s.Listing[i.Interval],
    ),
    Route(
        method="GET",
        path=f"{V1}/search",
        scope="read",
        handler=inventory.search,
        params=SearchParams,
        answer=i.SearchResult,
    ),
    Route(
        method="GET",
        path=f"{V1}/promotion",
        scope="read",
        handler=inventory.promotion,
        params=PromotionParams,
        answer=i.Promotion,
    ),
    Route(
        method="GET",
        path=f"{V1}/environments",
        scope="read",
        handler=inventory.environments,
        params=Listed,
        answer=s.Listing[i.Environment],
    ),
    Route(
        method="GET",
        path=f"{V1}/environments/{{environment}}/snapshots",
        scope="read",
        handler=inventory.snapshots,
        params=Listed,
        answer=s.Listing[i.Snapshot],
    ),
    Route(
        method="GET",
        path=f"{V1}/environments/{{environment}}/snapshots/{{number}}",
        scope="read",
        handler=inventory.snapshot,
        answer=i.SnapshotDetail,
        forms=inventory.SNAPSHOT_FORMS,
    ),
    Route(
        method="POST",
        path=f"{V1}/deployments",
        scope="deploy",
        handler=deploying.announce,
        answer=s.Deployment,
    ),
    Route(
        method="GET",
        path=f"{V1}/tokens",
        scope="admin",
        handler=granting.tokens,
        params=Listed,
        answer=s.Listing[i.Token],
    ),
    Route(method="POST", path=f"{V1}/tokens", scope="admin", handler=granting.create, answer=i.TokenMade),
    Route(
        method="DELETE",
        path=f"{V1}/tokens/{{id}}",
        scope="admin",
        handler=granting.revoke,
        answer=i.Token,
    ),
    Route(
        method="GET",
        path=f"{V1}/export",
        scope="admin",
        handler=exporting.export,
        forms=(MEDIA_TYPE,),
    ),
    Route(
        method="GET",
        path=f"{V1}/sources",
        scope="read",
        handler=inventory.sources,
        params=Listed,
        answer=s.Listing[i.Source],
    ),
    Route(method="GET", path=f"{V1}/config", scope="admin", handler=operating.config, answer=s.Config),
    Route(
        method="GET",
        path=f"{V1}/rules",
        scope="read",
        handler=operating.rules,
        answer=s.Listing[e.RuleInForce],
    ),
    Route(method="GET", path=f"{V1}/openapi.json", scope="read", handler=operating.openapi),
)
OPERATION: Final = (
    Route(method="GET", path="/livez", scope="public", handler=operating.livez, answer=s.Alive),
    Route(method="GET", path="/readyz", scope="public", handler=operating.readyz, answer=s.Alive),
    Route(
        method="GET",
        path="/metrics",
        scope="read",
        handler=operating.metrics,
        forms=("text/plain", "application/openmetrics-text"),
    ),
    Route(method="POST", path="/-/reload", scope="admin", handler=operating.reload, answer=s.Reloaded),
    Route(method="POST", path="/-/prune", scope="admin", handler=operating.prune, answer=i.Pruned),
)
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
ROUTES: Final = (*INTERFACE, *OPERATION, *SIGNING_IN, *PAGES, *FORMS)
