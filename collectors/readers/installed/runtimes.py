"""Reads which runtimes of languages stand below a root, from the files that they bring along."""

import re
from typing import Final, NamedTuple

from collectors.readers.installed.inventory import Inventory, Want
from collectors.readers.installed.python import settings_of
from collectors.readers.installed.tree import Keep, Tree, head
from collectors.readers.lockfiles.pins import is_version
from detector.errors import UnseenError

_KEEP: Final[Keep] = head(64 * 1024)
_QUOTED: Final = rb'"v?([0-9][0-9A-Za-z.+_-]{0,63})"'


class _File(NamedTuple):
    """A file that tells a version: name, what its path holds, and the pattern of each number or of all."""

    name: str
    inside: str
    pattern: re.Pattern[bytes]
    numbers: int = 1


_FILES: Final = {
    "python": _File("patchlevel.h", "/include/python", re.compile(rb"#define PY_VERSION\s+" + _QUOTED)),
    "node": _File(
        "node_version.h",
        "/include/node/",
        re.compile(rb"#define NODE_(?:MAJOR|MINOR|PATCH)_VERSION\s+([0-9]{1,9})\s"),
        numbers=3,
    ),
    "ruby": _File(
        "rbconfig.rb",
        "/ruby/",
        re.compile(rb'CONFIG\["(?:MAJOR|MINOR|TEENY)"\] = "([0-9]{1,9})"'),
        numbers=3,
    ),
    "php": _File("php_version.h", "/php/", re.compile(rb"#define PHP_VERSION\s+" + _QUOTED)),
    "java": _File("release", "", re.compile(rb"(?m:^)JAVA_VERSION=" + _QUOTED)),
    "go": _File("VERSION", "/go/", re.compile(rb"\Ago([0-9][0-9A-Za-z.]{0,63})\s")),
}
#: Packages of distributions that are a runtime.
_PACKAGES: Final = {
    "python": re.compile(r"pkg:(?:deb/[^/]+/python3\.\d+-minimal|(?:apk|rpm)/[^/]+/python3(?:\.\d+)?)"),
    "node": re.compile(r"pkg:(?:deb|apk|rpm)/[^/]+/nodejs(?:-current)?"),
    "ruby": re.compile(r"pkg:(?:deb/[^/]+/ruby\d\.\d|(?:apk|rpm)/[^/]+/ruby)"),
    "php": re.compile(r"pkg:(?:deb/[^/]+/php\d\.\d|apk/[^/]+/php\d+|rpm/[^/]+/php)-common"),
    "java": re.compile(r"pkg:(?:apk|rpm)/[^/]+/(?:openjdk\d+|java-[\d.]+-openjdk)-(?:jre-)?headless"),
}
#: The version that a distribution packed: without epoch, repacking and revision.
_UPSTREAM: Final = re.compile(r"(?:\d+:)?(\d+(?:\.\d+)*)")
_ENVIRONMENT: Final = "pyvenv.cfg"

COVERS: Final = "runtime#*"
WANTS: Final = (
    Want(_ENVIRONMENT, head(16 * 1024)),
    *(Want(file.name, _KEEP, inside=file.inside) for file in _FILES.values()),
)


def read(tree: Tree, inventory: Inventory) -> None:
    """Add the versions of runtimes.

    One that the distribution brings counts where no other of its language is there: the system's own tools
    run on it.
    """
    own: dict[str, set[str]] = {}
    of_system: dict[str, set[str]] = {}
    by_name = {_ENVIRONMENT: "python"} | {file.name: runtime for runtime, file in _FILES.items()}
    for path in tree.files():
        runtime = by_name.get(path.rpartition("/")[2])
        if runtime is None or inventory.is_cache(path):
            continue
        try:
            version = _version(runtime, path, tree.read(path) or b"")
        except UnseenError as error:
            inventory.miss(f"runtime#{runtime}", error)
            continue
        if version is not None:
            (of_system if _is_of_system(path) else own).setdefault(runtime, set()).add(version)
    for runtime, versions in (_packed(inventory) | of_system | own).items():
        for version in versions:
            inventory.say(f"runtime#{runtime}", version)
        inventory.cover(f"runtime#{runtime}")


def python_of(pyvenv: bytes) -> str | None:
    """Return the version of Python that a ``pyvenv.cfg`` tells."""
    settings = settings_of(pyvenv)
    # `version_info` of virtualenv and `version` of venv; the former ends in `.final.0`.
    version = settings.get("version", settings.get("version_info", "")).partition(".final")[0]
    return version if is_version(version) else None


def _version(runtime: str, path: str, data: bytes) -> str | None:
    if path.endswith(f"/{_ENVIRONMENT}"):
        return python_of(data)
    file = _FILES[runtime]
    if file.inside not in path:
        return None
    found = file.pattern.findall(data)
    return b".".join(found).decode() if len(found) == file.numbers else None


def _is_of_system(path: str) -> bool:
    return path.startswith("/usr/") and not path.startswith(("/usr/local/", "/usr/src/"))


def _packed(inventory: Inventory) -> dict[str, set[str]]:
    """Return the runtimes that stand among the packages of the system."""
    found: dict[str, set[str]] = {}
    for item, versions in inventory.packages():
        for runtime, pattern in _PACKAGES.items():
            if pattern.fullmatch(item):
                found.setdefault(runtime, set()).update(
                    match[1] for version in versions if (match := _UPSTREAM.match(version))
                )
    return {runtime: versions for runtime, versions in found.items() if versions}
