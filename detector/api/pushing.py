"""Observations that are sent here: acknowledged when they are committed, judged after."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from aiohttp import hdrs, web

from detector.api import sboms
from detector.api.asked import Asked
from detector.api.bodies import body_of
from detector.api.keys import KEYS, LIMITS, PUSHES, SAYS_NOTHING_NEW
from detector.api.params import PushParams
from detector.api.problems import RefusalError, invalid
from detector.model.facts import Observation
from detector.model.records import Recorded
from detector.model.wire import WireError, json_document, observations_from, time_from
from detector.model.wording import Wording, wording_of
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
    is_json = asked.request.content_type in _JSON_TYPES and hdrs.CONTENT_TYPE in asked.request.headers
    if not is_json:
        sboms.check_media_type(asked.request.content_type)
    pushes = asked.request.app[PUSHES]
    if pushes.locked():
        raise RefusalError(
            429, "rate-limited", "too many pushes at one time; wait", headers={"Retry-After": "1"}
        )
    async with pushes:
        body = await body_of(asked.request, asked.request.app[LIMITS])
        with asked.request.app[KEYS].of(asked, body):
            if not is_json:
                bill = await sboms.sent(asked, key, body)
                return await _recorded(asked, bill.observation, warnings=bill.warnings)
            wording = wording_of(body, about=asked.request.raw_path)
            told = await _word_for_word(asked, key, wording)
            return told or await _understood(asked, key, body, wording)


async def _word_for_word(
    asked: Asked[PushParams], key: StreamKey, wording: Wording | None
) -> web.Response | None:
    """Answer a text that only its time tells from the newest one; None for any other: it is to be read."""
    if wording is None:
        return None
    try:
        observed_at = time_from(wording.observed_at, now=asked.now)
    except WireError:
        return None
    key = present(asked, key)
    recorded = await asked.reading.store.record_again(
        key,
        wording=wording.digest,
        observed_at=observed_at,
        received_at=asked.now,
        scheduled=is_scheduled(asked, key),
    )
    return None if recorded is None else await _acknowledged(asked, key, observed_at, recorded)


async def _understood(
    asked: Asked[PushParams], key: StreamKey, body: bytes, wording: Wording | None
) -> web.Response:
    observation = _observation(asked, key, body)
    return await _recorded(asked, observation, wording=wording.digest if wording is not None else b"")


async def _recorded(
    asked: Asked[PushParams],
    observation: Observation,
    *,
    wording: bytes = b"",
    warnings: tuple[str, ...] = (),
) -> web.Response:
    # A token speaks for the name that it was made for; what it pushes is kept under the present one.
    observation = replace(observation, service=asked.reading.settings.policy.name_of(observation.service))
    key = StreamKey.of(observation)
    recorded = await asked.reading.store.record(
        observation,
        received_at=asked.now,
        scheduled=is_scheduled(asked, key),
        wording=wording,
    )
    return await _acknowledged(asked, key, observation.observed_at, recorded, bill=warnings)


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
    key = present(asked, key)
    tag = _TAG.fullmatch(asked.request.headers[hdrs.IF_MATCH])
    recorded = None
    if tag is not None:
        recorded = await asked.reading.store.record_again(
            key,
            digest=tag[1],
            observed_at=asked.now,
            received_at=asked.now,
            scheduled=is_scheduled(asked, key),
        )
    if recorded is None:
        raise RefusalError(412, "precondition-failed", "the stream has another digest; send the observation")
    await note(asked, key, recorded)
    return web.Response(status=204, headers={"ETag": f'"{recorded.digest}"'})


def present(asked: Asked[Any], key: StreamKey) -> StreamKey:
    """Return a stream by the name that its service goes by."""
    name = asked.reading.settings.policy.name_of(key.service)
    return key if name == key.service else key._replace(service=name)


def _observation(asked: Asked[PushParams], key: StreamKey, body: bytes) -> Observation:
    if not body.strip():
        raise RefusalError(400, "malformed-json", "an empty body; send parity.observation/v1")
    document = json_document(body)
    if not isinstance(document, dict):
        raise invalid("", "one observation as an object")
    if "bomFormat" in document or "spdxVersion" in document:
        sboms.check_media_type("a bill of materials")
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


def is_scheduled(asked: Asked[Any], key: StreamKey) -> bool:
    """Tell whether the source of a stream will be asked again by itself."""
    known = asked.reading.settings.policy.service(key.service).sources.get(key.environment, ())
    return any(policy.scheduled for policy in known if policy.source == key.source)


async def note(asked: Asked[Any], key: StreamKey, recorded: Recorded) -> None:
    """Remember that the source is alive, and have judged what it brought."""
    await asked.reading.store.record_run(key.environment, key.service, key.source, at=asked.now, result="ok")
    asked.running.watch.observed(key.environment, key.service, recorded)


async def _acknowledged(
    asked: Asked[PushParams],
    key: StreamKey,
    observed_at: datetime,
    recorded: Recorded,
    *,
    bill: tuple[str, ...] = (),
) -> web.Response:
    await note(asked, key, recorded)
    warnings = list(bill)
    if observed_at - asked.now > _SKEW:
        warnings.append("clock-skew: observed_at is ahead of this server's clock; taken as of now")
    if recorded.held:
        warnings.append("suspicious-empty: most of a section is gone; held until it is seen a second time")
    if not _is_configured(asked, key):
        warnings.append("unconfigured: parity.yml names no such source; it is kept and shown all the same")
    if not (recorded.changed or recorded.late or recorded.held):
        asked.request[SAYS_NOTHING_NEW] = True
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


def _is_configured(asked: Asked[PushParams], key: StreamKey) -> bool:
    known = asked.reading.settings.policy.service(key.service).sources
    return any(policy.source == key.source for policy in known.get(key.environment, ()))
