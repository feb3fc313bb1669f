"""Tokens of JavaScript and TypeScript: names apart from comments, strings, templates and patterns.

One pass from left to right, each character looked at once. What is not closed ends at the line's end, or for
a comment or a template at the end of the file, so that text between tags (JSX, Vue, Svelte) does not hide
what follows it.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

_SPACE: Final = re.compile(r"[^\S\n]+")
_COMMENT: Final = re.compile(r"//[^\n]*")
_WORD: Final = re.compile(r"[A-Za-z_$\u00aa-\uffff][\w$]*")
_NUMBER: Final = re.compile(r"[0-9][\w.]*")
_MARK: Final = re.compile(r"\?\?=|\|\|=|===|!==|\?\?|\|\||&&|==|!=|=>|\?\.(?![0-9])|\.\.\.|.", re.DOTALL)
#: Bodies end before what closes them; no two branches of one take the same character.
_BODY: Final = {
    '"': re.compile(r'(?:[^"\\\n]|\\.)*', re.DOTALL),
    "'": re.compile(r"(?:[^'\\\n]|\\.)*", re.DOTALL),
    "`": re.compile(r"(?:[^`\\$]|\\.|\$(?!\{))*", re.DOTALL),
}
_PATTERN: Final = re.compile(r"/(?:[^/\\\[\n]|\\[^\n]|\[(?:[^\]\\\n]|\\[^\n])*\])+/")
_WORDS_BEFORE_A_PATTERN: Final = (
    "return typeof case in of new delete void throw do else yield await instanceof".split()  # noqa: SIM905
)
#: After these a slash begins a pattern; after whatever else ends an expression it divides.
_BEFORE_A_PATTERN: Final = frozenset(
    ["", *"(,=:[!&|?{};+-*%~^>", "=>", "&&", "||", "??", "==", "!=", "===", "!=="]
)
_DEEPEST: Final = 64


class Token(NamedTuple):
    """One token; of kind ``text`` is a string, or a template without substitutions."""

    kind: str
    text: str
    line: int


def tokens_of(source: str) -> Iterator[Token]:
    """Yield the tokens of a file. A template with substitutions is ``template`` and the tokens inside."""
    return _Scanner(source).tokens()


class _Scanner:
    """One pass over one file."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._position = 0
        self._line = 1
        #: Braces that are open inside each substitution of a template that is being read.
        self._substitutions: list[int] = []
        self._before = ""
        self._no_pattern_before = 0

    def tokens(self) -> Iterator[Token]:
        while self._skip():
            token = self._token()
            # A text ends an expression, whatever it says.
            self._before = token.text if token.kind in ("word", "mark") else token.kind
            yield token

    def _skip(self) -> bool:
        """Go past blanks and comments; tell whether something is left."""
        source = self._source
        while self._position < len(source):
            if source[self._position] == "\n":
                self._go(self._position + 1)
            elif match := (_SPACE.match(source, self._position) or _COMMENT.match(source, self._position)):
                self._position = match.end()
            elif source.startswith("/*", self._position):
                end = source.find("*/", self._position + 2)
                self._go(len(source) if end < 0 else end + 2)
            else:
                return True
        return False

    def _go(self, end: int) -> None:
        self._line += self._source.count("\n", self._position, end)
        self._position = end

    def _token(self) -> Token:
        source, start, line = self._source, self._position, self._line
        character = source[start]
        if character in "\"'":
            return Token("text", self._body(character), line)
        if character == "`":
            return self._template(line)
        if character == "}" and self._substitutions and self._substitutions[-1] == 0:
            self._substitutions.pop()
            return self._template(line, again=True)
        if character == "/" and self._pattern():
            return Token("pattern", "", line)
        for kind, form in (("word", _WORD), ("number", _NUMBER)):
            match = form.match(source, start)
            if match is not None:
                self._position = match.end()
                return Token(kind, match[0], line)
        mark = _MARK.match(source, start)
        text = mark[0] if mark is not None else character
        self._position = start + len(text)
        if self._substitutions and text in "{}":
            self._substitutions[-1] += 1 if text == "{" else -1
        return Token("mark", text, line)

    def _pattern(self) -> bool:
        """Go behind a pattern where one begins; tell whether there was one."""
        before = self._before in _BEFORE_A_PATTERN or self._before in _WORDS_BEFORE_A_PATTERN
        if not before or self._position < self._no_pattern_before:
            return False
        match = _PATTERN.match(self._source, self._position)
        if match is None:
            # What is not closed on this line need not be looked for again before its end.
            end = self._source.find("\n", self._position)
            self._no_pattern_before = len(self._source) if end < 0 else end
            return False
        self._position = match.end()
        return True

    def _body(self, quote: str) -> str:
        """Return what stands between quotes, and go behind the closing one."""
        start = self._position + 1
        match = _BODY[quote].match(self._source, start)
        end = match.end() if match is not None else start
        self._go(end)
        if self._source.startswith(quote, end):
            self._position += 1
        return self._source[start:end]

    def _template(self, line: int, *, again: bool = False) -> Token:
        """Read a template up to its end or its next substitution."""
        text = self._body("`")
        substituted = self._source.startswith("${", self._position)
        if substituted:
            self._position += 2
            if len(self._substitutions) < _DEEPEST:
                self._substitutions.append(0)
        if substituted or again:
            return Token("template", "", line) if not substituted else Token("mark", "(", line)
        return Token("text", text, line)
