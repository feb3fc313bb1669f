"""Deployments that pipelines announce: what is under way is no drift yet."""

import re
from typing import Any, Final

import orjson
from aiohttp import web
from ulid import ULID

from detector.api.asked import Asked
from detector.api.bodies import body_of
from detector.api.keys import LIMITS
from detector.api.params import Params
from detector.api.problems import RefusalError, invalid
from detector.errors import did_you_mean
from detector.model.deployments import ACTOR, COMMIT, VERSION, Deployment
from detector.model.wire import json_document
from detector.queries.names import warnings_of_announcing

_NAME: Final = re.compile(r"(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
#: Field -> what it may hold, and what is said of anything else.
_FIELDS: Final = {
    "environment": (_NAME, "the name of an environment"),
    "service": (_NAME, "a name of letters, digits and ._-, at most 128"),
    "version": (VERSION, "a version of letters, digits and ._+-, at most 128"),
    "commit": (COMMIT, "7 to 64 hexadecimal digits"),
    "actor": (ACTOR, "a printable name of at most 128 characters"),
}
_NEEDED: Final = ("environment", "service", "version")


async def announce(asked: Asked[Params]) -> web.StreamResponse:
    """Take a deployment that is announced, or said to be finished; said again it is the same one."""
    document = json_document(await body_of(asked.request, asked.request.app[LIMITS]))
    said = _said(document)
    finished = document.get("finished", False)
    if not isinstance(finished, bool):
        raise invalid("/finished", "true or false")
    store, policy = asked.reading.store, asked.reading.settings.policy
    environment = policy.environment(said["environment"]).name
    if not asked.principal.may_deploy(environment, said["service"]):
        raise RefusalError(403, "scope-mismatch", "this token deploys to another environment or service")
    warnings = await warnings_of_announcing(store, policy, said["service"])
    kept, new = await store.announce(
        Deployment(
            id=str(ULID()),
            environment=environment,
            service=said["service"],
            version=said["version"],
            commit=said.get("commit"),
            actor=said.get("actor") or asked.principal.name,
            at=asked.now,
            finished_at=asked.now if finished else None,
        )
    )
    asked.running.watch.announced(environment, kept.service)
    return web.Response(
        status=201 if new else 200,
        body=orjson.dumps({**kept.document(), "warnings": warnings}),
        headers={"Content-Type": "application/json"},
    )


def _said(document: Any) -> dict[str, str]:
    """Return the texts of an announcement. Raises RefusalError that names the field at fault."""
    if not isinstance(document, dict):
        raise invalid("", "one deployment as an object")
    for name in document:
        if name not in (*_FIELDS, "finished"):
            hint = did_you_mean(name, [*_FIELDS, "finished"]) if len(name) <= 64 else ""
            shown = name if len(name) <= 64 and name.isprintable() else "…"
            raise invalid(f"/{shown}", f"no field of a deployment{hint}")
    for name in _NEEDED:
        if name not in document:
            raise invalid(f"/{name}", "is missing")
    said: dict[str, str] = {}
    for name, (form, message) in _FIELDS.items():
        value = document.get(name)
        if value is None and name not in _NEEDED:
            continue
        if not isinstance(value, str) or not form.fullmatch(value):
            raise invalid(f"/{name}", message)
        said[name] = value
    return said
