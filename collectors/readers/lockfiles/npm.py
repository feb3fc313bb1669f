"""``package-lock.json`` and ``npm-shrinkwrap.json``, lock versions 1 to 3 (npm documentation)."""

from collections.abc import Iterator
from typing import Any, Final

from collectors.readers.lockfiles.javascript import named, platform_of, version_of
from collectors.readers.lockfiles.lock import Lock, table, text_at
from collectors.readers.lockfiles.pins import Pin, is_version, read_of
from detector.errors import UnseenError
from detector.reader import Read

_ROOT: Final = ""
_FOLDER: Final = "node_modules/"
#: Keys of a file of version 1 whose project depends on nothing.
_KEYS_OF_NONE: Final = frozenset({"name", "version", "lockfileVersion", "requires", "preserveSymlinks"})


def read(lock: Lock) -> Read:
    """Return the pins. Raises UnseenError."""
    document = lock.json()
    version = document.get("lockfileVersion") if isinstance(document, dict) else None
    if version not in (1, 2, 3) or isinstance(version, bool):
        raise UnseenError("unsupported", f"{lock.name}: no lockfileVersion 1, 2 or 3 in it")
    warnings: list[str] = []
    if version == 1:
        if "dependencies" not in document and document.keys() - _KEYS_OF_NONE:
            raise UnseenError("malformed", f"{lock.name}: no `dependencies` in it")
        return read_of(lock, "npm", _from_tree(table(document, "dependencies")), warnings=warnings)
    if not isinstance(document.get("packages"), dict):
        raise UnseenError("malformed", f"{lock.name}: no `packages` in it")
    pins = list(_from_packages(table(document, "packages"), warnings))
    if "dependencies" in document and _top_level(document) != _installed(document):
        warnings.append("`packages` and `dependencies` disagree; `packages` is taken, as npm does")
    return read_of(lock, "npm", pins, warnings=warnings)


def _from_packages(packages: dict[str, Any], warnings: list[str]) -> Iterator[Pin]:
    asked_for = _asked_for(packages)
    skipped = 0
    for path, found in packages.items():
        before, folder, own = path.rpartition(_FOLDER)
        if path == _ROOT or (not folder and ".." not in path.split("/")):
            continue  # the project itself, and the members of its workspace
        if not folder or ".." in path.split("/"):
            skipped += 1
        elif not isinstance(found, dict):
            yield named(own, "", platform=None)
        elif found.get("link") is True:
            skipped += text_at(found, "resolved") not in packages
        else:
            yield named(
                text_at(found, "name") or own,
                version_of(text_at(found, "resolved"), text_at(found, "version")),
                scope=_scope(found),
                direct=own in asked_for.get(before, ()),
                platform=platform_of(found.get("os"), found.get("cpu")),
            )
    if skipped:
        warnings.append(f"{skipped} entries of `packages` that lead out of node_modules or nowhere")


def _asked_for(packages: dict[str, Any]) -> dict[str, set[str]]:
    """Return what the project and its members ask for, by the folder that it is in.

    What a member asks for is in its own folder, or, where that has none, in that of the project.
    """
    asked: dict[str, set[str]] = {_ROOT: set()}
    for path, found in packages.items():
        if _FOLDER in path:
            continue
        for kind in ("dependencies", "devDependencies", "optionalDependencies"):
            for name in table(found, kind):
                own = f"{path}/" if path and f"{path}/{_FOLDER}{name}" in packages else _ROOT
                asked.setdefault(own, set()).add(name)
    return asked


def _from_tree(dependencies: dict[str, Any]) -> Iterator[Pin]:
    for name, found in dependencies.items():
        version = text_at(found, "version")
        real, alias_version = name, ""
        if version.startswith("npm:"):
            real, _, alias_version = version[4:].rpartition("@")
        if not version.startswith(("file:", "link:")):
            yield named(
                real,
                alias_version or version_of(text_at(found, "resolved"), version),
                scope=_scope(found),
                platform=None,
            )
        yield from _from_tree(table(found, "dependencies"))


def _scope(found: Any) -> tuple[str, ...]:
    if not isinstance(found, dict):
        return ()
    if found.get("dev") is True:
        return ("dev",)
    if found.get("devOptional") is True:
        return ("dev", "optional")
    return ("optional",) if found.get("optional") is True else ()


def _top_level(document: dict[str, Any]) -> dict[str, str]:
    return {
        name: text_at(found, "version")
        for name, found in table(document, "dependencies").items()
        if is_version(text_at(found, "version"))
    }


def _installed(document: dict[str, Any]) -> dict[str, str]:
    tops = _top_level(document)
    packages = table(document, "packages")
    return {name: text_at(packages.get(_FOLDER + name), "version") for name in tops}
