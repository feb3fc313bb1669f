"""The keys that Python code reads, from its syntax tree: nothing is imported and nothing runs.

Understood: ``os.environ`` and ``os.getenv`` under whatever name, python-decouple, Starlette's Config,
environs and django-environ, ``envvar=`` of click and typer, and functions of the project's own that pass a
name on to one of these. Settings of pydantic are in `_reads_settings`.
"""

import ast
import threading
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from collectors.readers._reads import Reads
from collectors.readers._reads_names import Bindings, Env, Lent, Wrapper, bindings_of, dotted, names_in
from collectors.readers._reads_settings import Settings, settings_in
from detector.errors import UnseenError

#: Bytes of which one is in every file that reads a key by itself.
TRIGGERS: Final = (b"environ", b"getenv", b"decouple", b"Settings", b"envvar", b"starlette")
#: Methods of environment objects that read no key of their own.
_NO_READS: Final = frozenset(
    (
        *("read_env", "read_envfile", "prefixed", "seal", "dump", "add_parser", "parser_for", "parse_value"),
        *("copy", "keys", "items", "values"),
    )
)
#: Readers of django-environ that have a key when none is given.
_OWN_KEYS: Final = {
    **dict.fromkeys(("db", "db_url"), "DATABASE_URL"),
    **dict.fromkeys(("cache", "cache_url"), "CACHE_URL"),
    **dict.fromkeys(("email", "email_url"), "EMAIL_URL"),
    **dict.fromkeys(("search_url",), "SEARCH_URL"),
    **dict.fromkeys(("channels", "channels_url"), "CHANNELS_URL"),
}
_LOOKUP_ERRORS: Final = frozenset({"KeyError", "LookupError", "Exception", "BaseException", "EnvError"})
_EXITS: Final = frozenset({"exit", "sys.exit", "quit", "os._exit", "fail"})
_MOST_WRAPPERS: Final = 500

#: Warnings of the compiler about foreign code go nowhere; the filters are one for all threads.
_quiet = threading.Lock()


@dataclass(slots=True, kw_only=True)
class PythonReads:
    """What one module reads, and what it lends to others: wrappers, environment objects, settings."""

    reads: Reads = field(default_factory=Reads)
    wrappers: dict[str, Wrapper] = field(default_factory=dict)
    envs: dict[str, Env] = field(default_factory=dict)
    settings: dict[str, Settings] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Around:
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


def parse_python(data: bytes, name: str) -> ast.Module:
    """Return the syntax tree. Raises UnseenError `malformed` with the line, never its text."""
    with _quiet, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(data)
        except SyntaxError as error:
            at = f" line {error.lineno}" if error.lineno else ""
            raise UnseenError("malformed", f"{name}{at}: no Python that this version understands") from None
        except (ValueError, RecursionError, MemoryError):
            raise UnseenError("malformed", f"{name}: no Python, or nested too deeply") from None


def python_reads(tree: ast.Module, lent: Lent | None = None) -> PythonReads:
    """Return what a module reads; ``lent`` is what other modules lend, by (module's own name, name)."""
    return _Reading(tree, lent or {}).result()


class _Reading:
    """One walk over one module."""

    def __init__(self, tree: ast.Module, lent: Lent) -> None:
        self._tree = tree
        self._names: Bindings = bindings_of(tree, lent)
        self._reads = Reads()
        self._wrappers: dict[str, Wrapper] = {}
        self._calls: dict[str, list[tuple[ast.Call, _Around]]] = {}

    def result(self) -> PythonReads:
        for node, around in self._walk():
            self._look_at(node, around)
        own = dict(self._wrappers)
        queue = [*self._names.wrappers.items(), *own.items()]
        for name, wrapper in queue:
            for call, around in self._calls.get(name, ()):
                before = len(self._wrappers)
                self._called(call, around, wrapper)
                if len(self._wrappers) > before and len(self._wrappers) < _MOST_WRAPPERS:
                    newest = next(reversed(self._wrappers))
                    queue.append((newest, self._wrappers[newest]))
        settings = settings_in(self._tree, self._names, self._reads)
        return PythonReads(
            reads=self._reads, wrappers=self._wrappers, envs=self._names.own_envs, settings=settings
        )

    def _walk(self) -> Iterator[tuple[ast.AST, _Around]]:
        """Yield every node with what stands around it, parents first, without recursion."""
        stack: list[tuple[ast.AST, _Around]] = [(self._tree, _Around())]
        while stack:
            node, around = stack.pop()
            yield node, around
            stack.extend(_below(node, around, self._names))

    def _look_at(self, node: ast.AST, around: _Around) -> None:
        if isinstance(node, ast.Subscript) and self._names.is_environ(node.value):
            if isinstance(node.ctx, ast.Load):
                self._read(node.slice, node.lineno, around, default=around.copes)
        elif isinstance(node, ast.Compare):
            asks = len(node.ops) == 1 and isinstance(node.ops[0], ast.In | ast.NotIn)
            if asks and self._names.is_environ(node.comparators[0]):
                self._read(node.left, node.lineno, around, default=not around.demanded)
        elif isinstance(node, ast.Call):
            self._look_at_call(node, around)

    def _look_at_call(self, call: ast.Call, around: _Around) -> None:
        for keyword in call.keywords:
            if keyword.arg == "envvar":
                for name in names_in(keyword.value, self._names.constants, ()) or ():
                    self._reads.add(name, call.lineno, default=True)
        names, function = self._names, call.func
        if names.is_getenv(function) or (
            isinstance(function, ast.Attribute)
            and function.attr in ("get", "pop", "setdefault")
            and names.is_environ(function.value)
        ):
            self._given(call, around, default_at=1)
            return
        text = dotted(function)
        if text is None:
            return
        if text in names.configs:
            self._given(call, around, default_at=1)
        elif text in names.envs:
            self._of_env(call, around, text, names.envs[text])
        elif isinstance(function, ast.Attribute) and (owner := dotted(function.value)) in names.envs:
            if function.attr not in _NO_READS:
                self._of_env(
                    call, around, str(owner), names.envs[str(owner)], own=_OWN_KEYS.get(function.attr)
                )
        elif call.args or call.keywords:
            self._calls.setdefault(text, []).append((call, around))

    def _of_env(self, call: ast.Call, around: _Around, name: str, env: Env, own: str | None = None) -> None:
        prefix = env.prefix + "".join(each for of, each in around.prefixes if of == name)
        if not call.args and own is not None:
            default = _keyword(call, "default")
            self._reads.add(own, call.lineno, default=default is not None, literal=_literal(default))
            return
        self._given(call, around, default_at=1, prefix=prefix, defaults=env.defaults)

    def _given(
        self,
        call: ast.Call,
        around: _Around,
        *,
        default_at: int,
        prefix: str = "",
        defaults: Mapping[str, Any] | None = None,
    ) -> None:
        """Take down a call that names a key first and may give a default after it."""
        key = call.args[0] if call.args else _keyword(call, "key", "var", "name", "option")
        if key is None:
            return
        default = _keyword(call, "default", "failobj")
        if default is None and len(call.args) > default_at:
            default = call.args[default_at]
        self._read(
            key,
            call.lineno,
            around,
            default=default is not None or around.copes,
            given=default,
            prefix=prefix,
            defaults=defaults,
        )

    def _read(
        self,
        key: ast.expr,
        line: int,
        around: _Around,
        *,
        default: bool,
        given: ast.expr | None = None,
        prefix: str = "",
        defaults: Mapping[str, Any] | None = None,
    ) -> None:
        names = names_in(key, self._names.constants, around.loops)
        if names is not None:
            literal = _literal(given) if given is not None else around.instead
            for name in names:
                known = (defaults or {}).get(name, ...)
                self._reads.add(
                    f"{prefix}{name}",
                    line,
                    default=default or known is not ...,
                    literal=literal if known is ... else known,
                )
        elif (
            isinstance(key, ast.Name)
            and (wrapper := _wrapper(key.id, given, around, default=default)) is not None
        ):
            for name in _names_of(around):
                self._wrappers.setdefault(name, replace(wrapper, prefix=prefix))
        else:
            self._reads.computed.append(line)

    def _called(self, call: ast.Call, around: _Around, wrapper: Wrapper) -> None:
        """Take down a call of a function that passes a name on."""
        key = _argument(call, wrapper.position, wrapper.parameter)
        if key is None:
            return
        given = _argument(call, wrapper.default_position, wrapper.default_parameter)
        default = wrapper.default or around.copes
        if wrapper.default_parameter and given is not None:
            default = True
        names = names_in(key, self._names.constants, around.loops)
        if names is None and isinstance(key, ast.Name) and around.function is not None:
            self._read(key, call.lineno, around, default=default, given=given, prefix=wrapper.prefix)
            return
        literal = _literal(given) if given is not None else wrapper.literal
        for name in names or ():
            self._reads.add(f"{wrapper.prefix}{name}", call.lineno, default=default, literal=literal)
        if names is None:
            self._reads.computed.append(call.lineno)


