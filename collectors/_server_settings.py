"""Settings of database servers that change what an application sees, or how much it gets.

Only these are read: another one may hold a password, a path or a name.
"""

from typing import Final

from detector.model.facts import Value

POSTGRESQL: Final = frozenset(
    {
        # behaviour
        "bytea_output",
        "datestyle",
        "default_text_search_config",
        "default_transaction_isolation",
        "idle_in_transaction_session_timeout",
        "intervalstyle",
        "jit",
        "lock_timeout",
        "max_prepared_transactions",
        "password_encryption",
        "row_security",
        "shared_preload_libraries",
        "standard_conforming_strings",
        "statement_timeout",
        "synchronous_commit",
        "timezone",
        "transform_null_equals",
        "wal_level",
        # size
        "effective_cache_size",
        "maintenance_work_mem",
        "max_connections",
        "max_parallel_workers",
        "max_worker_processes",
        "shared_buffers",
        "work_mem",
    }
)
MYSQL: Final = frozenset(
    {
        "character_set_server",
        "collation_server",
        "explicit_defaults_for_timestamp",
        "group_concat_max_len",
        "innodb_buffer_pool_size",
        "innodb_lock_wait_timeout",
        "innodb_strict_mode",
        "lower_case_table_names",
        "max_allowed_packet",
        "max_connections",
        "sql_mode",
        "time_zone",
        "transaction_isolation",
        "tx_isolation",
    }
)
#: Comma-separated ones, whose order means nothing.
SETS: Final = frozenset({"shared_preload_libraries", "sql_mode"})
_UNITS: Final = {
    "B": 1,
    "kB": 1024,
    "8kB": 8192,
    "MB": 1024**2,
    "GB": 1024**3,
    "ms": 1,
    "s": 1000,
    "min": 60_000,
}


def setting(name: str, text: str, *, boolean: bool = False, unit: str | None = None) -> Value:
    """Return the value of a setting: bytes, milliseconds, a truth, a set or the text.

    0 and below mean "off" or "as much as there is": they have no unit.
    """
    if boolean:
        return text.lower() in {"on", "1", "true", "yes"}
    if name in SETS:
        return sorted(part.strip() for part in text.split(",") if part.strip())
    if text.removeprefix("-").isdecimal() and len(text) < 20:
        number = int(text)
        return number * _UNITS.get(unit or "", 1) if number > 0 else number
    return text
