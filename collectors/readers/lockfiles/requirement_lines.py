"""Lines of ``requirements.txt``: joined, without comments, each a requirement or an option (pip, PEP 508)."""

import re
from collections.abc import Iterator
from typing import Final

from collectors.readers.lockfiles.pins import (
    Pin,
    from_archive,
    from_git,
    from_path,
    is_version,
    platform_of_marker,
)

_COMMENT: Final = re.compile(r"(?:^|\s)#.*")
_OPTION: Final = re.compile(r"(-[A-Za-z]|--[a-z][a-z-]*)(?:[\s=]+(.*))?")
_REQUIREMENT: Final = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[[A-Za-z0-9._,\s-]*\])?\s*(?P<rest>.*)"
)
_SPECIFIER: Final = re.compile(r"(?:~=|==|!=|<=|>=|<|>|===)\s*[^\s,;()=]+")
_EXACT: Final = re.compile(r"={2,3}\s*([^\s,;()=*]+)")
_EGG: Final = re.compile(r"egg=([A-Za-z0-9._-]+)")
#: Options of one requirement, such as its hashes.
_OWN_OPTIONS: Final = re.compile(r"\s--[a-z]")
_ARCHIVES: Final = (".whl", ".tar.gz", ".zip")
_GIT: Final = ("git+", "git@", "git:")


def logical_lines(text: str) -> Iterator[tuple[int, str, bool | None]]:
    """Yield (line number, text, whether the project itself asks for it).

    The last is what pip-compile and uv write behind ``# via``; None without such a comment.
    """
    waiting: tuple[int, str] | None = None
    via: list[str] | None = None
    parts: list[str] = []
    start = 0
    lines = text.splitlines()
    for number, line in enumerate(lines, start=1):
        stripped = line.strip()
        if not parts and stripped.startswith("#"):
            words = stripped.lstrip("# ").strip()
            if waiting and words.startswith("via"):
                via = [words[3:].strip()]
            elif via is not None:
                via.append(words)
            continue
        start = start if parts else number
        part = _COMMENT.sub("", line).strip()
        parts.append(part.removesuffix("\\"))
        if part.endswith("\\") and number < len(lines):
            continue
        if joined := " ".join(parts).strip():
            if waiting:
                yield *waiting, _is_direct(via)
            waiting, via = (start, joined), _via_behind(line)
        parts = []
    if waiting:
        yield *waiting, _is_direct(via)


def _via_behind(line: str) -> list[str] | None:
    comment = line.partition(" #")[2].strip()
    return [comment[3:].strip()] if comment.startswith("via") else None


def _is_direct(via: list[str] | None) -> bool | None:
    if via is None:
        return None
    return any(entry.startswith("-r ") or entry.endswith((".toml)", ".cfg)", ".py)")) for entry in via)


def option_at(line: str) -> tuple[str, str]:
    """Return an option and its value; an empty one for what is a requirement."""
    match = _OPTION.fullmatch(line)
    return (match[1], (match[2] or "").strip()) if match else ("", line)


def requirement_at(line: str, *, direct: bool | None) -> Pin | None:
    """Return a requirement, without version where none is pinned; None for what is not understood."""
    line = _OWN_OPTIONS.split(line, maxsplit=1)[0].strip()
    match = _REQUIREMENT.fullmatch(line)
    if match is None or (match["rest"] and match["rest"][0] not in "@(=<>!~;"):
        return from_address(line)
    rest, _, marker = match["rest"].partition(" ;" if match["rest"].startswith("@") else ";")
    rest = rest.strip()
    if rest.startswith("@"):
        return from_address(rest[1:].strip(), name=match["name"])
    specifiers = [part.strip() for part in rest.strip("() ").split(",") if part.strip()]
    exact = _EXACT.fullmatch(specifiers[0]) if len(specifiers) == 1 else None
    version = exact[1] if exact and is_version(exact[1]) else ""
    if not version and not all(_SPECIFIER.fullmatch(part) for part in specifiers):
        return None
    return Pin(name=match["name"], version=version, direct=direct, platform=platform_of_marker(marker))


def is_own_code(address: str, *, editable: bool) -> bool:
    """Tell whether an address is a folder of the project: its own code is no dependency."""
    bare = address.partition("#")[0].strip()
    if bare.startswith(_GIT) or bare.endswith(_ARCHIVES):
        return False
    return editable or bare in (".", "..") or bare.startswith(("./", "../"))


def from_address(address: str, name: str = "") -> Pin | None:
    """Return what comes from a repository, an archive or a folder; None where it says no name or place."""
    bare, _, fragment = address.partition("#")
    bare = bare.strip()
    egg = next((match for part in fragment.split("&") if (match := _EGG.match(part))), None)
    name = name or (egg[1] if egg else "")
    if bare.startswith(_GIT):
        head, _, tail = bare.rpartition("/")
        path, _, revision = tail.partition("@")
        version = from_git(f"{head}/{path}", revision)
    else:
        file_name = bare.partition("?")[0].rpartition("/")[2]
        if file_name.endswith(_ARCHIVES):
            name = name or file_name.partition("-")[0]
        version = from_archive(bare) or from_path(bare)
    return Pin(name=name, version=version) if name and version else None