def _below(node: ast.AST, around: _Around, names: Bindings) -> Iterator[tuple[ast.AST, _Around]]:
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
            literal = _literal(node.values[-1]) if isinstance(node.op, ast.Or) else None
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
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda, around: _Around, plain: _Around
) -> Iterator[tuple[ast.AST, _Around]]:
    if isinstance(node, ast.Lambda):
        yield node.body, replace(plain, copes=False, guarded=False)
        return
    if isinstance(node, ast.ClassDef):
        inside = replace(plain, in_class=True, function=None)
        outside = [*node.bases, *node.keywords, *node.decorator_list]
    else:
        inside = _Around(function=node, method=around.in_class, loops=around.loops)
        outside = [*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)]
    yield from ((child, plain) for child in outside)
    yield from ((child, inside) for child in node.body)


def _below_test(
    node: ast.Try | ast.If | ast.While | ast.IfExp | ast.Assert, around: _Around, plain: _Around
) -> Iterator[tuple[ast.AST, _Around]]:
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
    plain: _Around,
    names: Bindings,
) -> Iterator[tuple[ast.AST, _Around]]:
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
    node: ast.With | ast.AsyncWith, around: _Around, names: Bindings
) -> Iterator[tuple[ast.AST, _Around]]:
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


def _looped(target: ast.expr, over: ast.expr, around: _Around, names: Bindings) -> _Around:
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


def _wrapper(parameter: str, given: ast.expr | None, around: _Around, *, default: bool) -> Wrapper | None:
    """Return the enclosing function as one that passes a name on, where the name is its parameter."""
    function = around.function
    if function is None:
        return None
    arguments = function.args
    parameters = [each.arg for each in (*arguments.posonlyargs, *arguments.args)]
    everyone = [*parameters, *(each.arg for each in arguments.kwonlyargs)]
    if parameter not in everyone:
        return None
    shift = 1 if around.method and parameters[:1] in (["self"], ["cls"]) else 0
    passed = given.id if isinstance(given, ast.Name) and given.id in everyone else ""
    own = _defaults(arguments).get(passed) if passed else None
    return Wrapper(
        parameter=parameter,
        position=parameters.index(parameter) - shift if parameter in parameters else -1,
        default=default if not passed else own is not None and _literal(own) is not None,
        literal=_literal(own) if passed else _literal(given),
        default_parameter=passed,
        default_position=parameters.index(passed) - shift if passed in parameters else -1,
    )


def _defaults(arguments: ast.arguments) -> dict[str, ast.expr]:
    positional = [*arguments.posonlyargs, *arguments.args]
    given = positional[len(positional) - len(arguments.defaults) :]
    found = {each.arg: default for each, default in zip(given, arguments.defaults, strict=True)}
    for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if default is not None:
            found[each.arg] = default
    return found


def _names_of(around: _Around) -> Iterator[str]:
    if around.function is not None:
        if around.method:
            yield f"self.{around.function.name}"
            yield f"cls.{around.function.name}"
        else:
            yield around.function.name


def _argument(call: ast.Call, position: int, parameter: str) -> ast.expr | None:
    if 0 <= position < len(call.args):
        found = call.args[position]
        return None if isinstance(found, ast.Starred) else found
    return _keyword(call, parameter) if parameter else None


def _keyword(call: ast.Call, *names: str) -> ast.expr | None:
    return next((each.value for each in call.keywords if each.arg in names), None)


def _literal(expression: ast.expr | None) -> Any:
    """Return a plain constant; ``...`` and computed defaults are none."""
    return expression.value if isinstance(expression, ast.Constant) else None
