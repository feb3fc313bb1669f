"""What the ``pyproject.toml`` beside a lockfile asks for (PEP 621, PEP 735, Poetry)."""

import re
from typing import Any, Final

from collectors.readers.lockfiles.asking import Asking
from collectors.readers.lockfiles.lock import Lock, table
from detector.errors import UnseenError
from detector.model.items import package

_NAME: Final = re.compile(r"\s{0,8}([A-Za-z0-9][A-Za-z0-9._-]{0,199})")
_POETRY_PYTHON: Final = "python"


def asked_for(lock: Lock) -> Asking | None:
    """Return what the project asks for, as items; None where its file is not there or not understood."""
    try:
        document = Lock(lock.beside("pyproject.toml"), "pyproject.toml").toml()
    except UnseenError:
        return None
    asking = Asking()
    project = table(document, "project")
    asking.runtime |= _items(project.get("dependencies"))
    for extra in table(project, "optional-dependencies").values():
        asking.optional |= _items(extra)
    for group in table(document, "dependency-groups").values():
        asking.dev |= _items(group)
    _add_poetry(asking, table(table(document, "tool"), "poetry"))
    return asking


def item_of(name: str) -> str:
    """Return the item of a package; an empty text for what is no name."""
    match = _NAME.match(name)
    return package("pypi", match[1]) if match else ""


def _items(requirements: object) -> set[str]:
    entries = requirements if isinstance(requirements, list) else []
    return {item for entry in entries if isinstance(entry, str) and (item := item_of(entry))}


def _add_poetry(asking: Asking, poetry: dict[str, Any]) -> None:
    main = table(poetry, "dependencies")
    for name in main:
        if name != _POETRY_PYTHON:
            kind = asking.optional if table(main, name).get("optional") is True else asking.runtime
            kind.add(item_of(name))
    groups = table(poetry, "group")
    for asked in (
        table(poetry, "dev-dependencies"),
        *(table(groups[name], "dependencies") for name in groups),
    ):
        asking.dev |= {item_of(name) for name in asked}
