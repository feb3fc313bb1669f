"""The keys that JavaScript and TypeScript read: ``process.env``, ``import.meta.env`` and their kin."""

from collections.abc import Sequence
from typing import Final

from collectors.readers._javascript import Token, tokens_of
from collectors.readers._reads import Reads

#: Bytes of which one is in every file that reads a key.
TRIGGERS: Final = (b".env", b"env }", b"env}", b"{ env", b"{env", b"env,")
_ROOTS: Final = (("process", ".", "env"), ("import", ".", "meta", ".", "env"), ("Bun", ".", "env"))
_DENO: Final = ("Deno", ".", "env", ".", "get", "(")
_FALLBACKS: Final = frozenset({"??", "||", "??=", "||="})
#: What follows where the code asks only whether a key is there or what it says.
_TESTS: Final = frozenset({"===", "!==", "==", "!=", "&&", "?"})
_WRITES: Final = frozenset({"="})
#: Functions that take the whole environment and pick from it what their schema says.
_SCHEMAS: Final = frozenset(
    {"parse", "safeParse", "parseAsync", "cleanEnv", "validate", "validateSync", "assert"}
)
_DECLARES: Final = frozenset({"const", "let", "var"})
#: Keys that bundlers make themselves.
_BUILT_IN: Final = frozenset({"MODE", "DEV", "PROD", "SSR", "BASE_URL"})
#: Tokens of one destructuring, of a look ahead and of a look back.
_LONGEST_PATTERN: Final = 2_000
_NEAR: Final = 10
_NOTHING: Final = Token("end", "", 0)


def javascript_reads(source: str) -> Reads:
    """Return what a file reads."""
    return _Reading(list(tokens_of(source))).result()


