from datetime import UTC, datetime
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from detector.api.route import Route
from detector.api.routes import INTERFACE, OPERATION
from detector.jobs.look_now import Run
from tests.api.house import House

READS = [route for route in (*INTERFACE, *OPERATION) if route.method == "GET" and route.answer is not None]
PLACES = {"service": "checkout", "item": "pkg%3Apypi%2Fdjango", "environment": "staging", "number": "1"}
PLACES["pair"] = "staging..prod-eu"


async def test_the_document_is_valid_openapi_3_1(empty: House) -> None:
    document = await empty.json("/api/v1/openapi.json")
    assert document["openapi"].startswith("3.1")
    validate(document)


async def test_every_route_of_the_interface_is_in_the_document(empty: House) -> None:
    document = await empty.json("/api/v1/openapi.json")
    told = {(method, path) for path, operations in document["paths"].items() for method in operations}
    assert told == {(route.method.lower(), route.path) for route in (*INTERFACE, *OPERATION)}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], f"{method} {path} does not say what it is for"


async def test_every_operation_has_a_name_of_its_own(empty: House) -> None:
    document = await empty.json("/api/v1/openapi.json")
    names = [one["operationId"] for operations in document["paths"].values() for one in operations.values()]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("route", READS, ids=[route.path for route in READS])
async def test_an_answer_has_the_shape_that_the_document_tells(seeded: House, route: Route) -> None:
    document = await seeded.json("/api/v1/openapi.json")
    path = route.path
    drift = (await seeded.running.reading.store.register(limit=1))[0]
    for name, value in {**PLACES, "id": drift.id}.items():
        path = path.replace(f"{{{name}}}", value)
    if path.endswith("/accepted"):
        body = {"reason": "a", "for": "1d", "match": {"service": "checkout"}}
        await seeded.ask("POST", path, who="write", json=body)
    if "/runs/" in path:
        look_now = seeded.running.look_now
        look_now._runs[drift.id] = run = Run(
            id=drift.id, environment="dev", asked_at=datetime.now(UTC), waiting=1
        )
        run.note(seeded.running.reading.settings.config.sources[0], result="ok")
    if path.endswith("/diff"):
        path += "?left=staging&right=prod-eu&include=same"
    if path.endswith("/explain"):
        path += "?left=staging&right=prod-eu&service=checkout&item=django"
    if path.endswith("/search"):
        path += "?item=django&version=<99"
    answer = await seeded.json(path, who=route.scope if route.scope == "admin" else "read")
    assert "items" not in answer or answer["items"], "an empty list proves nothing"
    assert _wrong(document, route.path, answer) == []


async def test_a_problem_has_the_shape_that_the_document_tells(empty: House) -> None:
    document = await empty.json("/api/v1/openapi.json")
    for path in ("/api/v1/matrix?nonsense=1", "/api/v1/services/nobody", "/api/v1/drift?limit=0"):
        answer = await (await empty.get(path)).json(content_type=None)
        schema = {"$ref": "#/components/schemas/Problem", "components": document["components"]}
        assert [error.message for error in OAS31Validator(schema).iter_errors(answer)] == []


async def test_the_check_of_shapes_can_fail(seeded: House) -> None:
    document = await seeded.json("/api/v1/openapi.json")
    answer = await seeded.json("/api/v1/matrix")
    assert _wrong(document, "/api/v1/matrix", {**answer, "surprise": 1}) != []
    del answer["rows"][0]["cells"]
    assert _wrong(document, "/api/v1/matrix", answer) != []


def _wrong(document: dict[str, Any], path: str, answer: Any) -> list[str]:
    response = document["paths"][path]["get"]["responses"]["200"]
    schema = {**response["content"]["application/json"]["schema"], "components": document["components"]}
    return [f"{list(error.path)}: {error.message}" for error in OAS31Validator(schema).iter_errors(answer)]
