"""Reads the modules of the Go programs below a root, from the build information in them."""

import io
from typing import BinaryIO, Final

import orjson

from collectors.readers.installed.inventory import PROGRAM_FOLDERS, Inventory
from collectors.readers.installed.tree import Entry, Keep, Tree, shown
from collectors.readers.programs.go import BuildInfo, build_info, sections_of
from collectors.readers.programs.parts import Program, is_program
from detector.errors import UnseenError

COVERS: Final = "pkg:golang/*"
WANTS: Final = ()
#: Apart from what is kept of a file that another reader asks for by its name.
_MARK: Final = b"go\0"
#: No program of Go is smaller.
_SMALLEST: Final = 512 * 1024
#: Programs in packages of other languages are told by these.
_OF_PACKAGES: Final = ("/node_modules/", "/site-packages/", "/dist-packages/", "/gems/")
_LARGEST: Final = 256 * 1024 * 1024
#: Programs stand in a folder of them, or near the root: `/shop`, `/app/shop`, `/opt/shop/shop`.
_NEAR: Final = 3


def keep_of(path: str, entry: Entry) -> Keep | None:
    """Tell how much of a file is kept, where it may be a program of Go."""
    if not entry.executable or entry.size < _SMALLEST or any(part in path for part in _OF_PACKAGES):
        return None
    folder, _, name = path.rpartition("/")
    usual = folder.rpartition("/")[2] in PROGRAM_FOLDERS or path.count("/") <= _NEAR
    return _keep if usual and ".so" not in name else None


def _keep(content: BinaryIO, path: str) -> bytes:
    """Keep the build information in place of the program, which may be a thousand times larger."""
    head = content.read(8)
    if not is_program(head):
        return b""
    if not content.seekable():
        data = head + content.read(_LARGEST)
        if len(data) > _LARGEST:
            raise UnseenError("too_large", f"{shown(path)}: more than {_LARGEST // 2**20} MiB")
        content = io.BytesIO(data)
    content.seek(0)
    info = build_info(Program(content, shown(path)))
    return _MARK + orjson.dumps([info.version, info.modules]) if info else b""


def read(tree: Tree, inventory: Inventory) -> None:
    """Add the modules of every program of Go but those that a package of the system brought."""
    for path in tree.files():
        folder, _, name = path.rpartition("/")
        if keep_of(path, tree.names(folder or "/")[name]) is None:
            continue
        if inventory.is_cache(path) or inventory.is_owned(path):
            continue
        try:
            kept = tree.read(path)
        except UnseenError as error:
            inventory.miss(COVERS, error)
            continue
        if kept and kept.startswith(_MARK):
            version, modules = orjson.loads(kept.removeprefix(_MARK))
            section = sections_of(BuildInfo(version, modules), shown(path))["dependencies"]
            inventory.unite(section, leave=("os#arch",))
