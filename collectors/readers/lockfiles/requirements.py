"""``requirements.txt`` in the format of pip: what is pinned, and what only looks so.

Nothing is fetched and no other file is opened: an include is named as unseen, unless its file is read too.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from posixpath import dirname, join, normpath
from typing import Final

from collectors.readers.lockfiles.lock import Lock
from collectors.readers.lockfiles.pins import (
    Pin,
    from_archive,
    from_git,
    is_version,
    platform_of_marker,
    read_of,
)
from detector.model.facts import Unseen
from detector.model.items import package
from detector.reader import Read

_COMMENT: Final = re.compile(r"(?:^|\s+)#.*")
_OPTION: Final = re.compile(r"(-[A-Za-z]|--[a-z][a-z-]*)(?:[\s=]+(.*))?")
_REQUIREMENT: Final = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[[A-Za-z0-9._,\s-]*\])?\s*(?P<rest>.*)"
)
_SPECIFIER: Final = re.compile(r"(?:~=|==|!=|<=|>=|<|>|===)\s*[^\s,;()=]+")
_EXACT: Final = re.compile(r"={2,3}\s*([^\s,;()=*]+)")
_EGG: Final = re.compile(r"#(?:.*&)?egg=([A-Za-z0-9._-]+)")
_GENERATED: Final = re.compile(r"auto-?generated", re.IGNORECASE)
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


@dataclass(slots=True)
class _Found:
    """What was found so far in one file."""

    pins: list[Pin] = field(default_factory=list)
    unseen: list[Unseen] = field(default_factory=list)


def read(lock: Lock) -> Read:
    """Return the pins. Raises UnseenError."""
    if lock.data.startswith(_UTF16):  # what `pip freeze >` writes in some shells
        lock = replace(lock, data=lock.data.decode("utf-16", "replace").encode())
    text = lock.text()
    # People often leave out the last line end, tools never; and a comment may be the head of a tool's file.
    ends = "--hash=" in text or _GENERATED.search(text[:1_000]) or text.rpartition("\n")[2].startswith("#")
    found = _Found(unseen=lock.cut_off("pypi") if ends else [])
    if text.rstrip().endswith("\\"):
        detail = f"{lock.name}: its last line is to be continued; the file may be cut off"
        found.unseen.append(Unseen(item="pkg:pypi/*", reason="malformed", detail=detail))
    folder = dirname(lock.name)
    for number, line, via in _logical_lines(text):
        place = f"{lock.name}:{number}"
        option = _OPTION.fullmatch(line)
        if option is None:
            _add_requirement(line, place, found, direct=via)
        elif option[1] in ("-r", "--requirement"):
            if normpath(join(folder, option[2] or "")) not in lock.given:
                detail = f"{place}: the file that it includes was not read"
                found.unseen.append(Unseen(item="pkg:pypi/*", reason="not_in_view", detail=detail))
        elif option[1] in ("-e", "--editable"):
            _add_address(option[2] or "", place, found, editable=True)
    return read_of("pypi", found.pins, found.unseen, ())


def _logical_lines(text: str) -> Iterator[tuple[int, str, bool | None]]:
    """Yield (line number, text, whether the project itself asks for it).

    The last is what pip-compile and uv write behind ``# via``; None without such a comment.
    """
    waiting: tuple[int, str] | None = None
    via: list[str] | None = None
    part, start = "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if not part and stripped.startswith("#"):
            words = stripped.lstrip("# ").strip()
            if waiting and words.startswith("via"):
                via = [words[3:].strip()]
            elif via is not None:
                via.append(words)
            continue
        start = start if part else number
        part += _COMMENT.sub("", line).strip()
        if part.endswith("\\"):
            part = part[:-1] + " "
            continue
        if part.strip():
            if waiting:
                yield *waiting, _is_direct(via)
            waiting, via = (start, part.strip()), _via_behind(line)
        part = ""
    if part.strip():
        if waiting:
            yield *waiting, _is_direct(via)
        waiting, via = (start, part.strip()), None
    if waiting:
        yield *waiting, _is_direct(via)


def _via_behind(line: str) -> list[str] | None:
    comment = line.partition(" #")[2].strip()
    return [comment[3:].strip()] if comment.startswith("via") else None


def _is_direct(via: list[str] | None) -> bool | None:
    if via is None:
        return None
    return any(entry.startswith("-r ") or entry.endswith((".toml)", ".cfg)", ".py)")) for entry in via)


def _add_requirement(line: str, place: str, found: _Found, *, direct: bool | None) -> None:
    line = re.split(r"\s--[a-z]", line, maxsplit=1)[0].strip()  # options of one requirement: its hashes
    match = _REQUIREMENT.fullmatch(line)
    if match is None or (match["rest"] and match["rest"][0] not in "@(=<>!~;"):
        _add_address(line, place, found)
        return
    rest, _, marker = match["rest"].partition(" ;" if match["rest"].startswith("@") else ";")
    rest = rest.strip()
    platform = platform_of_marker(marker)
    if rest.startswith("@"):
        _add_address(rest[1:].strip(), place, found, name=match["name"])
        return
    specifiers = [part.strip() for part in rest.strip("() ").split(",") if part.strip()]
    exact = _EXACT.fullmatch(specifiers[0]) if len(specifiers) == 1 else None
    if exact and is_version(exact[1]):
        found.pins.append(Pin(name=match["name"], version=exact[1], direct=direct, platform=platform))
    elif all(_SPECIFIER.fullmatch(part) for part in specifiers):
        item, detail = package("pypi", match["name"]), f"{place}: not pinned to one version"
        found.unseen.append(Unseen(item=item, reason="not_in_view", detail=detail))
    else:
        found.unseen.append(_not_understood(place))


def _add_address(address: str, place: str, found: _Found, *, name: str = "", editable: bool = False) -> None:
    """Add what comes from a repository, an archive or a folder; of a folder only its being there is known."""
    egg = _EGG.search(address)
    name = name or (egg[1] if egg else "")
    bare = address.partition("#")[0].strip()
    if bare.startswith(("git+", "git@", "git:")):
        head, _, tail = bare.rpartition("/")
        path, _, revision = tail.partition("@")
        version = from_git(f"{head}/{path}", revision)
    elif editable or bare in (".", "./"):
        return  # own code in a folder of the project
    else:
        file_name = bare.partition("?")[0].rpartition("/")[2]
        name = name or (
            file_name.partition("-")[0] if file_name.endswith((".whl", ".tar.gz", ".zip")) else ""
        )
        version = from_archive(bare)
    if name and version:
        found.pins.append(Pin(name=name, version=version))
    else:
        found.unseen.append(_not_understood(place))


def _not_understood(place: str) -> Unseen:
    return Unseen(item="pkg:pypi/*", reason="malformed", detail=f"{place}: not a requirement with a version")
