"""How systemd reads a line of an ``EnvironmentFile=`` (systemd.exec(5)).

Nothing is filled in. Comments are whole lines that begin with ``#`` or ``;``. A backslash before the line's
end joins the next line; quoted parts may follow each other; behind an unquoted character quotes are text.
``export NAME`` is no name of a variable, so that systemd leaves such a line out.
"""

import re
from typing import Final

from collectors.readers._env_lines import Binding, Entry, after, key_block, line_end, quoted, spilled

_SPACE: Final = re.compile(r"[ \t]*")
_KEY: Final = re.compile(r"[^=\r\n]*")
_QUOTED: Final = {
    "'": re.compile(r"'([^']*)'"),
    '"': re.compile(r'"((?:\\.|[^"\\])*)"', re.DOTALL),
}
_BARE: Final = re.compile(r"(?:[^\\\r\n]|\\.?)*", re.DOTALL)
_PART: Final = re.compile(r"([^\\]+)|\\(.?)", re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_UNESCAPED_IN_QUOTES: Final = frozenset('"\\`$')


def statement(text: str, position: int, line: int, name: str) -> tuple[Entry | None, int]:
    """Return what stands at a position, None for a comment, and where it ends."""
    if text[position] in "#;":
        return None, line_end(text, position)
    at = after(_KEY, text, position)
    variable = text[position:at].rstrip(" \t")
    if not text.startswith("=", at):
        return Binding(line, line, variable, None), at
    at = after(_SPACE, text, at + 1)
    place = f"{name}:{line}"
    if (block := key_block(text, at, place)) is not None:
        return spilled(line, variable, block), at + len(block)
    value = ""
    while (quote := text[at : at + 1]) in _QUOTED:
        inner, at = quoted(_QUOTED[quote], text, at, place)
        value += inner if quote == "'" else _ESCAPED.sub(_character, inner)
        at = after(_SPACE, text, at)
    end = after(_BARE, text, at)
    return Binding(line, line, variable, value + _bare(text[at:end])), end


def _character(match: re.Match[str]) -> str:
    escaped: str = match[1]
    if escaped == "\n":
        return ""
    return escaped if escaped in _UNESCAPED_IN_QUOTES else match[0]


def _bare(text: str) -> str:
    """Return the text of an unquoted value, without the white space at its end that no backslash keeps."""
    parts = list(_PART.finditer(text))
    texts = [part[1] or part[2].strip("\r\n") for part in parts]
    if parts and parts[-1][1]:
        texts[-1] = texts[-1].rstrip(" \t")
    return "".join(texts)
