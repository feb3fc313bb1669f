"""How python-dotenv reads a line, as most loaders of ``.env`` files do."""

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

_SPACE: Final = re.compile(r"[^\S\r\n]*")
_EXPORT: Final = re.compile(r"export[^\S\r\n]+")
_KEY: Final = re.compile(r"'(?P<quoted>[^']+)'|(?P<bare>[^=#\s'][^=#\s]*)")
_QUOTED: Final = {
    "'": re.compile(r"'((?:\\.|[^'\\])*)'", re.DOTALL),
    '"': re.compile(r'"((?:\\.|[^"\\])*)"', re.DOTALL),
}
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES: Final = {
    "'": {"\\": "\\", "'": "'"},
    '"': dict(zip("\\'\"abfnrtv", "\\'\"\a\b\f\n\r\t\v", strict=True)),
}
_COMMENT: Final = re.compile(r"\s#")
_AFTER_VALUE: Final = re.compile(r"[^\S\r\n]*(?:#[^\r\n]*)?(?=[\r\n]|\Z)")


def statement(text: str, position: int, line: int, name: str) -> tuple[Entry | None, int]:
    """Return what stands at a position, None for a comment, and where it ends."""
    if text[position] == "#":
        return None, line_end(text, position)
    at = after(_EXPORT, text, position)
    if at > position and text.startswith("#", at):
        return None, line_end(text, at)
    key = _KEY.match(text, at)
    if key is None:
        return Unparsed(line), line_end(text, position)
    variable: str = key["quoted"] or key["bare"]
    at = after(_SPACE, text, key.end())
    found = Binding(line, line, variable, None)
    if text.startswith("=", at):
        found, at = _value(text, at + 1, Binding(line, line, variable, None), f"{name}:{line}")
    end = _AFTER_VALUE.match(text, at)
    return (Unparsed(line), line_end(text, at)) if end is None else (found, end.end())


def _value(text: str, equals: int, key: Binding, place: str) -> tuple[Binding, int]:
    at = after(_SPACE, text, equals)
    quote = text[at : at + 1]
    if quote in _QUOTED:
        inner, end = quoted(_QUOTED[quote], text, at, place)
        return Binding(key.line, key.line, key.name, _unescaped(inner, _ESCAPES[quote])), end
    if (block := key_block(text, at, place)) is not None:
        return spilled(key.line, key.name, block), at + len(block)
    end = line_end(text, at)
    value = text[equals:end]
    comment = _COMMENT.search(value)
    return Binding(key.line, key.line, key.name, value[: comment.start() if comment else None].strip()), end


def _unescaped(text: str, escapes: dict[str, str]) -> str:
    return _ESCAPE.sub(lambda match: escapes.get(match[1], match[0]), text) if "\\" in text else text
