"""YAML as plain data: maps, lists and text, with the place of each mistake.

Every scalar stays the text that was written, except an unquoted null: so ``1.10`` is not ``1.1``, ``no`` is
not false and ``22:22`` is not 1342. The tree is built from parser events, which need no recursion, and is
bounded: 64 levels, and a number of nodes with every alias counted in full.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, TypeGuard

from detector.errors import UnseenError

Tree = None | str | list[Any] | dict[str, Any]

_DEEPEST: Final = 64
_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
#: Tags that keep a node what it is.
_PLAIN_TAGS: Final = frozenset(
    {"!"} | {f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq")}
)


class Map(dict[str, Any]):
    """A map of a document, and the line at which it begins."""

    __slots__ = ("line",)
    line: int


@dataclass(frozen=True, slots=True)
class Marked:
    """A node with a tag that the format gives a meaning, such as ``!reset`` of compose files."""

    tag: str
    tree: Any = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much YAML is read at most."""

    bytes: int = 4 * 1024 * 1024
    nodes: int = 200_000


@dataclass(slots=True)
class _Open:
    """A map or list that is being filled."""

    value: list[Any] | Map
    anchor: str | None
    mark: str | None
    size: int = 1
    key: str | None = None
    #: Key -> the line that sets it.
    lines: dict[str, int] = field(default_factory=dict)
    merges: list[Tree] = field(default_factory=list)


def is_map(tree: object) -> TypeGuard[dict[str, Any]]:
    """Tell whether a part of a document is a map."""
    return isinstance(tree, dict)


def document(data: bytes, name: str) -> Tree:
    """Return the only document of a file, None where there is none.

    Raises UnseenError as `documents` does, and `malformed` for a second document.
    """
    found = documents(data, name)
    if len(found) > 1:
        raise UnseenError("malformed", f"{name}:{found[1][0]}: a second document")
    return found[0][1] if found else None


def documents(
    data: bytes, name: str, *, marks: frozenset[str] = frozenset(), limits: Limits = Limits()
) -> list[tuple[int, Tree]]:
    """Return the documents of a file, each with its first line; what has a tag of ``marks`` is Marked.

    Raises UnseenError: `malformed` with line and column for a syntax error, a doubled key or another tag that
    is no plain data; `too_large` for a file, a depth or a number of nodes beyond all use.
    """
    import yaml  # noqa: PLC0415 - a comparison of two .env files never needs it

    if len(data) > limits.bytes:
        raise UnseenError("too_large", f"{name}: more than {limits.bytes // 1024 // 1024} MB of YAML")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _Builder(name, marks, limits.nodes).documents(yaml.parse(data, Loader=loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise UnseenError("malformed", f"{name}{place}: not valid YAML here or just before") from None
    except yaml.YAMLError:
        raise UnseenError("malformed", f"{name}: not YAML in UTF-8") from None
    except UnicodeDecodeError:
        raise UnseenError("malformed", f"{name}: not YAML in UTF-8") from None


class _Builder:
    def __init__(self, name: str, marks: frozenset[str], most_nodes: int) -> None:
        self._name = name
        self._marks = marks
        self._most_nodes = most_nodes
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._nodes = 0
        self._documents: list[tuple[int, Tree]] = []

    def documents(self, events: Iterable[Any]) -> list[tuple[int, Tree]]:
        import yaml  # noqa: PLC0415 - see `documents`

        scalar, mapping, sequence = yaml.ScalarEvent, yaml.MappingStartEvent, yaml.SequenceStartEvent
        ends = (yaml.MappingEndEvent, yaml.SequenceEndEvent)
        for event in events:
            if isinstance(event, scalar):
                mark = self._mark(event) if event.tag is not None else None
                plain = event.implicit[0] or (mark is not None and not event.style)
                text = None if plain and event.value in _NULLS else event.value
                tree = text if mark is None else Marked(mark, text)
                if event.anchor:
                    self._anchors[event.anchor] = (tree, 1)
                self._count(event, 1)
                self._add(tree, event, 1)
            elif isinstance(event, (mapping, sequence)):
                mark = self._mark(event) if event.tag is not None else None
                self._count(event, 1)
                if len(self._stack) >= _DEEPEST:
                    raise UnseenError(
                        "too_large", f"{self._place(event)}: nested deeper than {_DEEPEST} levels"
                    )
                value: list[Any] | Map = []
                if isinstance(event, mapping):
                    value = Map()
                    value.line = _line(event)
                self._stack.append(_Open(value, event.anchor, mark))
            elif isinstance(event, ends):
                self._close(event)
            elif isinstance(event, yaml.AliasEvent):
                if event.anchor not in self._anchors:
                    raise self._malformed(event, "an alias without its anchor")
                tree, size = self._anchors[event.anchor]
                self._count(event, size)
                self._add(tree, event, size)
            elif isinstance(event, yaml.DocumentStartEvent):
                # An anchor lives as long as its document.
                self._anchors.clear()
                self._documents.append((_line(event), None))
        return self._documents

    def _count(self, event: Any, size: int) -> None:
        self._nodes += size
        if self._nodes > self._most_nodes:
            raise UnseenError("too_large", f"{self._place(event)}: more than {self._most_nodes} nodes")

    def _close(self, event: Any) -> None:
        done = self._stack.pop()
        if isinstance(done.value, Map):
            for source in done.merges:
                for part in source if isinstance(source, list) else [source]:
                    if not is_map(part):
                        raise self._malformed(event, "a merge of what is no map")
                    done.value.update({key: part[key] for key in part if key not in done.value})
        tree: Any = done.value if done.mark is None else Marked(done.mark, done.value)
        if done.anchor:
            self._anchors[done.anchor] = (tree, done.size)
        self._add(tree, event, done.size)

    def _add(self, tree: Any, event: Any, size: int) -> None:
        if not self._stack:
            self._documents[-1] = (self._documents[-1][0], tree)
            return
        parent = self._stack[-1]
        parent.size += size
        if isinstance(parent.value, list):
            parent.value.append(tree)
        elif parent.key is None:
            parent.key = self._key(tree, event, parent.lines)
        else:
            if parent.key == "<<":
                parent.merges.append(tree)
            else:
                parent.value[parent.key] = tree
            parent.key = None

    def _key(self, tree: Tree, event: Any, lines: dict[str, int]) -> str:
        key = getattr(event, "value", None) if tree is None else tree
        if not isinstance(key, str):
            raise self._malformed(event, "a key that is no text")
        if key in lines and key != "<<":
            raise self._malformed(event, f"a key that was there before, at line {lines[key]}")
        lines[key] = _line(event)
        return key

    def _mark(self, event: Any) -> str | None:
        """Return the tag of a node that means something, None where it only says what the node is anyway."""
        if event.tag in self._marks:
            return str(event.tag)
        if event.tag not in _PLAIN_TAGS:
            raise self._malformed(event, "a tag that is no plain data")
        return None

    def _malformed(self, event: Any, what: str) -> UnseenError:
        return UnseenError("malformed", f"{self._place(event)}: {what}")

    def _place(self, event: Any) -> str:
        return f"{self._name}:{_line(event)}:{event.start_mark.column + 1}"


def _line(event: Any) -> int:
    line: int = event.start_mark.line
    return line + 1
