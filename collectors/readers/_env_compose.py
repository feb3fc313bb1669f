"""How Docker reads a line: ``env_file`` of compose, and ``docker run --env-file``.

Compose (compose-go 2): ``KEY: value`` too; a comment begins at `` #``; between single quotes nothing is
filled in; between double quotes the escapes of a shell's ``$'…'`` count. A key alone is handed through from
the environment of the caller. ``--env-file`` takes lines as they are.
"""

import re
from typing import Final

from collectors.readers._env_lines import (
    Binding,
    Entry,
    Unparsed,
    after,
    key_block,
    line_end,
    quoted,
    spilled,
)

_SPACES: Final = r"[ \t\v\f\r\x85\xa0]*"
_SPACE: Final = re.compile(_SPACES)
_EXPORT: Final = re.compile(rf"export\s{_SPACES}")
_KEY: Final = re.compile(r"[\w.\-\[\] \t\v\f\r\x85\xa0]*")
_LINE: Final = re.compile(r"[^\n]*")
_QUOTED: Final = {
    "'": re.compile(r"'((?:\\.|[^'\\])*)'", re.DOTALL),
    '"': re.compile(r'"((?:\\.|[^"\\])*)"', re.DOTALL),
}
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_SEQUENCE: Final = re.compile(r'\\(?:0([0-9]{0,3})|([abcfnrtv$"\\]))')
_CHARACTERS: Final = dict(zip('abfnrtv"\\', '\a\b\f\n\r\t\v"\\', strict=True)) | {"$": "$$", "c": "\\c"}


def statement(text: str, position: int, line: int, name: str) -> tuple[Entry | None, int]:
    """Return what stands at a position, None for a comment, and where it ends."""
    if text[position] == "#":
        return None, after(_LINE, text, position)
    start = after(_EXPORT, text, position)
    at = after(_KEY, text, start)
    variable, mark = text[start:at].rstrip(), text[at : at + 1]
    if mark not in ("=", ":", "\n", "") or not variable or any(map(str.isspace, variable)):
        # Compose refuses the whole file here.
        return Unparsed(line), after(_LINE, text, position)
    if mark in ("\n", ""):
        return Binding(line, line, variable, None), at
    at = after(_SPACE, text, at + 1)
    place, quote = f"{name}:{line}", text[at : at + 1]
    if quote in _QUOTED:
        inner, end = quoted(_QUOTED[quote], text, at, place)
        # An escaped quote loses its backslash before anything else is looked at.
        inner = _ESCAPED.sub(lambda match: match[1] if match[1] == quote else match[0], inner)
        if quote == '"':
            return Binding(line, line, variable, _SEQUENCE.sub(_character, inner), expands=True), end
        return Binding(line, line, variable, inner), end
    if (block := key_block(text, at, place)) is not None:
        return spilled(line, variable, block), at + len(block)
    end = after(_LINE, text, at)
    return Binding(line, line, variable, text[at:end].partition(" #")[0].rstrip(), expands=True), end


def plain_statement(text: str, position: int, line: int, name: str) -> tuple[Entry | None, int]:
    """Return what a line says to ``docker run --env-file``: quotes and comments behind it are the value's."""
    if text[position] == "#":
        return None, line_end(text, position)
    end = line_end(text, position)
    variable, equals, value = text[position:end].partition("=")
    if not variable or any(map(str.isspace, variable)):
        return Unparsed(line), end
    if not equals:
        return Binding(line, line, variable, None), end
    at = position + len(variable) + 1
    if (block := key_block(text, at, f"{name}:{line}")) is not None:
        return spilled(line, variable, block), at + len(block)
    return Binding(line, line, variable, value), end


def _character(match: re.Match[str]) -> str:
    """Return what an escape stands for, as Go unquotes it: of octal numbers only those of three digits."""
    if match[2]:
        return _CHARACTERS[match[2]]
    digits = match[1]
    octal = len(digits) == 3 and digits.isdecimal() and not set(digits) & set("89") and int(digits, 8) < 256
    return chr(int(digits, 8)) if octal else f"\\{digits}"
