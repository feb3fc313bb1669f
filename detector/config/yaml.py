"""YAML with places: a tree of nodes that know line and column, read without surprises.

Scalars follow the core schema of YAML 1.2.2 (10.3) for null, true and false; everything else stays the text
that was written, so ``no``, ``on``, ``1.10``, ``22:22`` and dates mean what they show. A field that wants a
number parses it. Merge keys (``<<``) are honoured, tags are refused.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import yaml

from detector.errors import ConfigError, Problem

MAX_BYTES: Final = 4 * 1024 * 1024
#: Nodes after every alias is counted as often as it is used.
MAX_NODES: Final = 100_000
MAX_DEPTH: Final = 64

_CORE: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Node:
    """One value of the document and the place where it stands, both counted from 1."""

    line: int
    column: int
    value: "bool | str | tuple[Node, ...] | Mapping[str, Entry] | None"
    #: Of a text into which the environment or a file was read: the part that stands in the document itself.
    literal: str | None = None


class Entry(NamedTuple):
    """A value of a mapping and the place of its key."""

    line: int
    column: int
    node: Node


def plain(node: Node) -> Any:
    """Return the value of a node as dicts, lists and scalars."""
    if isinstance(node.value, tuple):
        return [plain(each) for each in node.value]
    if isinstance(node.value, Mapping):
        return {key: plain(entry.node) for key, entry in node.value.items()}
    return node.value


def print_path(path: Path) -> str:
    """Return a path as people write it, such as ``environments[0].tier``."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            word = step if step.isprintable() and len(step) <= 64 else "…"
            text += f".{word}" if text else word
    return text or "document"


