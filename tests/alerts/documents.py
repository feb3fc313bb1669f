"""Builds `parity.diff/v1` documents out of the records that the engine makes."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from detector.alerts.summary import summary_of
from detector.model.records import Judged, Key, Side

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
PAIR = "staging..prod"

Document = dict[str, Any]


def key(
    item: str, *, section: str = "dependencies", kind: str = "difference", service: str = "checkout"
) -> Key:
    return Key(service, "main", section, item, kind)  # type: ignore[arg-type]  # words of tables


def drift(
    item: str = "pkg:pypi/django",
    *,
    left: Any = "4.2.26",
    right: Any = "5.2.8",
    section: str = "dependencies",
    kind: str = "difference",
    service: str = "checkout",
    days: int = 10,
    **more: Any,
) -> Document:
    """An open drift. ``None`` for a side means absent; a Side is taken as it is."""
    sides = [
        side if isinstance(side, Side) else Side(present=side is not None, value=side, basis="running")
        for side in (left, right)
    ]
    status = "left_only" if right is None else "right_only" if left is None else "changed"
    said: Document = {
        "comparison": PAIR,
        "status": status,
        "verdict": "drift",
        "severity": "high",
        "rule": "default/dependencies",
        "state": "open",
        "owner": "team-payments",
        "opened_at": NOW - timedelta(days=days),
        "remedy": "in staging: uv lock --upgrade-package django==5.2.8",
    }
    said |= more
    remedy = said.pop("remedy")
    judged = Judged(
        key=key(item, section=section, kind=kind, service=service),
        left=sides[0],
        right=sides[1],
        mend=lambda _: remedy,
        **said,
    )
    return judged.document()


def cause(
    number: str, children: int, parent: Key | None = None, title: str = "PostgreSQL 14 → 16"
) -> Document:
    return {
        "id": number,
        "kind": "engine_upgrade",
        "title": title,
        "service": "checkout",
        "severity": "high",
        "parent": parent._asdict() if parent else None,
        "children": children,
    }


def document(
    items: Iterable[Mapping[str, Any]] = (), causes: Iterable[Document] = (), **more: Any
) -> Document:
    whole: Document = {
        "schema": "parity.diff/v1",
        "left": {"expression": "staging", "environment": "staging", "snapshot": 188},
        "right": {"expression": "prod", "environment": "prod", "snapshot": 241},
        "complete": True,
        "coverage": {"sources_ok": 6, "sources_expected": 6, "unseen": []},
        "summary": {"score": 0.5},
        "causes": list(causes),
        "items": list(items),
    }
    return whole | more


def body_of(
    *items: Mapping[str, Any], owner: str | None = "team-payments", service: str | None = None, **more: Any
) -> Document:
    """The summary of the group that the items of `drift` belong to."""
    causes = more.pop("causes", ())
    name = more.pop("name", None)
    return summary_of(
        document(items, causes, **more),
        name=name,
        owner=owner,
        service=service,
        public_url="https://parity.example",
        now=NOW,
    )
