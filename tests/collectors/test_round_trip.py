"""What a collector sees is a `parity.observation/v1` that a push takes whole."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from collectors import postgres, rds, redis
from collectors.docker import Answers as DockerAnswers
from collectors.docker import DockerOptions
from collectors.docker import facts_from_answers as docker_facts
from collectors.ecs import Answers as EcsAnswers
from collectors.ecs import EcsOptions
from collectors.ecs import facts_from_answers as ecs_facts
from detector.model.canonical import observation_digest, observation_document
from detector.model.facts import Observation, Section
from detector.model.wire import observations_from
from detector.model.words import SectionName
from tests.collectors.lent import NOW, context

RECORDED = Path(__file__).parent / "recorded"


def _recorded(name: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads((RECORDED / f"{name}.json").read_text())
    return answer


def _docker(tags: tuple[str, ...]) -> Mapping[SectionName, Section]:
    image = _recorded("docker/image")
    containers = []
    for grace, tag in enumerate(tags, start=30):
        container = _recorded("docker/container")
        container["Config"]["Image"] = f"acme/checkout:{tag}"
        container["Config"]["StopTimeout"] = grace
        containers.append(container)
    answers = DockerAnswers(containers=containers, images={str(image["Id"]): image})
    return docker_facts(answers, DockerOptions(), context()).seen[0].sections


def _ecs() -> Mapping[SectionName, Section]:
    definition = _recorded("ecs/task_definition")
    answers = EcsAnswers(
        service=_recorded("ecs/service"),
        definitions={definition["taskDefinitionArn"]: definition},
        tasks=_recorded("ecs/tasks")["tasks"],
    )
    return ecs_facts(answers, EcsOptions(region="eu-central-1"), context())[0].sections


def _servers() -> Mapping[str, Mapping[SectionName, Section]]:
    server = {
        "version": "16.3 (Debian 16.3-1)",
        "aurora": False,
        "encoding": "UTF8",
        "collate": "C",
        "ctype": "C",
    }
    extensions = [{"name": "uuid-ossp", "version": "1.1"}]
    instance = {"Engine": "postgres", "EngineVersion": "16.3", "AutoMinorVersionUpgrade": True}
    return {
        "postgres": postgres.facts_from_answers(
            postgres.Answers(
                server=server, tls=True, extensions=extensions, migrations={"alembic": ["ae10", "0b5c"]}
            )
        ),
        "rds": {"backing_services": rds.facts_from_answers(rds.Answers(database=instance))},
        "redis": {
            "backing_services": redis.facts_from_answers(
                redis.Answers(server={"redis_version": "7.2.4"}, settings={"maxmemory-policy": "noeviction"})
            )
        },
    }


SEEN = {
    "docker": _docker(("1.4.2",)),
    "rollout": _docker(("1.4.2", "1.4.3")),
    "ecs": _ecs(),
    **_servers(),
}


@pytest.mark.parametrize("name", SEEN)
def test_an_observation_read_back_is_the_same(name: str) -> None:
    observation = Observation(
        environment="staging", service="checkout", source=name, observed_at=NOW, sections=SEEN[name]
    )
    (read,) = observations_from(orjson.loads(orjson.dumps(observation_document(observation))), now=NOW)
    assert observation_digest(read.sections) == observation_digest(observation.sections)
