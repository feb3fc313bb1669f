"""Looking now: a pipeline or a person does not wait for the next slot of the schedule."""

from aiohttp import web

from detector.api.asked import Asked
from detector.api.idempotency import answered
from detector.api.params import CollectParams, Params


async def collect(asked: Asked[CollectParams]) -> web.StreamResponse:
    """Run the sources of an environment now. The answer does not wait for them: the run can be watched."""
    config = asked.reading.settings.config
    environment = asked.name("environment")
    run = asked.running.look_now.begin(config, environment, asked.params.service, now=asked.now)
    answer = answered(run.document(), status=202)
    answer.headers["Location"] = f"/api/v1/runs/{run.id}"
    return answer


async def run(asked: Asked[Params]) -> web.StreamResponse:
    """What became of the sources of a run so far; it has ended when `ended_at` is there."""
    return answered(asked.running.look_now.run(asked.name("id")).document())
