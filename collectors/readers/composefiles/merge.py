"""How compose lays one service over another: of several files, and of ``extends`` (Compose specification).

Maps merge, lists go on, everything else is replaced; a command is one thing. The variables of a service are a
map here, however they were written; its env files are a list without doubles.
"""

import posixpath
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from collectors.readers._yaml import Marked, is_map
from collectors.readers.composefiles.variables import is_open, part_of, written

RESET: Final = "!reset"
MARKS: Final = frozenset({RESET, "!override"})
#: Parts that are one thing, though they are written as lists.
_WHOLE: Final = (("command",), ("entrypoint",), ("healthcheck", "test"))
#: Variables of a list that are no text, counted under a name that none can have.
REFUSED: Final = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvFile:
    """A file of variables that a service names: ``path`` from the project's folder, None where unknown."""

    path: str | None
    #: As it stands in the compose file, for messages.
    named: str
    #: The text of a path that is not known here.
    waits: str = field(default="", repr=False)
    required: bool = True
    raw: bool = False


def canonical(service: dict[str, Any], folder: str) -> dict[str, Any]:
    """Return a service with its variables as a map, and its env files as they are found from ``folder``."""
    found = dict(service)
    if "environment" in service:
        found["environment"] = _through_mark(service["environment"], _variables)
    if "env_file" in service:
        found["env_file"] = _through_mark(
            service["env_file"], lambda tree: [env_file(entry, folder) for entry in listed(tree)]
        )
    for key in ("tmpfs", "profiles"):
        if key in service:
            found[key] = _through_mark(service[key], listed)
    return found


def merged(base: Any, over: Any, path: tuple[str, ...] = ()) -> Any:
    """Return one part of a service under another that is laid over it."""
    if isinstance(over, Marked):
        return plain(over)
    if over is None and path != () and path[0] != "environment":
        return base
    if is_map(base) and is_map(over) and not (path == ("logging",) and _drivers_differ(base, over)):
        result = dict(base)
        for key, value in over.items():
            if isinstance(value, Marked) and value.tag == RESET:
                result.pop(key, None)
            else:
                result[key] = merged(result[key], value, (*path, key)) if key in result else plain(value)
        return result
    if isinstance(base, list) and isinstance(over, list) and path not in _WHOLE:
        added = plain(over)
        return _of_each_path_the_last(base, added) if path == ("env_file",) else [*base, *added]
    return plain(over)


def plain(tree: Any) -> Any:
    """Return a part that is laid over nothing: what is marked ``!reset`` is not there."""
    if isinstance(tree, Marked):
        return plain(tree.tree)
    if is_map(tree):
        return {
            key: plain(value)
            for key, value in tree.items()
            if not (isinstance(value, Marked) and value.tag == RESET)
        }
    if isinstance(tree, list):
        return [plain(e) for e in tree if not (isinstance(e, Marked) and e.tag == RESET)]
    return tree


def listed(tree: Any) -> list[Any]:
    """Return a part that may be one thing or a list of them as a list."""
    if tree is None:
        return []
    return tree if isinstance(tree, list) else [tree]


def env_file(entry: Any, folder: str) -> EnvFile:
    """Return an entry of ``env_file`` in its short or long form."""
    options = entry if is_map(entry) else {}
    path = options.get("path") if options else entry
    if not isinstance(path, str) or is_open(path) or not path:
        text = path if isinstance(path, str) else ""
        return EnvFile(path=None, named=written(text), waits=text)
    return EnvFile(
        path=posixpath.normpath(posixpath.join(folder, path)),
        named=written(path),
        required=options.get("required") not in ("false", "False", "FALSE"),
        raw=options.get("format") == "raw",
    )


def _variables(tree: Any) -> Any:
    if is_map(tree):
        return tree
    found: dict[str, Any] = {}
    for entry in listed(tree):
        name, value = _variable(entry) if isinstance(entry, str) else (REFUSED, None)
        found[name] = value
    return found


def _variable(entry: str) -> tuple[str, str | None]:
    """Return name and value of ``NAME=value``, None where there is no value."""
    name, equals, value = entry.partition("=")
    if "$" in written(entry).partition("=")[0]:
        # A name that comes from a variable may be the value of that one.
        return REFUSED, None
    return name, (part_of(entry, value) if equals else None)


def _through_mark(tree: Any, change: Callable[[Any], Any]) -> Any:
    return Marked(tree.tag, change(tree.tree)) if isinstance(tree, Marked) else change(tree)


def _drivers_differ(base: dict[str, Any], over: dict[str, Any]) -> bool:
    ours, theirs = base.get("driver"), over.get("driver")
    return ours is not None and theirs is not None and ours != theirs


def _of_each_path_the_last(base: list[EnvFile], added: list[EnvFile]) -> list[EnvFile]:
    """Return all env files, each path once: where it stood first, with what was said of it last."""
    found: dict[object, EnvFile] = {}
    for entry in (*base, *added):
        found[entry.path if entry.path is not None else entry] = entry
    return list(found.values())
