"""What servers and runtimes answer when asked for their version, with the packager's words around it."""

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from detector.model.versions import calver, plain
from detector.model.versions.distance import LONGEST, UNORDERED, Step, Version, step_between
from detector.model.versions.families import (
    AURORA_MYSQL_SERIES,
    COMPATIBLE_WITH,
    INCOMPARABLE,
    family_of,
    product_named,
)

#: `PostgreSQL 16.3`, `nginx/1.25.3`, `OpenSSH_9.2p1`, `Redis server v=7.2.4`, `mysql  Ver 8.0.36`.
_HEAD: Final = re.compile(r"(?:([A-Za-z](?:[A-Za-z-]*[A-Za-z])?)( [A-Za-z ]*|[/_]?))?(?:v=?)?(?=[0-9])")
_DOTTED: Final = re.compile(r"[0-9]+\.[0-9]")
_NO_PRODUCT: Final = frozenset({"v", "ver", "version", "release"})
_AURORA_MYSQL: Final = re.compile(r"([0-9]+\.[0-9]+)\.mysql_aurora\.([0-9].*)")
#: MariaDB before 11 puts this in front for MySQL clients that refuse two digits.
_MYSQL_REPLICATION_PREFIX: Final = "5.5.5-"
#: The packager's part behind the version, and what MySQL says of its logs: the product is the same one.
_PACKAGED: Final = re.compile(
    r"(?i)-log$|-mariadb|\+maria|ubuntu|debian|pgdg|[+~]deb[0-9]|[.-](?:el|fc|amzn|rhel|alpine|suse)[0-9]"
)
#: Amazon's own count of builds behind a version of RDS: `15.5-R2`, `5.7.44-rds.20240408`.
_AMAZON: Final = re.compile(r"(?i)[-.](?:r|rds\.)([0-9]{1,8})\Z")
#: From this first number on a text from Aurora MySQL is MySQL's version, not Aurora's own.
_FIRST_MYSQL: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Banner:
    """A server's version text, read. Without a version it is opaque."""

    product: str | None
    family: str | None
    #: The product's own version; of Aurora MySQL its own number, where it is known.
    version: str | None
    #: The version of the family's first product that it is compatible with; None where there is none to name.
    compatibility: str | None
    #: A build with other abilities (``limitless``, ``google``), as the text names it.
    variant: str | None
    raw: str


def read_banner(text: str, product: str | None = None) -> Banner:
    """Read a banner. ``product`` is what the source knows; the text's own word wins where it says more."""
    return _read(text, product)[0]


@lru_cache(maxsize=16_384)
def _read(text: str, product: str | None) -> tuple[Banner, Version | None]:
    known = product_named(product) if product else None
    head = calver.dotted(text.strip())
    if len(head) > LONGEST:  # compilers, modules, build options; a word that is cut off is not read
        head = head[:LONGEST].rpartition(" ")[0]
    if aurora := _AURORA_MYSQL.match(head):
        return _banner(text, "aurora-mysql", plain.read(aurora[2]), compatibility=aurora[1])
    if "mariadb" in head.lower():
        known, head = "mariadb", head.removeprefix(_MYSQL_REPLICATION_PREFIX)
    match = _HEAD.match(head)
    if match is None:
        return _banner(text, known, None)
    word, separator = (match[1] or "").lower(), match[2] or ""
    if word and word not in _NO_PRODUCT:
        if not separator.startswith(" ") and not _DOTTED.match(head, match.end()):
            return _banner(text, known, None)  # `pr-12`, `abc1234` and `feature/2` name no product
        known = _more_telling(product_named(word), known)
    return _banner(text, known, plain.read(head[match.end() :]))


def _more_telling(said: str, known: str | None) -> str:
    """Return the product: a client of Redis meets a Valkey; Aurora says `PostgreSQL 15.4` and is none."""
    return said if known is None or family_of(said) == known else known


def _banner(
    raw: str, product: str | None, read: plain.Plain | None, compatibility: str | None = None
) -> tuple[Banner, Version | None]:
    version, variant, build, revision = None, None, None, 0
    if read is not None:
        version = read.text
        suffix = read.rest.split(maxsplit=1)[0] if read.rest and not read.rest[0].isspace() else ""
        if amazon := _AMAZON.fullmatch(suffix):
            revision = int(amazon[1])
        elif suffix and not suffix.startswith("(") and not _PACKAGED.search(suffix):
            if suffix[1:2].isalpha() and suffix[0] == "-":
                variant = suffix[1:].lower()
            else:
                build = suffix
                version += suffix
    if product == "aurora-mysql" and read is not None and compatibility is None:
        if read.numbers[0] >= _FIRST_MYSQL:
            version, compatibility = None, version
        else:
            compatibility = AURORA_MYSQL_SERIES.get(read.numbers[0])
    elif compatibility is None and product not in INCOMPARABLE:
        compatibility = COMPATIBLE_WITH.get(product or "", version)
    banner = Banner(
        product=product,
        family=family_of(product) if product else None,
        version=version,
        compatibility=compatibility,
        variant=variant,
        raw=raw,
    )
    return banner, read.version(product, revision=revision, build=build) if read else None


def step(left: str, right: str, product: str | None = None, right_product: str | None = None) -> Step | None:
    """Return the step between two banners; None where they name one version, however it is packaged.

    ``right_product`` stands where the sides run two products of one family: they are compared by the version
    that both are compatible with, as far as both say.
    """
    (one, a), (other, b) = _read(left, product), _read(right, right_product or product)
    if one.product is None and other.product is not None:
        one, a = _read(left, other.product)
    elif other.product is None and one.product is not None:
        other, b = _read(right, one.product)
    if one.product != other.product:
        return _step_of_series(one, other) if one.family == other.family else UNORDERED
    if one.product == "aurora-mysql":
        series = _step_of_series(one, other)
        if series is not None or one.version is None or other.version is None:
            return series
    if a is not None and b is not None and bool(a.revision) != bool(b.revision):
        a, b = _without_revision(a), _without_revision(b)  # the server itself does not say it
    found = step_between(a, b)
    return UNORDERED if found is None and one.variant != other.variant else found


def _without_revision(version: Version) -> Version:
    return replace(version, order=(*version.order[:-1], 0), revision=0)


def _step_of_series(one: Banner, other: Banner) -> Step | None:
    a, b = plain.read(one.compatibility or ""), plain.read(other.compatibility or "")
    if a is None or b is None:
        return UNORDERED
    said = min(len(a.numbers), len(b.numbers))
    family = one.family
    return step_between(a.cut(said).version(family), b.cut(said).version(family))
