"""What is installed below a root: packages of the system and of languages, release and runtimes.

A source fills a `Tree` with `wanted`; `installed` reads it. Nothing of the root runs, nothing is extracted.
"""

from typing import Final

from collectors.readers.installed import gems, java, node, php, programs, python, runtimes, system
from collectors.readers.installed.inventory import Inventory, Want
from collectors.readers.installed.tree import Entry, Keep, Tree, shown
from detector.errors import UnseenError
from detector.model.facts import Section
from detector.model.words import Basis

__all__ = ["Entry", "Tree", "installed", "wanted"]

#: The system first: what its packages brought is told by them alone. Runtimes last: some are packages.
_READERS: Final = (system, python, node, gems, java, php, programs, runtimes)
#: What is found by search: a folder that cannot be listed may hide any of it.
_SEARCHED: Final = (python.COVERS, node.COVERS, gems.COVERS, java.COVERS, php.COVERS, programs.COVERS)


def _table(shape: str) -> dict[str, list[Want]]:
    """Return what is asked for by one shape of globs, by what is looked up in a path."""
    found: dict[str, list[Want]] = {}
    for want in (want for reader in _READERS for want in reader.WANTS):
        key, its_shape = want.glob, "name"
        if want.glob.startswith("*."):
            key, its_shape = want.glob[2:], "ending"
        elif want.glob.endswith("/*"):
            key, its_shape = want.glob[:-2], "folder"
        elif want.glob.startswith("/"):
            its_shape = "path"
        if its_shape == shape:
            found.setdefault(key, []).append(want)
    return found


_PATHS: Final = _table("path")
_FOLDERS: Final = _table("folder")
_NAMES: Final = _table("name")
_ENDINGS: Final = _table("ending")


def wanted(path: str, entry: Entry) -> Keep | None:
    """Tell how much of a file any reader asks for, by path and entry alone."""
    folder, _, name = path.rpartition("/")
    _, dot, ending = name.rpartition(".")
    found = _PATHS.get(path) or _NAMES.get(name) or (dot and _ENDINGS.get(ending)) or _FOLDERS.get(folder)
    if found:
        for want in found:
            if want.inside in path:
                return want.keep
    return programs.keep_of(path, entry)


def installed(tree: Tree, basis: Basis) -> Section:
    """Return what is installed below a root.

    Covered are the ecosystems of which a database or a folder is there: of others nothing is said. What is
    there and cannot be read is unseen.
    """
    inventory = Inventory()
    for reader in _READERS:
        try:
            reader.read(tree, inventory)
        except UnseenError as error:
            inventory.miss(reader.COVERS, error)
    if tree.unseen:
        path, first = next(iter(tree.unseen.items()))
        more = f", and {len(tree.unseen) - 1} more" if len(tree.unseen) > 1 else ""
        for glob in _SEARCHED:
            inventory.miss(glob, UnseenError(first.reason, f"{shown(path)}: {first.detail}{more}"))
    return inventory.section(basis)
