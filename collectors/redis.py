"""Sees a Redis or Valkey server: product, version and the settings that change what an application sees."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from pydantic import Field, SecretStr

from collectors._extras import missing_extra
from collectors._unseen import unseen_part
from detector.collector import Collected, CollectorOptions, Context, Seen
from detector.errors import UnseenError
from detector.model.facts import Section, Value
from detector.model.words import MAIN, Basis, SectionName

#: Asked for one by one: ``CONFIG GET *`` would answer passwords too.
_SETTINGS: Final = (
    "appendfsync",
    "appendonly",
    "cluster-enabled",
    "databases",
    "maxclients",
    "maxmemory",
    "maxmemory-policy",
    "notify-keyspace-events",
    "proto-max-bulk-len",
    "timeout",
    "tls-port",
)
_VERSION: Final = re.compile(r"[0-9][0-9A-Za-z.+_-]{0,63}")
_TEXT: Final = re.compile(r"[A-Za-z0-9_-]{0,64}")
_CONNECT_SECONDS: Final = 10.0


class RedisOptions(CollectorOptions):
    """Which server."""

    url: SecretStr = Field(description="redis://user:password@host:port, or rediss:// for TLS.")
    alias: str = Field(
        MAIN, alias="as", description="Name of this server in items, where a service has several."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What a server said."""

    #: The section ``server`` of INFO.
    server: Mapping[str, Any]
    settings: Mapping[str, str] = field(default_factory=dict)
    #: Why settings could not be read.
    settings_unseen: UnseenError | None = None
    #: Whether this connection is encrypted.
    encrypted: bool = False


class RedisCollector:
    """Sees one server with INFO and CONFIG GET."""

    API: ClassVar[int] = 1
    name: ClassVar[str] = "redis"
    Options: ClassVar[type[RedisOptions]] = RedisOptions
    basis: ClassVar[Basis] = "running"
    sections: ClassVar[tuple[SectionName, ...]] = ("backing_services",)
    cannot_see: ClassVar[tuple[str, ...]] = (
        "modules and settings where INFO and CONFIG are closed",
        "what lives in other nodes of a cluster",
    )

    async def collect(self, options: RedisOptions, context: Context) -> Collected:
        url = options.url.get_secret_value()
        left = context.deadline - asyncio.get_running_loop().time()
        async with _connected(url, max(0.5, min(_CONNECT_SECONDS, left))) as client:
            server = await client.info("server")
            settings, why = await _settings(client)
        answers = Answers(
            server=server, settings=settings, settings_unseen=why, encrypted=url.startswith("rediss://")
        )
        return Collected(
            seen=(Seen(sections={"backing_services": facts_from_answers(answers, options.alias)}),)
        )


@asynccontextmanager
async def _connected(url: str, seconds: float) -> AsyncIterator[Any]:
    """Yield a client, and turn what fails on it into an UnseenError without its text."""
    try:
        from redis import asyncio as driver  # noqa: PLC0415 - an extra
        from redis import exceptions  # noqa: PLC0415 - an extra
        from redis.asyncio.retry import Retry  # noqa: PLC0415 - an extra
        from redis.backoff import NoBackoff  # noqa: PLC0415 - an extra
    except ImportError:
        raise missing_extra("redis", "redis") from None
    try:
        client = driver.Redis.from_url(
            url,
            socket_timeout=seconds,
            socket_connect_timeout=seconds,
            decode_responses=True,
            retry=Retry(NoBackoff(), 0),  # the host tries again
        )
        async with client:
            yield client
    except (exceptions.AuthenticationError, exceptions.NoPermissionError):
        raise UnseenError("denied", _LOGIN) from None
    except exceptions.TimeoutError:
        raise UnseenError("timeout", "the server did not answer in time") from None
    except (exceptions.ConnectionError, OSError):
        raise UnseenError("unreachable", "no Redis server answers at the address of `url`") from None
    except exceptions.ResponseError as error:
        if str(error).startswith(("NOAUTH", "NOPERM", "WRONGPASS")):
            raise UnseenError("denied", _LOGIN) from None
        raise UnseenError(
            "unreachable", "the server refused INFO: it loads its data or is no Redis"
        ) from None
    except (exceptions.RedisError, ValueError):
        raise UnseenError("malformed", "`url` is no redis:// address, or no Redis answers there") from None


_LOGIN: Final = "the server refused the login or INFO: look at `url`; the user needs +info"


async def _settings(client: Any) -> tuple[dict[str, str], UnseenError | None]:
    from redis import exceptions  # noqa: PLC0415 - an extra

    found: dict[str, str] = {}
    try:
        for name in _SETTINGS:
            found |= await client.config_get(name)
    except exceptions.NoPermissionError:
        return {}, UnseenError("denied", "the user needs +config|get")
    except exceptions.ResponseError:
        return {}, UnseenError("denied", "CONFIG is switched off here, as managed services do")
    return found, None


def facts_from_answers(answers: Answers, alias: str = MAIN) -> Section:
    """Return what a server says of itself."""
    server = answers.server
    valkey = str(server.get("valkey_version") or "")
    facts: dict[str, Value] = {f"{alias}#product": "valkey" if valkey else "redis"}
    version = valkey or str(server.get("redis_version") or "")
    if _VERSION.fullmatch(version):
        facts[f"{alias}#version"] = version
    if answers.encrypted:
        facts[f"{alias}#tls"] = True
    for name, text in answers.settings.items():
        if name == "tls-port":
            facts[f"{alias}#tls"] = text != "0" or answers.encrypted
        elif name in _SETTINGS and _TEXT.fullmatch(text):
            facts[f"{alias}#setting/{name}"] = _value(text)
    error = answers.settings_unseen
    return Section(
        basis="running",
        status="partial" if error else "complete",
        facts=facts,
        covers=(),
        unseen=(unseen_part(f"{alias}#setting/*", error),) if error else (),
    )


def _value(text: str) -> Value:
    if text in {"yes", "no"}:
        return text == "yes"
    return int(text) if text.isdecimal() and len(text) < 20 else text
