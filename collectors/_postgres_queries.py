"""The questions that `postgres` asks: catalogs and settings, and the last row of known migration tables."""

from dataclasses import dataclass
from typing import Final

SERVER: Final = """
SELECT current_setting('server_version') AS version,
       to_regproc('aurora_version') IS NOT NULL AS aurora,
       pg_encoding_to_char(encoding) AS encoding, datcollate AS collate, datctype AS ctype
FROM pg_database WHERE datname = current_database()
"""
#: ``reset_val`` is what a new session gets: our own session has limits of its own.
SETTINGS: Final = """
SELECT lower(name) AS name, reset_val AS value, unit, vartype = 'bool' AS boolean
FROM pg_settings WHERE lower(name) = ANY($1) AND reset_val IS NOT NULL
"""
EXTENSIONS: Final = "SELECT extname AS name, extversion AS version FROM pg_extension"
#: Tables by name, wherever they stand, as the server itself quotes them.
MIGRATION_TABLES: Final = """
SELECT c.relname AS name, format('%I.%I', n.nspname, c.relname) AS path,
       has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AS readable
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND c.relname = ANY($1) AND n.nspname NOT LIKE 'pg\\_temp%'
ORDER BY path
"""


@dataclass(frozen=True, slots=True)
class Migrations:
    """Where a tool keeps what it applied, and how to read its heads; ``{}`` is the table."""

    tool: str
    heads: str


#: By name of the table. A table of that name that another program made lacks the columns: unseen.
MIGRATIONS: Final = {
    "alembic_version": Migrations("alembic", "SELECT version_num AS head FROM {} LIMIT 100"),
    "django_migrations": Migrations(
        "django",
        "SELECT DISTINCT ON (app) app || '.' || name AS head FROM {} ORDER BY app, id DESC LIMIT 500",
    ),
    "flyway_schema_history": Migrations(
        "flyway",
        "SELECT version AS head FROM {} WHERE success AND version IS NOT NULL "
        "ORDER BY installed_rank DESC LIMIT 1",
    ),
    "schema_migrations": Migrations(
        "schema_migrations", "SELECT version::text AS head FROM {} ORDER BY version DESC LIMIT 1"
    ),
}
