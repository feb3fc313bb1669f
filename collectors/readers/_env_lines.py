"""The lines of a file of variables: what every dialect has in common.

Two things differ from the loaders on purpose. A private key that stands over several lines without quotes is
one value (loaders would cut it after its first line, which is equal everywhere). And a quote that is never
closed refuses the file: everything after it would be taken for what it is not.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from detector.errors import UnseenError

_BLANK: Final = re.compile(r"\s*")
_LINE_BREAK: Final = re.compile(r"\r\n|\n|\r")
_TO_LINE_END: Final = re.compile(r"[^\r\n]*")
_PEM_BEGIN: Final = re.compile(r"-----BEGIN [A-Z0-9 ]{1,64}-----")
_PEM_END: Final = re.compile(r"-----END [A-Z0-9 ]{1,64}-----[^\r\n]*")


@dataclass(frozen=True, slots=True)
class Binding:
    """One line, or several where a value spans them, that sets a variable."""

    line: int
    last_line: int
    name: str = field(repr=False)
    #: None: the name stands alone, without ``=``.
    value: str | None = field(repr=False)
    #: An unquoted value over several lines.
    spilled: bool = False
    #: The loader fills in ``$NAME`` and ``${NAME}`` here, and takes ``$$`` for a dollar.
    expands: bool = False


@dataclass(frozen=True, slots=True)
class Unparsed:
    """A line that is no binding."""

    line: int


Entry = Binding | Unparsed
#: Reads what stands at a position: (text, position, line, name of the file) -> entry, None for a comment, and
#: the position behind it.
Statement = Callable[[str, int, int, str], tuple[Entry | None, int]]


def walk(text: str, name: str, statement: Statement) -> Iterator[Entry]:
    """Yield what each line says, in order. Raises UnseenError with the line of what is never closed."""
    line = 1
    position = 0
    while True:
        start = after(_BLANK, text, position)
        line += line_breaks(text, position, start)
        if start >= len(text):
            return
        entry, position = statement(text, start, line, name)
        line += line_breaks(text, start, position)
        if entry is not None:
            yield entry


def after(pattern: re.Pattern[str], text: str, position: int) -> int:
    """Return the position behind what a pattern matches here, or the position itself."""
    match = pattern.match(text, position)
    return match.end() if match else position


def line_end(text: str, position: int) -> int:
    """Return where the line ends, its break not included."""
    return after(_TO_LINE_END, text, position)


def quoted(pattern: re.Pattern[str], text: str, position: int, place: str) -> tuple[str, int]:
    """Return what stands between quotes, and the position behind them. Raises UnseenError."""
    match = pattern.match(text, position)
    if match is None:
        raise UnseenError("malformed", f"{place}: a quote that is never closed")
    return match[1], match.end()


def key_block(text: str, position: int, place: str) -> str | None:
    """Return a PEM block that begins here and ends on a later line, or None. Raises UnseenError."""
    if not text.startswith("-----BEGIN ", position) or not _PEM_BEGIN.match(text, position):
        return None
    if _PEM_END.search(text, position, line_end(text, position)):
        return None
    end = _PEM_END.search(text, position)
    if end is None:
        raise UnseenError("malformed", f"{place}: a PEM block that is never closed")
    return text[position : end.end()]


def spilled(line: int, variable: str, block: str) -> Binding:
    """Return the binding of a PEM block without quotes."""
    return Binding(line, line + line_breaks(block), variable, block.rstrip(), spilled=True)


def line_breaks(text: str, start: int = 0, end: int | None = None) -> int:
    """Return how many lines end in a part of a text."""
    return sum(1 for _ in _LINE_BREAK.finditer(text, start, len(text) if end is None else end))
