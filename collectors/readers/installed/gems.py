"""Reads the gems of every gem home below a root, default gems and those of Bundler included.

Format: what RubyGems writes into ``specifications``: the second line of each file names the gem
(`Gem::StubSpecification`), as ``# stub: nokogiri 1.16.7 x86_64-linux lib``.
"""

import re
from typing import Final

from collectors.readers.installed.inventory import Inventory, Want
from collectors.readers.installed.tree import Tree, head, shown
from detector.errors import UnseenError
from detector.model.items import package

COVERS: Final = "pkg:gem/*"
_STUB: Final = re.compile(rb"# stub: ([A-Za-z0-9_.-]{1,128}) ([0-9][0-9A-Za-z.-]{0,63}) ")
_FILE: Final = re.compile(
    r"([A-Za-z0-9_.-]{1,128})-([0-9][0-9A-Za-z.]{0,63})(?:-[A-Za-z][A-Za-z0-9_.-]{0,63})?"
)
#: Where Bundler puts gems that come from a repository: ``rails-0123456789ab``.
_CHECKOUTS: Final = "/bundler/gems"
_CHECKOUT: Final = re.compile(r"([A-Za-z0-9_.-]{1,128})-[0-9a-f]{7,40}")

WANTS: Final = (Want("*.gemspec", head(512), inside="/specifications/"),)


def read(tree: Tree, inventory: Inventory) -> None:
    """Add every gem whose specification stands in a gem home that no package manager of the system owns."""
    for folder in tree.folders():
        if not folder.endswith(("/specifications", "/specifications/default", _CHECKOUTS)):
            continue
        if not inventory.is_own(folder) or inventory.is_owned(folder):
            continue
        if folder.endswith(_CHECKOUTS):
            _checkouts(tree, folder, inventory)
        else:
            _specifications(tree, folder, inventory)


def _specifications(tree: Tree, folder: str, inventory: Inventory) -> None:
    odd = 0
    for name in tree.names(folder):
        path = f"{folder}/{name}"
        if not name.endswith(".gemspec") or inventory.is_owned(path):
            continue
        inventory.cover(COVERS)
        try:
            found = _gem(tree.read(path) or b"", name)
        except UnseenError as error:
            inventory.miss(COVERS, error)
            continue
        if found is None:
            odd += 1
        else:
            inventory.add("gem", *found)
    if odd:
        detail = f"{shown(folder)}: {odd} specifications that do not tell name and version"
        inventory.miss(COVERS, UnseenError("malformed", detail))


def _gem(data: bytes, name: str) -> tuple[str, str] | None:
    """Return (name, version): a platform is an attribute of a gem, not its identity."""
    if stub := _STUB.search(data):
        return stub[1].decode(), stub[2].decode()
    match = _FILE.fullmatch(name.removesuffix(".gemspec"))
    return (match[1], match[2]) if match else None


def _checkouts(tree: Tree, folder: str, inventory: Inventory) -> None:
    for name in tree.names(folder):
        if match := _CHECKOUT.fullmatch(name):
            inventory.cover(COVERS)
            detail = f"{shown(folder)}: a gem from a repository; its Gemfile.lock names address and commit"
            inventory.miss(package("gem", match[1]), UnseenError("not_in_view", detail))
