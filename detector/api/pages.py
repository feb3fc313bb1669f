"""The pages: the same documents as the interface gives, for people. Each also as ``.json`` and ``.csv``."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from aiohttp import web

from detector.api import drifts
from detector.api.answers import CSV, HTML, JSON, cursor_of, json_answer, position_of, text_answer
from detector.api.asked import Asked
from detector.api.charts import changes_chart, spark_of, values_chart
from detector.api.comparing import diff_document
from detector.api.forms import SPANS, AcceptForm
from detector.api.keys import PAGES
from detector.api.params import DiffFilters, FactorParams, MatrixParams, PageAsOf, Params, RegisterParams
from detector.api.reporting import sides_of
from detector.engine.questions import Question
from detector.errors import NotFoundError, UsageError, did_you_mean
from detector.model.expressions import Now
from detector.queries.explained import HISTORY, answer_of, aside_of, blocks_of
from detector.queries.inventory import LIVE, TIMELINE
from detector.queries.rendering import csv_of, csv_table, shown, side_shown
from detector.queries.report_text import gap_lines, measured_shown, report_csv
from detector.queries.scores import BACK

P = TypeVar("P", bound=Params)
Document = Mapping[str, Any]

#: Items that one page shows; the rest is in its CSV.
MOST_ITEMS: Final = 500
_MOST_HISTORY: Final = 200
_NOT_FILLED_IN: Final = AcceptForm()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page: where it is, what it is made of, and how it looks in a sheet."""

    path: str
    #: Path of its JSON and CSV, without their suffix.
    data: str
    template: str
    params: type[Params]
    document: Callable[[Asked[Any]], Awaitable[Document]]
    csv: Callable[[Document], str]
    #: What the template needs beside the document.
    beside: Callable[[Asked[Any], Document], Awaitable[dict[str, Any]]]

    async def html(self, asked: Asked[Any]) -> web.StreamResponse:
        """Show the page."""
        return await self.drawn(asked)

    async def drawn(
        self, asked: Asked[Any], *, status: int = 200, form: AcceptForm = _NOT_FILLED_IN
    ) -> web.Response:
        """Return the page, with its form as it was filled in."""
        document = await self.document(asked)
        beside = await self.beside(asked, document)
        query = asked.request.query_string
        return asked.request.app[PAGES].page(
            self.template,
            status=status,
            form=form,
            spans=SPANS,
            may_accept=asked.principal.may("drift:write", {}),
            document=document,
            params=asked.params,
            here=asked.request.path,
            data=asked.request.path if self.path == self.data else self.data,
            query=f"?{query}" if query else "",
            **beside,
        )

    async def as_json(self, asked: Asked[Any]) -> web.StreamResponse:
        """Show what the page is made of."""
        return json_answer(asked.request, await self.document(asked), volatile=("as_of",))

    async def as_csv(self, asked: Asked[Any]) -> web.StreamResponse:
        """Show the page as a sheet."""
        name = asked.request.path.strip("/").replace("/", "-")
        return text_answer(asked.request, self.csv(await self.document(asked)), CSV, name=name)

    def forms(self) -> Iterable[tuple[str, str, Callable[[Asked[Any]], Awaitable[web.StreamResponse]]]]:
        """Return path, media type and handler of each form; those with a suffix first."""
        yield f"{self.data}.json", JSON, self.as_json
        yield f"{self.data}.csv", CSV, self.as_csv
        yield self.path, HTML, self.html


# --- matrix ---------------------------------------------------------------------------------------


async def _matrix(asked: Asked[MatrixParams]) -> Document:
    params = asked.params
    document = await asked.reading.overview.matrix(now=asked.now, as_of=params.as_of)
    rows = [
        row
        for row in document["rows"]
        if (not params.owner or row["owner"] in params.owner)
        and (params.q is None or params.q.lower() in row["service"].lower())
        and (not params.drift or any(column["worst"] for column in row["comparisons"].values()))
    ]
    return {**document, "rows": rows}


async def _beside_matrix(asked: Asked[MatrixParams], document: Document) -> dict[str, Any]:
    policy = asked.reading.settings.policy
    pairs = {pair.name: pair for pair in policy.pairs}
    columns: list[dict[str, Any]] = []
    for environment in document["environments"]:
        for name, pair in pairs.items():
            if pair.right.name == environment["name"] and name in document["comparisons"]:
                columns.append({"pair": pair, "name": name})
        columns.append({"pair": None, "name": environment["name"], "environment": environment})
    owners = sorted({service.owner for service in policy.services.values() if service.owner})
    known = {*policy.services, *dict(await asked.reading.store.services())}
    return {"columns": columns, "owners": owners, "pairs": pairs, "known": len(known)}


