"""Tokens of the API: never the token, only its hash."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any, Final

from sqlalchemy import Row, insert, select, update

from detector.store.audit import Audited, audit
from detector.store.database import Database, to_the_end
from detector.store.register_tables import token

#: Seconds.
_COUNTS: Final = 2.0
_MOST_KEPT: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRow:
    """A token as it is kept."""

    id: str
    name: str
    hash: bytes
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class Tokens:
    """Keeps who may."""

    def __init__(self, database: Database) -> None:
        self._database = database
        #: Id -> a token as it was read, and until when that counts.
        self._kept: dict[str, tuple[TokenRow, float]] = {}
        #: How often one was made or ended here: what was read before may be of before.
        self._changes = 0

    @to_the_end
    async def add_token(  # noqa: PLR0917 - the row in its order
        self,
        id: str,
        name: str,
        hash: bytes,
        scopes: Sequence[str],
        expires_at: datetime | None,
        now: datetime,
        *,
        by: str | None = None,
    ) -> None:
        """Keep a new token. ``by`` says in the audit log who made it."""
        async with self._database.write() as connection:
            await connection.execute(
                insert(token).values(
                    id=id, name=name, hash=hash, scopes=list(scopes), created_at=now, expires_at=expires_at
                )
            )
            if by is not None:
                detail = {"name": name, "scopes": list(scopes)}
                await audit(
                    connection, Audited(at=now, actor=by, action="token.create", target=id, detail=detail)
                )
        self._forget(id)

    async def token(self, id: str) -> TokenRow | None:
        """Return a token, also one that is expired or revoked.

        Most requests read none: one that was just read counts for two seconds. One that is revoked through
        this store ends at once, one that another process revokes as soon as that is over.
        """
        kept, until = self._kept.get(id, (None, 0.0))
        if kept is not None and monotonic() < until:
            return kept
        changes = self._changes
        async with self._database.read() as connection:
            found = (await connection.execute(select(token).where(token.c.id == id))).one_or_none()
        if found is None:
            return None
        row = _row(found)
        if changes == self._changes:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            self._kept[id] = (row, monotonic() + _COUNTS)
        return row

    async def tokens(self) -> list[TokenRow]:
        """Return all tokens, oldest first."""
        async with self._database.read() as connection:
            rows = (await connection.execute(select(token).order_by(token.c.created_at, token.c.id))).all()
        return [_row(row) for row in rows]

    @to_the_end
    async def revoke_token(self, id: str, now: datetime, *, by: str | None = None) -> bool:
        """End a token, and return whether there was one that had not ended.

        ``by`` says in the audit log who did.
        """
        async with self._database.write() as connection:
            done = await connection.execute(
                update(token).where(token.c.id == id, token.c.revoked_at.is_(None)).values(revoked_at=now)
            )
            if by is not None and done.rowcount > 0:
                await audit(connection, Audited(at=now, actor=by, action="token.revoke", target=id))
        self._forget(id)
        return done.rowcount > 0

    def _forget(self, id: str) -> None:
        self._changes += 1
        self._kept.pop(id, None)


def _row(row: Row[Any]) -> TokenRow:
    return TokenRow(
        id=row.id,
        name=row.name,
        hash=row.hash,
        scopes=tuple(row.scopes),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )
