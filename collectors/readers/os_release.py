"""Reads `os-release`: which distribution a file system is, and which release of it.

Format: os-release(5). Only ``ID``, ``VERSION_ID`` and ``VERSION_CODENAME`` are looked at.
"""

import re
from typing import ClassVar, Final

from detector.errors import UnseenError
from detector.model.facts import Section
from detector.model.fingerprints import Fingerprinter
from detector.reader import Part, Read

_KEYS: Final = frozenset({"ID", "VERSION_ID", "VERSION_CODENAME"})
_WORD: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


def distribution(data: bytes, name: str = "os-release") -> tuple[str, str]:
    """Return (id, release) such as ``("debian", "12")``; the release is empty where it rolls.

    ``name`` stands in the message of the UnseenError (`malformed`) that a file without an ID raises.
    """
    found: dict[str, str] = {}
    for line in data.decode("utf-8", "replace").splitlines():
        key, separator, value = line.strip().partition("=")
        value = value.strip("\"'")
        if separator and key in _KEYS and _WORD.fullmatch(value):
            found[key] = value
    if "ID" not in found:
        raise UnseenError("malformed", f"{name}: no ID= line: not an os-release file")
    return found["ID"].lower(), found.get("VERSION_ID") or found.get("VERSION_CODENAME", "")


class OsReleaseReader:
    """Reads `os-release` into the fact ``os#release``, such as ``debian 12``."""

    API: ClassVar[int] = 1
    name: ClassVar[str] = "os_release"

    def matches(self, name: str) -> bool:
        return name.rpartition("/")[2] == "os-release"

    def read(self, data: bytes, name: str, fingerprinter: Fingerprinter) -> Read:
        release = " ".join(distribution(data, name)).strip()
        section = Section(basis="built", facts={"os#release": release}, covers=("os#release",))
        return Read(parts=(Part(sections={"dependencies": section}),))
