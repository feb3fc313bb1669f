"""Which distribution a root is, and the packages of its own package manager."""

from collections.abc import Callable
from typing import Final

from collectors.readers.installed import apk, dpkg, os_release, rpm, rpm_databases
from collectors.readers.installed.inventory import Inventory, Want
from collectors.readers.installed.tree import Tree, whole
from detector.errors import UnseenError
from detector.reader import MAX_BYTES

_DPKG_LISTS: Final = "/var/lib/dpkg/info"
_OS_RELEASE: Final = ("/etc/os-release", "/usr/lib/os-release")
_DPKG: Final = "/var/lib/dpkg/status"
#: Distroless images have a file for each package.
_DPKG_FOLDER: Final = "/var/lib/dpkg/status.d"
#: The second is where apk-tools 3 has it.
_APK: Final = ("/lib/apk/db/installed", "/usr/lib/apk/db/installed")

_Packages = Callable[[Tree, str, Inventory], None]

COVERS: Final = "pkg:*"
WANTS: Final = (
    *(Want(path, whole(64 * 1024)) for path in _OS_RELEASE),
    Want(_DPKG, whole(MAX_BYTES)),
    Want(f"{_DPKG_FOLDER}/*", whole(1024 * 1024)),
    *(Want(path, whole(MAX_BYTES)) for path in _APK),
    Want("*.list", dpkg.keep_programs, inside=f"{_DPKG_LISTS}/"),
    *rpm_databases.WANTS,
)


def read(tree: Tree, inventory: Inventory) -> None:
    """Add release and packages of the distribution. A database that is there and unreadable is unseen."""
    try:
        namespace = _distribution(tree, inventory)
    except UnseenError as error:
        inventory.miss("os#release", error)
        namespace = None
    for glob, packages in _DATABASES:
        try:
            if namespace is None:
                _nameless(tree, glob, packages, inventory)
            else:
                packages(tree, namespace, inventory)
        except UnseenError as error:
            inventory.miss(glob, error)


def _distribution(tree: Tree, inventory: Inventory) -> str:
    """Return the ID of the distribution, nothing where the root does not tell. Raises UnseenError."""
    for path in _OS_RELEASE:
        if (data := tree.read(path)) is not None:
            namespace, release = os_release.distribution(data, path)
            inventory.say("os#release", f"{namespace} {release}".strip())
            return namespace
    return ""


def _nameless(tree: Tree, glob: str, packages: _Packages, inventory: Inventory) -> None:
    """Say of a database that is there that its packages cannot be named: their distribution is unknown."""
    found = Inventory()
    packages(tree, "", found)
    if glob in found.section("built").covers:
        inventory.cover(glob)
        raise UnseenError("not_in_view", "its packages are named after os-release, which cannot be read")


def _debian(tree: Tree, namespace: str, inventory: Inventory) -> None:
    data = tree.read(_DPKG)
    names = sorted(name for name in tree.names(_DPKG_FOLDER) if not name.endswith(".md5sums"))
    if data is None and not names:
        return
    if data == b"" and not names:
        raise UnseenError("malformed", f"{_DPKG}: empty")
    parts = [tree.read(f"{_DPKG_FOLDER}/{name}") for name in names]
    text = b"\n\n".join(part for part in (data, *parts) if part is not None)
    inventory.unite(dpkg.installed(text, basis="running", namespace=namespace or "debian", name=_DPKG))
    for name in tree.names(_DPKG_LISTS):
        if name.endswith(".list"):
            inventory.own(dpkg.programs_of(tree.read(f"{_DPKG_LISTS}/{name}") or b""))


def _alpine(tree: Tree, namespace: str, inventory: Inventory) -> None:
    for path in _APK:
        if (data := tree.read(path)) is not None:
            section = apk.installed(data, basis="running", namespace=namespace or "alpine", name=path)
            inventory.unite(section)
            inventory.own(apk.owned(data))
            return


def _redhat(tree: Tree, namespace: str, inventory: Inventory) -> None:
    rpm_databases.add(tree, namespace or "redhat", inventory)


_DATABASES: Final = (("pkg:deb/*", _debian), ("pkg:apk/*", _alpine), (rpm.COVERS, _redhat))
