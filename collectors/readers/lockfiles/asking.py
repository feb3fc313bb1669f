"""Who asks for what: from it follows what few formats write down, whether production needs a package."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Asking:
    """Who asks for what. Nodes are the keys that a format gives its packages.

    From the edges follows what a format does not write down: whether production needs a package.
    """

    #: What the project and its members ask for.
    runtime: set[str] = field(default_factory=set)
    optional: set[str] = field(default_factory=set)
    dev: set[str] = field(default_factory=set)
    #: What a package needs, and what it takes where it can.
    needs: dict[str, list[str]] = field(default_factory=dict)
    wants: dict[str, list[str]] = field(default_factory=dict)

    def is_direct(self, node: str) -> bool:
        """Tell whether the project itself asks for it."""
        return node in self.runtime or node in self.optional or node in self.dev

    def scopes(self) -> Callable[[str], tuple[str, ...]]:
        """Return the scope of a node: empty for what production needs, and for what no one asks for."""
        runtime = reached(self.runtime, self.needs)
        optional = reached(self.runtime | self.optional, self.needs, self.wants)
        dev = reached(self.dev, self.needs, self.wants)

        def scope(node: str) -> tuple[str, ...]:
            if node in runtime or (node not in optional and node not in dev):
                return ()
            return ("optional",) if node in optional else ("dev",)

        return scope


def reached(start: Iterable[str], *edges: dict[str, list[str]]) -> set[str]:
    """Return the nodes that edges lead to, the start among them."""
    waiting = list(start)
    seen = set(waiting)
    while waiting:
        node = waiting.pop()
        for kind in edges:
            for other in kind.get(node, ()):
                if other not in seen:
                    seen.add(other)
                    waiting.append(other)
    return seen
