"""The manifests of a folder: bounded, in one order, inside the folder."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from collectors.readers._regular import regular_file
from detector.errors import UnseenError
from detector.reader import MAX_BYTES

#: A file: its name for messages, and what opens it. Raises UnseenError.
File = tuple[str, Callable[[], bytes]]
_ENDINGS: Final = (".yaml", ".yml", ".json")
_MOST_FILES: Final = 5_000
_DEEPEST: Final = 32
#: Names of files that are the input of a tool -> what prints what is to be read.
_INPUTS: Final = {
    "kustomization.yaml": "kustomize build",
    "kustomization.yml": "kustomize build",
    "Kustomization": "kustomize build",
    "Chart.yaml": "helm template",
}


def files_below(folder: Path) -> list[File]:
    """Return the manifests of a folder in the order of their paths; links and hidden folders are left out.

    Raises UnseenError: `unsupported` for the input of kustomize or helm, `too_large`, `denied`.
    """
    found: list[str] = []
    stack = [("", 0)]
    while stack:
        prefix, depth = stack.pop()
        try:
            entries = list(os.scandir(folder / prefix))
        except OSError:
            raise UnseenError("denied", f"{prefix or folder.name}: it cannot be listed") from None
        for entry in entries:
            path = f"{prefix}{entry.name}"
            if tool := _INPUTS.get(entry.name):
                raise UnseenError(
                    "unsupported", f"{path}: what stands here is for a tool; give what `{tool}` prints"
                )
            if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
                if depth == _DEEPEST:
                    raise UnseenError("too_large", f"{path}: more than {_DEEPEST} folders deep")
                stack.append((f"{path}/", depth + 1))
            elif entry.is_file(follow_symlinks=False) and entry.name.endswith(_ENDINGS):
                found.append(path)
        if len(found) > _MOST_FILES:
            raise UnseenError("too_large", f"{folder.name}: more than {_MOST_FILES} files")
    if not found:
        raise UnseenError("unsupported", f"{folder.name}: no file of YAML or JSON")
    return [(path, partial(regular_file, folder / path, path, MAX_BYTES)) for path in sorted(found)]
