"""The collector `actuator` against answers as Spring Boot 1, 2 and 3 give them."""

import copy
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from collectors._actuator_facts import config_from_env, sections_from_info, services_from_health
from collectors.actuator import ActuatorCollector, ActuatorOptions
from collectors.readers._keys import Keys
from collectors.readers.settings import is_setting
from detector.collector import Seen
from detector.errors import UnseenError
from tests.collectors.lent import FINGERPRINTER, context

JSON = "application/vnd.spring-boot.actuator.v3+json"
ENV: Any = {
    "activeProfiles": ["prod"],
    "propertySources": [
        {"name": "server.ports", "properties": {"local.server.port": {"value": 8080}}},
        {
            "name": "systemProperties",
            "properties": {
                "java.version": {"value": "21.0.5"},
                "user.home": {"value": "/home/C4n4ry"},
                "spring.datasource.url": {"value": "jdbc:postgresql://db.internal/C4n4ry"},
            },
        },
        {
            "name": "systemEnvironment",
            "properties": {
                "PATH": {"value": "/usr/bin", "origin": 'System Environment Property "PATH"'},
                "HOME": {"value": "/root"},
                "STRIPE_SECRET_KEY": {"value": "******"},
                "SPRING_DATASOURCE_URL": {"value": "jdbc:h2:mem:C4n4ry"},
            },
        },
        {
            "name": "Config resource 'class path resource [application.yml]' via location 'classpath:/'",
            "properties": {
                "spring.datasource.url": {"value": "jdbc:h2:mem:C4n4ry", "origin": "C4n4ry"},
                "spring.application.name": {"value": "C4n4ry shop"},
                "server.port": {"value": 8080},
                "feature.checkout": {"value": True},
                "servers[0].host": {"value": "a.internal"},
                "logging.file": {"value": None},
            },
        },
    ],
}
INFO: Any = {
    "git": {
        "branch": "main",
        "commit": {"id": "4f1d0a9", "time": "2026-11-22T09:00:00Z", "message": {"full": "C4n4ry"}},
        "remote": {"origin": {"url": "https://robot:C4n4ry@github.com/acme/checkout.git"}},
    },
    "build": {"artifact": "checkout", "version": "1.4.2", "time": "2026-11-22T09:10:00Z", "group": "C4n4ry"},
    "java": {"version": "21.0.5", "vendor": {"name": "Eclipse Adoptium"}},
}
HEALTH: Any = {
    "status": "UP",
    "components": {
        "db": {"status": "UP", "details": {"database": "PostgreSQL", "validationQuery": "C4n4ry"}},
        "redis": {"status": "UP", "details": {"version": "7.2.4"}},
        "mail": {"status": "DOWN", "details": {"location": "C4n4ry:587", "error": "C4n4ry"}},
        "mongo": {"status": "UP", "details": {"maxWireVersion": 21}},
        "diskSpace": {"status": "UP", "details": {"path": "/C4n4ry"}},
        "ping": {"status": "UP"},
    },
}


def _keys() -> Keys:
    return Keys(fingerprinter=FINGERPRINTER, valid=is_setting)


def test_keys_come_from_the_sources_that_win() -> None:
    config = config_from_env(ENV, _keys(), ())
    assert set(config.facts) == {
        "spring.datasource.url", "PATH", "STRIPE_SECRET_KEY", "SPRING_DATASOURCE_URL",
        "spring.application.name", "server.port", "feature.checkout", "servers[0].host", "logging.file",
    }  # fmt: skip
    url: Any = config.facts["spring.datasource.url"]
    assert (url["scheme"], url["host"]) == ("postgresql", "private")
    assert config.facts["logging.file"] == {"type": "empty", "source_class": "literal"}
    assert config.facts["feature.checkout"] == {"type": "bool", "source_class": "literal"}
    assert config.status == "complete"
    assert "C4n4ry" not in repr(config)


def test_a_masked_value_is_there_and_equal_to_nothing() -> None:
    shape = config_from_env(ENV, _keys(), ()).facts["STRIPE_SECRET_KEY"]
    assert shape == {"type": "text", "source_class": "literal", "opaque": True}


def test_only_the_sources_that_are_asked_for_count() -> None:
    config = config_from_env(ENV, _keys(), ("Config resource*",))
    assert config.covers == tuple(config.facts)  # of the others nothing is absent
    assert "STRIPE_SECRET_KEY" not in config.facts
    assert config.facts["spring.datasource.url"]["type"] == "text"  # type: ignore[index,call-overload]


def test_the_answer_of_boot_1_is_read_too() -> None:
    legacy = {
        "profiles": ["prod"],
        "server.ports": {"local.server.port": 8080},
        "systemEnvironment": {
            "DB_URL": "jdbc:postgresql://db/shop",
            "DB_PASSWORD": "******",
            "HOME": "/root",
        },
        "applicationConfig: [classpath:/application.properties]": {"DB_URL": "other", "a.b": "1"},
    }
    config = config_from_env(legacy, _keys(), ())
    assert set(config.facts) == {"DB_URL", "DB_PASSWORD", "a.b"}
    assert config.facts["DB_URL"]["type"] == "url"  # type: ignore[index,call-overload]
    db = {"status": "UP", "db": {"status": "UP", "database": "MySQL"}, "diskSpace": {"status": "UP"}}
    assert services_from_health(db).facts == {"db#product": "mysql"}


