"""parity.yml while it is being checked: its pieces one by one, so that one wrong piece hides no other."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import NamedTuple, TypeVar

from pydantic import BaseModel

from detector.config.options import OptionsReader
from detector.config.problems import Problems
from detector.config.yaml import Entry, Node, Path
from detector.errors import did_you_mean

M = TypeVar("M", bound=BaseModel)


class Piece(NamedTuple):
    """A node and the path at which it stands."""

    path: Path
    node: Node

    def at(self, *keys: str) -> "Piece":
        """Return the piece below; an empty one where there is none."""
        piece = self
        for key in keys:
            value = piece.node.value
            entry = value.get(key) if isinstance(value, Mapping) else None
            node = entry.node if entry else Node(line=piece.node.line, column=piece.node.column, value=None)
            piece = Piece((*piece.path, key), node)
        return piece

    def each(self) -> Iterator["Piece"]:
        """Iterate over a list, or over the one thing that stands for a list of one."""
        if isinstance(self.node.value, tuple):
            for n, node in enumerate(self.node.value):
                yield Piece((*self.path, n), node)
        elif isinstance(self.node.value, Mapping):
            yield self

    def without(self, *keys: str) -> "Piece":
        """Return the piece without some of its keys."""
        if not isinstance(self.node.value, Mapping):
            return self
        value: dict[str, Entry] = {k: entry for k, entry in self.node.value.items() if k not in keys}
        return Piece(self.path, Node(line=self.node.line, column=self.node.column, value=value))

    @property
    def text(self) -> str:
        """The text that stands here, or an empty one."""
        return self.node.value if isinstance(self.node.value, str) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The document, what was found wrong so far, and the names that it defines, right or wrong."""

    root: Piece
    folder: FilePath
    problems: Problems
    options: OptionsReader

    def names(self, *keys: str) -> tuple[str, ...]:
        """Return the names that the pieces of a list give themselves, in order."""
        return tuple(name for piece in self.root.at(*keys).each() if (name := piece.at("name").text))

    def all(self, model: type[M], *keys: str) -> list[tuple[Piece, M]]:
        """Return the pieces of a list that are right in themselves."""
        found = []
        for piece in self.root.at(*keys).each():
            made = self.problems.check(model, piece.node, piece.path)
            if made is not None:
                found.append((piece, made))
        return found

    def one(self, model: type[M], key: str) -> M:
        """Return the piece under a key; the model's own defaults where it is missing or wrong."""
        piece = self.root.at(key)
        if piece.node.value is None:
            return model()
        return self.problems.check(model, piece.node, piece.path) or model()

    def require(
        self, piece: Piece, name: str, known: tuple[str, ...], what: str, *, at_key: bool = False
    ) -> bool:
        """Note a name that nothing defines. ``what`` is the kind of thing, as in ``environment``."""
        if name in known:
            return True
        message = f"no {what} has this name{did_you_mean(name, known)}"
        self.problems.add(piece.path, "config-semantics", message, at_key=at_key)
        return False

    def refuse_doubles(self, pieces: list[Piece], what: str) -> None:
        """Note each piece whose text stands before already."""
        first: dict[str, Piece] = {}
        for piece in pieces:
            before = first.setdefault(piece.text, piece)
            if piece.text and before is not piece:
                message = f"two {what}: the other is in line {before.node.line}"
                self.problems.add(piece.path, "config-semantics", message)
