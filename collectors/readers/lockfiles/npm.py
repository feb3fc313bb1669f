"""``package-lock.json`` and ``npm-shrinkwrap.json``, lock versions 1 to 3 (npm documentation)."""

from collections.abc import Iterator
from typing import Any, Final

from collectors.readers.lockfiles.lock import Lock, table, text_at
from collectors.readers.lockfiles.pins import Pin, from_archive, from_git, is_version, read_of
from detector.errors import UnseenError
from detector.model.platforms import split_platform
from detector.reader import Read

_ROOT: Final = ""
_FOLDER: Final = "node_modules/"
_DEEPEST: Final = 30


def read(lock: Lock) -> Read:
    """Return the pins. Raises UnseenError."""
    document = lock.json()
    version = document.get("lockfileVersion") if isinstance(document, dict) else None
    if version not in (1, 2, 3) or isinstance(version, bool):
        raise UnseenError("unsupported", f"{lock.name}: no lockfileVersion 1, 2 or 3 in it")
    warnings: list[str] = []
    if version == 1:
        return read_of(lock, "npm", _from_tree(table(document, "dependencies"), 0), warnings=warnings)
    if not isinstance(document.get("packages"), dict):
        raise UnseenError("malformed", f"{lock.name}: no `packages` in it")
    pins = list(_from_packages(table(document, "packages"), warnings))
    if "dependencies" in document and _top_level(document) != _installed(document):
        warnings.append("`packages` and `dependencies` disagree; `packages` is taken, as npm does")
    return read_of(lock, "npm", pins, warnings=warnings)


def _from_packages(packages: dict[str, Any], warnings: list[str]) -> Iterator[Pin]:
    root = packages.get(_ROOT)
    asked_for = {
        key
        for kind in ("dependencies", "devDependencies", "optionalDependencies")
        for key in table(root, kind)
    }
    skipped = 0
    for path, found in packages.items():
        before, folder, own = path.rpartition(_FOLDER)
        if path == _ROOT or (not folder and ".." not in path.split("/")):
            continue  # the project itself, and the members of its workspace
        if not folder or not isinstance(found, dict) or ".." in path.split("/"):
            skipped += 1
        elif found.get("link") is True:
            skipped += text_at(found, "resolved") not in packages
        else:
            package, platform = split_platform(text_at(found, "name") or own)
            yield Pin(
                name=package,
                version=_version(text_at(found, "version"), text_at(found, "resolved")),
                scope=_scope(found),
                direct=not before and own in asked_for,
                platform=platform or _platform(found),
            )
    if skipped:
        warnings.append(f"{skipped} entries of `packages` that lead out of node_modules or nowhere")


def _from_tree(dependencies: dict[str, Any], depth: int) -> Iterator[Pin]:
    for name, found in dependencies.items():
        if not isinstance(found, dict) or depth > _DEEPEST:
            continue
        version = text_at(found, "version")
        real, alias_version = name, ""
        if version.startswith("npm:"):
            real, _, alias_version = version[4:].rpartition("@")
        if not version.startswith(("file:", "link:")):
            package, platform = split_platform(real)
            yield Pin(
                name=package,
                version=alias_version or _version(version, text_at(found, "resolved")),
                scope=_scope(found),
                platform=platform,
            )
        yield from _from_tree(table(found, "dependencies"), depth + 1)


def _version(version: str, resolved: str) -> str:
    """Return a version, or address and commit for what comes from a repository."""
    for text in (resolved, version):
        address, marked, commit = text.partition("#")
        if marked and (found := from_git(_spelled_out(address), commit)):
            return found
    if is_version(version):
        return version
    return from_archive(version or resolved) or ""


def _spelled_out(address: str) -> str:
    """Return an address with the short names of hosts written out: ``github:acme/shop``."""
    host, colon, path = address.partition(":")
    hosts = {"github": "github.com", "gitlab": "gitlab.com", "bitbucket": "bitbucket.org"}
    return f"https://{hosts[host]}/{path}" if colon and host in hosts else address


def _scope(found: dict[str, Any]) -> tuple[str, ...]:
    if found.get("dev") is True:
        return ("dev",)
    if found.get("devOptional") is True:
        return ("dev", "optional")
    return ("optional",) if found.get("optional") is True else ()


def _platform(found: dict[str, Any]) -> str | None:
    """Return ``linux-x64`` where a package is for one system or processor alone."""
    words = []
    for key in ("os", "cpu"):
        only = found.get(key)
        if isinstance(only, list) and len(only) == 1 and _is_word(only[0]):
            words.append(only[0])
    return "-".join(words) or None


def _is_word(value: object) -> bool:
    return isinstance(value, str) and value.isalnum() and value.isascii() and len(value) <= 16


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