def _matrix_csv(document: Document) -> str:
    columns = ["service", "kind", "owner"]
    columns += [
        f"{one['name']} {what}" for one in document["environments"] for what in ("version", "freshness")
    ]
    columns += [
        f"{name} {what}" for name in document["comparisons"] for what in ("worst", "worst_since", "score")
    ]
    rows = []
    for row in document["rows"]:
        line = {"service": row["service"], "kind": row["kind"], "owner": row["owner"]}
        for name, cell in row["cells"].items():
            line |= {f"{name} version": cell["version"], f"{name} freshness": cell["freshness"]}
        for name, column in row["comparisons"].items():
            line |= {f"{name} {what}": column[what] or "" for what in ("worst", "worst_since")}
            line[f"{name} score"] = "" if column["score"] is None else column["score"]
        rows.append(line)
    return csv_table(columns, rows)


# --- one comparison -------------------------------------------------------------------------------


async def _diff(asked: Asked[DiffFilters]) -> Document:
    left, right = sides_of(asked.name("pair"))
    return await diff_document(asked, left, right, asked.params)


async def _beside_diff(asked: Asked[DiffFilters], document: Document) -> dict[str, Any]:
    items = document["items"]
    policy, name = asked.reading.settings.policy, asked.name("pair")
    spark = None
    if any(pair.name == name for pair in policy.pairs):
        services = asked.params.service
        trend = await asked.reading.scores.trend(
            *sides_of(name), now=asked.now, service=services[0] if len(services) == 1 else None
        )
        spark = spark_of(trend, now=asked.now, back=BACK)
    return {
        "spark": spark,
        "items": items[:MOST_ITEMS],
        "more": max(0, len(items) - MOST_ITEMS),
        "services": sorted({item["service"] for item in items} | set(asked.params.service)),
        "gate": name in policy.gated,
    }


# --- one service ----------------------------------------------------------------------------------


async def _service(asked: Asked[PageAsOf]) -> Document:
    return await asked.reading.inventory.service(
        asked.name("service"), now=asked.now, as_of=asked.params.as_of
    )


async def _beside_service(asked: Asked[PageAsOf], document: Document) -> dict[str, Any]:
    names = [one["name"] for one in document["environments"] if one.get("freshness") != "not_deployed"]
    until = asked.params.as_of or asked.now
    return {
        "chart": changes_chart(names, document["changes"], now=until, back=TIMELINE),
        "pairs": {pair.name: pair for pair in asked.reading.settings.policy.pairs},
        "sparks": {
            name: spark_of(
                await asked.reading.scores.trend(*sides_of(name), now=until, service=document["service"]),
                now=until,
                back=BACK,
            )
            for name in document["comparisons"]
        },
        "hops": {
            f"{hop['left']}..{hop['right']}": hop for hop in (document["promotion"] or {"hops": ()})["hops"]
        },
    }


_DRIFT_COLUMNS: Final = (
    "drift_id", "state", "severity", "service", "component", "section", "item", "kind", "comparison",
    "status", "left", "right", "opened_at", "resolved_at", "owner", "rule", "remedy",
)  # fmt: skip


def _drifts_csv(rows: Iterable[Document]) -> str:
    sides = ("left", "right")
    return csv_table(_DRIFT_COLUMNS, ({**row, **{s: side_shown(row[s]) for s in sides}} for row in rows))


# --- the register ---------------------------------------------------------------------------------


async def _register(asked: Asked[RegisterParams]) -> Document:
    params = asked.params
    filters = params if params.state else params.model_copy(update={"state": LIVE})
    after = position_of(params.cursor, drifts.LIST) if params.cursor else None
    found = await drifts.drifts_of(asked, filters, limit=params.limit + 1, after=after)
    page = [drift.document() for drift in found[: params.limit]]
    more = len(found) > params.limit
    return {"items": page, "next_cursor": cursor_of(page[-1]["drift_id"], drifts.LIST) if more else None}


async def _beside_register(asked: Asked[RegisterParams], document: Document) -> dict[str, Any]:
    following = None
    if document["next_cursor"]:
        following = str(asked.request.rel_url.update_query(cursor=document["next_cursor"]))
    return {
        "following": following,
        "services": [one["service"] for one in await asked.reading.inventory.services()],
        "made": await asked.reading.accepted.sentence(asked.params.accepted),
    }


async def _drift(asked: Asked[Params]) -> Document:
    return (await drifts.drift_of(asked)).document()


async def _beside_drift(asked: Asked[Params], document: Document) -> dict[str, Any]:
    left, _, right = document["comparison"].partition("..")
    history = await asked.reading.store.history(
        service=document["service"],
        item=document["item"],
        section=document["section"],
        component=document["component"],
        limit=_MOST_HISTORY,
    )
    rows = [
        {"environment": name, "shown": shown(interval.value), **interval.document()}
        for name, _, _, interval in history
    ]
    return {
        **await _told(asked, document, left, right or left),
        "left": left if right else None,
        "right": right or left,
        "chart": values_chart(rows, [name for name in (left, right) if name], now=asked.now),
    }


