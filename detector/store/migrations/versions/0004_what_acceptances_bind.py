"""What acceptances bind, why they ended, and answers that are remembered."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("acceptance", sa.Column("place", sa.Text(), nullable=True))
    op.add_column("acceptance", sa.Column("why", sa.Text(), nullable=True))
    op.add_column("acceptance", sa.Column("reminded", sa.Integer(), nullable=True))
    op.add_column("drift", sa.Column("again", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("drift_event", sa.Column("note", sa.Text(), nullable=True))
    op.create_table(
        "acceptance_binding",
        sa.Column("acceptance", sa.Text(), nullable=False),
        sa.Column("comparison", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("component", sa.Text(), nullable=False),
        sa.Column("section", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("until", sa.Text(), nullable=False),
        sa.Column("bound", sa.Text(), nullable=False),
        sa.Column("bound_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["acceptance"], ["acceptance.id"], name="fk_acceptance_binding_acceptance"),
        sa.PrimaryKeyConstraint(
            "acceptance",
            "comparison",
            "service",
            "component",
            "section",
            "item",
            "kind",
            name="pk_acceptance_binding",
        ),
    )
    op.create_index(
        "ix_acceptance_binding_comparison_service", "acceptance_binding", ["comparison", "service"]
    )
    op.create_table(
        "remembered",
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("who", "key", name="pk_remembered"),
    )
