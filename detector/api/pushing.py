"""Observations that are sent here: acknowledged when they are committed, judged after."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import orjson
from aiohttp import hdrs, web

from detector.api.asked import Asked
from detector.api.bodies import Limits, body_of
from detector.api.keys import LIMITS, PUSHES
from detector.api.params import PushParams
from detector.api.problems import RefusalError, invalid
from detector.model.facts import Observation
from detector.model.records import Recorded
from detector.model.wire import json_document, observations_from
from detector.model.words import MAIN
from detector.store.memory import StreamKey

_NAME: Final = re.compile(r"(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_TAG: Final = re.compile(r'"([0-9a-f]{32})"')
#: A clock that is this far ahead is wrong: what it dates is taken as of now.
_SKEW: Final = timedelta(minutes=5)
_JSON_TYPES: Final = ("application/json", "application/vnd.parity.observation+json")


async def push(asked: Asked[PushParams]) -> web.StreamResponse:
    """Record one observation of one source. With If-Match and no body: say that nothing changed."""
    key = _addressed(asked)
    if hdrs.IF_MATCH in asked.request.headers:
        return await _unchanged(asked, key)
    if asked.request.content_type not in _JSON_TYPES or hdrs.CONTENT_TYPE not in asked.request.headers:
        raise RefusalError(415, "unsupported-media-type", "send parity.observation/v1 as application/json")
    pushes = asked.request.app[PUSHES]
    if pushes.locked():
        raise RefusalError(
            429, "rate-limited", "too many pushes at one time; wait", headers={"Retry-After": "1"}
        )
    async with pushes:
        observation = await _observation(asked, key, asked.request.app[LIMITS])
        # A token speaks for the name that it was made for; what it pushes is kept under the present one.
        key = key._replace(service=asked.reading.settings.policy.name_of(key.service))
        observation = replace(observation, service=key.service)
        recorded = await asked.reading.store.record(
            observation, received_at=asked.now, scheduled=_is_scheduled(asked, key)
        )
    await _note(asked, key, recorded)
    return _acknowledged(asked, observation, recorded)


def _addressed(asked: Asked[PushParams]) -> StreamKey:
    """Return the stream that the address names. Raises NotFoundError, RefusalError."""
    environment = asked.reading.settings.policy.environment(asked.name("environment")).name
    names = {"service": asked.name("service"), "source": asked.name("source")}
    names["component"] = asked.params.component or MAIN
    for field, name in names.items():
        if not _NAME.fullmatch(name):
            raise invalid(f"/{field}", "a name of letters, digits and ._-, at most 128")
    return StreamKey(environment, **names, traffic=asked.params.traffic or "live")


async def _unchanged(asked: Asked[PushParams], key: StreamKey) -> web.Response:
    if asked.request.can_read_body:
        raise RefusalError(
            400, "malformed-request", "If-Match goes without a body; where it fails, send the body without it"
        )
    key = key._replace(service=asked.reading.settings.policy.name_of(key.service))
    tag = _TAG.fullmatch(asked.request.headers[hdrs.IF_MATCH])
    recorded = None
    if tag is not None:
        recorded = await asked.reading.store.record_again(
            key,
            digest=tag[1],
            observed_at=asked.now,
            received_at=asked.now,
            scheduled=_is_scheduled(asked, key),
        )
    if recorded is None:
        raise RefusalError(412, "precondition-failed", "the stream has another digest; send the observation")
    await _note(asked, key, recorded)
    return web.Response(status=204, headers={"ETag": f'"{recorded.digest}"'})


async def _observation(asked: Asked[PushParams], key: StreamKey, limits: Limits) -> Observation:
    body = await body_of(asked.request, limits)
    if not body.strip():
        raise RefusalError(400, "malformed-json", "an empty body; send parity.observation/v1")
    document = json_document(body)
    if not isinstance(document, dict):
        raise invalid("", "one observation as an object")
    (observation,) = observations_from(document, now=asked.now)
    if not asked.principal.may_push(observation.environment, observation.service):
        raise RefusalError(403, "scope-mismatch", "this token pushes for another environment or service")
    if asked.params.component is None:
        # What the address does not name, the body alone does.
        key = key._replace(component=observation.component)
    if asked.params.traffic is None:
        key = key._replace(traffic=observation.traffic)
    for field, name in key._asdict().items():
        if getattr(observation, field) != name:
            raise invalid(f"/{field}", "another one than the address names")
    return observation


def _is_scheduled(asked: Asked[PushParams], key: StreamKey) -> bool:
    known = asked.reading.settings.policy.service(key.service).sources.get(key.environment, ())
    return any(policy.scheduled for policy in known if policy.source == key.source)


async def _note(asked: Asked[PushParams], key: StreamKey, recorded: Recorded) -> None:
    """Remember that the source is alive, and have judged what it brought."""
    await asked.reading.store.record_run(key.environment, key.service, key.source, at=asked.now, result="ok")
    asked.running.watch.observed(key.environment, key.service, recorded)


def _acknowledged(asked: Asked[PushParams], observation: Observation, recorded: Recorded) -> web.Response:
    warnings = []
    if observation.observed_at - asked.now > _SKEW:
        warnings.append("clock-skew: observed_at is ahead of this server's clock; taken as of now")
    if recorded.held:
        warnings.append("suspicious-empty: most of a section is gone; held until it is seen a second time")
    if not _is_configured(asked, observation):
        warnings.append("unconfigured: parity.yml names no such source; it is kept and shown all the same")
    document: dict[str, Any] = {
        "changed": recorded.changed,
        "late": recorded.late,
        "held": recorded.held,
        "replayed": recorded.replayed,
        "snapshot": recorded.snapshot,
        "digest": recorded.digest,
        "warnings": warnings,
    }
    return web.Response(
        status=202 if recorded.held else 200,
        body=orjson.dumps(document),
        headers={"Content-Type": "application/json", "ETag": f'"{recorded.digest}"'},
    )


def _is_configured(asked: Asked[PushParams], observation: Observation) -> bool:
    known = asked.reading.settings.policy.service(observation.service).sources
    return any(policy.source == observation.source for policy in known.get(observation.environment, ()))