async def _told(asked: Asked[Params], drift: Document, left: str, right: str) -> dict[str, Any]:
    """Return why a drift has its verdict now, as `parity explain` tells it; nothing where nobody can."""
    question = Question(
        item=drift["item"], section=drift["section"], component=drift["component"], kind=drift["kind"]
    )
    sides = Now(environment=left), Now(environment=right)
    try:
        told = await asked.reading.explaining.explain(*sides, drift["service"], question, now=asked.now)
    except (NotFoundError, UsageError):
        # An environment or a service that the configuration does not name any more.
        return {"told": None}
    # What happened has a list of its own on the page.
    blocks = [block for block in blocks_of(told, now=asked.now) if block.title != HISTORY]
    return {"told": told, "answer": answer_of(told), "aside": aside_of(told), "blocks": blocks}


# --- one environment ------------------------------------------------------------------------------


async def _environment(asked: Asked[Params]) -> Document:
    return await asked.reading.inventory.environment(asked.name("environment"), now=asked.now)


_ENVIRONMENT_COLUMNS: Final = ("service", "kind", "owner", "version", "freshness", "observed_at")


# --- factors --------------------------------------------------------------------------------------


async def _factors(asked: Asked[FactorParams]) -> Document:
    names = [pair.name for pair in asked.reading.settings.policy.pairs]
    chosen = asked.params.comparison
    if chosen is None:
        return await asked.reading.reports.report(asked.reading.reports.default(), now=asked.now)
    if chosen not in names:
        raise NotFoundError(f"no comparison {chosen}{did_you_mean(chosen, names)}")
    left, right = sides_of(chosen)
    return await asked.reading.reports.report(
        [(Now(environment=left), Now(environment=right))], now=asked.now
    )


async def _beside_factors(asked: Asked[FactorParams], _document: Document) -> dict[str, Any]:
    return {
        "pairs": [pair.name for pair in asked.reading.settings.policy.pairs],
        "gap_lines": gap_lines,
        "measured_shown": measured_shown,
    }


# --- sources --------------------------------------------------------------------------------------


async def _sources(asked: Asked[Params]) -> Document:
    return {"items": await asked.reading.sources.sources(now=asked.now), "next_cursor": None}


_SOURCE_COLUMNS: Final = (
    "environment", "service", "source", "type", "configured", "schedule", "state", "last_run", "last_success",
    "last_result", "detail",
)  # fmt: skip


async def _nothing(_asked: Asked[Any], _document: Document) -> dict[str, Any]:
    return {}


REGISTER: Final = Page(
    path="/drift",
    data="/drift",
    template="register.html",
    params=RegisterParams,
    document=_register,
    csv=lambda document: _drifts_csv(document["items"]),
    beside=_beside_register,
)
DRIFT: Final = Page(
    path="/drift/{id}",
    data="/drift/{id}",
    template="drift.html",
    params=Params,
    document=_drift,
    csv=lambda document: _drifts_csv([document]),
    beside=_beside_drift,
)
PAGES_SHOWN: Final = (
    Page(
        path="/",
        data="/matrix",
        template="matrix.html",
        params=MatrixParams,
        document=_matrix,
        csv=_matrix_csv,
        beside=_beside_matrix,
    ),
    Page(
        path="/diff/{pair:[^/]+}",
        data="/diff/{pair:[^/]+}",
        template="diff.html",
        params=DiffFilters,
        document=_diff,
        csv=csv_of,
        beside=_beside_diff,
    ),
    Page(
        path="/services/{service}",
        data="/services/{service}",
        template="service.html",
        params=PageAsOf,
        document=_service,
        csv=lambda document: _drifts_csv(document["drifts"]),
        beside=_beside_service,
    ),
    Page(
        path="/environments/{environment}",
        data="/environments/{environment}",
        template="environment.html",
        params=Params,
        document=_environment,
        csv=lambda document: csv_table(_ENVIRONMENT_COLUMNS, document["services"]),
        beside=_nothing,
    ),
    REGISTER,
    DRIFT,
    Page(
        path="/factors",
        data="/factors",
        template="factors.html",
        params=FactorParams,
        document=_factors,
        csv=lambda document: report_csv(document, factors=True),
        beside=_beside_factors,
    ),
    Page(
        path="/sources",
        data="/sources",
        template="sources.html",
        params=Params,
        document=_sources,
        csv=lambda document: csv_table(_SOURCE_COLUMNS, document["items"]),
        beside=_nothing,
    ),
)
