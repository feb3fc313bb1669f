"""Reads the packages that Composer installed, from the record in every ``vendor`` folder.

Format: ``vendor/composer/installed.json`` of Composer 2, and the bare list of Composer 1.
"""

import re
from typing import Any, Final

import orjson

from collectors.readers.installed.inventory import Inventory, Want
from collectors.readers.installed.tree import Tree, shown, whole
from collectors.readers.lockfiles.composer import version_of
from collectors.readers.lockfiles.lock import text_at
from collectors.readers.lockfiles.pins import is_version
from detector.errors import UnseenError
from detector.reader import MAX_BYTES

COVERS: Final = "pkg:composer/*"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}/[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
#: What stands in place of the version of a branch or a folder, its credentials left out.
_ADDRESSES: Final = ("git+", "file:", "https://", "http://")
_RECORD: Final = "/composer/installed.json"

WANTS: Final = (Want("installed.json", whole(MAX_BYTES), inside="/composer/"),)


def read(tree: Tree, inventory: Inventory) -> None:
    """Add the packages of every record that no package manager of the system owns."""
    for path in tree.files():
        if not path.endswith(_RECORD) or not inventory.is_own(path):
            continue
        inventory.cover(COVERS)
        try:
            packages = _packages(tree.read(path) or b"", path)
        except UnseenError as error:
            inventory.miss(COVERS, error)
            continue
        refused = 0
        for one in packages:
            name, version = text_at(one, "name"), version_of(one)
            if _NAME.fullmatch(name) and (is_version(version) or version.startswith(_ADDRESSES)):
                inventory.add("composer", name, version)
            else:
                refused += 1
        if refused:
            detail = f"{shown(path)}: {refused} packages whose name or version is none"
            inventory.miss(COVERS, UnseenError("malformed", detail))


def _packages(data: bytes, path: str) -> list[dict[str, Any]]:
    try:
        document: Any = orjson.loads(data)
    except orjson.JSONDecodeError:
        document = None
    packages = document.get("packages") if isinstance(document, dict) else document
    if not isinstance(packages, list) or not all(isinstance(one, dict) for one in packages):
        raise UnseenError("malformed", f"{shown(path)}: not the record of Composer")
    return packages
