"""How close two environments are: the score with its parts and its trend, and the twelve factors."""

from aiohttp import web

from detector.api.answers import CSV, JSON, MARKDOWN, accepted, json_answer, text_answer
from detector.api.asked import Asked
from detector.api.params import Params, ScoreParams
from detector.errors import NotFoundError
from detector.model.expressions import Now
from detector.queries.report_text import report_csv, report_markdown
from detector.queries.scores import BACK

REPORT_FORMS = (JSON, MARKDOWN, CSV)


async def score(asked: Asked[ScoreParams]) -> web.StreamResponse:
    """The score of a comparison: its parts, what costs what, and how it went."""
    left, right = sides_of(asked.name("pair"))
    params = asked.params
    document = await asked.reading.scores.score(
        left, right, now=asked.now, back=params.since or BACK, service=params.service
    )
    return json_answer(asked.request, document, volatile=("as_of", "since"))


async def report(asked: Asked[Params]) -> web.StreamResponse:
    """A comparison by the twelve factors: what is measured, what drifts, the three gaps."""
    left, right = sides_of(asked.name("pair"))
    document = await asked.reading.reports.report(
        [(Now(environment=left), Now(environment=right))], now=asked.now
    )
    match accepted(asked.request, REPORT_FORMS):
        case "text/markdown":
            return text_answer(asked.request, report_markdown(document, factors=False), MARKDOWN)
        case "text/csv":
            text = report_csv(document, factors=True)
            return text_answer(asked.request, text, CSV, name=f"{left}..{right}.csv")
        case _:
            return json_answer(asked.request, document, volatile=("as_of",))


def sides_of(pair: str) -> tuple[str, str]:
    """Return both sides of a comparison in an address. Raises NotFoundError where there are not two."""
    left, dots, right = pair.partition("..")
    if not dots or not left or not right:
        raise NotFoundError("a comparison has two sides, as in staging..prod")
    return left, right
