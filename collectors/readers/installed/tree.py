"""The names below a root, and of the files that readers ask for what they ask for.

A tree is filled in one pass over its source: a folder, the archive of a container, the layers of an image.
Every name is kept; of content only what ``wanted`` asks for, bounded, in memory. Sources are hostile: links
are resolved inside the root, at most 40 of them, and ``..`` ends at the root.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO, Final, Literal, NamedTuple

from detector.errors import UnseenError
from detector.model.facts import NOTHING

Kind = Literal["file", "folder", "link", "other"]

_MOST_LINKS: Final = 40
MOST_NAMES: Final = 2_000_000
#: Bytes of all files together that are kept at most.
MOST_KEPT: Final = 512 * 1024 * 1024
_LONGEST_PATH: Final = 4096
_DEEPEST: Final = 128
_LONGEST_SHOWN: Final = 160


class Entry(NamedTuple):
    """One name of a folder. ``target`` is where a link leads, absolute or from its own folder."""

    kind: Kind
    size: int = 0
    target: str = ""
    executable: bool = False


FOLDER: Final = Entry("folder")
_FILE: Final = Entry("file")

#: Returns what a reader needs of a file, whose path is for messages. Raises UnseenError.
Keep = Callable[[BinaryIO, str], bytes]
#: Tells how a file is kept, by its path and entry; None where no reader asks for it.
Wanted = Callable[[str, Entry], Keep | None]


class Tree:
    """The file system below a root, as readers of what is installed see it.

    Paths are absolute inside it: ``/usr/lib``. Blocking where ``opened`` is given: files are then opened when
    they are read, by the path that `put` had; without it `put` takes what is wanted from ``content``.
    """

    def __init__(self, wanted: Wanted, opened: Callable[[str], BinaryIO] | None = None) -> None:
        self._wanted = wanted
        self._opened = opened
        self._folders: dict[str, dict[str, Entry]] = {"/": {}}
        self._keeps: dict[str, Keep] = {}
        self._kept: dict[str, bytes | UnseenError] = {}
        self._kept_bytes = 0
        self._names = 0
        #: What could not be looked into: path and why. It may hide anything that is found by search.
        self.unseen: dict[str, UnseenError] = {}

    def put(self, path: str, entry: Entry, content: BinaryIO | None = None) -> None:
        """Add a name; one that is there is replaced. ``path`` may be written as archives do: ``./usr/lib/a``.

        A hard link is a link to the absolute path of its other name. Raises what reading ``content`` raises.
        """
        if len(path) > _LONGEST_PATH or path.count("/") > _DEEPEST:
            self.tell("/", UnseenError("too_large", f"a path of more than {_DEEPEST} folders"))
            return
        parts = [part for part in path.split("/") if part not in ("", ".")]
        if not parts or ".." in parts:
            return
        try:
            home = self._home(parts[:-1])
        except UnseenError as error:
            self.tell("/", error)
            return
        # Beyond the most names no folder is added any more.
        folder = self._folders.get(home, {})
        name = parts[-1]
        there = folder.get(name)
        if there is None:
            if self._names >= MOST_NAMES:
                self.tell("/", UnseenError("too_large", f"more than {MOST_NAMES:,} names"))
                return
            self._names += 1
        path = f"{home.rstrip('/')}/{name}"
        if there is not None and not (there.kind == entry.kind == "folder"):
            self._forget(path, there)
        if entry.kind == "folder":
            self._folders.setdefault(path, {})
        elif entry.kind == "file":
            keep = self._wanted(path, entry)
            if keep is None:
                # One object for all of them: there may be two million.
                entry = _FILE
            else:
                self._keeps[path] = keep
                if content is not None:
                    self._kept[path] = self._taken(keep, content, path)
        folder[name] = entry

    def drop(self, path: str) -> None:
        """Take a name away, with all that is below it: a whiteout of a layer."""
        parts = [part for part in path.split("/") if part not in ("", ".")]
        folder = self._folders.get(f"/{'/'.join(parts[:-1])}", {})
        if parts and (there := folder.pop(parts[-1], None)) is not None:
            self._names -= 1
            self._forget(f"/{'/'.join(parts)}", there)

    def tell(self, path: str, error: UnseenError) -> None:
        """Note what could not be looked into."""
        self.unseen.setdefault(path, error)

    def real(self, path: str) -> str | None:
        """Return a path without links, or None where nothing is. Raises UnseenError for links in a circle."""
        pending = path.split("/")[::-1]
        here: list[str] = []
        links = 0
        while pending:
            part = pending.pop()
            if part in ("", "."):
                continue
            if part == "..":
                del here[-1:]
                continue
            entry = self._folders.get(f"/{'/'.join(here)}", NOTHING).get(part)
            if entry is None:
                return None
            if entry.kind != "link":
                here.append(part)
                continue
            links += 1
            if links > _MOST_LINKS:
                raise UnseenError("malformed", f"{shown(path)}: more than {_MOST_LINKS} links")
            if entry.target.startswith("/"):
                here = []
            if len(entry.target) > _LONGEST_PATH:
                return None
            pending += entry.target.split("/")[::-1]
        return f"/{'/'.join(here)}"

    def names(self, folder: str) -> Mapping[str, Entry]:
        """Return what stands directly in a folder, by name; nothing where there is no such folder."""
        found = self._folders.get(folder)
        if found is None:
            real = self.real(folder)
            found = None if real is None else self._folders.get(real)
        return NOTHING if found is None else found

    def folders(self) -> Iterator[str]:
        """Yield the path of every folder, the root's first. None of them is a link."""
        yield from self._folders

    def files(self) -> Iterator[str]:
        """Yield the path of every wanted file. None of them is a link."""
        yield from self._keeps

    def read(self, path: str) -> bytes | None:
        """Return what is kept of a wanted file, or None where no file is.

        Raises UnseenError for one that is there and could not be read.
        """
        if path not in self._keeps:
            real = self.real(path)
            if real is None or real not in self._keeps:
                return None
            path = real
        if (kept := self._kept.get(path)) is None:
            if self._opened is None:
                raise UnseenError("not_in_view", f"{shown(path)}: its content was not given")
            try:
                with self._opened(path) as content:
                    return self._keeps[path](content, path)
            except OSError:
                raise UnseenError("denied", f"{shown(path)}: it cannot be read") from None
        if isinstance(kept, UnseenError):
            raise UnseenError(kept.reason, kept.detail)
        return kept

    def _taken(self, keep: Keep, content: BinaryIO, path: str) -> bytes | UnseenError:
        try:
            kept = keep(content, path)
        except UnseenError as error:
            return error
        if self._kept_bytes + len(kept) > MOST_KEPT:
            return UnseenError("too_large", f"{shown(path)}: beyond {MOST_KEPT // 2**20} MiB of all files")
        self._kept_bytes += len(kept)
        return kept

    def _home(self, parts: list[str]) -> str:
        """Return the folder that a name goes to: links are followed, as unpacking an archive does.

        Archives need not name a folder before what stands in it.
        """
        path = f"/{'/'.join(parts)}"
        if path in self._folders:
            return path
        real = self.real(path)
        if real is None or real not in self._folders:
            self.put(real or path, FOLDER)
            real = self.real(path)
        return real or path

    def _forget(self, path: str, entry: Entry) -> None:
        """Drop what is kept of a file, or of all files below a folder."""
        if entry.kind == "file":
            self._keeps.pop(path, None)
            kept = self._kept.pop(path, None)
            self._kept_bytes -= len(kept) if isinstance(kept, bytes) else 0
        elif entry.kind == "folder":
            pending = [path]
            while pending:
                folder = pending.pop()
                for name, below in self._folders.pop(folder, {}).items():
                    self._names -= 1
                    if below.kind == "folder":
                        pending.append(f"{folder}/{name}")
                    else:
                        self._forget(f"{folder}/{name}", below)


def whole(limit: int) -> Keep:
    """Return what keeps a file of at most so many bytes; a larger one is unseen as ``too_large``."""

    def keep(content: BinaryIO, path: str) -> bytes:
        data = content.read(limit + 1)
        if len(data) > limit:
            raise UnseenError("too_large", f"{shown(path)}: more than {limit // 1024} KiB")
        return data

    return keep


def head(limit: int) -> Keep:
    """Return what keeps the first bytes of a file."""

    def keep(content: BinaryIO, _path: str) -> bytes:
        return content.read(limit)

    return keep


def shown(path: str) -> str:
    """Return a path for a message: hostile names hold control characters, and are long."""
    text = path.encode("unicode_escape").decode("ascii")
    return text if len(text) <= _LONGEST_SHOWN else f"…{text[-_LONGEST_SHOWN:]}"
