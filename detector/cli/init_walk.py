"""Looks for files that a reader knows by their names, below one folder: bounded, and following no link."""

import os
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from detector.model.items import matches
from detector.reader import Reader

MOST_ENTRIES: Final = 50_000
DEEPEST: Final = 8
#: Files whose format only their content could tell.
MOST_UNNAMED: Final = 2_000
_UNNAMED: Final = (".yaml", ".yml", ".json")
#: Folders of what was installed, built or fetched, and of tools: what they hold is somebody else's.
_FOREIGN: Final = frozenset(
    {
        "node_modules", "bower_components", "site-packages", "venv", "virtualenv", "vendor", "third_party",
        "__pycache__", "dist", "build", "target", "out", "obj", "coverage", "htmlcov", "Pods", "DerivedData",
    }
)  # fmt: skip
#: Folders whose files describe no environment.
_TRIALS: Final = frozenset(
    {"test", "tests", "__tests__", "testdata", "spec", "fixtures", "e2e", "examples", "example", "samples"}
)
#: Of folders with a dot, those in which people keep what runs.
_HIDDEN: Final = (".env*", ".docker*", ".config", ".deploy*")
_CODE: Final = (".py", ".js", ".mjs", ".cjs", ".ts", ".tsx", ".jsx", ".vue", ".svelte", ".astro")


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """What a look below one folder brought; paths are relative to it, with ``/``."""

    #: Path of a file -> name of the reader that knows it.
    files: Mapping[str, str]
    #: Files of YAML and JSON that no reader knows by name.
    unnamed: tuple[str, ...]
    #: Folders that hold code that the reader of keys understands; ``""`` is the folder itself.
    code: frozenset[str]
    entries: int
    #: Name of a folder that was left out -> how often.
    left_out: Mapping[str, int]
    unreadable: tuple[str, ...]
    #: Whether there was more than is looked at.
    cut: bool


@dataclass(slots=True)
class _Going:
    files: dict[str, str] = field(default_factory=dict)
    unnamed: list[str] = field(default_factory=list)
    code: set[str] = field(default_factory=set)
    entries: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)
    cut: bool = False


def walk(root: str, readers: Mapping[str, Reader]) -> Walk:
    """Return what lies below a folder, nearest first. ``readers`` are asked in their order."""
    going = _Going()
    folders = deque([("", 0)])
    while folders:
        folder, depth = folders.popleft()
        for entry in _listed(root, folder, going):
            going.entries += 1
            if going.entries > MOST_ENTRIES:
                going.cut = True
                folders.clear()
                break
            path = f"{folder}/{entry.name}" if folder else entry.name
            if not path.isprintable():
                continue
            if entry.is_dir(follow_symlinks=False):
                if _is_left_out(entry):
                    going.left_out[entry.name] = going.left_out.get(entry.name, 0) + 1
                elif depth == DEEPEST:
                    going.cut = True
                else:
                    folders.append((path, depth + 1))
            elif entry.is_file(follow_symlinks=False):
                _note(path, folder, readers, going)
    return Walk(
        files=going.files,
        unnamed=tuple(going.unnamed),
        code=frozenset(going.code),
        entries=min(going.entries, MOST_ENTRIES),
        left_out=going.left_out,
        unreadable=tuple(going.unreadable),
        cut=going.cut,
    )


def _listed(root: str, folder: str, going: _Going) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(os.path.join(root, folder)) as entries:
            # One folder can hold millions: what goes beyond the bound is not even sorted.
            listed = [entry for entry, _ in zip(entries, range(MOST_ENTRIES + 1), strict=False)]
    except OSError:
        going.unreadable.append(folder or ".")
        return []
    return sorted(listed, key=lambda entry: entry.name)


def _is_left_out(entry: os.DirEntry[str]) -> bool:
    name = entry.name
    if name in _FOREIGN or name in _TRIALS:
        return True
    if name.startswith("."):
        return not any(matches(glob, name) for glob in _HIDDEN)
    return os.path.exists(os.path.join(entry.path, "pyvenv.cfg"))


def _note(path: str, folder: str, readers: Mapping[str, Reader], going: _Going) -> None:
    own = path.rpartition("/")[2]
    for name, reader in readers.items():
        # Some formats are known by their folder too, as in requirements/prod.txt.
        if reader.matches(path):
            going.files[path] = name
            return
    if own.endswith(_UNNAMED) and len(going.unnamed) < MOST_UNNAMED:
        going.unnamed.append(path)
    if own.endswith(_CODE):
        going.code.add(folder)
