"""Reads the database of dpkg: the packages installed on Debian and what descends from it.

Format: deb822(5) paragraphs with the fields of `/var/lib/dpkg/status`; distroless images have one file for
each package in `status.d`, without ``Status``.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO, Final

from collectors.readers.installed.inventory import PROGRAM_FOLDERS
from detector.errors import UnseenError
from detector.model.facts import Section, Unseen, Value
from detector.model.items import package
from detector.model.words import Basis

_FIELDS: Final = frozenset({"Package", "Version", "Status"})
# Debian policy 5.6.7 and 5.6.12.
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9+.-]{0,127}")
_VERSION: Final = re.compile(r"[0-9A-Za-z.+~:-]{1,256}")

_LARGEST_LIST: Final = 16 * 1024 * 1024


def installed(data: bytes, *, basis: Basis, namespace: str, name: str = "status") -> Section:
    """Return the installed packages, ``namespace`` being the ID of os-release.

    One package in two versions (of two architectures) is a set. Raises UnseenError (`malformed`) when no
    paragraph is one of dpkg; single bad paragraphs are unseen with their line.
    """
    found: dict[str, set[str]] = {}
    unseen: list[Unseen] = []
    # Of a last line without its end only a part may be there.
    whole = data[: data.rfind(b"\n") + 1]
    for line, fields in _paragraphs(whole.decode("utf-8", "replace")):
        if not _is_installed(fields.get("Status")):
            continue
        title, version = fields.get("Package", ""), fields.get("Version", "")
        if _NAME.fullmatch(title) and _VERSION.fullmatch(version):
            found.setdefault(package("deb", title, namespace), set()).add(version)
        else:
            detail = f"{name}:{line}: a paragraph without a Package and Version that dpkg could have written"
            unseen.append(Unseen(item=f"pkg:deb/{namespace}/*", reason="malformed", detail=detail))
    if len(whole) < len(data):
        detail = f"{name}: cut off in its last line"
        unseen.insert(0, Unseen(item=f"pkg:deb/{namespace}/*", reason="malformed", detail=detail))
    if unseen and not found:
        raise UnseenError("malformed", f"{name}: not a database of dpkg")
    facts: dict[str, Value] = {
        item: versions.copy().pop() if len(versions) == 1 else sorted(versions)
        for item, versions in found.items()
    }
    return Section(
        basis=basis,
        status="partial" if unseen else "complete",
        facts=facts,
        covers=("pkg:deb/*",),
        unseen=tuple(unseen[:1]),
    )


def keep_programs(content: BinaryIO, _path: str) -> bytes:
    """Keep of a list of files in ``info`` (dpkg(1)) those that stand in folders of programs."""
    lines = content.read(_LARGEST_LIST).decode("utf-8", "replace").split("\n")
    return "\n".join(line for line in lines if _folder_of(line) in PROGRAM_FOLDERS).encode()


def programs_of(kept: bytes) -> Iterator[str]:
    """Yield the paths of the programs in a list that was kept, also as they are since /usr was merged."""
    for line in kept.decode().split("\n"):
        yield line
        yield f"/usr{line}"


def _folder_of(path: str) -> str:
    return path.rpartition("/")[0].rpartition("/")[2]


def _paragraphs(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (number of the first line, the fields that matter) of each paragraph."""
    fields: dict[str, str] = {}
    first = 0
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            if first:
                yield first, fields
            fields, first = {}, 0
            continue
        first = first or number
        key, _, value = line.partition(":")
        if key in _FIELDS:
            fields[key] = value.strip()
    if first:
        yield first, fields


def _is_installed(status: str | None) -> bool:
    """Tell whether a ``Status`` such as ``install ok installed`` says so; distroless images have none."""
    return status is None or status.split()[-1:] == ["installed"]
