"""What an expression outside the store names: a file, a folder, a container, an image or standard input."""

import os
import re
import secrets
import stat
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, BinaryIO, Final, TypeVar

from detector import plugins
from detector.errors import NotFoundError, UnseenError, UsageError, did_you_mean
from detector.model.expressions import LOCATOR_TYPES, Locator, StandardInput
from detector.model.facts import failed_section
from detector.model.fingerprints import KEY_BYTES, Fingerprinter
from detector.model.words import SectionName, Tier
from detector.queries.files import FileState, with_tiers
from detector.reader import MAX_BYTES, Part, Read, Reader

#: Readers that know a file by its own name, in the order in which they are asked: what costs least to import
#: first.
_BY_NAME: Final = ("dotenv", "lockfile", "compose", "snapshot", "terraform", "sbom", "settings")
#: Formats whose files name others.
_NAMING_FILES: Final = ("compose", "lockfile")
#: So many bytes of a file tell whether it is a program.
_HEAD: Final = 8
_Taken = TypeVar("_Taken")
#: The line by which an object of Kubernetes is known, in YAML or in JSON.
_MANIFEST: Final = re.compile(rb'^(?:apiVersion:|[ {]*"apiVersion":)', re.MULTILINE)
#: What a side is called that came on standard input.
STANDARD_INPUT: Final = "stdin"
#: What stays unseen of a file that is not understood.
_SECTIONS: Final[dict[str, tuple[SectionName, ...]]] = {
    "dotenv": ("config",),
    "names": ("config",),
    "settings": ("config",),
    "lockfile": ("dependencies",),
    "sbom": ("dependencies",),
    "python": ("dependencies",),
    "installed": ("dependencies",),
    "binary": ("dependencies", "codebase"),
    "compose": ("backing_services", "config", "release"),
    "manifests": ("backing_services", "config", "release"),
    "terraform": ("dependencies", "backing_services", "release"),
    "docker": ("dependencies", "config", "release"),
    "snapshot": ("dependencies", "backing_services", "config"),
}
#: What a bill of materials has near its beginning, whatever its format.
_BILLS: Final = (
    b'"bomFormat"', b'"spdxVersion"', b"SPDXVersion:", b"cyclonedx.org/schema/bom/", b'"payloadType"',
)  # fmt: skip


def ephemeral() -> Fingerprinter:
    """Return a fingerprinter whose key dies with this process: enough to compare files with each other."""
    return Fingerprinter(secrets.token_bytes(KEY_BYTES))


def both_files(
    left: Locator | StandardInput, right: Locator | StandardInput, tiers: tuple[Tier, Tier] | None
) -> tuple[FileState, FileState]:
    """Return what both locators say, with their tiers. Raises UsageError for what cannot be opened."""
    if isinstance(left, StandardInput) and isinstance(right, StandardInput):
        raise UsageError("only one side can come from standard input")
    fingerprinter = ephemeral()
    return with_tiers(load(left, fingerprinter), load(right, fingerprinter), tiers)


def load(expression: Locator | StandardInput, fingerprinter: Fingerprinter) -> FileState:
    """Return what a locator says. What opens but is not understood is unseen.

    Raises UsageError for what cannot be opened.
    """
    if isinstance(expression, StandardInput):
        data = sys.stdin.buffer.read(MAX_BYTES + 1)
        reader = _reader(kind := _reader_of_input(data))
        return _read_with(kind, data, STANDARD_INPUT, partial(reader.read, fingerprinter=fingerprinter))
    kind = expression.type or _type_of(expression.path)
    if kind in ("docker", "image"):
        from detector.cli.containers import collected_state

        return collected_state(kind, expression, fingerprinter)
    if kind in ("python", "installed"):
        return _installed(kind, expression)
    if kind == "binary":
        program: Any = _reader(kind)
        read_file = partial(program.read_file, name=str(expression))
        return _looked_into(kind, expression, partial(_from_file, expression.path, read_file))
    if kind == "manifests" and os.path.isdir(expression.path):
        folder: Any = _reader(kind)
        return _looked_into(kind, expression, partial(folder.below, expression.path, fingerprinter))
    data, reader = _bytes_of(expression.path), _reader(kind)
    read = partial(reader.read, fingerprinter=fingerprinter)
    if kind in _NAMING_FILES:
        read = partial(_with_files_beside, reader, fingerprinter, expression.path)
    return _read_with(kind, data, str(expression), read)


def _with_files_beside(reader: Any, fingerprinter: Fingerprinter, path: str, data: bytes, name: str) -> Read:
    """Read a file with those that it names, below the current folder or else below its own."""
    home, here = os.path.realpath(os.path.dirname(path)), os.path.realpath(".")
    root = here if _is_below(here, home) else home

    def beside(named: str) -> bytes:
        target = os.path.realpath(os.path.join(home, named))
        if not _is_below(root, target):
            raise UnseenError("denied", "it leads out of this folder")
        if not os.path.lexists(target):
            raise UnseenError("unreachable", "there is no such file")
        try:
            return _bytes_of(target)
        except UsageError:
            raise UnseenError("denied", "it cannot be opened") from None

    read: Read = reader.read_beside(data, name, fingerprinter, beside)
    return read


