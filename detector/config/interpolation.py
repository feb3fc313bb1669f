"""Variables in parity.yml: ``${V} ${V:-default} ${V:?message} $$``.

They are put in after parsing and in texts alone, so a variable can never add a key; what they bring is never
read again, and never printed.
"""

import re
from collections.abc import Mapping
from typing import Final

from detector.config.problems import Problems
from detector.config.yaml import Entry, Node, Path

_VARIABLE: Final = re.compile(r"\$(?:(\$)|\{([^{}]*)\})")
_INNER: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::([-?])(.*))?", re.DOTALL)
_CODE: Final = "config-interpolation"


def interpolate(node: Node, environ: Mapping[str, str], problems: Problems, path: Path = ()) -> Node:
    """Return the tree with every variable replaced. What stands under ``x-*`` keys stays as it is."""
    value = node.value
    if isinstance(value, str):
        return _text(node, value, environ, problems, path) if "$" in value else node
    if isinstance(value, tuple):
        items = tuple(interpolate(each, environ, problems, (*path, n)) for n, each in enumerate(value))
        return Node(line=node.line, column=node.column, value=items)
    if isinstance(value, Mapping):
        entries = {
            key: entry
            if key.startswith("x-")
            else Entry(entry.line, entry.column, interpolate(entry.node, environ, problems, (*path, key)))
            for key, entry in value.items()
        }
        return Node(line=node.line, column=node.column, value=entries)
    return node


def _text(node: Node, text: str, environ: Mapping[str, str], problems: Problems, path: Path) -> Node:
    whole: list[str] = []
    literal: list[str] = []
    end = 0
    from_environment = False
    if "${" in _VARIABLE.sub("", text):
        problems.add(path, _CODE, "a ${ that is not closed, or one inside another; $$ stands for a dollar")
        return node
    for match in _VARIABLE.finditer(text):
        between = text[end : match.start()]
        end = match.end()
        whole.append(between)
        literal.append(between)
        if match[1]:
            whole.append("$")
            literal.append("$")
            continue
        inner = _INNER.fullmatch(match[2])
        if inner is None:
            problems.add(path, _CODE, "write ${NAME}, ${NAME:-default} or ${NAME:?message}; $$ for a dollar")
            return node
        name, mark, rest = inner[1], inner[2], inner[3] or ""
        found = environ.get(name)
        if found is not None and (found or mark is None):
            whole.append(found)
            from_environment = True
        elif mark == "-":
            whole.append(rest)
            literal.append(rest)
        else:
            # The author of the file wrote this sentence to be read.
            said = rest if mark == "?" and rest.isprintable() else ""
            problems.add(path, _CODE, f"variable {name} is not set{': ' + said[:200] if said else ''}")
            return node
    whole.append(text[end:])
    literal.append(text[end:])
    skeleton = "".join(literal) if from_environment else None
    return Node(line=node.line, column=node.column, value="".join(whole), literal=skeleton)
