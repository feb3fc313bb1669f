"""Settings in Java's `.properties` (java.util.Properties): escapes, lines that go on, comments.

Of two lines with one key the last one wins, as Java takes it; both are told.
"""

import re
from typing import Any, Final

from collectors.readers.settingsfiles.text import decoded, with_key_blocks_joined
from detector.errors import UnseenError

_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_KEY: Final = re.compile(r"(?:[^\\=: \t\f]|\\.)*", re.DOTALL)
_BETWEEN: Final = re.compile(r"[ \t\f]*[=:]?[ \t\f]*")
_ESCAPE: Final = re.compile(r"\\(u[0-9A-Fa-f]{4}|.?)", re.DOTALL)
_CHARACTERS: Final = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}


class Properties(dict[str, Any]):
    """Key -> value, with the lines of keys that were set before."""

    def __init__(self) -> None:
        super().__init__()
        self.repeated: list[tuple[int, int]] = []


def tree(data: bytes, name: str) -> Properties:
    """Return key -> value. Raises UnseenError with the line of an escape that is none."""
    text = with_key_blocks_joined(decoded(data, name), name, "\\n\\\n")
    found = Properties()
    lines: dict[str, int] = {}
    for number, line in _logical_lines(text):
        end = _KEY.match(line).end()  # type: ignore[union-attr] # it matches the empty text too
        between = _BETWEEN.match(line, end)
        try:
            key, value = _unescaped(line[:end]), _unescaped(line[between.end() if between else end :])
        except ValueError:
            raise UnseenError("malformed", f"{name}:{number}: \\u that names no character") from None
        if key in lines:
            found.repeated.append((lines[key], number))
        lines[key] = number
        found[key] = value
    return found


def _logical_lines(text: str) -> list[tuple[int, str]]:
    """Return (number, text) of lines that set something, those that go on joined."""
    found: list[tuple[int, str]] = []
    parts: list[str] = []
    start = 0
    for number, match in enumerate(_LINE.finditer(text), start=1):
        line = match[0].rstrip("\r\n").lstrip(" \t\f")
        if not parts:
            if not line or line[0] in "#!":
                continue
            start = number
        # An even number of backslashes at the end is that many written ones.
        if goes_on := (len(line) - len(line.rstrip("\\"))) % 2 == 1:
            line = line[:-1]
        parts.append(line)
        if not goes_on:
            found.append((start, "".join(parts)))
            parts = []
    if parts:
        found.append((start, "".join(parts)))
    return found


def _unescaped(text: str) -> str:
    """Return a text without its escapes. Raises ValueError for one that is none."""
    if "\\" not in text:
        return text
    # What Java writes as two halves is one character.
    return _ESCAPE.sub(_character, text).encode("utf-16-le", "surrogatepass").decode("utf-16-le")


def _character(match: re.Match[str]) -> str:
    escape: str = match[1]
    if escape.startswith("u"):
        return chr(int(escape[1:], 16))
    return _CHARACTERS.get(escape, escape)
