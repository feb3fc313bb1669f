"""What stands around an expression in Python: a check, a handler, a loop, a default beside it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from collectors.readers._reads_names import Bindings, dotted, names_in

_LOOKUP_ERRORS: Final = frozenset({"KeyError", "LookupError", "Exception", "BaseException", "EnvError"})
_EXITS: Final = frozenset({"exit", "sys.exit", "quit", "os._exit", "fail"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What stands around a node."""

    #: A statement that catches the lack of a key.
    guarded: bool = False
    #: The expression goes on without a value.
    copes: bool = False
    #: A test whose failing branch gives up.
    demanded: bool = False
    #: The plain text that takes the place of a missing value.
    instead: Any = None
    function: ast.FunctionDef | ast.AsyncFunctionDef | None = None
    #: Whether that function belongs to a class.
    method: bool = False
    in_class: bool = False
    loops: tuple[tuple[str, tuple[str, ...]], ...] = ()
    prefixes: tuple[tuple[str, str], ...] = ()


def walk(tree: ast.Module, names: Bindings) -> Iterator[tuple[ast.AST, Around]]:
    """Yield every node with what stands around it, parents first, without recursion."""
    stack: list[tuple[ast.AST, Around]] = [(tree, Around())]
    while stack:
        node, around = stack.pop()
        yield node, around
        stack.extend(_below(node, around, names))


def literal_of(expression: ast.expr | None) -> Any:
    """Return a plain constant; ``...`` and computed defaults are none."""
    return expression.value if isinstance(expression, ast.Constant) else None


def _below(node: ast.AST, around: Around, names: Bindings) -> Iterator[tuple[ast.AST, Around]]:
    """Yield the children of a node with what stands around each."""
    plain = replace(around, copes=around.guarded, demanded=False, instead=None)
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.Lambda():
            return _below_definition(node, around, plain)
        case ast.Try() | ast.If() | ast.While() | ast.IfExp() | ast.Assert():
            return _below_test(node, around, plain)
        case ast.With() | ast.AsyncWith():
            return _below_with(node, plain, names)
        case (
            ast.For() | ast.AsyncFor() | ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp()
        ):
            return _below_loop(node, plain, names)
        case ast.BoolOp():
            literal = literal_of(node.values[-1]) if isinstance(node.op, ast.Or) else None
            first = around if around.demanded else replace(around, copes=True, instead=literal)
            return iter([*((child, first) for child in node.values[:-1]), (node.values[-1], around)])
        case ast.UnaryOp() | ast.NamedExpr():
            inside = around
        case ast.Compare():
            inside = around if around.demanded else replace(around, copes=True)
        case ast.Call(func=ast.Name(id="bool")):
            inside = around if around.demanded else replace(around, copes=True)
        case _:
            inside = plain
    return ((child, inside) for child in ast.iter_child_nodes(node))


def _below_definition(
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda, around: Around, plain: Around
) -> Iterator[tuple[ast.AST, Around]]:
    if isinstance(node, ast.Lambda):
        yield node.body, replace(plain, copes=False, guarded=False)
        return
    if isinstance(node, ast.ClassDef):
        inside = replace(plain, in_class=True, function=None)
        outside = [*node.bases, *node.keywords, *node.decorator_list]
    else:
        inside = Around(function=node, method=around.in_class, loops=around.loops)
        outside = [*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)]
    yield from ((child, plain) for child in outside)
    yield from ((child, inside) for child in node.body)


def _below_test(
    node: ast.Try | ast.If | ast.While | ast.IfExp | ast.Assert, around: Around, plain: Around
) -> Iterator[tuple[ast.AST, Around]]:
    if isinstance(node, ast.Try):
        guarded = around.guarded or any(_catches(handler.type) for handler in node.handlers)
        body = replace(plain, guarded=guarded, copes=guarded)
        yield from ((child, body) for child in node.body)
        yield from ((child, plain) for child in (*node.handlers, *node.orelse, *node.finalbody))
    elif isinstance(node, ast.Assert):
        yield node.test, replace(plain, demanded=True)
    else:
        gives_up = isinstance(node, ast.If) and _gives_up(node)
        yield node.test, replace(plain, copes=not gives_up, demanded=gives_up)
        if isinstance(node, ast.IfExp):
            yield from ((child, around) for child in (node.body, node.orelse))
        else:
            yield from ((child, plain) for child in (*node.body, *node.orelse))


def _below_loop(
    node: ast.For | ast.AsyncFor | ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp,
    plain: Around,
    names: Bindings,
) -> Iterator[tuple[ast.AST, Around]]:
    if isinstance(node, ast.For | ast.AsyncFor):
        yield node.iter, plain
        inside = _looped(node.target, node.iter, plain, names)
        yield from ((child, inside) for child in (*node.body, *node.orelse))
        return
    inside = plain
    for generator in node.generators:
        yield generator.iter, plain
        inside = _looped(generator.target, generator.iter, inside, names)
        tests = replace(inside, copes=True)
        yield from ((test, tests) for test in generator.ifs)
    parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
    yield from ((child, inside) for child in parts)


def _below_with(
    node: ast.With | ast.AsyncWith, around: Around, names: Bindings
) -> Iterator[tuple[ast.AST, Around]]:
    inside = around
    for item in node.items:
        yield item.context_expr, around
        call = item.context_expr
        if not isinstance(call, ast.Call):
            continue
        text = dotted(call.func) or ""
        if text.rpartition(".")[2] == "suppress" and any(_catches(each) for each in call.args):
            inside = replace(inside, guarded=True, copes=True)
        owner, _, method = text.rpartition(".")
        if method == "prefixed" and owner in names.envs and call.args:
            prefix = names_in(call.args[0], names.constants, around.loops)
            if prefix is not None and len(prefix) == 1:
                inside = replace(inside, prefixes=(*inside.prefixes, (owner, prefix[0])))
    yield from ((child, inside) for child in node.body)


def _looped(target: ast.expr, over: ast.expr, around: Around, names: Bindings) -> Around:
    if not isinstance(target, ast.Name):
        return around
    values = names_in(over, names.constants, around.loops, many=True)
    return around if values is None else replace(around, loops=(*around.loops, (target.id, values)))


def _gives_up(node: ast.If) -> bool:
    """Tell whether the branch of a failed check ends the program or the call."""
    first = node.body[0]
    if isinstance(first, ast.Raise):
        return True
    return (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Call)
        and (dotted(first.value.func) or "") in _EXITS
    )


def _catches(expression: ast.expr | None) -> bool:
    if expression is None:
        return True
    members = expression.elts if isinstance(expression, ast.Tuple) else [expression]
    return any((dotted(each) or "").rpartition(".")[2] in _LOOKUP_ERRORS for each in members)
