"""Every address of the server: who may ask, what may be asked, what comes back.

The application, its authorisation and the OpenAPI document are all made of this one table.
"""

from typing import Final

from detector.api import acceptance_schemas as a
from detector.api import (
    accepting,
    collecting,
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
)
from detector.api import explain_schemas as e
from detector.api import inventory_schemas as i
from detector.api import push_schemas as p
from detector.api import report_schemas as r
from detector.api import schemas as s
from detector.api.page_routes import FORMS, PAGES, SIGNING_IN
from detector.api.params import (
    AcceptedParams,
    AsOf,
    CollectParams,
    DiffParams,
    DriftParams,
    ExplainParams,
    GateParams,
    HistoryParams,
    Listed,
    PromotionParams,
    PushParams,
    ScoreParams,
    SearchParams,
)
from detector.api.route import Route
from detector.store.exporting import MEDIA_TYPE

V1: Final = "/api/v1"


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
        method="POST",
        path=f"{V1}/environments/{{environment}}/collect",
        scope="drift:write",
        handler=collecting.collect,
        params=CollectParams,
        answer=i.Run,
    ),
    Route(method="GET", path=f"{V1}/runs/{{id}}", scope="read", handler=collecting.run, answer=i.Run),
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
ROUTES: Final = (*INTERFACE, *OPERATION, *SIGNING_IN, *PAGES, *FORMS)
