"""How much room a database takes."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Bytes on the disk."""

    #: Without the journal.
    database: int
    #: Of what is committed and not yet in the database file; None where the server keeps it for itself.
    journal: int | None
    #: Of each table with its indexes; None where this build of SQLite does not tell.
    tables: Mapping[str, int] | None
