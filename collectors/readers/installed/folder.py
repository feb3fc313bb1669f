"""A folder of this machine as a tree: an application, a mounted image, the root itself.

Names are listed at once, files opened when they are read: each folder on the way without following links, so
that nothing outside the root is opened whatever changes meanwhile.
"""

import os
import stat
from collections.abc import Collection
from pathlib import Path
from typing import BinaryIO, Final

from collectors.readers.installed.tree import Entry, Tree, Wanted, shown
from detector.errors import UnseenError
from detector.model.items import matches

#: Nothing is installed in them, and they hold most of the names of a folder of code.
_SKIPPED: Final = frozenset({".git", "__pycache__"})
#: Kernel file systems of a root, skipped where they are mounted there.
_MOUNTED: Final = frozenset({"/dev", "/proc", "/run", "/sys"})
#: Where engines keep the file systems of others, and where nothing stays.
_OF_OTHERS: Final = frozenset(
    (
        *("/var/lib/containerd", "/var/lib/containers", "/var/lib/docker", "/var/lib/kubelet"),
        *("/snap", "/var/lib/flatpak", "/var/lib/machines", "/var/lib/snapd"),
        *("/tmp", "/var/tmp"),  # noqa: S108 - it is not written to
    )
)


def folder_tree(root: Path, wanted: Wanted, exclude: Collection[str] = ()) -> Tree:
    """Return the tree of a folder. ``exclude`` are globs of folders inside it: ``/home/*``.

    What cannot be listed is among the tree's unseen. Raises UnseenError where the root itself cannot be.
    """
    try:
        opened_root = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise _not_listed(error, str(root)) from None
    try:
        device = os.fstat(opened_root).st_dev
    finally:
        os.close(opened_root)
    tree = Tree(wanted, lambda path: _open_beneath(root, path))
    pending = [("", os.fspath(root))]
    while pending:
        prefix, here = pending.pop()
        try:
            with os.scandir(here) as entries:
                for entry in entries:
                    path = f"{prefix}/{entry.name}"
                    if _put(tree, path, entry) != "folder" or entry.name in _SKIPPED or path in _OF_OTHERS:
                        continue
                    if not _is_mounted(path, entry, device) and not any(
                        matches(glob, path) for glob in exclude
                    ):
                        pending.append((path, entry.path))
        except FileNotFoundError:  # gone since it was listed
            continue
        except OSError as error:
            tree.tell(prefix, _not_listed(error, prefix))
    return tree


def _put(tree: Tree, path: str, entry: "os.DirEntry[str]") -> str:
    try:
        if entry.is_symlink():
            tree.put(path, Entry("link", target=os.readlink(entry.path)))  # noqa: PTH115 - a path for each costs more
            return "link"
        if entry.is_dir(follow_symlinks=False):
            tree.put(path, Entry("folder"))
            return "folder"
        if entry.is_file(follow_symlinks=False):
            status = entry.stat(follow_symlinks=False)
            executable = bool(status.st_mode & 0o111)
            tree.put(path, Entry("file", size=status.st_size, executable=executable))
            return "file"
    except FileNotFoundError:  # gone since it was listed
        return "other"
    tree.put(path, Entry("other"))
    return "other"


def _is_mounted(path: str, entry: "os.DirEntry[str]", device: int) -> bool:
    return path in _MOUNTED and entry.stat(follow_symlinks=False).st_dev != device


def _open_beneath(root: Path, path: str) -> BinaryIO:
    """Open a regular file below the root, following no link. Raises UnseenError."""
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    *folders, name = path.strip("/").split("/")
    here = -1
    try:
        here = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        for folder in folders:
            inside = os.open(folder, flags | os.O_DIRECTORY, dir_fd=here)
            os.close(here)
            here = inside
        file = os.open(name, flags, dir_fd=here)
    except OSError as error:
        raise _not_listed(error, path) from None
    finally:
        if here >= 0:
            os.close(here)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise UnseenError("unsupported", f"{shown(path)}: no regular file")
    return os.fdopen(file, "rb")


def _not_listed(error: OSError, path: str) -> UnseenError:
    path = shown(path)
    if isinstance(error, FileNotFoundError):
        return UnseenError("unreachable", f"{path} does not exist")
    if isinstance(error, PermissionError):
        return UnseenError("denied", f"{path} may not be read by this user")
    if isinstance(error, NotADirectoryError):
        return UnseenError("unsupported", f"{path} is no folder")
    return UnseenError("unreachable", f"{path} cannot be read")
