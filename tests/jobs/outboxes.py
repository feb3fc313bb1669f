"""An outbox in memory, with the rules of the store's: leases, tries, handles of messages."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from detector.model.records import Owed


@dataclass(kw_only=True, slots=True)
class Row:
    owed: Owed
    next_try: datetime
    tries: int = 0
    state: str = "due"
    error: str | None = None


@dataclass(kw_only=True, slots=True)
class Outbox:
    rows: dict[str, Row] = field(default_factory=dict)
    messages: dict[tuple[str, str], Mapping[str, str] | None] = field(default_factory=dict)

    async def owe(self, owed: Owed) -> None:
        self.rows[owed.id] = Row(owed=owed, next_try=owed.created_at)

    async def lease_owed(self, *, now: datetime, until: datetime, limit: int) -> list[tuple[Owed, int]]:
        due = [row for row in self.rows.values() if row.state == "due" and row.next_try <= now][:limit]
        leased = [(row.owed, row.tries) for row in due]
        for row in due:
            row.next_try = until
            row.tries += 1
        return leased

    async def mark_delivered(
        self,
        ids: Collection[str],
        *,
        receiver: str,
        key: str,
        handle: Mapping[str, str] | None,
        closed: bool,
        now: datetime,
    ) -> None:
        for each in ids:
            self.rows[each].state = "delivered"
        self.messages[receiver, key] = None if closed else handle

    async def mark_failed(
        self, ids: Collection[str], *, error: str, next_try: datetime | None, now: datetime
    ) -> None:
        for each in ids:
            row = self.rows[each]
            row.error = error
            if next_try is None:
                row.state = "parked"
            else:
                row.next_try = next_try

    async def message_handle(self, receiver: str, key: str) -> Mapping[str, str] | None:
        return self.messages.get((receiver, key))

    async def left(self) -> int:
        return sum(1 for row in self.rows.values() if row.state == "due")
