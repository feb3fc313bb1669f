"""Reads the packages of every ``node_modules`` below a root, as npm, yarn and pnpm lay them out.

Format: npm documentation, folders(5) and package.json(5). A link in ``node_modules`` leads to a package that
stands elsewhere below the root (the store of pnpm, a member of the workspace), where it is told or own code.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

import orjson

from collectors.readers.installed.inventory import Inventory, Want
from collectors.readers.installed.tree import Entry, Tree, head, shown, whole
from detector.errors import UnseenError

COVERS: Final = "pkg:npm/*"
_NAME: Final = re.compile(r"(?:@[A-Za-z0-9~_.-]{1,100}/)?[A-Za-z0-9~_-][A-Za-z0-9~_.-]{0,213}")
_VERSION: Final = re.compile(r"[0-9][A-Za-z0-9.+-]{0,127}")
#: npm brings what it needs itself: no part of any application.
_OF_NPM: Final = "/node_modules/npm/node_modules"
_PLUG_AND_PLAY: Final = ".pnp.cjs"

WANTS: Final = (
    Want("package.json", whole(1024 * 1024), inside="/node_modules/"),
    Want(_PLUG_AND_PLAY, head(0)),
)


def read(tree: Tree, inventory: Inventory) -> None:
    """Add every package of every ``node_modules`` that no package manager of the system owns."""
    for folder in tree.folders():
        if folder.endswith("/node_modules") and _OF_NPM not in folder and inventory.is_own(folder):
            inventory.cover(COVERS)
            _folder(tree, folder, inventory)
    for path in tree.files():
        if path.endswith(f"/{_PLUG_AND_PLAY}") and inventory.is_own(path):
            detail = f"{shown(path)}: packages of Plug'n'Play are archives; take the lockfile beside it"
            inventory.miss(COVERS, UnseenError("unsupported", detail))


def _folder(tree: Tree, folder: str, inventory: Inventory) -> None:
    odd = 0
    for path, entry in _places(tree, folder):
        try:
            if entry.kind == "link":
                if tree.real(path) is None:
                    raise UnseenError("not_in_view", f"{shown(path)}: a link that leads out of the root")
                continue
            data = tree.read(f"{path}/package.json")
        except UnseenError as error:
            inventory.miss(COVERS, error)
            continue
        if data is None and not tree.names(path):
            continue  # a place that was made for a volume
        found = _package(data or b"")
        if found is None:
            odd += 1
        else:
            inventory.add("npm", *found)
    if odd:
        detail = f"{shown(folder)}: {odd} folders without a package.json that tells name and version"
        inventory.miss(COVERS, UnseenError("malformed", detail))


def _places(tree: Tree, folder: str) -> Iterator[tuple[str, Entry]]:
    """Yield the folders and links of packages, those of a scope too."""
    for name, entry in tree.names(folder).items():
        if name.startswith(".") or entry.kind not in ("folder", "link"):
            continue
        if name.startswith("@") and entry.kind == "folder":
            yield from (
                (f"{folder}/{name}/{own}", scoped)
                for own, scoped in tree.names(f"{folder}/{name}").items()
                if not own.startswith(".") and scoped.kind in ("folder", "link")
            )
        else:
            yield f"{folder}/{name}", entry


def _package(data: bytes) -> tuple[str, str] | None:
    try:
        document: Any = orjson.loads(data.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError:
        return None
    if not isinstance(document, dict):
        return None
    name, version = document.get("name"), document.get("version")
    if not isinstance(name, str) or not isinstance(version, str):
        return None
    version = version.strip().removeprefix("v").removeprefix("=")
    return (name, version) if _NAME.fullmatch(name) and _VERSION.fullmatch(version) else None
