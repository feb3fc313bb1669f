"""What an expression outside the store names: a file, a folder, a container or standard input."""

import os
import secrets
import stat
import sys
from typing import Any, Final

from detector import plugins
from detector.errors import UnseenError, UsageError, did_you_mean
from detector.model.expressions import LOCATOR_TYPES, Locator, StandardInput
from detector.model.facts import failed_section
from detector.model.fingerprints import KEY_BYTES, Fingerprinter
from detector.model.words import SectionName
from detector.queries.files import FileState
from detector.reader import MAX_BYTES, Part, Read, Reader

#: Readers that know a file by its own name, in the order in which they are asked: what costs least to import
#: first.
_BY_NAME: Final = ("dotenv", "lockfile", "compose", "snapshot")
#: What stays unseen of a file that is not understood.
_SECTIONS: Final[dict[str, tuple[SectionName, ...]]] = {
    "dotenv": ("config",),
    "names": ("config",),
    "lockfile": ("dependencies",),
    "python": ("dependencies",),
    "compose": ("backing_services", "config", "release"),
    "docker": ("dependencies", "config", "release"),
    "snapshot": ("dependencies", "backing_services", "config"),
}


def ephemeral() -> Fingerprinter:
    """Return a fingerprinter whose key dies with this process: enough to compare files with each other."""
    return Fingerprinter(secrets.token_bytes(KEY_BYTES))


def load(expression: Locator | StandardInput, fingerprinter: Fingerprinter) -> FileState:
    """Return what a locator says. What opens but is not understood is unseen.

    Raises UsageError for what cannot be opened.
    """
    if isinstance(expression, StandardInput):
        return _read_with(
            _reader_of_input(data := sys.stdin.buffer.read(MAX_BYTES + 1)), data, "-", fingerprinter
        )
    kind = expression.type or _type_of(expression.path)
    if kind == "docker":
        from detector.cli.containers import container_state

        return container_state(expression, fingerprinter)
    if kind == "sbom":
        raise UsageError("sbom: is not read yet; take lockfile:, docker: or snapshot:")
    if kind == "python":
        return _installed(expression)
    return _read_with(kind, _bytes_of(expression.path), str(expression), fingerprinter)


def _type_of(path: str) -> str:
    name = os.path.basename(path)
    for kind in _BY_NAME:
        if _reader(kind).matches(name):
            return kind
    if not os.path.exists(path):
        raise UsageError(
            f"{path} cannot be opened: there is no such file{did_you_mean(path, _siblings(path))}"
        )
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
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        reason = (error.strerror or "it cannot be read").lower()
        raise UsageError(f"{path} cannot be opened: {reason}{did_you_mean(path, _siblings(path))}") from None
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise UsageError(f"{path} is no regular file")
        return file.read(MAX_BYTES + 1)


def _read_with(kind: str, data: bytes, name: str, fingerprinter: Fingerprinter) -> FileState:
    try:
        if len(data) > MAX_BYTES:
            raise UnseenError("too_large", f"more than {MAX_BYTES // 1024 // 1024} MB")
        read = _reader(kind).read(data, name, fingerprinter)
    except UnseenError as error:
        return _unseen(kind, name, error)
    return _state(name, read)


def _installed(expression: Locator) -> FileState:
    if not os.path.isdir(expression.path):
        raise UsageError(f"{expression.path} cannot be opened: python: takes the folder of an environment")
    reader: Any = _reader("python")
    try:
        return _state(str(expression), reader.installed(expression.path))
    except UnseenError as error:
        return _unseen("python", str(expression), error)


def _state(name: str, read: Read) -> FileState:
    return FileState(
        expression=name, parts=read.parts, warnings=tuple(f"{name}: {line}" for line in read.warnings)
    )


def _unseen(kind: str, name: str, error: UnseenError) -> FileState:
    failed = failed_section("declared", error.reason, error.detail)
    part = Part(sections=dict.fromkeys(_SECTIONS[kind], failed))
    return FileState(expression=name, parts=(part,))


def _reader_of_input(data: bytes) -> str:
    """Return the reader for standard input: observations name their schema, the rest are names and values."""
    return "snapshot" if b'"parity.observation/' in data[:100_000] else "names"


def _reader(kind: str) -> Reader:
    reader: Reader = plugins.load("parity.readers", kind)()
    return reader
