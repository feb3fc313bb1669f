"""The audit log: who changed what through which door. Append-only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from detector.store.register_tables import audit_event


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """One act of a person or a program."""

    at: datetime
    #: The name of the token, or who ran the command.
    actor: str
    #: Such as ``drift.accept``.
    action: str
    #: The id of what it was done to.
    target: str
    detail: Mapping[str, Any] | None = None


async def audit(connection: AsyncConnection, act: Audited | None) -> None:
    """Write an act into the log, in the transaction that did it."""
    if act is not None:
        await connection.execute(
            insert(audit_event).values(
                at=act.at,
                actor=act.actor,
                action=act.action,
                target=act.target,
                detail=dict(act.detail) if act.detail else None,
            )
        )
