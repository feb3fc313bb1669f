"""The door: which host is meant, who asks, and whether that one may."""

import ipaddress
import socket
from collections import OrderedDict, deque
from datetime import datetime
from functools import lru_cache
from typing import Final, TypeVar

from aiohttp import hdrs, web
from yarl import URL

from detector.api.local_socket import peer_of
from detector.api.problems import RefusalError
from detector.api.tokens import Principal, Scope, matches, parts_of
from detector.config.models import Server
from detector.store.store import Store
from detector.store.tokens import TokenRow

T = TypeVar("T")

#: Failures within a minute after which an address or a token is told to wait.
MOST_FAILURES: Final = 10
_FAILURES_WITHIN: Final = 60.0
_MOST_HOSTS: Final = 256
_MOST_KEPT: Final = 10_000
_ANYONE: Final = Principal(id="local", name="local", scopes=("admin",))
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Access:
    """Admits requests to one server."""

    def __init__(self, store: Store, server: Server) -> None:
        self._store = store
        self._open = server.auth == "none"
        public = URL(server.public_url)
        own = ("localhost", public.host or "", server.host, socket.gethostname())
        self._hosts = {name.lower() for name in own} - {""}
        #: Headers that were found to name this server.
        self._known_hosts: set[str] = set()
        self.secure = public.scheme == "https"
        #: The name of the cookie of a session; the prefix binds it to this host where that can be.
        self.cookie = "__Host-parity" if self.secure else "parity"
        self._failures: OrderedDict[str, deque[datetime]] = OrderedDict()

    @property
    def is_open(self) -> bool:
        """Whether whoever is on this machine may ask without a token."""
        return self._open

    def check_host(self, request: web.Request) -> None:
        """Refuse a request for another host, as of a page whose name was made to point here."""
        header = request.headers.get(hdrs.HOST, "")
        if header in self._known_hosts:
            return
        host = _host_of(header)
        if host is not None and (
            host.lower() in self._hosts or host.endswith(".localhost") or _is_address(host)
        ):
            if len(self._known_hosts) < _MOST_HOSTS:
                self._known_hosts.add(header)
        else:
            detail = "this server has another name; set server.public_url to the address people use"
            raise RefusalError(421, "unknown-host", detail)

    def check_origin(self, request: web.Request) -> None:
        """Refuse a change that a page of another origin asks a browser for. Raises RefusalError."""
        if request.method in _SAFE:
            return
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is None:
            # Browsers always name the origin of a change; programs bring a token of their own.
            if hdrs.AUTHORIZATION not in request.headers and self.cookie in request.cookies:
                raise RefusalError(403, "foreign-origin", "a change by cookie needs the header Origin")
            return
        if origin.partition("://")[2].lower() != request.headers.get(hdrs.HOST, "").lower():
            raise RefusalError(403, "foreign-origin", "a page of another origin may change nothing here")

    async def admit(self, request: web.Request, scope: Scope, now: datetime) -> Principal:
        """Return who asks. Raises RefusalError: nobody known (401), or one who may not (403)."""
        if scope == "public":
            return _ANYONE
        principal = await self._principal(request, now)
        path = request.match_info
        if not principal.may(scope, path):
            if scope == "push" and principal.pushes:
                raise RefusalError(
                    403, "scope-mismatch", "this token pushes for another environment or service"
                )
            raise RefusalError(403, "insufficient-scope", f"this needs the scope {scope}")
        return principal

    async def _principal(self, request: web.Request, now: datetime) -> Principal:
        if not request.remote and (peer := peer_of(request.transport)) is not None:
            return Principal(id=f"local-{peer[0]}", name=peer[1], scopes=("admin",))
        if self._open:
            if request.remote is not None and not _is_loopback(request.remote):
                raise RefusalError(
                    403, "insufficient-scope", "auth is none: only this machine itself may ask"
                )
            return _ANYONE
        given = request.headers.getall(hdrs.AUTHORIZATION, [])
        if not given and self.cookie in request.cookies:
            return await self.holder(request.cookies[self.cookie], request, now)
        if not given:
            raise _unauthenticated("send Authorization: Bearer par_…; parity token create makes one")
        scheme, _, token = given[0].partition(" ")
        if len(given) > 1 or scheme.lower() != "bearer":
            raise _unauthenticated("send one Authorization: Bearer par_…")
        return await self.holder(token.strip(), request, now)

    async def holder(self, token: str, request: web.Request, now: datetime) -> Principal:
        """Return whose token it is. Raises RefusalError; unknown id and wrong secret look alike."""
        parts = parts_of(token)
        row = None if parts is None else await self._store.token(parts[0])
        if parts is None or not matches(row, parts[1]) or row is None:
            self._note_failure([f"from {request.remote}", *([f"of {parts[0]}"] if parts else [])], now)
            raise _unauthenticated("this token is not known here")
        if row.revoked_at is not None:
            raise _unauthenticated("this token was revoked", "token-revoked")
        if row.expires_at is not None and row.expires_at <= now:
            raise _unauthenticated("this token has expired", "token-expired")
        return _principal_of(row)

    def _note_failure(self, whos: list[str], now: datetime) -> None:
        for who in whos:
            times = self._failures.get(who)
            if times is None:
                times = deque(maxlen=MOST_FAILURES)
                _keep(self._failures, who, times)
            waited = (now - times[0]).total_seconds() if len(times) == MOST_FAILURES else _FAILURES_WITHIN
            times.append(now)
            if waited < _FAILURES_WITHIN:
                wait = str(int(_FAILURES_WITHIN - waited) + 1)
                raise RefusalError(
                    429, "rate-limited", "too many unknown tokens; wait", headers={"Retry-After": wait}
                )


@lru_cache(maxsize=1024)
def _principal_of(row: TokenRow) -> Principal:
    return Principal(id=row.id, name=row.name, scopes=row.scopes, expires_at=row.expires_at)


def _keep(kept: OrderedDict[str, T], key: str, value: T) -> None:
    kept[key] = value
    while len(kept) > _MOST_KEPT:
        kept.popitem(last=False)


def _unauthenticated(detail: str, slug: str = "unauthenticated") -> RefusalError:
    return RefusalError(401, slug, detail, headers={"WWW-Authenticate": 'Bearer realm="parity"'})


@lru_cache(maxsize=256)
def _host_of(header: str) -> str | None:
    """Return the host without its port, or None for what is none."""
    try:
        return URL(f"//{header}").host
    except ValueError:
        return None


@lru_cache(maxsize=256)
def _is_address(host: str) -> bool:
    """Tell whether a host is an address: no name of a stranger can be made to point at one."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(remote: str) -> bool:
    try:
        return ipaddress.ip_address(remote).is_loopback
    except ValueError:
        return False
