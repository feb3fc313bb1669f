"""The shape of a config value: all that Parity ever keeps of one.

A shape is a small document: ``type`` (`empty bool int url path json pem text template`), and where they
apply ``scheme``, ``host`` (`loopback private public container`), ``credentials``, ``placeholder``,
``source_class``, ``fingerprint`` and ``endpoint``; and from closed lists the ``backend`` that a key selects,
the ``emulator`` and the ``tier`` that a host is named after. No length, no prefix, no value.
"""

import ipaddress
import json
import re
from functools import lru_cache
from typing import Any, Final, Literal
from urllib.parse import SplitResult, urlsplit

from detector.model.fingerprints import Fingerprinter
from detector.model.items import matches
from detector.model.stand_ins import StandIn, backend_of, emulator_of, tier_of_host
from detector.model.words import SourceClass

HostClass = Literal["loopback", "private", "public", "container"]

#: Names of keys whose values must differ between production and the rest; each also without its prefix.
SECRET_NAMES: Final = (
    "*_SECRET",
    "*_TOKEN",
    "*_PASSWORD",
    "*_PRIVATE_KEY",
    "*_SECRET_KEY",
    "*_API_KEY",
)
#: Names that look like secrets and are public by their makers' own word.
PUBLIC_NAMES: Final = (
    "GPG_KEY",
    "*_PUBLIC_KEY",
    "*_PUBLISHABLE_KEY",
    "*_PARTITION_KEY",
    "*_SORT_KEY",
    "SENTRY_DSN",
    "*_SENTRY_DSN",
)

_SECRET_ENDS: Final = tuple(glob.removeprefix("*") for glob in SECRET_NAMES)
_SECRET_WHOLES: Final = frozenset(glob.removeprefix("*_") for glob in SECRET_NAMES)

#: URL scheme of a backing service -> (product, default port).
BACKING_SCHEMES: Final[dict[str, tuple[str, int | None]]] = {
    "postgresql": ("postgresql", 5432),
    "postgres": ("postgresql", 5432),
    "mysql": ("mysql", 3306),
    "mysql2": ("mysql", 3306),
    "mariadb": ("mariadb", 3306),
    "sqlite": ("sqlite", None),
    "sqlite3": ("sqlite", None),
    "mssql": ("sqlserver", 1433),
    "sqlserver": ("sqlserver", 1433),
    "oracle": ("oracle", 1521),
    "clickhouse": ("clickhouse", 9000),
    "mongodb": ("mongodb", 27017),
    "redis": ("redis", 6379),
    "rediss": ("redis", 6379),
    "valkey": ("valkey", 6379),
    "memcached": ("memcached", 11211),
    "amqp": ("rabbitmq", 5672),
    "amqps": ("rabbitmq", 5671),
    "kafka": ("kafka", 9092),
    "nats": ("nats", 4222),
    "elasticsearch": ("elasticsearch", 9200),
    "opensearch": ("opensearch", 9200),
    "sqs": ("sqs", None),
    "s3": ("s3", None),
    "gs": ("gcs", None),
    "smtp": ("smtp", 25),
    "smtps": ("smtp", 465),
    # what frameworks call the same things (dj-database-url, django-environ, Celery)
    "pgsql": ("postgresql", 5432),
    "postgis": ("postgresql", 5432),
    "mysqlgis": ("mysql", 3306),
    "spatialite": ("sqlite", None),
    "rediscache": ("redis", 6379),
    "memcache": ("memcached", 11211),
    "pymemcache": ("memcached", 11211),
    "locmemcache": ("local-memory", None),
    "locmem": ("local-memory", None),
    "memory": ("local-memory", None),
    "filecache": ("local-file", None),
    "filesystem": ("local-file", None),
    "file": ("local-file", None),
    "dummycache": ("dummy", None),
    "consolemail": ("console", None),
    "filemail": ("local-file", None),
    "memorymail": ("local-memory", None),
    "dummymail": ("dummy", None),
}

