"""Scores over time: a row for each change, written with the judgement that made it."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from detector.model.records import ScoreMark
from detector.store.database import Database
from detector.store.register_tables import score


class Scores:
    """Reads the trend of scores."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def score_marks(
        self, comparison: str, *, since: datetime, service: str | None = None
    ) -> list[ScoreMark]:
        """Return the marks of a comparison, oldest first: those since a time, and the last before it."""
        here = [score.c.comparison == comparison]
        if service is not None:
            here.append(score.c.service == service)
        before = (
            select(score.c.service, func.max(score.c.at).label("at"))
            .where(*here, score.c.at < since)
            .group_by(score.c.service)
            .subquery()
        )
        standing = select(score).join(
            before, (score.c.service == before.c.service) & (score.c.at == before.c.at)
        )
        async with self._database.read() as connection:
            rows = [
                *(await connection.execute(standing.where(*here))),
                *(await connection.execute(select(score).where(*here, score.c.at >= since))),
            ]
        return sorted((_mark(row) for row in rows), key=lambda mark: (mark.at, mark.service))

    async def newest_marks(
        self, *, comparisons: Collection[str], services: Collection[str]
    ) -> dict[tuple[str, str], ScoreMark]:
        """Return (comparison, service) -> the last mark of its trend."""
        newest = (
            select(score.c.comparison, score.c.service, func.max(score.c.at).label("at"))
            .where(score.c.comparison.in_(comparisons), score.c.service.in_(services))
            .group_by(score.c.comparison, score.c.service)
            .subquery()
        )
        same = [score.c[name] == newest.c[name] for name in ("comparison", "service", "at")]
        async with self._database.read() as connection:
            rows = (await connection.execute(select(score).join(newest, and_(*same)))).all()
        return {(row.comparison, row.service): _mark(row) for row in rows}


def says_more(mark: ScoreMark, last: ScoreMark | None) -> bool:
    """Tell whether a mark says something else than the last one, and does not belong before it."""
    return last is None or (last.at <= mark.at and _said(last) != _said(mark))


async def write_mark(connection: AsyncConnection, mark: ScoreMark) -> None:
    """Write a mark unless it says what the last one said, or belongs before it."""
    here = (score.c.comparison == mark.comparison, score.c.service == mark.service)
    query = select(score).where(*here).order_by(score.c.at.desc()).limit(1)
    row = (await connection.execute(query)).one_or_none()
    last = _mark(row) if row is not None else None
    if not says_more(mark, last):
        return
    values = {"score": mark.score, "critical": mark.critical, "sections": dict(mark.sections)}
    if last is not None and last.at == mark.at:
        await connection.execute(update(score).where(*here, score.c.at == mark.at).values(values))
    else:
        await connection.execute(
            insert(score).values(comparison=mark.comparison, service=mark.service, at=mark.at, **values)
        )


def _said(mark: ScoreMark) -> tuple[object, ...]:
    return mark.score, mark.critical, dict(mark.sections)


def _mark(row: Row[Any]) -> ScoreMark:
    return ScoreMark(
        comparison=row.comparison,
        service=row.service,
        at=row.at,
        score=row.score,
        critical=row.critical,
        sections=row.sections,
    )
