"""Pins, and the section that they become: what a lockfile holds fast, whatever its format."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from collectors.readers.lockfiles.lock import Lock
from detector.errors import UnseenError
from detector.model.addresses import repository_url, without_credentials
from detector.model.canonical import digest_of, value_bytes
from detector.model.facts import Section, Unseen, Value
from detector.model.items import package
from detector.reader import Part, Read

_PYPI_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,198}[A-Za-z0-9])?")
_NPM_NAME: Final = re.compile(r"(?:@[A-Za-z0-9~_.-]{1,100}/)?[A-Za-z0-9~_-][A-Za-z0-9~_.-]{0,213}")
#: What is a name in each ecosystem that a lockfile may be of.
_NAMES: Final = {
    "pypi": _PYPI_NAME,
    "npm": _NPM_NAME,
    "cargo": re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,127}"),
    "golang": re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._~/-]{0,253}[A-Za-z0-9_~-])?"),
    "gem": re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}"),
    "composer": re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}/[A-Za-z0-9][A-Za-z0-9._-]{0,127}"),
    "nuget": re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"),
    "maven": re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"),
    "hex": re.compile(r"[a-z][a-z0-9_]{0,127}"),
    "pub": re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}"),
    "conda": re.compile(r"[a-z0-9_][a-z0-9_.-]{0,127}"),
}
#: The version of code in a folder beside the project whose path is not told, or is not plain.
LOCAL: Final = "local"
_VERSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.!+_~-]{0,127}")
_REVISION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,127}")
_WHEEL: Final = re.compile(r"[^/]+?-(?P<version>[0-9][^-/]*)(?:-[^/]*\.whl|\.tar\.gz|\.zip)")
_OR: Final = re.compile(r"\sor\s")
_PLATFORM: Final = re.compile(
    r"""(?:sys_platform|platform_system)\s{0,8}==\s{0,8}["']([A-Za-z0-9_]{1,32})["']"""
)
_MOST_ITEMS: Final = 200_000
_LONGEST_MARKER: Final = 4_000
_PATH: Final = re.compile(r"[A-Za-z0-9._@+~/-]{1,255}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """One package that a lockfile holds fast."""

    name: str
    #: A version, or the address and commit of code that has none.
    version: str
    #: Empty: it runs in production; else ``dev`` or ``optional``.
    scope: tuple[str, ...] = ()
    #: Whether the project itself asks for it; None where the format does not say.
    direct: bool | None = None
    platform: str | None = None


def read_of(
    lock: Lock,
    ecosystem: str,
    pins: Iterable[Pin],
    unseen: Sequence[Unseen] = (),
    warnings: Sequence[str] = (),
) -> Read:
    """Return pins as the dependencies of the only component of a file.

    What is no name or version of the ecosystem is not copied: it becomes an unseen entry. Raises UnseenError
    for more packages than any project has.
    """
    facts, hints, refused = facts_and_hints(lock.name, ecosystem, pins)
    gaps = list(unseen)
    if refused:
        detail = f"{lock.name}: {refused} entries whose name or version is none"
        gaps.append(Unseen(item=f"pkg:{ecosystem}/*", reason="malformed", detail=detail))
    if gaps:
        detail = "the digest of pins that are not all known would tell nothing"
        gaps.append(Unseen(item=f"lockfile#{ecosystem}", reason=gaps[0].reason, detail=detail))
    else:
        facts[f"lockfile#{ecosystem}"] = digest_of(value_bytes(facts))
    section = Section(
        basis="declared",
        status="partial" if gaps else "complete",
        facts=facts,
        hints=hints,
        covers=(f"pkg:{ecosystem}/*", f"lockfile#{ecosystem}"),
        unseen=tuple(gaps),
    )
    return Read(parts=(Part(sections={"dependencies": section}),), warnings=tuple(warnings))


def facts_and_hints(
    name: str, ecosystem: str, pins: Iterable[Pin]
) -> tuple[dict[str, Value], dict[str, dict[str, Any]], int]:
    """Return facts and hints by item, and how many pins have no name or version of the ecosystem.

    Raises UnseenError that begins with the name of the file.
    """
    by_item: dict[str, list[Pin]] = {}
    refused = 0
    for pin in pins:
        if _NAMES[ecosystem].fullmatch(pin.name) and (is_version(pin.version) or _is_address(pin.version)):
            by_item.setdefault(package(ecosystem, pin.name), []).append(pin)
            if len(by_item) > _MOST_ITEMS:
                raise UnseenError("too_large", f"{name}: more than {_MOST_ITEMS} packages")
        else:
            refused += 1
    facts: dict[str, Value] = {item: _versions(own) for item, own in by_item.items()}
    return facts, {item: hint for item, own in by_item.items() if (hint := _hints(own))}, refused


def _versions(pins: Sequence[Pin]) -> Value:
    distinct = sorted({pin.version for pin in pins})
    return distinct[0] if len(distinct) == 1 else list(distinct)


def _hints(pins: Sequence[Pin]) -> dict[str, Any]:
    hints: dict[str, Any] = {}
    if all(pin.scope for pin in pins):
        hints["scope"] = sorted({word for pin in pins for word in pin.scope})
    if any(pin.direct is not None for pin in pins):
        hints["direct"] = any(pin.direct for pin in pins)
    platforms = {pin.platform for pin in pins}
    if len(platforms) == 1 and (platform := platforms.pop()):
        hints["platform"] = platform
    return hints


def is_version(text: str) -> bool:
    """Tell whether a text may stand as a version."""
    return _VERSION.fullmatch(text) is not None


def _is_address(text: str) -> bool:
    return (text.startswith(("git+", "file:")) or "://" in text) and without_credentials(text) == text


def from_git(address: str, revision: str) -> str | None:
    """Return ``git+host/path@revision``, without credentials, or None where it is no repository."""
    repository = repository_url(address.removeprefix("git+"))
    if repository is None or not _REVISION.fullmatch(revision or "HEAD"):
        return None
    return f"git+{repository}@{revision}" if revision else f"git+{repository}"


def from_archive(address: str) -> str | None:
    """Return the version in the file name of a wheel or source archive, else the bare address, else None."""
    bare = without_credentials(address)
    match = _WHEEL.fullmatch(bare.rpartition("/")[2]) if bare else None
    if match and is_version(match["version"]):
        return match["version"]
    return bare if bare and "://" in bare else None


def from_path(path: str) -> str | None:
    """Return ``file:../shop`` for a folder or file beside the project, or None where it is no plain path.

    Of an absolute path only the last part is kept: where a machine has it is no matter of the project.
    """
    bare = path.removeprefix("file:").partition("?")[0].partition("#")[0].rstrip("/")
    bare = bare.rpartition("/")[2] if bare.startswith("/") else bare.removeprefix("./")
    return f"file:{bare}" if _PATH.fullmatch(bare) else None


def platform_of_marker(marker: object) -> str | None:
    """Return the only platform that a marker lets through, such as ``sys_platform == 'win32'`` (PEP 508)."""
    if not isinstance(marker, str) or "platform" not in marker:
        return None
    # Whatever else is asked for beside it: each alternative must ask for the same platform.
    found = {_platform_in(alternative) for alternative in _OR.split(marker[:_LONGEST_MARKER])}
    return found.pop() if len(found) == 1 else None


def _platform_in(alternative: str) -> str | None:
    match = _PLATFORM.search(alternative)
    name = match[1].lower() if match else None
    return "win32" if name == "windows" else name


def item_of(ecosystem: str, name: str) -> str:
    """Return the item of a package, or the glob of its ecosystem where the name is none."""
    return package(ecosystem, name) if _NAMES[ecosystem].fullmatch(name) else f"pkg:{ecosystem}/*"