#: Other schemes that a shape names. Any other could be the first half of a secret and is left out.
_PLAIN_SCHEMES: Final = frozenset(
    ("http", "https", "ws", "wss", "grpc", "ftp", "ftps", "sftp", "ssh", "git", "unix", "tcp", "udp")
)
#: Products that keep nothing of whoever uses them: one relay for all environments is no shared state.
_STATELESS: Final = frozenset({"smtp"})
#: What stands behind the ``+`` of a scheme: drivers and transports.
_DRIVER_NAMES: Final = (
    "asyncpg psycopg psycopg2 pg8000 pymysql mysqldb aiomysql asyncmy mysqlconnector aiosqlite pysqlite"
    " pyodbc aioodbc pymssql cx_oracle oracledb native http https ssl tls srv tcp unix socket ssh sentinel"
)
_DRIVERS: Final = frozenset(_DRIVER_NAMES.split())
_BOOLEANS: Final = frozenset({"true", "false", "yes", "no", "on", "off"})
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,18}")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}://")
_WORD_MARKS: Final = str.maketrans("./-", "___")
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z_-]{0,15}")
_PLACEHOLDERS: Final = frozenset({"todo", "tbd"})
#: How the texts begin that people write where a value belongs.
_PLACEHOLDER_STARTS: Final = (
    "changeme",
    "change-me",
    "change_me",
    "replaceme",
    "replace-me",
    "replace_me",
    "your-",
    "your_",
    "xxx",
    "placeholder",
    "dummy",
    "fixme",
)


def shape_of(
    name: str,
    value: str,
    fingerprinter: Fingerprinter,
    *,
    source_class: SourceClass = "literal",
    compare: bool = False,
) -> dict[str, Any]:
    """Return the shape of a value. One trailing newline does not count.

    ``compare`` asks for a fingerprint where the value is a boolean or a short word, which carry none by
    default: so few candidates would be no secret from whoever holds the key.
    """
    if value.endswith("\n"):
        value = value[:-1].removesuffix("\r")
    shape: dict[str, Any] = {"type": _type_of(value), "source_class": source_class}
    if shape["type"] == "empty":
        return shape
    guessable = shape["type"] == "bool" or (shape["type"] == "text" and _WORD.fullmatch(value) is not None)
    if compare or is_secret_name(name) or not guessable:
        shape["fingerprint"] = fingerprinter.of(name, value)
    if _is_placeholder(value):
        shape["placeholder"] = True
    if (backend := backend_of(name, value)) is not None:
        shape["backend"] = backend
    if shape["type"] == "url":
        shape |= _url_shape(_address(value), fingerprinter)
    return shape


def _is_placeholder(value: str) -> bool:
    value = value.lower()
    return (
        value.startswith(_PLACEHOLDER_STARTS)
        or value in _PLACEHOLDERS
        or (value.startswith("<") and value.endswith(">") and len(value) > 1)
    )


def stand_in_of(name: str, default: str) -> StandIn | None:
    """Return what a default that stands in the code would be in production, or None for an honest one."""
    if not default:
        return None
    if _is_placeholder(default):
        return "placeholder"
    shape = _url_shape(default, None) if _type_of(default) == "url" else {}
    product = product_of_scheme(str(shape.get("scheme", "")))
    if product in ("sqlite", "local-memory", "local-file", "console"):
        return "local"
    host = _host_of(default.split("/", 1)[0])
    if shape.get("host") == "loopback" or host_class(host) == "loopback":
        return "loopback"
    return "secret" if is_secret_name(name) or shape.get("credentials") else None


def reference_shape(source_class: SourceClass = "secret_ref") -> dict[str, Any]:
    """Return the shape of a value that is only referred to: present, and nothing more is known."""
    return {"type": "text", "source_class": source_class, "opaque": True}


@lru_cache(maxsize=16_384)
def is_secret_name(name: str) -> bool:
    """Tell whether a key's name says that its value is a secret."""
    words = _in_words(name)
    return (words.endswith(_SECRET_ENDS) or words in _SECRET_WHOLES) and not is_public_name(name)


@lru_cache(maxsize=16_384)
def is_public_name(name: str) -> bool:
    """Tell whether a key's name says that its value is public by its maker's own word."""
    words = _in_words(name)
    return any(matches(glob, words) for glob in PUBLIC_NAMES)


