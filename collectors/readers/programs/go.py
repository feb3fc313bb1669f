"""Build information of Go inside a program (package ``debug/buildinfo``): modules, Go itself, the commit.

Of the settings of the build only processor and commit are taken: flags of the linker hold values.
"""

import re
from dataclasses import dataclass, field
from typing import Final, Literal

from collectors.readers.lockfiles.go import version_of_replaced
from collectors.readers.lockfiles.pins import LOCAL, Pin, facts_and_hints
from collectors.readers.programs.parts import Program
from detector.errors import UnseenError
from detector.model.facts import Section, Unseen, Value
from detector.model.words import SectionName

_MAGIC: Final = b"\xff Go buildinf:"
_HEADER: Final = 32
_ALIGNED: Final = 16
_NAMES: Final = frozenset({".go.buildinfo", "__go_buildinfo"})
#: So far into the data of a program without a section of that name it is looked for, as Go does.
_SEARCHED: Final = 1024 * 1024
_LONGEST: Final = 8 * 1024 * 1024
_INLINE, _BIG_ENDIAN = 2, 1
#: What stands before and behind the text of the modules.
_SENTINEL: Final = 16
_RELEASE: Final = re.compile(r"go([0-9]+\.[0-9]+(?:[.a-z0-9]{1,16})?)(?: .*)?")
_COMMIT: Final = re.compile(r"[0-9a-f]{7,64}")
_SETTINGS: Final = frozenset({"GOARCH", "vcs.revision", "vcs.modified"})
_WORD: Final = re.compile(r"[a-z0-9]{1,32}")
_DEVEL: Final = "(devel)"


@dataclass(frozen=True, slots=True)
class BuildInfo:
    """What Go wrote into a program."""

    #: Such as ``go1.22.1``.
    version: str
    #: Lines of words with tabs between; empty where it was built without modules.
    modules: str


def build_info(program: Program) -> BuildInfo | None:
    """Return the build information of a program, None where there is none. Raises UnseenError."""
    found = _found(program)
    if found is None:
        return None
    offset, header = found
    size, flags = header[14], header[15]
    if flags & _INLINE:
        version, offset = _inline(program, offset + _HEADER)
        modules, _ = _inline(program, offset)
    else:
        order: Literal["big", "little"] = "big" if flags & _BIG_ENDIAN else "little"
        if size not in (4, 8):
            raise program.broken()
        version = _pointed_at(program, header[16 : 16 + size], order)
        modules = _pointed_at(program, header[16 + size : 16 + 2 * size], order)
    text = modules[_SENTINEL:-_SENTINEL] if modules[-_SENTINEL - 1 : -_SENTINEL] == b"\n" else b""
    return BuildInfo(version.decode("utf-8", "replace"), text.decode("utf-8", "replace"))


def _found(program: Program) -> tuple[int, bytes] | None:
    """Return where in the file the header is, and the header."""
    named = [part for part in program.parts if part.name in _NAMES]
    for part in (named or [part for part in program.parts if part.writable and part.size])[:1]:
        data = program.at(part.offset, min(part.size, _SEARCHED))
        at = data.find(_MAGIC)
        while at >= 0 and at % _ALIGNED:
            at = data.find(_MAGIC, at + 1)
        if at >= 0:
            return part.offset + at, program.at(part.offset + at, _HEADER)
    return None


def _inline(program: Program, offset: int) -> tuple[bytes, int]:
    """Return a text behind its length (since Go 1.18), and where it ends."""
    size = shift = 0
    while True:
        (byte,) = program.at(offset, 1)
        offset += 1
        size |= (byte & 0x7F) << shift
        shift += 7
        if size > _LONGEST or shift > 63:
            raise _too_large(program)
        if byte < 0x80:
            return program.at(offset, size), offset + size


def _pointed_at(program: Program, pointer: bytes, order: Literal["big", "little"]) -> bytes:
    """Return the text that a pointer leads to, by way of its address and length (before Go 1.18)."""
    width = len(pointer)
    address = int.from_bytes(pointer, order)
    if not address:
        return b""
    text = program.in_memory(address, 2 * width)
    size = int.from_bytes(text[width:], order)
    if size > _LONGEST:
        raise _too_large(program)
    return program.in_memory(int.from_bytes(text[:width], order), size) if size else b""


def _too_large(program: Program) -> UnseenError:
    return UnseenError("too_large", f"{program.name}: build information of more than {_LONGEST} bytes")


@dataclass(slots=True)
class _Built:
    """The lines of the modules, taken apart."""

    main: tuple[str, str] = ("", "")
    #: Path, and path and version of what stands in for it, or its own.
    modules: list[tuple[str, str, str]] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)


def sections_of(info: BuildInfo, name: str) -> dict[SectionName, Section]:
    """Return what build information says: modules and Go itself, and the commit where it was stamped."""
    built = _built(info.modules)
    commit = built.settings.get("vcs.revision", "")
    if not commit and built.main[1] not in ("", _DEVEL):
        built.modules.append((built.main[0], *built.main))  # fetched by its version: a tool, not own code
    facts, hints, refused = facts_and_hints(
        name,
        "golang",
        (Pin(name=path, version=_version(path, other, own)) for path, other, own in built.modules),
    )
    unseen = []
    if refused:
        detail = f"{name}: {refused} modules whose name or version is none"
        unseen.append(Unseen(item="pkg:golang/*", reason="malformed", detail=detail))
    if not info.modules:
        detail = f"{name}: it was built without modules, or they were left out"
        unseen.append(Unseen(item="pkg:golang/*", reason="not_in_view", detail=detail))
    if release := _RELEASE.fullmatch(info.version):
        facts["runtime#go"] = release[1]
    else:
        detail = f"{name}: Go itself is of no released version"
        unseen.append(Unseen(item="runtime#go", reason="unsupported", detail=detail))
    if _WORD.fullmatch(processor := built.settings.get("GOARCH", "")):
        facts["os#arch"] = processor
    dependencies = Section(
        basis="built",
        status="partial" if unseen else "complete",
        facts=facts,
        hints=hints,
        covers=("pkg:golang/*", "runtime#go"),
        unseen=tuple(unseen),
    )
    if not _COMMIT.fullmatch(commit):
        return {"dependencies": dependencies}
    code: dict[str, Value] = {"repo#commit": commit}
    if (modified := built.settings.get("vcs.modified")) in ("true", "false"):
        code["repo#dirty"] = modified == "true"
    return {
        "dependencies": dependencies,
        "codebase": Section(basis="built", facts=code, covers=tuple(code)),
    }


def _built(text: str) -> _Built:
    built = _Built()
    for line in text.splitlines():
        match line.split("\t"):
            case ["mod", path, version, *_]:
                built.main = path, version
            case ["dep", path, version, *_]:
                built.modules.append((path, path, version))
            case ["=>", other, version, *_] if built.modules:
                built.modules[-1] = built.modules[-1][0], other, version
            case ["build", setting]:
                key, _, value = setting.partition("=")
                if key in _SETTINGS:
                    built.settings[key] = value
    return built


def _version(path: str, other: str, version: str) -> str:
    if version in ("", _DEVEL):  # a folder, be it that of a replacement or of a workspace
        return LOCAL if other == path else version_of_replaced(path, other, "")
    return version_of_replaced(path, other, version)
