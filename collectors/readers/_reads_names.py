"""Under which names a Python module knows the environment: imports, aliases, constants, objects."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

_DEEPEST: Final = 16
_MOST_NAMES: Final = 200
#: Classes whose instances read a key when they are called: (module, class).
_CONFIG_CLASSES: Final = frozenset(
    {("decouple", "AutoConfig"), ("decouple", "Config"), ("starlette.config", "Config")}
)
_ENV_CLASSES: Final = frozenset(
    {
        ("environs", "Env"),
        ("environs", "FileAwareEnv"),
        ("environ", "Env"),
        ("environ", "FileAwareEnv"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Env:
    """An object of environs or django-environ: its prefix, and the defaults of its scheme."""

    prefix: str = ""
    defaults: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrapper:
    """A function of the project that passes the name of a key on to a read."""

    parameter: str
    #: Place among the arguments of a call; -1 for a keyword alone.
    position: int
    #: Whether a call that gives no default goes on without the key.
    default: bool
    literal: Any = None
    #: The parameter that becomes the default, or an empty text.
    default_parameter: str = ""
    default_position: int = -1
    prefix: str = ""


#: What modules lend to others: (module's own name, name) -> thing.
Lent = Mapping[tuple[str, str], Wrapper | Env]


@dataclass(slots=True, kw_only=True)
class Bindings:
    """The names of one module, as dotted texts."""

    os: set[str] = field(default_factory=set)
    environ: set[str] = field(default_factory=set)
    getenv: set[str] = field(default_factory=set)
    configs: set[str] = field(default_factory=set)
    envs: dict[str, Env] = field(default_factory=dict)
    #: Those of ``envs`` that this module made itself.
    own_envs: dict[str, Env] = field(default_factory=dict)
    wrappers: dict[str, Wrapper] = field(default_factory=dict)
    #: Name -> (module, its name there).
    imported: dict[str, tuple[str, str]] = field(default_factory=dict)
    constants: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def is_environ(self, expression: ast.expr) -> bool:
        """Tell whether an expression is the process environment."""
        if isinstance(expression, ast.Attribute) and expression.attr == "environ":
            return dotted(expression.value) in self.os
        return dotted(expression) in self.environ

    def is_getenv(self, expression: ast.expr) -> bool:
        """Tell whether an expression is ``os.getenv``."""
        if isinstance(expression, ast.Attribute) and expression.attr == "getenv":
            return dotted(expression.value) in self.os
        return dotted(expression) in self.getenv

    def origin(self, expression: ast.expr) -> tuple[str, str]:
        """Return (module, name) of an imported thing; an unknown one is of no module."""
        text = dotted(expression) or ""
        head, _, rest = text.partition(".")
        module, name = self.imported.get(head, ("", head))
        if not rest:
            return module, name
        inner, _, last = rest.rpartition(".")
        return ".".join(part for part in (module, name, inner) if part), last


def bindings_of(tree: ast.Module, lent: Lent) -> Bindings:
    """Return the names of a module; ``lent`` is what other modules of the project lend."""
    names = Bindings()
    assignments: list[ast.Assign | ast.AnnAssign] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                _import(names, alias)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                _import_from(names, node.module or "", alias, lent)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            assignments.append(node)
    _constants(names, tree)
    for node in assignments:
        _assigned(names, node)
    return names


def dotted(expression: ast.expr | None) -> str | None:
    """Return ``a.b.c`` of a name and its attributes, None of anything else."""
    parts: list[str] = []
    while isinstance(expression, ast.Attribute) and len(parts) < _DEEPEST:
        parts.append(expression.attr)
        expression = expression.value
    if not isinstance(expression, ast.Name):
        return None
    return ".".join((expression.id, *reversed(parts)))


def names_in(
    expression: ast.expr,
    constants: Mapping[str, tuple[str, ...]],
    loops: tuple[tuple[str, tuple[str, ...]], ...],
    *,
    many: bool = False,
    depth: int = 0,
) -> tuple[str, ...] | None:
    """Return the texts that an expression stands for, None where they are only known when the code runs.

    ``many`` asks for the members of a list of texts.
    """
    if depth > _DEEPEST:
        return None
    if isinstance(expression, ast.Constant):
        return (expression.value,) if isinstance(expression.value, str) else None
    if isinstance(expression, ast.Name):
        looped = next((values for name, values in reversed(loops) if name == expression.id), None)
        return looped if looped is not None else constants.get(expression.id)
    if isinstance(expression, ast.List | ast.Tuple | ast.Set) and (many or depth == 0):
        return _together(expression.elts, constants, loops, depth)
    if isinstance(expression, ast.IfExp):
        return _together([expression.body, expression.orelse], constants, loops, depth)
    parts: list[ast.expr]
    if isinstance(expression, ast.JoinedStr):
        parts = [each.value if isinstance(each, ast.FormattedValue) else each for each in expression.values]
    elif isinstance(expression, ast.BinOp) and isinstance(expression.op, ast.Add):
        parts = [expression.left, expression.right]
    else:
        return None
    texts: tuple[str, ...] = ("",)
    for part in parts:
        found = names_in(part, constants, loops, depth=depth + 1)
        if found is None or len(texts) * len(found) > _MOST_NAMES:
            return None
        texts = tuple(text + more for text in texts for more in found)
    return texts


def _together(
    expressions: list[ast.expr],
    constants: Mapping[str, tuple[str, ...]],
    loops: tuple[tuple[str, tuple[str, ...]], ...],
    depth: int,
) -> tuple[str, ...] | None:
    texts: list[str] = []
    for each in expressions[: _MOST_NAMES + 1]:
        found = names_in(each, constants, loops, depth=depth + 1)
        if found is None:
            return None
        texts += found
    return tuple(dict.fromkeys(texts)) if len(texts) <= _MOST_NAMES else None


def _import(names: Bindings, alias: ast.alias) -> None:
    local = alias.asname or alias.name.partition(".")[0]
    module = alias.name if alias.asname else local
    names.imported[local] = ("", module)
    if module == "os":
        names.os.add(local)
    if module == "decouple":
        names.configs.add(f"{local}.config")


def _import_from(names: Bindings, module: str, alias: ast.alias, lent: Lent) -> None:
    local, name = alias.asname or alias.name, alias.name
    names.imported[local] = (module, name)
    if module == "os" and name == "environ":
        names.environ.add(local)
    elif module == "os" and name == "getenv":
        names.getenv.add(local)
    elif (module, name) == ("decouple", "config"):
        names.configs.add(local)
    elif (module, name) == ("environs", "env"):
        names.envs[local] = Env()
    stem = module.rpartition(".")[2]
    thing = lent.get((stem, name))
    if thing is not None:
        _lend(names, local, thing)
    # `from core import env` may name a module that lends: then its things are behind a dot.
    for (of, inner), other in lent.items():
        if of == name:
            _lend(names, f"{local}.{inner}", other)


def _lend(names: Bindings, local: str, thing: Wrapper | Env) -> None:
    if isinstance(thing, Env):
        names.envs[local] = thing
    else:
        names.wrappers[local] = thing


def _constants(names: Bindings, tree: ast.Module) -> None:
    """Take down module-level texts and lists of texts that are assigned once."""
    seen: dict[str, int] = {}
    for node in tree.body:
        for target, value in _targets(node):
            if isinstance(target, ast.Name):
                seen[target.id] = seen.get(target.id, 0) + 1
                found = names_in(value, names.constants, (), many=True)
                if found is not None and seen[target.id] == 1:
                    names.constants[target.id] = found
                else:
                    names.constants.pop(target.id, None)


def _targets(node: ast.stmt) -> Iterator[tuple[ast.expr, ast.expr]]:
    if isinstance(node, ast.Assign):
        yield from ((target, node.value) for target in node.targets)
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        yield node.target, node.value


def _assigned(names: Bindings, node: ast.Assign | ast.AnnAssign) -> None:
    for target, value in _targets(node):
        local = dotted(target)
        if local is None:
            continue
        owner, _, attribute = local.rpartition(".")
        if attribute == "prefix" and owner in names.envs:
            prefix = names_in(value, names.constants, ())
            if prefix is not None and len(prefix) == 1:
                env = Env(prefix=prefix[0], defaults=names.envs[owner].defaults)
                names.envs[owner] = names.own_envs[owner] = env
        elif names.is_environ(value):
            names.environ.add(local)
        elif names.is_getenv(value) or (
            isinstance(value, ast.Attribute) and value.attr == "get" and names.is_environ(value.value)
        ):
            names.getenv.add(local)
        elif isinstance(value, ast.Call):
            origin = names.origin(value.func)
            if origin in _CONFIG_CLASSES:
                names.configs.add(local)
            elif origin in _ENV_CLASSES:
                names.envs[local] = names.own_envs[local] = _env(value, names)


def _env(call: ast.Call, names: Bindings) -> Env:
    """Return an environment object as its constructor makes it: its prefix, or a scheme with defaults."""
    prefix, defaults = "", {}
    for keyword in call.keywords:
        if keyword.arg is None:
            continue
        if keyword.arg == "prefix":
            found = names_in(keyword.value, names.constants, ())
            prefix = found[0] if found else ""
        elif isinstance(keyword.value, ast.Tuple) and len(keyword.value.elts) > 1:
            default = keyword.value.elts[1]
            defaults[keyword.arg] = default.value if isinstance(default, ast.Constant) else None
    return Env(prefix=prefix, defaults=defaults)
