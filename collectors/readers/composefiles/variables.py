"""Variables of compose files: what ``$NAME`` and ``${NAME:-default}`` stand for (Compose specification).

Known is what the files say: ``.env`` beside the project, or the env files that a source names. What only the
shell of whoever runs compose knows stays open, and the text says which variables it waits for.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from collectors.readers._config import is_variable
from collectors.readers._yaml import Map, Marked

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_REFERENCE: Final = re.compile(r"\$(?:\$|\{|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|)")
_BRACE: Final = re.compile(r"\$\{|\}")
_OPERATOR: Final = re.compile(r":?[-?+]")
_DEEPEST: Final = 32


#: Stands where a variable that nobody set would be: no pattern of a fact takes it for anything.
OPEN: Final = "\ufffc"


class Text(str):
    """Text that variables were filled into. ``open`` are those that nobody set, with OPEN in their places.

    A name without braces is open as ``""``: it may be the rest of a password that should have had ``$$``.
    """

    __slots__ = ("open", "written")
    written: str
    open: tuple[str, ...]


#: What variables are set to; None where nobody could look, so that not even a default is sure.
Variables = Mapping[str, str] | None


def filled(text: str, variables: Variables) -> str:
    """Return the text with its references filled in: a Text where there was one, else the text itself."""
    if "$" not in text:
        return text
    missing: list[str] = []
    found = Text(_filled(text, variables, missing, 0))
    found.written = text
    found.open = tuple(dict.fromkeys(missing))
    return found


def is_open(tree: object) -> bool:
    """Tell whether a text waits for variables that nobody set."""
    return isinstance(tree, Text) and bool(tree.open)


def written(text: str) -> str:
    """Return the text as it stands in its file: what was filled in may be a secret, and is never printed."""
    return text.written if isinstance(text, Text) else text


def part_of(text: str, part: str) -> str:
    """Return a part of a text, which waits for the same variables."""
    if not isinstance(text, Text):
        return part
    found = Text(part)
    found.written, found.open = "", text.open
    return found


def filled_tree(tree: Any, variables: Variables) -> Any:
    """Return a document with the references of every value filled in; keys stay as they are."""
    if isinstance(tree, str):
        return filled(tree, variables)
    if isinstance(tree, Map):
        found = Map((key, filled_tree(value, variables)) for key, value in tree.items())
        found.line = tree.line
        return found
    if isinstance(tree, list):
        return [filled_tree(entry, variables) for entry in tree]
    return Marked(tree.tag, filled_tree(tree.tree, variables)) if isinstance(tree, Marked) else tree


def _filled(text: str, variables: Variables, missing: list[str], depth: int) -> str:
    parts: list[str] = []
    position = 0
    while (match := _REFERENCE.search(text, position)) is not None:
        parts.append(text[position : match.start()])
        position = match.end()
        if match[0] == "$$":
            parts.append("$")
        elif match["name"] is not None:
            value = _value(match["name"], variables)
            missing += [""] if value is None else []
            parts.append(OPEN if value is None else value)
        elif match[0] == "${" and (end := _closing(text, position)) is not None and depth < _DEEPEST:
            parts.append(_braced(text[position:end], variables, missing, depth))
            position = end + 1
        else:
            # Compose refuses such a file: nothing is known of what the value would be.
            missing.append("")
            parts.append(OPEN)
            break
    return "".join(parts) + text[position:]


def _closing(text: str, position: int) -> int | None:
    """Return where the brace that was opened before a position is closed."""
    depth = 1
    for brace in _BRACE.finditer(text, position):
        depth += 1 if brace[0] == "${" else -1
        if depth == 0:
            return brace.start()
    return None


def _value(name: str, variables: Variables) -> str | None:
    return None if variables is None else variables.get(name)


def _braced(inside: str, variables: Variables, missing: list[str], depth: int) -> str:
    """Return what ``${…}`` stands for."""
    name = _NAME.match(inside)
    operator = _OPERATOR.match(inside, name.end()) if name else None
    if name is None or (operator is None and name.end() != len(inside)):
        missing.append("")
        return OPEN
    value = _value(name[0], variables)
    if operator is not None and variables is not None:
        other = inside[operator.end() :]
        stated = value is not None and (bool(value) or not operator[0].startswith(":"))
        if operator[0].endswith("+"):
            return _filled(other, variables, missing, depth + 1) if stated else ""
        if not stated and operator[0].endswith("-"):
            return _filled(other, variables, missing, depth + 1)
        value = value if stated else None
    if value is not None:
        return value
    missing.append(name[0] if is_variable(name[0]) else "")
    return OPEN


def open_names(texts: Iterable[object]) -> str:
    """Return what texts wait for, in words: ``TAG and PORT``; ``a variable`` where no name may be told."""
    names = list(dict.fromkeys(n for text in texts if isinstance(text, Text) for n in text.open if n))[:10]
    if not names:
        return "a variable"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def open_texts(tree: object) -> list[Text]:
    """Return the texts of a part that wait for variables."""
    if isinstance(tree, Text):
        return [tree] if tree.open else []
    inner = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    return [text for entry in inner for text in open_texts(entry)]
