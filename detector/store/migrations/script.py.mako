"""${message}.

Expand, then contract: a release may add what the release before it ignores; what nobody reads any more goes
one release later. One transaction, no long scan: a start waits for it. Set `HEAD` in `detector/store/schema.py`.
"""

import sqlalchemy as sa
from alembic import op

from detector.store.columns import Json, Time

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    ${upgrades if upgrades else "raise NotImplementedError"}
