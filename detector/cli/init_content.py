"""Finds files whose format no name tells, such as manifests, by how they begin: by folder."""

import os
from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Final

from detector.reader import Reader

_BEGINNING: Final = 64 * 1024
#: Files that say that a folder is the input of a tool -> what prints what is to be read.
_INPUTS: Final = {
    "kustomization.yaml": "kustomize build",
    "kustomization.yml": "kustomize build",
    "Chart.yaml": "helm template",
}

#: Path -> reader, and the files to be read as one.
Recognized = Mapping[str, tuple[str, tuple[str, ...]]]


def by_content(
    paths: Collection[str], readers: Mapping[str, Reader]
) -> tuple[Recognized, list[tuple[str, str]]]:
    """Return what some reader recognizes, by folder; and what is the input of a tool, with a remedy."""
    asked = {name: ask for name, one in readers.items() if (ask := getattr(one, "recognizes", None))}
    inputs = {
        path.rpartition("/")[0]: tool for path in paths if (tool := _INPUTS.get(path.rpartition("/")[2]))
    }
    folders: dict[tuple[str, str], list[str]] = defaultdict(list)
    for path in paths if asked else ():
        beginning = _beginning(path)
        name = next((name for name, ask in asked.items() if ask(beginning)), None)
        if name is not None:
            folders[path.rpartition("/")[0], name].append(path)
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for (folder, name), files in folders.items():
        if any(folder == one or folder.startswith(f"{one}/") for one in inputs):
            continue
        # A reader of folders takes all of one, with what is in those below.
        alone = folder and not any(other.startswith(f"{folder}/") for other, _ in folders)
        if alone and hasattr(readers[name], "below"):
            found[folder] = name, tuple(files)
        else:
            found |= {path: (name, (path,)) for path in files}
    used = {folder for folder, _ in folders}
    left = [
        (folder or ".", f"for a tool: keep what `{tool}` prints, and name that")
        for folder, tool in inputs.items()
        if any(one == folder or one.startswith(f"{folder}/") for one in used)
    ]
    return found, left


def _beginning(path: str) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            return file.read(_BEGINNING)
    except OSError:
        return b""
