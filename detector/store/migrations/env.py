"""Runs migrations on the connection that the store hands over, inside its transaction."""

from alembic import context

import detector.store.register_tables  # noqa: F401 - its tables belong to the metadata
from detector.store.tables import metadata

if context.is_offline_mode():
    raise SystemExit("migrations run on a database: parity db upgrade")

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
context.run_migrations()
