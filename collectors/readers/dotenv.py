"""Files of environment variables: ``.env`` and its kin, in the dialect of python-dotenv.

Nothing is run and nothing is expanded: ``$(…)``, backticks and ``${…}`` are text. A value is turned into its
shape as soon as it is read; what does not parse is named by its line, never by its text, for it may be the
second line of a key.

Two things differ from the reference on purpose. A private key that stands over several lines without quotes
is one value (loaders would cut it after its first line, which is equal everywhere). And a name that no shell
takes for one is no key.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from collectors.readers._config import config_section, is_variable, lines_in_words
from detector.errors import UnseenError
from detector.model.facts import Unseen
from detector.model.fingerprints import Fingerprinter
from detector.model.shapes import shape_of
from detector.model.words import SourceClass
from detector.reader import API, Part, Read

_LARGEST_FILE: Final = 2 * 1024 * 1024
_MOST_LINES: Final = 50_000

_SPACE: Final = re.compile(r"[^\S\r\n]*")
_BLANK: Final = re.compile(r"\s*")
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
_TO_LINE_END: Final = re.compile(r"[^\r\n]*")
_COMMENT: Final = re.compile(r"\s+#.*", re.DOTALL)
_AFTER_VALUE: Final = re.compile(r"[^\S\r\n]*(?:#[^\r\n]*)?(?=[\r\n]|\Z)")
_LINE_BREAK: Final = re.compile(r"\r\n|\n|\r")
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


@dataclass(frozen=True, slots=True)
class Unparsed:
    """A line that is no binding."""

    line: int


class DotenvReader:
    """Reads ``.env`` files: every variable is a config key of class literal."""

    API: ClassVar[int] = API
    name: ClassVar[str] = "dotenv"

    def matches(self, name: str) -> bool:
        own = name.rpartition("/")[2]
        return own in (".env", ".envrc") or own.startswith(".env.") or own.endswith(".env")

    def read(self, data: bytes, name: str, fingerprinter: Fingerprinter) -> Read:
        return self.read_comparing(data, name, fingerprinter, ())

    def read_comparing(
        self, data: bytes, name: str, fingerprinter: Fingerprinter, compare: Collection[str]
    ) -> Read:
        """Return the keys; those in ``compare`` carry a fingerprint even for a short word."""
        shapes, unseen, warnings = shapes_of(data, name, fingerprinter, compare=compare)
        return Read(parts=(Part(sections={"config": config_section(shapes, unseen)}),), warnings=warnings)


def shapes_of(
    data: bytes,
    name: str,
    fingerprinter: Fingerprinter,
    *,
    compare: Collection[str] = (),
    source_class: SourceClass = "literal",
) -> tuple[dict[str, dict[str, Any]], tuple[Unseen, ...], tuple[str, ...]]:
    """Return the shape of each key, what could not be read, and warnings.

    Raises UnseenError where the file as a whole is not understood.
    """
    shapes: dict[str, dict[str, Any]] = {}
    refused: list[int] = []
    alone: list[int] = []
    repeated: list[int] = []
    warnings: list[str] = []
    for entry in entries(_text_of(data, name), name):
        if isinstance(entry, Unparsed) or not is_variable(entry.name):
            refused.append(entry.line)
        elif entry.value is None:
            alone.append(entry.line)
        else:
            if entry.name in shapes:
                repeated.append(entry.line)
            if entry.spilled:
                warnings.append(
                    f"lines {entry.line} to {entry.last_line} are one value over several lines;"
                    " put it in double quotes, or loaders read its first line alone"
                )
            shapes[entry.name] = shape_of(
                entry.name,
                entry.value,
                fingerprinter,
                source_class=source_class,
                compare=entry.name in compare,
            )
    if alone:
        warnings.append(f"{lines_in_words(alone)}: a name without = sets nothing")
    if repeated:
        warnings.append(f"{lines_in_words(repeated)}: the key was set before; the last one wins")
    unseen: tuple[Unseen, ...] = ()
    if refused:
        place = lines_in_words(refused)
        unseen = (Unseen(item="*", reason="malformed", detail=f"{name}: {place}: not NAME=value"),)
        warnings.append(f"{place}: not NAME=value, so keys may be missing here")
    return shapes, unseen, tuple(warnings)


def entries(text: str, name: str) -> Iterator[Binding | Unparsed]:
    """Yield what each line says, in order.

    Raises UnseenError with the line of a quote or a PEM block that is never closed: everything after it would
    be taken for what it is not.
    """
    line = 1
    position = 0
    while True:
        blank = _BLANK.match(text, position)
        assert blank is not None  # noqa: S101 - the pattern matches the empty text too
        line += _breaks(blank[0])
        position = blank.end()
        if position >= len(text):
            return
        start = line
        entry, position = _entry(text, position, start, name)
        line += _breaks(text, blank.end(), position)
        if entry is not None:
            yield entry


def _entry(text: str, position: int, line: int, name: str) -> tuple[Binding | Unparsed | None, int]:
    """Return what stands at a position, None for a comment, and where the line ends."""
    if text[position] == "#":
        return None, _end(_TO_LINE_END, text, position)
    exported = _EXPORT.match(text, position)
    at = exported.end() if exported else position
    if exported and text.startswith("#", at):
        return None, _end(_TO_LINE_END, text, at)
    key = _KEY.match(text, at)
    if key is None:
        return Unparsed(line), _end(_TO_LINE_END, text, position)
    variable: str = key["quoted"] or key["bare"]
    at = _end(_SPACE, text, key.end())
    value: str | None = None
    last_line, spilled = line, False
    if text.startswith("=", at):
        equals, at = at, _end(_SPACE, text, at + 1)
        quote = text[at : at + 1]
        if quote in _QUOTED:
            quoted = _QUOTED[quote].match(text, at)
            if quoted is None:
                raise UnseenError("malformed", f"{name}:{line}: a quote that is never closed")
            value = _unescaped(quoted[1], _ESCAPES[quote])
            at = quoted.end()
        elif _PEM_BEGIN.match(text, at) and not _PEM_END.search(text, at, _end(_TO_LINE_END, text, at)):
            end = _PEM_END.search(text, at)
            if end is None:
                raise UnseenError("malformed", f"{name}:{line}: a PEM block that is never closed")
            value, at, spilled = text[at : end.end()].rstrip(), end.end(), True
            last_line = line + _breaks(value)
        else:
            end_of_line = _end(_TO_LINE_END, text, at)
            value = _COMMENT.sub("", text[equals + 1 : end_of_line]).strip()
            at = end_of_line
    after = _AFTER_VALUE.match(text, at)
    if after is None:
        return Unparsed(line), _end(_TO_LINE_END, text, at)
    return Binding(line, last_line, variable, value, spilled), after.end()


def _unescaped(text: str, escapes: dict[str, str]) -> str:
    return _ESCAPE.sub(lambda match: escapes.get(match[1], match[0]), text) if "\\" in text else text


def _end(pattern: re.Pattern[str], text: str, position: int) -> int:
    match = pattern.match(text, position)
    return match.end() if match else position


def _breaks(text: str, start: int = 0, end: int | None = None) -> int:
    return sum(1 for _ in _LINE_BREAK.finditer(text, start, len(text) if end is None else end))


def _text_of(data: bytes, name: str) -> str:
    if len(data) > _LARGEST_FILE:
        raise UnseenError("too_large", f"{name}: more than {_LARGEST_FILE // 1024 // 1024} MB of variables")
    if data.count(b"\n") + data.count(b"\r") > 2 * _MOST_LINES:
        raise UnseenError("too_large", f"{name}: more than {_MOST_LINES} lines")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnseenError("malformed", f"{name}: written in UTF-16; save it as UTF-8")
    if b"\0" in data:
        line = data[: data.index(b"\0")].count(b"\n") + 1
        raise UnseenError("malformed", f"{name}:{line}: a NUL byte; this is no text in UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise UnseenError("malformed", f"{name}:{line}: not UTF-8; save the file as UTF-8") from None