def _in_words(name: str) -> str:
    """Return a key as the lists write it: documents and stores join words by other marks."""
    return name.upper().translate(_WORD_MARKS)


def product_of_scheme(scheme: str) -> str | None:
    """Return the product behind a URL scheme, or None where it is no backing service."""
    known = BACKING_SCHEMES.get(scheme.partition("+")[0].lower())
    return known[0] if known else None


def host_class(host: str) -> HostClass:
    """Return how far a host is: this machine, a name inside one network, a private or a public address."""
    host = host.strip("[]").rstrip(".").lower()
    address = _ip_address(host)
    if address is None:
        if host == "localhost" or host.endswith(".localhost"):
            return "loopback"
        if "." not in host or host.endswith((".svc", ".local")):
            return "container"
        return "private" if host.endswith((".internal", ".lan", ".corp", ".home.arpa")) else "public"
    if address.is_loopback or address.is_unspecified:
        return "loopback"
    return "public" if address.is_global else "private"


def _ip_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    # Asking of every name whether it is an address takes a third of the time of a URL.
    if not host[:1].isdigit() and ":" not in host:
        return None
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _type_of(value: str) -> str:
    if not value:
        return "empty"
    if "${" in value:
        return "template"
    if value.lower() in _BOOLEANS:
        return "bool"
    if _INTEGER.fullmatch(value):
        return "int"
    if "-----BEGIN " in value[:64]:
        return "pem"
    if _SCHEME.match(_address(value)):
        return "url"
    if value[0] in "{[" and _is_json(value):
        return "json"
    if value.startswith(("/", "./", "../", "~/")) and not any(character.isspace() for character in value):
        return "path"
    return "text"


def _address(value: str) -> str:
    """Return the URL that a Java driver is given behind its own mark."""
    return value[5:].partition(";")[0] if value.startswith("jdbc:") else value.removeprefix("r2dbc:")


def _is_json(value: str) -> bool:
    try:
        json.loads(value)
    except (ValueError, RecursionError):
        return False
    return True


def _url_shape(value: str, fingerprinter: Fingerprinter | None) -> dict[str, Any]:
    try:
        parts = urlsplit(value)
        authority = parts.netloc.rpartition("@")[2].lower()
    except ValueError:
        return _scheme_shape(value.partition("://")[0].lower())
    shape: dict[str, Any] = _scheme_shape(parts.scheme)
    if ":" in parts.netloc.rpartition("@")[0]:
        shape["credentials"] = True
    first_host = _host_of(authority.split(",")[0])
    if first_host:
        shape["host"] = host_class(first_host)
        if (emulator := emulator_of(first_host)) is not None:
            shape["emulator"] = emulator
        if (tier := tier_of_host(first_host)) is not None:
            shape["tier"] = tier
        if fingerprinter is not None and (endpoint := _endpoint(parts, authority)) is not None:
            shape["endpoint"] = fingerprinter.of_endpoint(endpoint)
    return shape


def _scheme_shape(scheme: str) -> dict[str, str]:
    base, plus, driver = scheme.partition("+")
    if base not in BACKING_SCHEMES and base not in _PLAIN_SCHEMES:
        return {}
    return {"scheme": scheme if driver in _DRIVERS or not plus else base}


def _host_of(authority: str) -> str:
    if authority.startswith("["):
        return authority.partition("]")[0].lstrip("[")
    return authority.partition(":")[0]


def _endpoint(parts: SplitResult, authority: str) -> str | None:
    """Return ``host:port/path`` with the scheme's own port filled in, or None for other schemes."""
    known = BACKING_SCHEMES.get(parts.scheme.partition("+")[0])
    if known is None or known[0] in _STATELESS:
        return None
    hosts = []
    for member in authority.split(","):
        host = _host_of(member)
        port = member.rpartition(":")[2] if not member.endswith("]") and ":" in member else ""
        hosts.append(f"{host.rstrip('.')}:{port or known[1] or ''}")
    return ",".join(sorted(hosts)) + "/" + parts.path.strip("/")
