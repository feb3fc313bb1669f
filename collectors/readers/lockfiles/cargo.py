"""``Cargo.lock``, versions 1 to 4 (The Cargo Book).

A crate without a source is code of the project itself, or of a folder beside it: the format does not tell the
two apart. What another crate asks for is then a package of version ``local``; what nobody asks for is the
project.
"""

from collections.abc import Iterable
from typing import Any, Final

from collectors.readers.lockfiles.lock import Lock, table, tables, text_at
from collectors.readers.lockfiles.pins import LOCAL, Pin, from_git, read_of
from detector.errors import UnseenError
from detector.model.facts import Unseen
from detector.reader import Read

#: Versions 1 and 2 do not say which they are.
_VERSIONS: Final = (None, 1, 2, 3, 4)
_GIT: Final = "git+"


def read(lock: Lock) -> Read:
    """Return the pins. Raises UnseenError."""
    document = lock.toml()
    version = document.get("version")
    if version not in _VERSIONS or isinstance(version, bool):
        raise UnseenError(
            "unsupported", f"{lock.name}: this reads versions 1 to 4 of Cargo.lock, not this one"
        )
    packages = tables(document, "package")
    if root := table(document, "root"):  # where Cargo wrote the project itself before 2017
        packages.append(root)
    own = [found for found in packages if "source" not in found]
    asked_for, dangling = _reached(packages, packages)
    reached, _ = _reached(packages, own, deep=True)
    direct, _ = _reached(packages, own)
    unseen = lock.cut_off("cargo")
    if not all(text_at(found, "name") and text_at(found, "version") for found in packages):
        unseen.append(_incomplete(f"{lock.name}: a package without name or version"))
    if not own:
        unseen.append(_incomplete(f"{lock.name}: the project itself is not in it"))
    elif any("source" in found and id(found) not in reached for found in packages):
        unseen.append(_incomplete(f"{lock.name}: packages that nothing in it asks for"))
    if dangling:
        unseen.append(_incomplete(f"{lock.name}: it refers to packages that are not in it"))
    return read_of(
        lock,
        "cargo",
        (
            Pin(
                name=text_at(found, "name"),
                version=_version(found),
                direct=id(found) in direct if own else None,
            )
            for found in packages
            if "source" in found or id(found) in asked_for
        ),
        unseen,
    )


def _incomplete(detail: str) -> Unseen:
    return Unseen(item="pkg:cargo/*", reason="malformed", detail=f"{detail}; it may be cut off")


def _version(found: dict[str, Any]) -> str:
    if "source" not in found:
        return LOCAL
    source = text_at(found, "source")
    if source.startswith(_GIT):
        address, _, commit = source.partition("#")
        return from_git(address.partition("?")[0], commit) or ""
    return text_at(found, "version")


def _place(found: dict[str, Any]) -> str:
    return text_at(found, "source").partition("#")[0]


def _reached(
    packages: Iterable[dict[str, Any]], start: Iterable[dict[str, Any]], *, deep: bool = False
) -> tuple[set[int], bool]:
    """Return what some packages ask for, or all that they lead to, by `id`; and whether one is missing."""
    by_name: dict[str, list[dict[str, Any]]] = {}
    for found in packages:
        by_name.setdefault(text_at(found, "name"), []).append(found)
    waiting, seen, dangling = list(start), set[int](), False
    while waiting:
        asked = waiting.pop().get("dependencies")
        for edge in asked if isinstance(asked, list) else ():
            # "name", "name version" or "name version (source)": as much as tells it from the others, without
            # the commit of a source.
            name, _, rest = edge.partition(" ") if isinstance(edge, str) else ("", "", "")
            version, _, source = rest.partition(" ")
            ends = [
                found
                for found in by_name.get(name, ())
                if version in ("", found.get("version")) and source.strip("()") in ("", _place(found))
            ]
            dangling |= not ends
            waiting += [found for found in ends if deep and id(found) not in seen]
            seen.update(map(id, ends))
    return seen, dangling
