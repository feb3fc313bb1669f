"""Reads the distributions of every Python prefix below a root.

Formats: core metadata, ``direct_url.json`` and the record of installed projects follow the PyPA
specifications; ``pyvenv.cfg`` PEP 405. Only names, versions and origins are read.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from collectors.readers.installed.inventory import Inventory, Want
from collectors.readers.installed.tree import Entry, Tree, head, shown, whole
from collectors.readers.lockfiles.lock import table, text_at
from collectors.readers.lockfiles.pins import from_git, is_version
from detector.errors import UnseenError
from detector.model.items import package
from detector.model.wire_json import WireError, json_document

COVERS: Final = "pkg:pypi/*"
_FOLDERS: Final = frozenset({"site-packages", "dist-packages"})
#: Name and Version stand first in every METADATA.
_HEAD: Final = head(8 * 1024)
#: Form of an installed project -> where its headers stand in it. An egg of setuptools is told by its name.
_FORMS: Final = {"dist-info": "METADATA", "egg-info": "PKG-INFO", "egg": "EGG-INFO/PKG-INFO"}
_LARGEST_URL: Final = 64 * 1024

WANTS: Final = (
    Want("METADATA", _HEAD, inside=".dist-info/"),
    Want("PKG-INFO", _HEAD, inside="-packages/"),
    Want("*.egg-info", _HEAD, inside="-packages/"),
    Want("direct_url.json", whole(_LARGEST_URL), inside=".dist-info/"),
)


def read(tree: Tree, inventory: Inventory) -> None:
    """Add the distributions of every prefix but those that a package manager of the system owns."""
    for folder in tree.folders():
        if folder.rpartition("/")[2] in _FOLDERS and inventory.is_own(folder):
            inventory.cover(COVERS)
            _prefix(tree, folder, inventory)


def _prefix(tree: Tree, folder: str, inventory: Inventory) -> None:
    found: dict[str, list[tuple[str, str | None]]] = {"dist-info": [], "egg-info": [], "egg": []}
    odd = 0
    for name, entry in tree.names(folder).items():
        stem, _, form = name.rpartition(".")
        # What begins with ~ pip left behind: it is installed no more.
        if form not in found or stem.startswith("~") or inventory.is_owned(f"{folder}/{name}"):
            continue
        try:
            project = _project(tree, f"{folder}/{name}", entry)
        except UnseenError as error:
            inventory.miss(COVERS, error)
            continue
        if project is None:
            odd += 1
        else:
            found[form].append(project)
    known = {package("pypi", name) for name, _ in found["dist-info"]}
    # Where both forms name one, the dist-info is the newer.
    older = [
        one for form in ("egg-info", "egg") for one in found[form] if package("pypi", one[0]) not in known
    ]
    for name, version in (*found["dist-info"], *older):
        if version is not None:
            inventory.add("pypi", name, version)
    if odd:
        detail = f"{shown(folder)}: {odd} distributions that do not tell name and version"
        inventory.miss(COVERS, UnseenError("malformed", detail))


def _project(tree: Tree, path: str, entry: Entry) -> tuple[str, str | None] | None:
    """Return (name, version), no version for own code, or None where neither file nor name tells them."""
    stem, _, form = path.rpartition("/")[2].rpartition(".")
    is_file = entry.kind == "file"
    metadata = tree.read(path if is_file else f"{path}/{_FORMS[form]}") or b""
    direct_url = None if is_file else tree.read(f"{path}/direct_url.json")
    project = project_of(metadata, direct_url or b"")
    if project is None:
        name, _, version = stem.partition("-")
        version = version if form == "dist-info" else version.partition("-py")[0]
        if is_name(name) and is_version(version.replace("!", "")):
            return name, version
    return project


def project_of(metadata: bytes, direct_url: bytes) -> tuple[str, str | None] | None:
    """Return (name, version) of an installed project, or None where its metadata does not tell them.

    In place of the version stands address and commit of code from a repository, and None for own code that is
    installed in place.
    """
    headers = _headers(metadata)
    name, version = headers.get("name", ""), headers.get("version", "")
    if not is_name(name) or not is_version(version.replace("!", "")):
        return None
    if not direct_url:
        return name, version
    try:
        document = json_document(direct_url)
    except WireError:
        return name, version
    if table(document, "dir_info").get("editable") is True:
        return name, None
    vcs = table(document, "vcs_info")
    return name, (vcs and from_git(text_at(document, "url"), text_at(vcs, "commit_id"))) or version


def is_name(text: str) -> bool:
    """Tell whether a text may stand as the name of a distribution."""
    return text.isascii() and text.replace("-", "").replace("_", "").replace(".", "").isalnum()


def settings_of(pyvenv: bytes) -> Mapping[str, str]:
    """Return the keys and values of a ``pyvenv.cfg``."""
    return dict(_pairs(pyvenv, "="))


def _headers(data: bytes) -> dict[str, str]:
    text, blank, _ = data.replace(b"\r", b"").partition(b"\n\n")
    headers: dict[str, str] = {}
    for key, value in _pairs(text + blank[:1], ":"):
        headers.setdefault(key.lower(), value)
    return headers


def _pairs(data: bytes, separator: str) -> Iterator[tuple[str, str]]:
    # A last line without its end was cut off: what stands in it may be half a version.
    for line in data.decode("utf-8", "replace").split("\n")[:-1]:
        key, found, value = line.partition(separator)
        if found and line[:1].isalpha():
            yield key.strip(), value.strip()
