"""What the code reads, as evidence: it makes a missing key graver or milder, and tells where to look.

A key is never compared by it, and what of the code could not be read leaves no key unknown.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, Literal, Protocol

from detector.engine.pack import PLATFORM_KEYS
from detector.model.facts import Section
from detector.model.items import matches
from detector.model.words import MAIN

#: What the code does about a key: `required`, a read without default; `stand_in`, a default that is none
#: in production; `optional`; `declared`, only an example file names it; `unread`; empty: nobody can tell.
Reading = Literal["required", "stand_in", "optional", "declared", "unread", ""]

#: How unseen parts of the code are named: none of them is an item that is compared.
UNSEEN_CODE: Final = "reads#*"
#: Keys that libraries, servers and runtimes read for themselves, whatever the code of the service does.
LIBRARY_KEYS: Final = (
    *("AWS_*", "GOOGLE_*", "AZURE_*", "PG*", "MYSQL_*", "POSTGRES_*", "REDIS_*", "KAFKA_*", "RABBITMQ_*"),
    *("OTEL_*", "DD_*", "NEW_RELIC_*", "SENTRY_*", "ELASTIC_APM_*", "DATADOG_*", "HONEYBADGER_*"),
    *("PYTHON*", "PIP_*", "UV_*", "GUNICORN_*", "UVICORN_*", "WEB_CONCURRENCY", "FORWARDED_ALLOW_IPS"),
    *("CELERY_*", "FLASK_*", "DJANGO_SETTINGS_MODULE", "DJANGO_SUPERUSER_*", "ALEMBIC_*", "PROMETHEUS_*"),
    *("NODE_*", "NPM_*", "npm_*", "NEXT_*", "NUXT_*", "VITE_*", "YARN_*", "PRISMA_*", "DEBUG", "LOG_LEVEL"),
    *("*_PROXY", "*_proxy", "SSL_CERT_*", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "TZ", "LANG", "LC_*"),
    *("LD_*", "MALLOC_*", "GODEBUG", "JAVA_*", "JDK_*", "TMPDIR", "USER", "SHELL", "EDITOR", "CI", "GIT_*"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeReads:
    """All places in the code of one component that read a key."""

    places: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    #: Whether all of the code was understood: only then is a key that is not here read nowhere.
    whole: bool = True


class WithReads(Protocol):
    """A view, as far as this is about it."""

    @property
    def reads(self) -> Mapping[str, CodeReads]:
        """Component -> what its code reads."""
        ...


def only_reads(name: str, section: Section) -> bool:
    """Tell whether a section says what the code reads and nothing of what is set."""
    return name == "config" and not section.facts and not section.covers


def code_reads(sections: Iterable[tuple[Section, bool]]) -> CodeReads | None:
    """Merge what sources say of one component, each with whether it is fresh; None where none does."""
    places: dict[str, list[Mapping[str, Any]]] = {}
    whole, looked = True, False
    for section, fresh in sections:
        if not section.reads and not only_reads("config", section):
            continue
        looked = True
        whole = whole and fresh and section.status == "complete"
        for key, found in section.reads.items():
            places.setdefault(key, []).extend(found)
    return CodeReads(places=places, whole=whole) if looked else None


def places_of(views: Iterable[WithReads], component: str, key: str) -> list[Mapping[str, Any]]:
    """Return every place in the code of these views that reads a key of a component, each once."""
    found = [place for code in _looked(views, component) for place in code.places.get(key, ())]
    return [place for number, place in enumerate(found) if place not in found[:number]]


def reading_of(views: Iterable[WithReads], component: str, key: str) -> Reading:
    """Return what the code of these views does about a key of a component."""
    looked = list(_looked(views, component))
    places = [place for code in looked for place in code.places.get(key, ())]
    real = [place for place in places if not place.get("declared")]
    if any(not place.get("default") for place in real):
        return "required"
    if any(place.get("stand_in") for place in real):
        return "stand_in"
    if real:
        return "optional"
    if places:
        return "declared"
    known = looked and all(code.whole for code in looked) and not is_of_a_library(key)
    return "unread" if known else ""


def where_read(views: Iterable[WithReads], component: str, key: str) -> str:
    """Return ``read at billing/hooks.py:14, no default`` of the place that matters most, or an empty text."""
    places = places_of(views, component, key)
    if not places:
        return ""
    first = min(places, key=_weight)
    if first.get("declared"):
        return f"named in {first['at']}"
    if not first.get("default"):
        return f"read at {first['at']}, no default"
    stand_in = first.get("stand_in")
    return f"read at {first['at']}, {_DEFAULTS[stand_in] if stand_in else 'with a default'}"


#: What a default in the code is, in words.
_DEFAULTS: Final[Mapping[str, str]] = {
    "placeholder": "whose default is a placeholder",
    "loopback": "whose default is the machine itself",
    "local": "whose default is a stand-in of development",
    "secret": "whose default is a secret in the code",
}


@lru_cache(maxsize=16_384)
def is_of_a_library(key: str) -> bool:
    """Tell whether a key is one that libraries and servers read for themselves."""
    return any(matches(glob, key) for glob in (*LIBRARY_KEYS, *PLATFORM_KEYS))


def _weight(place: Mapping[str, Any]) -> tuple[bool, bool, bool]:
    return bool(place.get("declared")), bool(place.get("default")), not place.get("stand_in")


def _looked(views: Iterable[WithReads], component: str) -> Iterator[CodeReads]:
    for view in views:
        for name in dict.fromkeys((component, MAIN)):
            if (code := view.reads.get(name)) is not None:
                yield code
