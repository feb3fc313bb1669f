"""The tables of what was seen: streams, their facts over time, and the snapshots.

A row of history lives in two times. ``opened`` and ``closed`` are microseconds: when the world was so, as
known now (`ENV@{T}`). ``opened_seq`` and ``closed_seq`` are commit numbers: between which commits this was
the newest state known (`ENV#N`). For observations that come in order both say the same; a late observation
rewrites the first and never the second. Open rows stand apart from closed ones: most reads want only them.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from detector.store.columns import Json, Time

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

environment = Table(
    "environment",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
)

service = Table(
    "service",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
)

stream = Table(
    "stream",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("environment", ForeignKey("environment.id"), nullable=False),
    Column("service", ForeignKey("service.id"), nullable=False, index=True),
    Column("component", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("component_kind", Text, nullable=False),
    Column("traffic", Text, nullable=False),
    UniqueConstraint("environment", "service", "component", "source", "traffic"),
)

#: Of fixed width: an unchanged observation rewrites this row in place and nothing else.
stream_state = Table(
    "stream_state",
    metadata,
    Column("stream", ForeignKey("stream.id"), primary_key=True),
    Column("ring", LargeBinary, nullable=False),
    Column("changed_seq", BigInteger, nullable=False),
    Column("changed_number", BigInteger, nullable=False),
    Column("late", BigInteger, nullable=False),
)

#: What the newest settled state holds although the observations since ``since`` did not say it: items that
#: are held, items that could not be seen, sections that were left out.
unsaid = Table(
    "unsaid",
    metadata,
    Column("stream", ForeignKey("stream.id"), nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("document", Json, nullable=False),
    PrimaryKeyConstraint("stream", "since"),
)

item = Table(
    "item",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("section", Text, nullable=False),
    Column("name", Text, nullable=False),
    UniqueConstraint("section", "name"),
)

#: Canonical values with their hints, and the documents of coverage: each once.
value = Table(
    "value",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("body", LargeBinary, nullable=False),
    Column("hints", LargeBinary),
)


def _history(name: str, *, closed: bool, key: tuple[Column[Any], ...]) -> Table:
    names = ["stream", key[0].name]
    ends: tuple[Column[Any], ...] = ()
    if closed:
        names += ["opened", "opened_seq"]
        ends = (
            Column("closed", BigInteger, nullable=False),
            Column("closed_seq", BigInteger, nullable=False),
        )
    return Table(
        name,
        metadata,
        Column("stream", ForeignKey("stream.id"), nullable=False),
        *key,
        Column("value", ForeignKey("value.id"), nullable=False),
        Column("opened", BigInteger, nullable=False),
        Column("opened_seq", BigInteger, nullable=False),
        *ends,
        PrimaryKeyConstraint(*names),
        sqlite_with_rowid=False,
    )


fact = _history("fact", closed=False, key=(Column("item", ForeignKey("item.id"), nullable=False),))
fact_past = _history("fact_past", closed=True, key=(Column("item", ForeignKey("item.id"), nullable=False),))
coverage = _history("coverage", closed=False, key=(Column("section", Text, nullable=False),))
coverage_past = _history("coverage_past", closed=True, key=(Column("section", Text, nullable=False),))

#: One for each commit that changed an environment. ``at`` is the time of what was seen.
snapshot = Table(
    "snapshot",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("environment", ForeignKey("environment.id"), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("stream", ForeignKey("stream.id"), nullable=False),
    Column("at", Time, nullable=False),
    Column("received_at", Time, nullable=False),
    Column("added", Integer, nullable=False),
    Column("removed", Integer, nullable=False),
    Column("changed", Integer, nullable=False),
    Column("backdated", Boolean, nullable=False),
    UniqueConstraint("environment", "number"),
)

source = Table(
    "source",
    metadata,
    Column("environment", Text, nullable=False),
    #: Empty for a discovery, which names services itself.
    Column("service", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("last_run", Time, nullable=False),
    Column("last_success", Time),
    Column("last_result", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("duration_ms", Integer, nullable=False),
    PrimaryKeyConstraint("environment", "service", "source"),
)

label = Table(
    "label",
    metadata,
    Column("environment", ForeignKey("environment.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("created_at", Time, nullable=False),
    PrimaryKeyConstraint("environment", "name"),
)

#: What happened to the database as a whole, such as when it was restored.
milestone = Table(
    "milestone",
    metadata,
    Column("name", Text, primary_key=True),
    Column("at", Time, nullable=False),
    #: Of what was pruned: the first commit whose whole state is still known.
    Column("seq", BigInteger),
)

Index("ix_stream_state_changed_seq", stream_state.c.changed_seq)
