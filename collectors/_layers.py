"""The file system of an image: layers read one by one in memory, then laid over each other as a tree.

Format: OCI image-spec 1.1, layer changesets. Within a layer a name that comes again replaces the former; a
whiteout takes away only what lower layers brought, wherever in its own layer it stands.
"""

import io
import posixpath
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import BinaryIO, Final, NamedTuple

from collectors._tar import Content, Member, members
from collectors.readers.installed import Entry, Tree, wanted
from collectors.readers.installed.tree import MOST_KEPT, MOST_NAMES, Keep, shown
from detector.errors import UnseenError

_WHITEOUT: Final = ".wh."
_OPAQUE: Final = ".wh..wh..opq"
_NOTHING: Final = io.BytesIO()

#: What is kept of a file, or why its content cannot be read; None for what no reader asks for.
_Kept = bytes | UnseenError | None


class _Name(NamedTuple):
    entry: Entry
    kept: _Kept = None
    #: The other name of a file that this layer does not hold: a lower one does.
    below: str = ""


@dataclass(slots=True, kw_only=True)
class Budget:
    """What all layers of one image may still take: names, and bytes of files that are kept."""

    names: int = MOST_NAMES
    kept: int = MOST_KEPT


@dataclass(slots=True)
class Layer:
    """What one layer brings and takes away, by absolute paths."""

    names: dict[str, _Name] = field(default_factory=dict)
    #: Whiteouts: taken away from below.
    removed: set[str] = field(default_factory=set)
    #: Opaque folders: nothing of what is below remains in them.
    emptied: set[str] = field(default_factory=set)
    #: What is wrong with members that were left out.
    odd: list[UnseenError] = field(default_factory=list)
    #: Digest of the blob that it came as, and whether that one was compressed.
    digest: str = ""
    compressed: bool = False


def read_layer(stream: io.BufferedReader, budget: Budget) -> Layer:
    """Return what an archive brings. Raises UnseenError for one that cannot be read to its end."""
    layer = Layer()
    for member, content in members(stream):
        path = _inside(member.name)
        if path is None:
            told = UnseenError("malformed", f"{shown(member.name)}: a name that leads out of the image")
            layer.odd.append(told)
            continue
        folder, _, name = path.rpartition("/")
        if name.startswith(_WHITEOUT):
            _take_away(layer, folder, name)
            continue
        budget.names -= 1
        if budget.names < 0:
            raise UnseenError("too_large", f"more than {MOST_NAMES:,} names in all layers")
        layer.names.pop(path, None)  # the last of several, and then in its place
        if path != "/":
            layer.names[path] = _name(layer, member, path, content, budget)
    return layer


def laid_over(layers: Iterable[Layer]) -> Tree:
    """Return the tree of an image from its layers, the lowest first."""
    again = _Again()
    tree = Tree(again.wanted)
    for layer in layers:
        for path in layer.removed:
            tree.drop(_real(tree, path))
        for path in layer.emptied:
            real = _real(tree, path)
            for below in list(tree.names(real)):
                tree.drop(f"{real}/{below}")
        for path, name in layer.names.items():
            brought = _from_below(tree, path, name.below) if name.below else name
            again.kept = brought.kept
            tree.put(path, brought.entry, _NOTHING)
        for error in layer.odd:
            tree.tell("/", error)
    return tree


class _Again:
    """Gives a tree what was kept of a file when its layer was read."""

    kept: _Kept = None

    def wanted(self, _path: str, _entry: Entry) -> Keep | None:
        return None if self.kept is None else self._keep

    def _keep(self, _content: BinaryIO, _path: str) -> bytes:
        if isinstance(self.kept, UnseenError):
            raise self.kept
        return self.kept or b""


def _inside(name: str) -> str | None:
    """Return the absolute path of a member; None where it leads out, or no system could write it."""
    path = posixpath.normpath(name.lstrip("/") or ".")
    if path == ".." or path.startswith("../") or "\0" in path:
        return None
    return "/" if path == "." else f"/{path}"


def _take_away(layer: Layer, folder: str, name: str) -> None:
    removed = name.removeprefix(_WHITEOUT)
    if name == _OPAQUE:
        layer.emptied.add(folder or "/")
    elif removed in ("", ".", ".."):
        layer.odd.append(UnseenError("malformed", f"{shown(f'{folder}/{name}')}: a whiteout of no name"))
    elif not removed.startswith(_WHITEOUT):  # else a note of the storage driver aufs
        layer.removed.add(f"{folder}/{removed}")


def _name(layer: Layer, member: Member, path: str, content: Content, budget: Budget) -> _Name:
    if member.kind == "hard_link":
        return _hard_link(layer, member, path)
    if member.kind != "file":
        return _Name(Entry(member.kind, target=member.target if member.kind == "link" else ""))
    entry = Entry("file", size=member.size, executable=member.executable)
    keep = wanted(path, entry)
    if keep is None:
        return _Name(entry)
    if member.odd:
        return _Name(entry, UnseenError("unsupported", f"{shown(path)}: {member.odd}"))
    kept = _taken(keep, content, path)
    if isinstance(kept, bytes):
        budget.kept -= len(kept)
        if budget.kept < 0:
            kept = UnseenError("too_large", f"{shown(path)}: beyond {MOST_KEPT // 2**20} MiB of all files")
    return _Name(entry, kept)


def _taken(keep: Keep, content: Content, path: str) -> bytes | UnseenError:
    reader = io.BufferedReader(content)
    try:
        return keep(reader, path)
    except UnseenError as error:
        return error
    finally:
        reader.detach()


def _hard_link(layer: Layer, member: Member, path: str) -> _Name:
    other = _inside(member.target)
    if other is None:
        error = UnseenError("malformed", f"{shown(path)}: a link that leads out of the image")
        return _Name(Entry("file"), error)
    known = layer.names.get(other)
    return _Name(Entry("file"), below=other) if known is None else _second_name(path, other, known)


def _from_below(tree: Tree, path: str, other: str) -> _Name:
    real = _real(tree, other)
    folder, _, name = real.rpartition("/")
    entry = tree.names(folder or "/").get(name)
    if entry is None or entry.kind == "folder":
        return _Name(Entry("file"), UnseenError("malformed", f"{shown(path)}: a link to nothing"))
    try:
        kept: _Kept = tree.read(real)
    except UnseenError as error:
        kept = error
    return _second_name(path, other, _Name(entry, kept))


def _second_name(path: str, other: str, known: _Name) -> _Name:
    """Return a file under one more name. Its content went by where nobody asks for it by the first."""
    if known.kept is None and known.entry.kind == "file" and wanted(path, known.entry) is not None:
        error = UnseenError(
            "not_in_view", f"{shown(path)}: a second name of {shown(other)}, which is not read"
        )
        return _Name(known.entry, error)
    return known


def _real(tree: Tree, path: str) -> str:
    """Return a path with the links of its folders followed, as unpacking does; the last name stays."""
    folder, _, name = path.rpartition("/")
    return f"{(tree.real(folder or '/') or folder).rstrip('/')}/{name}"
