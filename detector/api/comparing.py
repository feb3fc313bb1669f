"""What differs: the matrix, one comparison, all comparisons."""

from typing import Any

from aiohttp import web

from detector.api.answers import CSV, JSON, MARKDOWN, accepted, json_answer, list_answer, page_of, text_answer
from detector.api.asked import Asked
from detector.api.params import AsOf, DiffFilters, DiffParams, ExplainParams, GateParams, Listed
from detector.engine.questions import Question
from detector.errors import ExpressionError, UsageError
from detector.model.expressions import EnvironmentState, Locator, StandardInput, parse
from detector.queries.narrowing import narrowed
from detector.queries.rendering import csv_of, markdown_of

DIFF_FORMS = (JSON, MARKDOWN, CSV)


async def matrix(asked: Asked[AsOf]) -> web.StreamResponse:
    """All that the first page needs, in one call."""
    document = await asked.reading.overview.matrix(now=asked.now, as_of=asked.params.as_of)
    return json_answer(asked.request, document, volatile=() if asked.params.as_of else ("as_of",))


async def diff(asked: Asked[DiffParams]) -> web.StreamResponse:
    """One comparison of two states, as JSON, Markdown or CSV."""
    params = asked.params
    document = await diff_document(asked, params.left, params.right, params)
    match accepted(asked.request, DIFF_FORMS):
        case "text/markdown":
            return text_answer(asked.request, markdown_of(document), MARKDOWN)
        case "text/csv":
            name = f"{params.left}..{params.right}.csv"
            return text_answer(asked.request, csv_of(document), CSV, name=name)
        case _:
            return json_answer(asked.request, document)


async def diff_document(asked: Asked[Any], left: str, right: str, filters: DiffFilters) -> dict[str, Any]:
    """Return ``parity.diff/v1`` of two expressions: what API and page both show."""
    found = await asked.reading.comparisons.compare(
        _state(left), _state(right), now=asked.now, services=filters.service or None
    )
    document = found.document(everything="same" in filters.include)
    return narrowed(document, sections=filters.section, severities=filters.severity)


async def explain(asked: Asked[ExplainParams]) -> web.StreamResponse:
    """Why one item has its verdict: rules, clock, evidence, cause and history."""
    params = asked.params
    question = Question(
        item=params.item, section=params.section, component=params.component, kind=params.kind
    )
    document = await asked.reading.explaining.explain(
        _state(params.left), _state(params.right), params.service, question, now=asked.now
    )
    return json_answer(asked.request, document)


async def gate(asked: Asked[GateParams]) -> web.StreamResponse:
    """One answer for a pipeline: 0 it may go on, 1 drift, 3 cannot tell; with `promote`, of what would be."""
    params, answers = asked.params, asked.reading.gate
    if params.promote is None:
        if params.to is not None:
            raise UsageError("to says where promote leads: give promote as well")
        document = await answers.standing(
            fail_on=params.fail_on, allow_incomplete=params.allow_incomplete, now=asked.now
        )
    else:
        document = await answers.promoting(
            params.promote,
            to=params.to,
            fail_on=params.fail_on,
            allow_incomplete=params.allow_incomplete,
            now=asked.now,
        )
    return json_answer(asked.request, document)


async def comparisons(asked: Asked[Listed]) -> web.StreamResponse:
    """The configured comparisons with their counts, in promotion order."""
    document = await asked.reading.overview.matrix(now=asked.now)
    policy = asked.reading.settings.policy
    items = [
        {
            "name": pair.name,
            "left": pair.left.name,
            "right": pair.right.name,
            "peers": pair.peers,
            "gate": pair.name in policy.gated,
            **document["comparisons"][pair.name],
        }
        for pair in policy.pairs
        if pair.name in document["comparisons"]
    ]
    page, following = page_of(
        items,
        key=lambda one: str(one["name"]),
        limit=asked.params.limit,
        cursor=asked.params.cursor,
        of="comparisons",
    )
    return list_answer(asked.request, page, following)


def _state(text: str) -> EnvironmentState:
    expression = parse(text)
    if isinstance(expression, Locator | StandardInput):
        raise ExpressionError("the server compares environments; files are compared by parity diff")
    return expression
