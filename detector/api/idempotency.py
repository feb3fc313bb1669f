"""`Idempotency-Key`: a request that comes a second time is answered as the first time and does nothing.

The answer is kept in the commit that did what it says, for 24 hours, for each asker apart.
"""

import re
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

import orjson
from aiohttp import web

from detector.api.asked import Asked
from detector.api.problems import RefusalError
from detector.store.remembering import Remembered

HEADER: Final = "Idempotency-Key"
_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")
#: Keys of pushes that are remembered.
_MOST_KEYS: Final = 100_000
_JSON: Final = {"Content-Type": "application/json", "Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """One request that may come again. Without the header nothing is remembered."""

    who: str
    key: str | None
    digest: bytes
    at: datetime
    #: What was answered the first time.
    before: Remembered | None

    @property
    def replay(self) -> web.Response | None:
        """The answer of the first time, or None for a request that is new."""
        if self.before is None:
            return None
        headers = {**_JSON, "Idempotency-Replayed": "true"}
        return web.Response(status=self.before.status, body=self.before.body, headers=headers)

    def remembered(self, document: dict[str, Any], status: int = 200) -> Remembered | None:
        """Return what a store keeps of an answer, in the commit that makes it true."""
        if self.key is None:
            return None
        return Remembered(
            who=self.who,
            key=self.key,
            digest=self.digest,
            status=status,
            body=orjson.dumps(document),
            at=self.at,
        )


async def once(asked: Asked[Any], body: bytes) -> Once:
    """Return what is known of a request. Raises RefusalError where its key was used for another one."""
    key = asked.request.headers.get(HEADER)
    what = (asked.request.method.encode(), asked.request.raw_path.encode(), body)
    digest = sha256(b"\n".join(what)).digest()
    if key is None:
        return Once(who=asked.principal.id, key=None, digest=digest, at=asked.now, before=None)
    _check(key)
    before = await asked.reading.store.remembered(asked.principal.id, key, now=asked.now)
    if before is not None and before.digest != digest:
        raise _reused()
    return Once(who=asked.principal.id, key=key, digest=digest, at=asked.now, before=before)


class PushKeys:
    """The keys of pushes: what came under each, so that another body under it is refused.

    What comes a second time needs no memory: same time and same facts are one observation, also after a
    restart. So this is memory alone, of the newest keys.
    """

    def __init__(self) -> None:
        self._bodies: OrderedDict[tuple[str, str], bytes] = OrderedDict()

    @contextmanager
    def of(self, asked: Asked[Any], body: bytes) -> Iterator[None]:
        """Remember a push under its key, if it has one, unless it fails.

        Raises RefusalError where another body came under the key.
        """
        key = asked.request.headers.get(HEADER)
        if key is None:
            yield
            return
        _check(key)
        place = (asked.principal.id, key)
        digest = sha256(asked.request.raw_path.encode() + b"\n" + body).digest()
        new = place not in self._bodies
        if self._bodies.setdefault(place, digest) != digest:
            raise _reused()
        try:
            yield
        except BaseException:
            if new:
                self._bodies.pop(place, None)
            raise
        while len(self._bodies) > _MOST_KEYS:
            self._bodies.popitem(last=False)


def _check(key: str) -> None:
    if not _KEY.fullmatch(key):
        raise RefusalError(400, "invalid-idempotency-key", f"{HEADER} has 1 to 255 visible ASCII characters")


def _reused() -> RefusalError:
    return RefusalError(422, "idempotency-key-reused", f"this {HEADER} was used for another request")


def answered(document: dict[str, Any], status: int = 200) -> web.Response:
    """Return an answer to what was done now."""
    return web.Response(status=status, body=orjson.dumps(document), headers=_JSON)
