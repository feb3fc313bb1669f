"""YAML as plain data: maps, lists and text, with the place of each mistake.

Every scalar stays the text that was written, except an unquoted null: so ``1.10`` is not ``1.1``, ``no`` is
not false and ``22:22`` is not 1342. The tree is built from parser events, which need no recursion, and is
bounded: 64 levels, and 200,000 nodes with every alias counted in full.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, TypeGuard

from detector.errors import UnseenError

Tree = None | str | list[Any] | dict[str, Any]

_DEEPEST: Final = 64
_MOST_NODES: Final = 200_000
_LARGEST: Final = 4 * 1024 * 1024
_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
#: Tags that keep a node what it is; ``!reset`` and ``!override`` are those of compose files.
_PLAIN_TAGS: Final = frozenset(
    {"!", "!reset", "!override"}
    | {f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq")}
)


@dataclass(slots=True)
class _Open:
    """A map or list that is being filled."""

    value: list[Any] | dict[str, Any]
    anchor: str | None
    size: int = 1
    key: str | None = None
    merges: list[Tree] = field(default_factory=list)


def is_map(tree: object) -> TypeGuard[dict[str, Any]]:
    """Tell whether a part of a document is a map."""
    return isinstance(tree, dict)


def document(data: bytes, name: str) -> Tree:
    """Return the only document of a file.

    Raises UnseenError: `malformed` with line and column for a syntax error, a second document, a doubled key
    or a tag that is no plain data; `too_large` for a file, a depth or a number of nodes beyond all use.
    """
    import yaml  # noqa: PLC0415 - a comparison of two .env files never needs it

    if len(data) > _LARGEST:
        raise UnseenError("too_large", f"{name}: more than {_LARGEST // 1024 // 1024} MB of YAML")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _Builder(name).tree(yaml.parse(data, Loader=loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise UnseenError("malformed", f"{name}{place}: not valid YAML here or just before") from None
    except yaml.YAMLError:
        raise UnseenError("malformed", f"{name}: not YAML in UTF-8") from None
    except UnicodeDecodeError:
        raise UnseenError("malformed", f"{name}: not YAML in UTF-8") from None


class _Builder:
    def __init__(self, name: str) -> None:
        self._name = name
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[Tree, int]] = {}
        self._nodes = 0
        self._root: Tree = None
        self._documents = 0

    def tree(self, events: Iterator[Any]) -> Tree:
        import yaml  # noqa: PLC0415 - see `document`

        for event in events:
            if isinstance(event, yaml.ScalarEvent):
                self._check_tag(event)
                text = _scalar(event)
                if event.anchor:
                    self._anchors[event.anchor] = (text, 1)
                self._count(event, 1)
                self._add(text, event, 1)
            elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
                self._check_tag(event)
                self._count(event, 1)
                if len(self._stack) >= _DEEPEST:
                    raise UnseenError(
                        "too_large", f"{self._place(event)}: nested deeper than {_DEEPEST} levels"
                    )
                mapping = isinstance(event, yaml.MappingStartEvent)
                self._stack.append(_Open({} if mapping else [], event.anchor))
            elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                self._close(event)
            elif isinstance(event, yaml.AliasEvent):
                if event.anchor not in self._anchors:
                    raise self._malformed(event, "an alias without its anchor")
                tree, size = self._anchors[event.anchor]
                self._count(event, size)
                self._add(tree, event, size)
            elif isinstance(event, yaml.DocumentStartEvent):
                self._documents += 1
                if self._documents > 1:
                    raise self._malformed(event, "a second document")
        return self._root

    def _count(self, event: Any, size: int) -> None:
        self._nodes += size
        if self._nodes > _MOST_NODES:
            raise UnseenError("too_large", f"{self._place(event)}: more than {_MOST_NODES} nodes")

    def _close(self, event: Any) -> None:
        done = self._stack.pop()
        if isinstance(done.value, dict):
            for source in done.merges:
                for part in source if isinstance(source, list) else [source]:
                    if not is_map(part):
                        raise self._malformed(event, "a merge of what is no map")
                    done.value.update({key: part[key] for key in part if key not in done.value})
        if done.anchor:
            self._anchors[done.anchor] = (done.value, done.size)
        self._add(done.value, event, done.size)

    def _add(self, tree: Tree, event: Any, size: int) -> None:
        if not self._stack:
            self._root = tree
            return
        parent = self._stack[-1]
        parent.size += size
        if isinstance(parent.value, list):
            parent.value.append(tree)
        elif parent.key is None:
            parent.key = self._key(tree, event, parent.value)
        else:
            if parent.key == "<<":
                parent.merges.append(tree)
            else:
                parent.value[parent.key] = tree
            parent.key = None

    def _key(self, tree: Tree, event: Any, taken: dict[str, Any]) -> str:
        key = getattr(event, "value", None) if tree is None else tree
        if not isinstance(key, str):
            raise self._malformed(event, "a key that is no text")
        if key in taken:
            raise self._malformed(event, "a key that was there before")
        return key

    def _check_tag(self, event: Any) -> None:
        if event.tag is not None and event.tag not in _PLAIN_TAGS:
            raise self._malformed(event, "a tag that is no plain data")

    def _malformed(self, event: Any, what: str) -> UnseenError:
        return UnseenError("malformed", f"{self._place(event)}: {what}")

    def _place(self, event: Any) -> str:
        return f"{self._name}:{event.start_mark.line + 1}:{event.start_mark.column + 1}"


def _scalar(event: Any) -> str | None:
    if event.tag == "!reset" or (event.implicit[0] and event.value in _NULLS):
        return None
    text: str = event.value
    return text