class _Reading:
    """One walk over the tokens of a file."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._reads = Reads()
        self._constants = self._texts_by_name()
        self._aliases: set[str] = set()
        self._walked = -1

    def result(self) -> Reads:
        position = 0
        while position < len(self._tokens):
            position = self._look_at(position)
        return self._reads

    def _at(self, position: int) -> Token:
        return self._tokens[position] if 0 <= position < len(self._tokens) else _NOTHING

    def _texts_by_name(self) -> dict[str, str]:
        """Return ``const NAME = "text"`` of the file."""
        found: dict[str, str] = {}
        for position, token in enumerate(self._tokens):
            if token.text == "const" and token.kind == "word":
                name, mark, text = (self._at(position + step) for step in (1, 2, 3))
                if name.kind == "word" and mark.text == "=" and text.kind == "text":
                    found[name.text] = text.text
        return found

    def _look_at(self, position: int) -> int:
        """Look at one token, and return where to go on."""
        token = self._at(position)
        if token.kind != "word":
            return position + 1
        if self._at(position - 1).text in (".", "?.") and token.text != "process":
            return position + 1
        if self._is(position, _DENO):
            self._named(position + len(_DENO), position, after=position + len(_DENO) + 2)
            return position + len(_DENO)
        root = next((len(root) for root in _ROOTS if self._is(position, root)), 0)
        if root == 0 and token.text in self._aliases and self._at(position + 1).text in (".", "?.", "["):
            root = 1
        if root == 0:
            self._note_alias(position)
            return position + 1
        self._after_root(position, position + root, of_bundler=token.text == "import")
        return position + root

    def _is(self, position: int, path: Sequence[str]) -> bool:
        return (
            all(
                self._at(position + step).text == text
                or (text == "." and self._at(position + step).text == "?.")
                for step, text in enumerate(path)
            )
            and self._at(position).kind == "word"
        )

    def _note_alias(self, position: int) -> None:
        """Remember ``import { env } from "process"`` and ``const { env } = process``."""
        if self._at(position).text != "env" or self._at(position - 1).text not in ("{", ","):
            return
        name, closing = "env", position + 1
        if self._at(closing).text in ("as", ":") and self._at(closing + 1).kind == "word":
            name, closing = self._at(closing + 1).text, closing + 2
        if self._at(closing).text == ",":
            closing += 1
        if self._at(closing).text != "}":
            return
        mark, of = self._at(closing + 1).text, self._at(closing + 2).text
        from_module = mark == "from" and of in ("process", "node:process", "$env/dynamic/private")
        if from_module or (mark == "=" and of == "process" and self._at(closing + 3).text != "."):
            self._aliases.add(name)

    def _after_root(self, start: int, after: int, *, of_bundler: bool) -> None:
        mark = self._at(after)
        if mark.text in (".", "?.") and self._at(after + 1).kind == "word":
            name = self._at(after + 1)
            if not (of_bundler and name.text in _BUILT_IN):
                self._take(name.text, name.line, start, after + 2)
        elif mark.text == "[" or (mark.text == "?." and self._at(after + 1).text == "["):
            inner = after + 1 + (mark.text == "?.")
            self._named(inner, start, after=inner + 2)
        elif self._at(start - 1).text == "=" and self._at(start - 2).text == "}":
            self._destructured(start - 2)
        elif self._at(start - 1).text == "=" and self._at(start - 2).kind == "word":
            if self._at(start - 3).text in _DECLARES:
                self._aliases.add(self._at(start - 2).text)
        elif self._at(start - 1).text == "(" and self._at(start - 2).text in _SCHEMAS:
            self._reads.computed.append(self._at(start).line)

    def _named(self, inner: int, start: int, *, after: int) -> None:
        """Take down a key that stands as a text or a constant between brackets."""
        key, line = self._at(inner), self._at(start).line
        alone = self._at(inner + 1).text in ("]", ")")
        if key.kind == "text" and alone:
            self._take(key.text, line, start, after)
        elif key.kind == "word" and alone and key.text in self._constants:
            self._take(self._constants[key.text], line, start, after)
        else:
            self._reads.computed.append(line)

    def _take(self, name: str, line: int, start: int, after: int) -> None:
        """Take down one read, after what stands around it."""
        following, previous = self._at(after), self._at(start - 1)
        if following.text in _WRITES or previous.text == "delete":
            return
        while following.text == "!" and self._at(after + 1).text not in ("=", "=="):
            after += 1  # TypeScript: the writer is sure that it is there
            following = self._at(after)
        # Number(process.env.PORT) || 3000, parseInt(process.env.PORT, 10) || 3000
        if following.text == "," and self._at(after + 1).kind == "number":
            after += 2
        if self._at(after).text == ")" and self._at(after + 1).text in _FALLBACKS:
            after += 1
        following = self._at(after)
        if following.text in _FALLBACKS:
            given = self._at(after + 1)
            literal = given.text if given.kind == "text" else None
            self._reads.add(name, line, default=True, literal=literal)
            return
        default = following.text in _TESTS
        if previous.text == "!" or (previous.text == "(" and self._at(start - 2).text == "if"):
            default = not self._gives_up(after)
        self._reads.add(name, line, default=default)

    def _gives_up(self, position: int) -> bool:
        """Tell whether what follows a check soon throws or ends the process."""
        near = [self._at(position + step) for step in range(_NEAR)]
        return any(token.kind == "word" and token.text in ("throw", "exit") for token in near)

    def _destructured(self, closing: int) -> None:
        """Take down ``{ A, B = "x", C: c, ...rest } = process.env``, walking back to its opening brace."""
        depth, opening = 0, closing
        # One that ends before this one begins is none of it: no token is walked over twice.
        first, self._walked = max(self._walked, closing - _LONGEST_PATTERN), closing
        for opening in range(closing, first, -1):
            text = self._at(opening).text if self._at(opening).kind == "mark" else ""
            depth += (text in ("}", ")", "]")) - (text in ("{", "(", "["))
            if depth == 0:
                break
        entry: list[Token] = []
        depth = 0
        for position in range(opening + 1, closing + 1):
            token = self._at(position)
            mark = token.text if token.kind == "mark" else ""
            if depth == 0 and (mark == "," or position == closing):
                self._entry(entry)
                entry = []
                continue
            depth += (mark in ("{", "(", "[")) - (mark in ("}", ")", "]"))
            entry.append(token)

    def _entry(self, entry: Sequence[Token]) -> None:
        if not entry or entry[0].text == "...":
            return
        name = entry[0]
        if name.text == "[" and name.kind == "mark":
            self._reads.computed.append(name.line)
            return
        given = next(
            (step for step, token in enumerate(entry) if (token.kind, token.text) == ("mark", "=")), 0
        )
        literal = (
            entry[given + 1].text
            if given and entry[given + 1 :] and entry[given + 1].kind == "text"
            else None
        )
        self._reads.add(name.text, name.line, default=bool(given), literal=literal)
