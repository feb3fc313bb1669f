"""What stands in for the real thing: defaults in code, backends of frameworks, emulators, names of hosts.

Closed vocabularies: of a value only one of these words is ever kept.
"""

import re
from itertools import pairwise
from typing import Final, Literal, get_args

from detector.model.words import Tier

#: What a default in the code would be in production.
StandIn = Literal["placeholder", "loopback", "local", "secret"]
STAND_INS_OF_CODE: Final[tuple[StandIn, ...]] = get_args(StandIn)

#: Ends of keys whose value chooses a backend by name.
_SELECTORS: Final = (
    *("_BACKEND", "_ENGINE", "_DRIVER", "_STORE", "_ADAPTER", "_MAILER", "_DISK", "_CONNECTION", "_STORAGE"),
    *("_TRANSPORT", "_BROKER"),
)
#: Last words of dotted paths and plain words that frameworks take -> what they stand for.
_BACKENDS: Final[dict[str, str]] = {
    # mail: Django, Laravel, Rails
    "django.core.mail.backends.console.emailbackend": "console",
    "django.core.mail.backends.filebased.emailbackend": "file",
    "django.core.mail.backends.locmem.emailbackend": "memory",
    "django.core.mail.backends.dummy.emailbackend": "dummy",
    "django.core.mail.backends.smtp.emailbackend": "smtp",
    "smtp": "smtp",
    "log": "console",
    "console": "console",
    "letter_opener": "file",
    "array": "memory",
    # caches
    "django.core.cache.backends.locmem.locmemcache": "memory",
    "django.core.cache.backends.filebased.filebasedcache": "file",
    "django.core.cache.backends.dummy.dummycache": "dummy",
    "django.core.cache.backends.redis.rediscache": "redis",
    "django.core.cache.backends.memcached.pymemcachecache": "memcached",
    "django.core.cache.backends.memcached.pylibmccache": "memcached",
    "django_redis.cache.rediscache": "redis",
    "memory": "memory",
    "memory_store": "memory",
    "file_store": "file",
    "null_store": "dummy",
    "redis_cache_store": "redis",
    "mem_cache_store": "memcached",
    "redis": "redis",
    "memcached": "memcached",
    "file": "file",
    "null": "dummy",
    # databases
    "django.db.backends.sqlite3": "sqlite",
    "django.db.backends.postgresql": "postgresql",
    "django.db.backends.mysql": "mysql",
    "django.db.backends.oracle": "oracle",
    "django.contrib.gis.db.backends.postgis": "postgresql",
    "django.contrib.gis.db.backends.spatialite": "sqlite",
    "sqlite": "sqlite",
    "sqlite3": "sqlite",
    "pgsql": "postgresql",
    "postgres": "postgresql",
    "postgresql": "postgresql",
    "mysql": "mysql",
    "mariadb": "mariadb",
    "mysql2": "mysql",
    # queues
    "sync": "inline",
    "inline": "inline",
    "async": "inline",
    "sidekiq": "redis",
    "resque": "redis",
    "sqs": "sqs",
    "rabbitmq": "rabbitmq",
    # storage
    "django.core.files.storage.filesystemstorage": "file",
    "django.core.files.storage.filesystem.filesystemstorage": "file",
    "storages.backends.s3boto3.s3boto3storage": "s3",
    "storages.backends.s3.s3storage": "s3",
    "storages.backends.gcloud.googlecloudstorage": "gcs",
    "storages.backends.azure_storage.azurestorage": "azure-blob",
    "local": "file",
    "s3": "s3",
    "gcs": "gcs",
}
BACKENDS: Final = tuple(sorted(set(_BACKENDS.values())))
#: Backends that live in the process or on its disk, whatever they stand for.
STAND_INS: Final = frozenset({"console", "file", "memory", "dummy", "inline", "sqlite"})

#: Words in the name of a host -> the emulator that is called so, and what it stands for.
EMULATORS: Final[dict[str, str]] = {
    "localstack": "aws",
    "moto": "aws",
    "motoserver": "aws",
    "elasticmq": "sqs",
    "goaws": "sqs",
    "azurite": "azure",
    "fakegcs": "gcs",
    "mailhog": "smtp",
    "mailpit": "smtp",
    "maildev": "smtp",
    "mailcatcher": "smtp",
    "wiremock": "http",
    "mockserver": "http",
    "mountebank": "http",
}
#: Emulators that are named by two words.
_TWO_WORDS: Final = {
    ("fake", "gcs"): "fakegcs",
    ("moto", "server"): "motoserver",
    ("mock", "server"): "mockserver",
}
_WORDS: Final = re.compile(r"[a-z0-9]+")
#: Whole words of a host's name -> the tier that it says.
_TIERS: Final[dict[str, Tier]] = {
    **dict.fromkeys(("prod", "production", "prd"), "production"),
    **dict.fromkeys(("stag", "stage", "staging", "stg", "preprod", "nonprod", "uat", "qa"), "staging"),
    **dict.fromkeys(("dev", "develop", "development", "test", "sandbox"), "development"),
}
#: Hosts that are called so by whoever runs them for everybody.
_EVERYBODYS: Final = ("dev.azure.com", "dev.mysql.com")


def backend_of(name: str, value: str) -> str | None:
    """Return what a key that selects a backend selects, or None where the value is none that is known."""
    if not name.upper().endswith(_SELECTORS):
        return None
    return _BACKENDS.get(value.lower())


def emulator_of(host: str) -> str | None:
    """Return the emulator that a host is called after, or None."""
    words = _WORDS.findall(host.lower())
    return next(
        (word for word in words if word in EMULATORS),
        next((_TWO_WORDS[pair] for pair in pairwise(words) if pair in _TWO_WORDS), None),
    )


def tier_of_host(host: str) -> Tier | None:
    """Return the tier that whole words of a host's name say, its last label left out; None for none."""
    host = host.lower().rstrip(".")
    if host in _EVERYBODYS or host.replace(".", "").isdigit():
        return None
    words = _WORDS.findall(host.rpartition(".")[0] or host)
    for position, word in enumerate(words):
        if word in ("prod", "production") and position and words[position - 1] in ("non", "pre"):
            return "staging"
        if word in _TIERS:
            return _TIERS[word]
    return None