def test_a_name_that_can_be_no_key_hides_absence() -> None:
    answer = copy.deepcopy(ENV)
    answer["propertySources"][2]["properties"]["sk_live_4eC39HqLyjWDarjtT1"] = {"value": "x"}
    config = config_from_env(answer, _keys(), ())
    assert config.status == "partial"
    assert "sk_live" not in repr(config)


def test_what_was_built_is_told() -> None:
    sections = sections_from_info(INFO)
    assert {name: dict(section.facts) for name, section in sections.items()} == {
        "codebase": {"repo#commit": "4f1d0a9", "repo#branch": "main", "repo#url": "github.com/acme/checkout"},
        "release": {"image#tag": "1.4.2", "release#built_at": "2026-11-22T09:10:00Z"},
        "dependencies": {"runtime#java": "21.0.5"},
    }
    assert "C4n4ry" not in repr(sections)
    full = {"git": {"commit": {"id": {"abbrev": "4f1d0a9", "full": "4f1d0a9" + "0" * 33}}}}
    assert sections_from_info(full)["codebase"].facts["repo#commit"] == "4f1d0a9" + "0" * 33
    assert sections_from_info({}) == {}


def test_health_names_the_backing_services() -> None:
    section = services_from_health(HEALTH)
    assert section.facts == {
        "db#product": "postgresql",
        "redis#product": "redis",
        "redis#version": "7.2.4",
        "mail#product": "smtp",
        "mongo#product": "mongodb",
    }
    assert "C4n4ry" not in repr(section)
    several = {"components": {"db": {"status": "UP", "components": {
        "primary": {"status": "UP", "details": {"database": "PostgreSQL"}},
        "audit": {"status": "UP", "details": {"database": "Microsoft SQL Server"}},
    }}}}  # fmt: skip
    assert services_from_health(several).facts == {
        "db.primary#product": "postgresql",
        "db.audit#product": "sqlserver",
    }
    with pytest.raises(UnseenError, match="show-components"):
        services_from_health({"status": "UP", "groups": ["liveness"]})


@pytest.mark.parametrize("answer", [[], {}, {"a": 1}, {"propertySources": 1}, "C4n4ry", None])
def test_another_answer_is_no_actuator(answer: Any) -> None:
    with pytest.raises(UnseenError, match="is this an actuator"):
        config_from_env(answer, _keys(), ())


# --- over HTTP -------------------------------------------------------------------------------------


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as lent:
        yield lent


Answers = dict[str, tuple[int, Any]]


async def _collect(session: aiohttp.ClientSession, answers: Answers, **more: Any) -> tuple[Seen, list[str]]:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(f"{request.method} {request.path} {request.headers.get('Authorization', '')}")
        status, body = answers.get(request.match_info["endpoint"], (404, {}))
        if isinstance(body, str):
            return web.Response(status=status, text=body, content_type="text/html")
        return web.Response(status=status, body=json.dumps(body), content_type=JSON)

    app = web.Application()
    app.router.add_get("/actuator/{endpoint}", answer)
    async with TestServer(app) as server:
        options = ActuatorOptions.model_validate({"url": str(server.make_url("/actuator/")), **more})
        (seen,) = (await ActuatorCollector().collect(options, context(session=session))).seen
    return seen, asked


async def test_three_endpoints_are_asked(session: aiohttp.ClientSession) -> None:
    # 503: a component is down, and the answer tells of all the same.
    answers: Answers = {"env": (200, ENV), "info": (200, INFO), "health": (503, HEALTH)}
    seen, asked = await _collect(session, answers, authorization="Basic C4n4ry", component="web")
    assert asked == [f"GET /actuator/{name} Basic C4n4ry" for name in ("env", "info", "health")]
    assert set(seen.sections) == set(ActuatorCollector.sections)
    assert {section.status for section in seen.sections.values()} == {"complete"}
    assert seen.component == "web"
    assert "C4n4ry" not in repr(seen)


async def test_an_endpoint_that_is_not_exposed_blinds_itself_alone(session: aiohttp.ClientSession) -> None:
    seen, _ = await _collect(session, {"health": (200, HEALTH)})
    assert seen.sections["config"].status == "failed"
    assert "add env to management.endpoints.web.exposure.include" in seen.sections["config"].unseen[0].detail
    assert seen.sections["backing_services"].status == "complete"


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (200, "<html>C4n4ry login</html>", "malformed"),
        (302, {}, "denied"),  # to a login
        (401, {}, "denied"),
        (404, {}, "not_in_view"),
        (500, {"C4n4ry": 1}, "unreachable"),
    ],
)
async def test_where_nobody_answers_all_is_unknown(
    session: aiohttp.ClientSession, status: int, body: Any, reason: str
) -> None:
    with pytest.raises(UnseenError) as caught:
        await _collect(session, dict.fromkeys(("env", "info", "health"), (status, body)))
    assert caught.value.reason == reason
    assert "C4n4ry" not in str(caught.value)