def _is_below(root: str, path: str) -> bool:
    return os.path.commonpath((root, path)) == root


def only(left: FileState, right: FileState, services: tuple[str, ...]) -> tuple[FileState, FileState]:
    """Return both sides with these services alone, all of them where none is asked for.

    Raises NotFoundError for a service that neither side names.
    """
    if not services:
        return left, right
    known = sorted({part.service for part in (*left.parts, *right.parts) if part.service})
    for name in services:
        if name not in known:
            raise NotFoundError(f"no service {name}{did_you_mean(name, known) or ': these files name none'}")
    ours, theirs = (
        replace(state, parts=tuple(part for part in state.parts if part.service in (None, *services)))
        for state in (left, right)
    )
    return ours, theirs


def _type_of(path: str) -> str:
    name = os.path.basename(path)
    for kind in _BY_NAME:
        if _reader(kind).matches(name):
            return kind
    if not os.path.exists(path):
        raise UsageError(
            f"{path} cannot be opened: there is no such file{did_you_mean(path, _siblings(path))}"
        )
    program: Any = _reader("binary")
    if program.knows(_from_file(path, lambda file: file.read(_HEAD))):
        return "binary"
    raise UsageError(
        f"{path}: the name does not tell the format; write TYPE:{path} with one of {', '.join(LOCATOR_TYPES)}"
    )


def _siblings(path: str) -> list[str]:
    folder = os.path.dirname(path)
    try:
        names = os.listdir(folder or ".")[:1000]
    except OSError:
        return []
    # Only near misses are worth saying: a list of a whole folder is not.
    close = [os.path.join(folder, name) for name in names]
    return close if did_you_mean(path, close).startswith(" (did") else []


def _bytes_of(path: str) -> bytes:
    return _from_file(path, lambda file: file.read(MAX_BYTES + 1))


def _from_file(path: str, take: Callable[[BinaryIO], _Taken]) -> _Taken:
    try:
        with open(path, "rb", opener=_opened) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise UsageError(f"{path} is no regular file")
            return take(file)
    except IsADirectoryError:
        raise UsageError(
            f"{path} is a folder: name a file in it, or installed:{path} for what is installed there"
        ) from None
    except (OSError, ValueError) as error:
        # A zero byte in a path is a ValueError.
        reason = (getattr(error, "strerror", None) or "it cannot be read").lower()
        raise UsageError(f"{path} cannot be opened: {reason}{did_you_mean(path, _siblings(path))}") from None


def _opened(path: str, flags: int) -> int:
    # Not blocking: a named pipe would wait for its writer for ever.
    return os.open(path, flags | os.O_NONBLOCK)


def _read_with(kind: str, data: bytes, name: str, read_as: Callable[[bytes, str], Read]) -> FileState:
    try:
        if len(data) > MAX_BYTES:
            raise UnseenError("too_large", f"more than {MAX_BYTES // 1024 // 1024} MB")
        read = read_as(data, name)
    except UnseenError as error:
        return _unseen(kind, name, error)
    except Exception as error:  # noqa: BLE001 - readers are strangers' code, and what they raise may hold a value
        return _unseen(kind, name, UnseenError("crashed", f"the reader raised {type(error).__name__}"))
    return _state(name, read)


def _installed(kind: str, expression: Locator) -> FileState:
    if not os.path.isdir(expression.path):
        raise UsageError(f"{expression.path} cannot be opened: {kind}: takes a folder")
    reader: Any = _reader(kind)
    return _looked_into(kind, expression, partial(reader.installed, expression.path))


def _looked_into(kind: str, expression: Locator, look: Callable[[], Read]) -> FileState:
    """Return what a reader sees in what it opens itself."""
    try:
        return _state(str(expression), look())
    except UnseenError as error:
        return _unseen(kind, str(expression), error)


def code_below(folder: str) -> Part:
    """Return what the code of a folder reads. Raises UsageError where it cannot be listed."""
    reader: Any = _reader("reads")
    try:
        (part,) = reader.below(folder).parts
    except UnseenError as error:
        raise UsageError(f"{folder} cannot be read: {error.detail}") from None
    found: Part = part
    return found


def _state(name: str, read: Read) -> FileState:
    return FileState(
        expression=name,
        parts=read.parts,
        warnings=tuple(line if line.startswith(name) else f"{name}: {line}" for line in read.warnings),
    )


def _unseen(kind: str, name: str, error: UnseenError) -> FileState:
    failed = failed_section("declared", error.reason, error.detail)
    part = Part(sections=dict.fromkeys(_SECTIONS[kind], failed))
    return FileState(expression=name, parts=(part,))


def _reader_of_input(data: bytes) -> str:
    """Return the reader for standard input: what names its format, else names and values."""
    head = data[:100_000]
    if b'"parity.observation/' in head:
        return "snapshot"
    if any(mark in head for mark in _BILLS):
        return "sbom"
    return "manifests" if _MANIFEST.search(data) else "names"


def _reader(kind: str) -> Reader:
    reader: Reader = plugins.load("parity.readers", kind)()
    return reader
