"""What takes no traffic is a stream of its own, beside the live one of the same source."""

from alembic import op

revision = "0002"
down_revision = "0001"

_BEFORE = ("environment", "service", "component", "source")


def upgrade() -> None:
    name = f"uq_stream_{'_'.join(_BEFORE)}"
    with op.batch_alter_table("stream") as batch:
        batch.drop_constraint(name, type_="unique")
        batch.create_unique_constraint(f"{name}_traffic", [*_BEFORE, "traffic"])
