"""The interface as OpenAPI 3.1, made out of the table of routes."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic.json_schema import models_json_schema

from detector.api import heartbeats, schemas
from detector.api.answers import JSON
from detector.api.idempotency import HEADER
from detector.api.problems import MEDIA_TYPE
from detector.api.route import Route
from detector.api.sboms import media_types
from detector.model.deployments import COMMIT, VERSION
from detector.model.wire import SCHEMA

_REFERENCE: Final = "#/components/schemas/{model}"
_NAME_IN_PATH: Final = re.compile(r"\{(\w+)(?::[^}]*)?\}")
_IDEMPOTENCY_KEY: Final = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "The same request with the same key within 24 hours is answered as the first time",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
#: Handlers of text read no body; the one that does takes an observation.
_OBSERVATION: Final = {
    "type": "object",
    "description": f"{SCHEMA}: what one source saw of one component of one service",
    "required": ["schema", "environment", "service", "source", "observed_at", "sections"],
    "properties": {
        "schema": {"const": SCHEMA},
        "environment": {"type": "string"},
        "service": {"type": "string"},
        "component": {"type": "string", "default": "main"},
        "component_kind": {"enum": ["process", "sidecar", "job"], "default": "process"},
        "traffic": {"enum": ["live", "idle", "canary"], "default": "live"},
        "source": {"type": "string"},
        "observed_at": {"type": "string", "format": "date-time"},
        "sections": {"type": "object", "additionalProperties": {"type": "object"}},
    },
    "additionalProperties": False,
}
_TOKEN: Final = {
    "type": "object",
    "required": ["name", "scopes"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 128},
        "scopes": {"type": "array", "minItems": 1, "maxItems": 64, "items": {"type": "string"}},
        "for": {"type": "string", "default": "1y", "description": "How long it is good, as in 90d"},
    },
}
_HEARTBEATS: Final = {
    "type": "object",
    "description": "Streams with the digests that were acknowledged last",
    "required": ["streams"],
    "properties": {
        "streams": {
            "type": "array",
            "maxItems": heartbeats.MOST,
            "items": {
                "type": "object",
                "required": ["environment", "service", "source", "digest"],
                "properties": {
                    "environment": {"type": "string"},
                    "service": {"type": "string"},
                    "component": {"type": "string", "default": "main"},
                    "source": {"type": "string"},
                    "traffic": {"enum": ["live", "idle", "canary"], "default": "live"},
                    "digest": {"type": "string"},
                },
                "additionalProperties": False,
            },
        }
    },
    "additionalProperties": False,
}
_DEPLOYMENT: Final = {
    "type": "object",
    "description": "A deployment that begins, or with finished one that has ended",
    "required": ["environment", "service", "version"],
    "properties": {
        "environment": {"type": "string"},
        "service": {"type": "string"},
        "version": {"type": "string", "pattern": VERSION.pattern},
        "commit": {"type": "string", "pattern": COMMIT.pattern},
        "actor": {"type": "string", "maxLength": 128},
        "finished": {"type": "boolean", "default": False},
    },
    "additionalProperties": False,
}


def openapi(routes: Iterable[Route], *, version: str, server: str) -> dict[str, Any]:
    """Return the document."""
    routes = list(routes)
    models = [route.answer for route in routes if route.answer is not None]
    bodies = [route.body for route in routes if route.body is not None]
    schemata, definitions = models_json_schema(
        [
            *((model, "serialization") for model in dict.fromkeys([*models, schemas.Problem])),
            *((model, "validation") for model in dict.fromkeys(bodies)),
        ],
        ref_template=_REFERENCE,
    )
    references = {model: schema for (model, _), schema in schemata.items()}
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        address = _NAME_IN_PATH.sub(r"{\1}", route.path)
        paths.setdefault(address, {})[route.method.lower()] = _operation(route, address, references)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Parity",
            "version": version,
            "description": "What differs between dev, staging and prod, since when, and whether it matters.",
        },
        "servers": [{"url": server}],
        "paths": paths,
        "components": {
            "schemas": {**definitions.get("$defs", {}), "Observation": _OBSERVATION},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "par_<id>_<secret>"}
            },
        },
    }


def _operation(route: Route, address: str, references: Mapping[Any, Any]) -> dict[str, Any]:
    handler = route.handler
    summary = (handler.__doc__ or "").strip().partition("\n")[0].rstrip(".")
    problem = {
        "description": "Refused",
        "content": {MEDIA_TYPE: {"schema": references[schemas.Problem]}},
    }
    operation: dict[str, Any] = {
        "operationId": f"{route.method.lower()}_{getattr(handler, '__name__', 'route')}",
        "summary": summary,
        "parameters": [*_in_path(address), *_in_query(route)],
        "responses": {**_answers(route, references), "default": problem},
        "security": [] if route.scope == "public" else [{"token": [route.scope]}],
    }
    if route.body is not None:
        operation["parameters"].append(_IDEMPOTENCY_KEY)
        content = {JSON: {"schema": references[route.body]}}
        operation["requestBody"] = {"required": bool(route.body.model_fields), "content": content}
    if route.method == "PUT":
        operation["parameters"].append(
            {
                "name": "If-Match",
                "in": "header",
                "required": False,
                "description": "The stream's digest in quotes, no body: 204 if nothing changed, else 412",
                "schema": {"type": "string"},
            }
        )
        observation: dict[str, Any] = {"schema": {"$ref": _REFERENCE.format(model="Observation")}}
        bills: dict[str, Any] = {media_type: {} for media_type in media_types()}
        operation["requestBody"] = {"required": False, "content": {JSON: observation} | bills}
    if route.path.endswith("/heartbeats"):
        operation["requestBody"] = {"required": True, "content": {JSON: {"schema": _HEARTBEATS}}}
    if route.path.endswith("/deployments"):
        operation["requestBody"] = {"required": True, "content": {JSON: {"schema": _DEPLOYMENT}}}
    if route.path.endswith("/tokens") and route.method == "POST":
        operation["requestBody"] = {"required": True, "content": {JSON: {"schema": _TOKEN}}}
    return operation


def _answers(route: Route, references: Mapping[Any, Any]) -> dict[str, Any]:
    content = {
        form: {"schema": references[route.answer]} if form == JSON and route.answer else {}
        for form in route.forms
    }
    found: dict[str, Any] = {"200": {"description": "The answer", "content": content}}
    if route.path.endswith("/deployments"):
        found["201"] = {"description": "A new one", "content": content}
    if route.path.endswith("/collect"):
        found = {"202": {"description": "Begun; Location is the run", "content": content}}
    if route.method == "PUT":
        found["202"] = {"description": "Held until it is seen a second time", "content": content}
        found["204"] = {"description": "Nothing changed"}
    if route.method == "GET":
        found["304"] = {"description": "The client has it already"}
    return found


def _in_path(address: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _NAME_IN_PATH.findall(address)
    ]


def _in_query(route: Route) -> list[dict[str, Any]]:
    schema = route.params.model_json_schema(mode="validation")
    needed = schema.get("required", ())
    found = []
    for name, property_ in schema.get("properties", {}).items():
        described = {key: value for key, value in property_.items() if key not in ("title", "description")}
        parameter = {"name": name, "in": "query", "required": name in needed, "schema": described}
        if "description" in property_:
            parameter["description"] = property_["description"]
        found.append(parameter)
    return found
