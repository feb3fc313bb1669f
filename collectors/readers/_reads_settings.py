"""The keys that fields of pydantic settings are read from (pydantic-settings; BaseSettings of pydantic 1)."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from collectors.readers._reads import Reads
from collectors.readers._reads_names import Bindings, dotted, names_in

_BASES: Final = frozenset(
    {
        ("pydantic_settings", "BaseSettings"),
        ("pydantic", "BaseSettings"),
        ("pydantic.v1", "BaseSettings"),
        ("pydantic_settings.main", "BaseSettings"),
    }
)
_MOST_BASES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a class of settings hands on to its subclasses."""

    prefix: str = ""
    folded: bool = True


def settings_in(tree: ast.Module, names: Bindings, reads: Reads) -> dict[str, Settings]:
    """Take down the keys of every class of settings in a module, and return the classes by name.

    A class counts where BaseSettings is among its bases, or among those of a base in the same module.
    """
    classes = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    found: dict[str, Settings] = {}
    for node in classes.values():
        known = _settings(node, classes, names)
        if known is not None:
            found[node.name] = known
            for field in _fields(node):
                _field(field, known, classes, names, reads)
    return found


def _settings(
    node: ast.ClassDef,
    classes: Mapping[str, ast.ClassDef],
    names: Bindings,
) -> Settings | None:
    line: list[ast.ClassDef] = []
    queue, is_one = [node], False
    while queue and len(line) < _MOST_BASES:
        here = queue.pop(0)
        if here in line:
            continue
        line.append(here)
        for base in here.bases:
            is_one = is_one or names.origin(base) in _BASES
            own = classes.get(dotted(base) or "")
            if own is not None:
                queue.append(own)
    if not is_one:
        return None
    said: dict[str, Any] = {}
    for each in reversed(line):
        said |= dict(_configured(each, names))
    prefix = said.get("env_prefix", "")
    return Settings(
        prefix=prefix if isinstance(prefix, str) else "", folded=said.get("case_sensitive") is not True
    )


def _configured(node: ast.ClassDef, names: Bindings) -> Iterator[tuple[str, Any]]:
    """Yield what ``model_config``, ``class Config`` or the class statement say."""
    for name, value in ((each.arg, each.value) for each in node.keywords):
        yield from _setting(name, value, names)
    for statement in node.body:
        for name, value in _settings_of(statement):
            yield from _setting(name, value, names)


def _settings_of(statement: ast.stmt) -> Iterator[tuple[str | None, ast.expr]]:
    if isinstance(statement, ast.ClassDef) and statement.name == "Config":
        for inner in statement.body:
            if isinstance(inner, ast.Assign):
                yield dotted(inner.targets[0]), inner.value
    if not isinstance(statement, ast.Assign | ast.AnnAssign):
        return
    target = statement.target if isinstance(statement, ast.AnnAssign) else statement.targets[0]
    if dotted(target) != "model_config":
        return
    if isinstance(statement.value, ast.Call):
        yield from ((each.arg, each.value) for each in statement.value.keywords)
    elif isinstance(statement.value, ast.Dict):
        for key, value in zip(statement.value.keys, statement.value.values, strict=True):
            yield key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else None, value


def _setting(name: str | None, value: ast.expr, names: Bindings) -> Iterator[tuple[str, Any]]:
    if name in ("env_prefix", "case_sensitive"):
        texts = names_in(value, names.constants, ())
        yield name, texts[0] if texts else getattr(value, "value", None)


def _fields(node: ast.ClassDef) -> Iterator[ast.AnnAssign]:
    for statement in node.body:
        if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
            continue
        name, annotation = statement.target.id, _annotation(statement.annotation)
        if not name.startswith("_") and name != "model_config" and annotation != "ClassVar":
            yield statement


def _annotation(expression: ast.expr) -> str:
    if isinstance(expression, ast.Subscript):
        expression = expression.value
    if isinstance(expression, ast.Constant) and isinstance(expression.value, str):
        return expression.value.partition("[")[0].rpartition(".")[2]
    return (dotted(expression) or "").rpartition(".")[2]


def _field(
    statement: ast.AnnAssign,
    settings: Settings,
    classes: Mapping[str, ast.ClassDef],
    names: Bindings,
    reads: Reads,
) -> None:
    assert isinstance(statement.target, ast.Name)  # noqa: S101 - `_fields` yields no other
    calls = [call for call in (statement.value, *_annotated(statement.annotation)) if _is_field(call)]
    aliases: list[str] = []
    for call in calls:
        aliases += _aliases(call, names)
    default, literal = _default(statement.value)
    for call in calls:
        if call is not statement.value:
            more, text = _default(call)
            default, literal = default or more, literal or text
    if not aliases and _annotation(statement.annotation) in classes:
        # A model inside: read as JSON, or key by key behind a delimiter.
        reads.computed.append(statement.lineno)
        return
    own = statement.target.id
    keys = aliases or [f"{settings.prefix}{own}"]
    for key in keys:
        # Of several aliases one is enough, and which one cannot be told.
        several = len(keys) > 1
        name = key.upper() if settings.folded else key
        reads.add(name, statement.lineno, default=default or several, literal=literal)


def _annotated(annotation: ast.expr) -> list[ast.expr]:
    """Return what stands beside the type in ``Annotated[type, …]``."""
    if isinstance(annotation, ast.Subscript) and _annotation(annotation) == "Annotated":
        inner = annotation.slice
        return list(inner.elts[1:]) if isinstance(inner, ast.Tuple) else []
    return []


def _is_field(expression: ast.expr | None) -> bool:
    return isinstance(expression, ast.Call) and (dotted(expression.func) or "").rpartition(".")[2] == "Field"


def _aliases(call: ast.expr | None, names: Bindings) -> list[str]:
    found: list[str] = []
    for keyword in call.keywords if isinstance(call, ast.Call) else ():
        if keyword.arg not in ("alias", "validation_alias", "env"):
            continue
        value = keyword.value
        choices = [value]
        if isinstance(value, ast.Call):  # AliasChoices("A", "B"), AliasPath("A", 0)
            kind = (dotted(value.func) or "").rpartition(".")[2]
            choices = list(value.args[:1] if kind == "AliasPath" else value.args)
        for choice in choices:
            found += names_in(choice, names.constants, ()) or ()
    return found


def _default(value: ast.expr | None) -> tuple[bool, Any]:
    """Return whether a field has a default, and the plain text that it is."""
    if value is None:
        return False, None
    if not _is_field(value):
        if isinstance(value, ast.Constant):
            return value.value is not ..., value.value
        return True, None
    assert isinstance(value, ast.Call)  # noqa: S101 - `_is_field`
    given = value.args[:1] or [each.value for each in value.keywords if each.arg == "default"]
    if given:
        return _default(given[0])
    return any(each.arg == "default_factory" for each in value.keywords), None
