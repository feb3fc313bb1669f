"""Reads the artefacts of Java archives: which Maven coordinates a jar, war or ear holds, and those in it.

Formats: `META-INF/maven/GROUP/ARTIFACT/pom.properties` of the Maven archiver; JAR file specification for the
manifest; the layouts of Spring Boot (`BOOT-INF/lib`) and of web applications (`WEB-INF/lib`). An archive is
read in memory and bounded: its directory, each member, all members together, and how much they may swell.
"""

import io
import re
import struct
import zlib
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

from collectors.readers.installed.tree import shown
from detector.errors import UnseenError

if TYPE_CHECKING:
    import zipfile

#: Reasons that are told of one file at most.
_MOST_TOLD: Final = 5
#: Jars in a jar in a jar: a war in an ear holds jars.
DEEPEST: Final = 2
ENDINGS: Final = ("jar", "war", "ear")
_LARGEST: Final = 256 * 1024 * 1024
_MOST_MEMBERS: Final = 200_000
_LARGEST_DIRECTORY: Final = 64 * 1024 * 1024
_LARGEST_TEXT: Final = 64 * 1024
_LARGEST_NESTED: Final = 64 * 1024 * 1024
#: Bytes that all members of one file may have together once they are unpacked.
_MOST_UNPACKED: Final = 512 * 1024 * 1024
#: How much a member may swell beyond its first mebibyte.
_MOST_SWELLING: Final = 100
#: The end of the central directory: count, size, offset and length of the comment; that of ZIP64 has none.
_END: Final = struct.Struct("<4s6xHIIH")
_END_64: Final = struct.Struct("<4s28xQQQ")
_POM: Final = re.compile(r"META-INF/maven/[^/]{1,200}/[^/]{1,200}/pom\.properties")
_MANIFEST: Final = "META-INF/MANIFEST.MF"
#: Of an archive with these the archive itself is the application: own code, not a dependency.
_APPLICATIONS: Final = ("BOOT-INF/", "WEB-INF/", "APP-INF/")
_GROUP: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}")
_ARTIFACT: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}")
_VERSION: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+_-]{0,127}")
#: Names of files: the version is what follows the last dash before a number, one with a dot if there is any.
_DOTTED: Final = re.compile(r"([A-Za-z0-9_][A-Za-z0-9_.-]{0,199})-([0-9]{1,9}\.[0-9A-Za-z.+_-]{1,127})")
_PLAIN: Final = re.compile(r"([A-Za-z0-9_][A-Za-z0-9_.-]{0,199})-([0-9][0-9A-Za-z.+_-]{0,127})")


class Artefact(NamedTuple):
    """The coordinates of one artefact; the group is empty where only a name tells it."""

    group: str
    name: str
    version: str


class Archive:
    """What was found in one file, while the archives in it are read one after the other."""

    def __init__(self) -> None:
        self.artefacts: list[Artefact] = []
        #: Why an archive, or one in it, could not be read.
        self.unseen: list[UnseenError] = []
        self._bytes = _MOST_UNPACKED
        self._members = _MOST_MEMBERS

    def read(self, content: BinaryIO, path: str, depth: int = 0) -> None:
        """Add the artefacts of an archive, and of those in it. What cannot be read is unseen."""
        import zipfile  # noqa: PLC0415 - only where there is an archive

        try:
            told = _members_told(content, path)
            with zipfile.ZipFile(content) as archive:
                if len(archive.infolist()) != told:
                    raise UnseenError("malformed", f"{shown(path)}: not as many members as it says")
                self._archive(archive, path, depth)
        except UnseenError as error:
            self._miss(error)
        except (
            *(zipfile.BadZipFile, zlib.error, EOFError, OSError, struct.error),
            *(NotImplementedError, RuntimeError, ValueError, OverflowError),
        ):
            # The module raises the last four for a method, a password, a name or a time it does not take.
            self._miss(UnseenError("malformed", f"{shown(path)}: not an archive that can be read"))

    def _miss(self, error: UnseenError) -> None:
        if len(self.unseen) < _MOST_TOLD:
            self.unseen.append(error)

    def _archive(self, archive: "zipfile.ZipFile", path: str, depth: int) -> None:
        members = archive.infolist()
        self._members -= len(members)
        if self._members < 0:
            raise UnseenError("too_large", f"{shown(path)}: more than {_MOST_MEMBERS:,} members")
        if not any(member.filename.startswith(_APPLICATIONS) for member in members):
            self._own(archive, members, path)
        for member in members:
            if member.filename.rpartition(".")[2].lower() not in ENDINGS:
                continue
            inside = f"{path}!/{member.filename}"
            if depth == DEEPEST:
                detail = f"{shown(inside)}: more than {DEEPEST} archives in one another"
                raise UnseenError("unsupported", detail)
            self.read(io.BytesIO(self._member(archive, member, _LARGEST_NESTED, inside)), inside, depth + 1)

    def _own(self, archive: "zipfile.ZipFile", members: "list[zipfile.ZipInfo]", path: str) -> None:
        """Add what an archive says of itself: each artefact that kept its properties, else its name."""
        poms = [member for member in members if _POM.fullmatch(member.filename)]
        for member in poms:
            properties = _lines(self._member(archive, member, _LARGEST_TEXT, path), "=")
            group, name, version = (properties.get(key, "") for key in ("groupId", "artifactId", "version"))
            if (artefact := _artefact(group, name, version)) is None:
                raise UnseenError("malformed", f"{shown(path)}: properties of Maven that name no artefact")
            self.artefacts.append(artefact)
        if poms:
            return
        manifest: dict[str, str] = {}
        for member in members:
            if member.filename == _MANIFEST:
                manifest = _lines(self._member(archive, member, 16 * _LARGEST_TEXT, path), ":")
        if (artefact := _named(path, manifest)) is not None:
            self.artefacts.append(artefact)

    def _member(self, archive: "zipfile.ZipFile", member: "zipfile.ZipInfo", limit: int, path: str) -> bytes:
        """Return a member whole, whatever size it claims. Raises UnseenError for one beyond a limit."""
        limit = min(limit, self._bytes, max(2**20, member.compress_size * _MOST_SWELLING))
        with archive.open(member) as opened:
            data = opened.read(limit + 1)
        if len(data) > limit:
            raise UnseenError("too_large", f"{shown(path)}: a member swells beyond what is read")
        self._bytes -= len(data)
        return data


