"""Tokens of the API: ``par_<id>_<secret>``, 256 bits, kept as their hash; and what their scopes allow."""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final, Literal

from detector.store.store import Store
from detector.store.tokens import TokenRow

#: What a route asks for. `public` routes tell nothing that must be kept; `push` is narrowed by the path;
#: `heartbeat` is any that may push somewhere, `deploy` any that may push or write somewhere: both are
#: narrowed by the body.
Scope = Literal["public", "read", "push", "heartbeat", "deploy", "drift:write", "admin"]

_TOKEN: Final = re.compile(r"par_([0-9a-z]{12})_([A-Za-z0-9_-]{43})")
_ID_LETTERS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_SECRET_BYTES: Final = 32
_PUSH: Final = re.compile(r"push:([a-z][a-z0-9-]{0,62})(?:/([A-Za-z0-9][A-Za-z0-9._-]{0,127}))?")
#: Compared with where there is no token of that id, so that both answers take the same time.
_NOBODY: Final = sha256(b"nobody").digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who asks, and what that one may."""

    id: str
    name: str
    scopes: tuple[str, ...]
    expires_at: datetime | None = None

    @property
    def who(self) -> str:
        """The name by which people know it, also of a session in a browser."""
        return self.name.removeprefix(SESSION)

    def may(self, scope: Scope, path: Mapping[str, str]) -> bool:
        """Tell whether a route of this scope is allowed; ``path`` are the names in its address."""
        if "admin" in self.scopes or scope == "public":
            return True
        if scope == "push":
            return self.may_push(path.get("environment", ""), path.get("service", ""))
        if scope == "heartbeat":
            return self.pushes
        if scope == "deploy":
            return self.pushes or "drift:write" in self.scopes
        return scope in self.scopes

    def may_deploy(self, environment: str, service: str) -> bool:
        """Tell whether deployments of a service to an environment are taken."""
        return self.may_push(environment, service) or "drift:write" in self.scopes

    def may_push(self, environment: str, service: str) -> bool:
        """Tell whether observations of a service of an environment are taken."""
        allowed = {"admin", f"push:{environment}", f"push:{environment}/{service}"}
        return not allowed.isdisjoint(self.scopes)

    @property
    def pushes(self) -> bool:
        """Whether it may push anywhere at all."""
        return any(scope == "admin" or scope.startswith("push:") for scope in self.scopes)


def is_scope(text: str) -> bool:
    """Tell whether a token can be given this scope: ``read``, ``push:ENV``, ``push:ENV/SERVICE``, …."""
    return text in ("read", "drift:write", "admin") or _PUSH.fullmatch(text) is not None


async def mint(
    store: Store,
    *,
    name: str,
    scopes: Sequence[str],
    now: datetime,
    lasts: timedelta | None,
    by: str | None = None,
) -> str:
    """Make a token and keep its hash. The token itself is returned once and stored nowhere.

    ``by`` says in the audit log who made it.
    """
    identifier = "".join(secrets.choice(_ID_LETTERS) for _ in range(12))
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    expires_at = None if lasts is None else now + lasts
    kept = sha256(secret.encode()).digest()
    await store.add_token(identifier, name, kept, tuple(scopes), expires_at, now, by=by)
    return f"par_{identifier}_{secret}"


async def ensure_first_token(store: Store) -> str | None:
    """Return a new admin token where there never was one, to be shown once; else None."""
    if any("admin" in row.scopes and not row.name.startswith(SESSION) for row in await store.tokens()):
        return None
    return await mint(store, name="first", scopes=("admin",), now=datetime.now(UTC), lasts=None)


#: Begins the name of a token that a browser holds in a cookie.
SESSION: Final = "session of "


def parts_of(token: str) -> tuple[str, bytes] | None:
    """Return id and hash of what looks like a token, else None."""
    match = _TOKEN.fullmatch(token)
    return None if match is None else (match[1], sha256(match[2].encode()).digest())


def matches(row: TokenRow | None, hash: bytes) -> bool:
    """Compare in constant time, also where there is no such token."""
    return secrets.compare_digest(_NOBODY if row is None else row.hash, hash) and row is not None