def parse(data: bytes, file: str, *, main: bool = True) -> tuple[Node, list[Problem]]:
    """Return the document and its duplicate keys. Raises ConfigError when it cannot be read at all.

    The ``main`` file is a mapping; others may be anything, and empty.
    """
    if len(data) > MAX_BYTES:
        raise _refused(file, 1, 1, "config-too-complex", f"larger than {MAX_BYTES // 1024**2} MB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, column = _place(data[: error.start].decode("utf-8", "replace"))
        raise _refused(file, line, column, "config-syntax", "not UTF-8; save the file as UTF-8") from None
    composer = _Composer(text, file)
    try:
        root = composer.document(main=main)
    except yaml.reader.ReaderError as error:
        line, column = _place(text[: error.position])
        message = "a control character; remove it"
        raise _refused(file, line, column, "config-syntax", message) from None
    except yaml.MarkedYAMLError as error:
        line, column, message = _in_our_words(error, text)
        raise _refused(file, line, column, "config-syntax", message) from None
    return root, composer.problems


class _Composer:
    """Builds nodes from parser events, so that depth and size end the work before it becomes costly."""

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self._events: Iterator[Any] = yaml.parse(text, Loader=_LOADER)
        self._anchors: dict[str, tuple[Node, int, int]] = {}
        self._nodes = 0

    def document(self, *, main: bool) -> Node:
        next(self._events)
        start = next(self._events)
        if isinstance(start, yaml.StreamEndEvent):
            if not main:
                return Node(line=1, column=1, value=())
            raise _refused(
                self.file, 1, 1, "config-empty", "the file is empty; begin with version: 1 and environments"
            )
        root, _ = self._node(next(self._events), ())
        next(self._events)
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise self._refused(after, (), "a second document (---); keep one")
        if not main:
            return root
        if root.value is None:
            raise self._refused(
                start, (), "the file is empty; begin with version: 1 and environments", "config-empty"
            )
        if not isinstance(root.value, Mapping):
            raise self._refused(start, (), "must be a mapping that begins with version: 1", "config-type")
        return root

    def _node(self, event: Any, path: Path) -> tuple[Node, int]:
        """Return the node that an event begins, and how many levels it has."""
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, path)
        before = self._nodes
        self._count(event, path, 1)
        if event.tag is not None:
            raise self._refused(event, path, "a tag (!…); parity.yml takes none: put text in quotes")
        value: Any
        levels = 1
        if isinstance(event, yaml.ScalarEvent):
            value = _CORE.get(event.value, event.value) if event.implicit[0] else event.value
        elif isinstance(event, yaml.SequenceStartEvent):
            value, levels = self._sequence(path)
        else:
            value, levels = self._mapping(path)
        line, column = _at(event)
        node = Node(line=line, column=column, value=value)
        if event.anchor is not None:
            self._anchors[event.anchor] = (node, levels, self._nodes - before)
        return node, levels

    def _sequence(self, path: Path) -> tuple[tuple[Node, ...], int]:
        nodes: list[Node] = []
        deepest = 0
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            node, levels = self._node(event, (*path, len(nodes)))
            nodes.append(node)
            deepest = max(deepest, levels)
        return tuple(nodes), deepest + 1

    def _mapping(self, path: Path) -> tuple[dict[str, Entry], int]:
        entries: dict[str, Entry] = {}
        merged: list[Node] = []
        deepest = 0
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent) or event.tag is not None:
                raise self._refused(event, path, "a key must be plain text")
            key, (line, column) = event.value, _at(event)
            inner = (*path, key)
            is_merge = key == "<<" and event.implicit[0]
            node, levels = self._node(next(self._events), inner)
            deepest = max(deepest, levels)
            if is_merge:
                merged += node.value if isinstance(node.value, tuple) else (node,)
            elif key in entries:
                message = f"stands here and in line {entries[key].line}; keep one of them"
                self.problems.append(self._problem(event, inner, message, "config-duplicate-key"))
            else:
                entries[key] = Entry(line, column, node)
        for node in merged:
            if not isinstance(node.value, Mapping):
                problem = Problem(
                    file=self.file,
                    line=node.line,
                    column=node.column,
                    path=print_path((*path, "<<")),
                    message="must be a mapping, or a list of them",
                    code="config-type",
                )
                raise ConfigError([problem])
            for key, entry in node.value.items():
                entries.setdefault(key, entry)
        return entries, deepest + 1

    def _alias(self, event: Any, path: Path) -> tuple[Node, int]:
        if event.anchor not in self._anchors:
            raise self._refused(event, path, "an alias (*) of an anchor (&) that is not defined before it")
        node, levels, size = self._anchors[event.anchor]
        self._count(event, path, size, levels)
        return node, levels

    def _count(self, event: Any, path: Path, nodes: int, levels: int = 1) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            message = f"more than {MAX_NODES} values, aliases counted as often as they are used"
            raise self._refused(event, path, message, "config-too-complex")
        if len(path) + levels > MAX_DEPTH:
            raise self._refused(event, path[:4], f"nested deeper than {MAX_DEPTH}", "config-too-complex")

    def _problem(self, event: Any, path: Path, message: str, code: str) -> Problem:
        line, column = _at(event)
        place = print_path(path)
        return Problem(file=self.file, line=line, column=column, path=place, message=message, code=code)

    def _refused(self, event: Any, path: Path, message: str, code: str = "config-syntax") -> ConfigError:
        return ConfigError([self._problem(event, path, message, code)])


def _refused(file: str, line: int, column: int, code: str, message: str) -> ConfigError:
    problem = Problem(file=file, line=line, column=column, path=print_path(()), message=message, code=code)
    return ConfigError([problem])


def _at(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _place(text_before: str) -> tuple[int, int]:
    line = text_before.count("\n") + 1
    return line, len(text_before) - (text_before.rfind("\n") + 1) + 1


def _in_our_words(error: yaml.MarkedYAMLError, text: str) -> tuple[int, int, str]:
    """Return where a fault is and what it is: both parsers' own texts may quote the file."""
    context, at, opened = error.context or "", error.problem_mark, error.context_mark
    line, column = (at.line, at.column) if at else (0, 0)
    lines = text.split("\n")
    before = lines[line][: column + 1] if line < len(lines) else ""
    if opened is not None and "quoted scalar" in context:
        line, column, message = opened.line, opened.column, "a quote that is never closed"
    elif "\t" in before and not before.strip():
        message = "a tab; indent with spaces"
    elif "mapping values" in (error.problem or ""):
        message = "a colon where no key can stand; put a value that holds ': ' in quotes, or mend the indent"
    elif opened is not None and "flow" in context:
        line, column = opened.line, opened.column
        message = "a [ or { that is not closed, or a comma that is missing after it"
    elif "block" in context:
        message = "this line fits neither the list nor the mapping around it; mend the indent"
    elif "token" in context:
        message = "a character that no plain value begins with; put the value in quotes"
    else:
        message = "not YAML from here on"
    return line + 1, column + 1, message