def archive_of(content: BinaryIO, path: str) -> Archive:
    """Return what an archive holds. Raises UnseenError for one that is too large to be read."""
    if not content.seekable():
        data = content.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise UnseenError("too_large", f"{shown(path)}: more than {_LARGEST // 2**20} MiB")
        content = io.BytesIO(data)
    archive = Archive()
    archive.read(content, path)
    return archive


def _named(path: str, manifest: dict[str, str]) -> Artefact | None:
    """Return what the name of a file and its manifest tell, where there is both a name and a version."""
    stem = path.rpartition("/")[2].rpartition(".")[0]
    match = _DOTTED.fullmatch(stem) or _PLAIN.fullmatch(stem)
    name, version = (match[1], match[2]) if match else (stem, "")
    for key in ("Implementation-Version", "Bundle-Version", "Specification-Version"):
        version = version or manifest.get(key, "")
    return _artefact(manifest.get("Implementation-Vendor-Id", ""), name, version)


def _artefact(group: str, name: str, version: str) -> Artefact | None:
    if not _ARTIFACT.fullmatch(name) or not _VERSION.fullmatch(version):
        return None
    return Artefact(group if _GROUP.fullmatch(group) else "", name, version)


def _lines(data: bytes, separator: str) -> dict[str, str]:
    """Return keys and values of properties and manifests; a manifest folds lines that begin with a space."""
    text = data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").replace("\n ", "")
    pairs = (line.partition(separator) for line in text.split("\n") if not line.startswith("#"))
    return {key.strip(): value.strip() for key, found, value in pairs if found}


def _members_told(content: BinaryIO, path: str) -> int:
    """Return how many members an archive says that it has. Raises UnseenError.

    Refused are a directory larger than any real one, before it is read, and an archive that was cut off where
    one in it ends: its own beginning then stands before what looks like the whole.
    """
    size = content.seek(0, io.SEEK_END)
    content.seek(max(0, size - 65_557))
    tail = content.read()
    at = end = tail.rfind(b"PK\5\6")
    if at < 0 or at + _END.size > len(tail):
        raise UnseenError("malformed", f"{shown(path)}: cut off, or no archive")
    _, count, length, offset, comment = _END.unpack_from(tail, at)
    if count == 0xFFFF or 0xFFFFFFFF in (length, offset):
        end = tail.rfind(b"PK\6\6", 0, at)
        if end < 0 or end + _END_64.size > len(tail):
            raise UnseenError("malformed", f"{shown(path)}: a directory that is nowhere")
        _, count, length, offset = _END_64.unpack_from(tail, end)
    if length > _LARGEST_DIRECTORY:
        detail = f"{shown(path)}: a directory of more than {_LARGEST_DIRECTORY // 2**20} MiB"
        raise UnseenError("too_large", detail)
    content.seek(0)
    begins_with_one = content.read(4) == b"PK\3\4"
    before = size - len(tail) + end - length - offset
    if at + _END.size + comment != len(tail) or before < 0 or (before and begins_with_one):
        raise UnseenError("malformed", f"{shown(path)}: cut off")
    return int(count)
