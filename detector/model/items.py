"""Items: the canonical names of what is compared. An item never holds a version.

A package is named by its purl without version and qualifiers (package-url specification), with the name
normalised as its ecosystem does it: PyPI per PEP 503, npm without the platform, Debian, Alpine, Go and others
in lower case.
"""

import re
from functools import lru_cache
from typing import Final

from detector.errors import UsageError
from detector.model.platforms import split_platform

#: What `sh` and every loader accept, dashes of document keys, places in lists.
_SEGMENT: Final = r"[A-Za-z_](?:[A-Za-z0-9_-]|\[[0-9]{1,6}\]){0,127}"
_KEY: Final = re.compile(rf"{_SEGMENT}(?:[./]{_SEGMENT})*")
_PYPI_RUNS: Final = re.compile(r"[-_.]+")
_UNQUOTED: Final = re.compile(r"[A-Za-z0-9._~:-]+")
_LONGEST_ITEM: Final = 512
LONGEST_DOCUMENT_KEY: Final = 256

#: Ecosystems whose names are case-insensitive by their own specification, or folded by that of package URLs.
_FOLDED: Final = frozenset({"deb", "apk", "github", "bitbucket", "composer", "golang", "hex", "pub", "nuget"})
#: Ecosystems that write the namespace in front of the name, and what they put between.
_NAMESPACE_ENDS: Final = {"npm": "/", "golang": "/", "composer": "/", "maven": ":"}


@lru_cache(maxsize=262_144)
def package(ecosystem: str, name: str, namespace: str = "") -> str:
    """Return the item of a package, such as ``pkg:npm/%40babel/core``.

    ``name`` may carry the namespace (``@babel/core``, ``golang.org/x/text``, ``org.slf4j:slf4j-api``) where
    the ecosystem writes it so. Raises UsageError for an empty name.
    """
    if ecosystem == "npm":
        # Of one program for many platforms there is one item, whoever names it.
        name = split_platform(f"{namespace}/{name}" if namespace else name)[0]
        namespace = ""
    if not namespace and (mark := _NAMESPACE_ENDS.get(ecosystem)):
        namespace, _, name = name.rpartition(mark)
    if ecosystem == "pypi":
        name = _PYPI_RUNS.sub("-", name).lower()
    elif ecosystem in _FOLDED:
        name, namespace = name.lower(), namespace.lower()
    if not name:
        raise UsageError(f"a package of type {ecosystem} without a name")
    path = "/".join(_quoted(part) for part in (*namespace.split("/"), name) if part)
    return f"pkg:{ecosystem}/{path}"[:_LONGEST_ITEM]


def _quoted(part: str) -> str:
    if _UNQUOTED.fullmatch(part):
        return part
    from urllib.parse import quote  # noqa: PLC0415 - only names with odd characters need it

    return quote(part, safe="-._~:")


@lru_cache(maxsize=262_144)
def from_purl(text: str) -> tuple[str, str | None]:
    """Return (item, version) of a package URL. Raises UsageError when it is not one."""
    from packageurl import PackageURL  # noqa: PLC0415 - a file diff of two .env files never needs it

    try:
        purl = PackageURL.from_string(text)
    except ValueError:
        raise UsageError("not a package URL (pkg:type/namespace/name@version)") from None
    item = package(purl.type, purl.name, purl.namespace or "")
    return (f"{item}#{purl.subpath}" if purl.subpath else item), purl.version


def is_config_key(name: str) -> bool:
    """Tell whether a text may stand as a config key. What may not could be a value: never print it."""
    return len(name) <= LONGEST_DOCUMENT_KEY and _KEY.fullmatch(name) is not None


def matches(glob: str, item: str) -> bool:
    """Tell whether a glob with only ``*`` matches the whole item, in linear time."""
    if glob == "*":
        return True
    if "*" not in glob:
        return glob == item
    head, *middle, tail = glob.split("*")
    if len(item) < len(head) + len(tail) or not item.startswith(head) or not item.endswith(tail):
        return False
    position, end = len(head), len(item) - len(tail)
    for part in middle:
        found = item.find(part, position, end)
        if found < 0:
            return False
        position = found + len(part)
    return True
