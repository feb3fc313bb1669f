"""The tables of what was judged, said and sent: drifts, alerts, acceptances, tokens, audit."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    false,
)

from detector.store.columns import Json, Time
from detector.store.tables import metadata

drift = Table(
    "drift",
    metadata,
    Column("id", Text, primary_key=True),
    Column("comparison", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("component", Text, nullable=False),
    Column("section", Text, nullable=False),
    Column("item", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("owner", Text),
    Column("opened_at", Time, nullable=False),
    Column("resolved_at", Time),
    Column("document", Json, nullable=False),
    Column("first_left_at", Time),
    Column("first_right_at", Time),
    Column("again", Boolean, nullable=False, server_default=false()),
    Index("ix_drift_comparison_service", "comparison", "service"),
    Index("ix_drift_state", "state", "id"),
)

#: Append-only.
drift_event = Table(
    "drift_event",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("drift", ForeignKey("drift.id"), nullable=False, index=True),
    Column("at", Time, nullable=False),
    Column("event", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("left", Json),
    Column("right", Json),
    Column("snapshots", Json, nullable=False),
    Column("note", Text),
)

judged_through = Table(
    "judged_through",
    metadata,
    Column("comparison", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    PrimaryKeyConstraint("comparison", "service"),
)

#: A row for each change of a score, none for a look that changed nothing.
score = Table(
    "score",
    metadata,
    Column("comparison", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("at", Time, nullable=False),
    Column("score", Float),
    Column("critical", Boolean, nullable=False),
    Column("sections", Json, nullable=False),
    PrimaryKeyConstraint("comparison", "service", "at"),
)

#: ``state``: `due`, `delivered`, or `parked` where trying again cannot help and a person must look.
outbox = Table(
    "outbox",
    metadata,
    Column("id", Text, primary_key=True),
    Column("comparison", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("event", Text, nullable=False),
    Column("drift_ids", Json, nullable=False),
    Column("state", Text, nullable=False),
    #: Not before: the end of a lease, or of the wait after a failure.
    Column("next_try", Time, nullable=False),
    Column("tries", Integer, nullable=False),
    Index("ix_outbox_state", "state", "next_try"),
)

delivery = Table(
    "delivery",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("owed", ForeignKey("outbox.id"), nullable=False, index=True),
    Column("at", Time, nullable=False),
    #: `delivered`, `failed` or `parked`.
    Column("result", Text, nullable=False),
    Column("receiver", Text),
    Column("error", Text),
)

#: Where the message of a conversation stands, for as long as it can be edited.
message = Table(
    "message",
    metadata,
    Column("receiver", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("handle", Json),
    Column("closed", Boolean, nullable=False),
    Column("updated_at", Time, nullable=False),
    PrimaryKeyConstraint("receiver", "key"),
)

acceptance = Table(
    "acceptance",
    metadata,
    Column("id", Text, primary_key=True),
    #: The item, or the wider match, that is accepted.
    Column("scope", Json, nullable=False),
    Column("reason", Text, nullable=False),
    Column("author", Text, nullable=False),
    #: `changed`, `worse` or `resolved`.
    Column("until", Text, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("expires_at", Time, nullable=False),
    Column("ended_at", Time),
    Column("ended_by", Text),
    #: Of one in a file: where it stands.
    Column("place", Text),
    Column("why", Text),
    #: Days before the end at which its owners were last told of it.
    Column("reminded", Integer),
)

#: The items that an acceptance holds for, or held for: an ended one stays, so that it never holds again.
acceptance_binding = Table(
    "acceptance_binding",
    metadata,
    Column("acceptance", ForeignKey("acceptance.id"), nullable=False),
    Column("comparison", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("component", Text, nullable=False),
    Column("section", Text, nullable=False),
    Column("item", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("until", Text, nullable=False),
    #: What was compared when it was accepted.
    Column("bound", Json, nullable=False),
    Column("bound_at", Time, nullable=False),
    Column("ended_at", Time),
    Column("why", Text),
    PrimaryKeyConstraint("acceptance", "comparison", "service", "component", "section", "item", "kind"),
    Index("ix_acceptance_binding_comparison_service", "comparison", "service"),
)

#: Answers to requests that may come a second time (`Idempotency-Key`).
remembered = Table(
    "remembered",
    metadata,
    Column("who", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("at", Time, nullable=False),
    PrimaryKeyConstraint("who", "key"),
)

deployment = Table(
    "deployment",
    metadata,
    Column("id", Text, primary_key=True),
    Column("environment", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("commit", Text),
    Column("actor", Text),
    Column("at", Time, nullable=False),
    Column("finished_at", Time),
    Index("ix_deployment_environment_service", "environment", "service", "at"),
)

token = Table(
    "token",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("scopes", Json, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("expires_at", Time),
    Column("revoked_at", Time),
)

#: Append-only.
audit_event = Table(
    "audit_event",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Time, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("detail", Json),
)
