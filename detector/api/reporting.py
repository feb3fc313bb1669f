"""How close two environments are: the score with its parts and its trend."""

from aiohttp import web

from detector.api.answers import json_answer
from detector.api.asked import Asked
from detector.api.params import ScoreParams
from detector.errors import NotFoundError
from detector.queries.scores import BACK


async def score(asked: Asked[ScoreParams]) -> web.StreamResponse:
    """The score of a comparison: its parts, what costs what, and how it went."""
    left, right = sides_of(asked.name("pair"))
    params = asked.params
    document = await asked.reading.scores.score(
        left, right, now=asked.now, back=params.since or BACK, service=params.service
    )
    return json_answer(asked.request, document, volatile=("as_of", "since"))


def sides_of(pair: str) -> tuple[str, str]:
    """Return both sides of a comparison in an address. Raises NotFoundError where there are not two."""
    left, dots, right = pair.partition("..")
    if not dots or not left or not right:
        raise NotFoundError("a comparison has two sides, as in staging..prod")
    return left, right
