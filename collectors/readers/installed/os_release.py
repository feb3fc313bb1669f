"""Reads `os-release`: which distribution a file system is, and which release of it.

Format: os-release(5). Only ``ID``, ``VERSION_ID`` and ``VERSION_CODENAME`` are looked at.
"""

import re
from typing import Final

from detector.errors import UnseenError

_KEYS: Final = frozenset({"ID", "VERSION_ID", "VERSION_CODENAME"})
_WORD: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


def distribution(data: bytes, name: str = "os-release") -> tuple[str, str]:
    """Return (id, release) such as ``("debian", "12")``; the release is empty where it rolls.

    ``name`` stands in the message of the UnseenError (`malformed`) that a file without an ID raises.
    """
    found: dict[str, str] = {}
    # A last line without its end was cut off: what stands in it may be half a word.
    for line in data.decode("utf-8", "replace").split("\n")[:-1]:
        key, separator, value = line.strip().partition("=")
        value = value.strip("\"'")
        if separator and key in _KEYS and _WORD.fullmatch(value):
            found[key] = value
    if "ID" not in found:
        raise UnseenError("malformed", f"{name}: no ID= line: not an os-release file")
    return found["ID"].lower(), found.get("VERSION_ID") or found.get("VERSION_CODENAME", "")
