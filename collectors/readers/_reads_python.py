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
from collectors.readers._reads_around import Around, literal_of, walk
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
        self._calls: dict[str, list[tuple[ast.Call, Around]]] = {}

    def result(self) -> PythonReads:
        for node, around in walk(self._tree, self._names):
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

    def _look_at(self, node: ast.AST, around: Around) -> None:
        if isinstance(node, ast.Subscript) and self._names.is_environ(node.value):
            if isinstance(node.ctx, ast.Load):
                self._read(node.slice, node.lineno, around, default=around.copes)
        elif isinstance(node, ast.Compare):
            asks = len(node.ops) == 1 and isinstance(node.ops[0], ast.In | ast.NotIn)
            if asks and self._names.is_environ(node.comparators[0]):
                self._read(node.left, node.lineno, around, default=not around.demanded)
        elif isinstance(node, ast.Call):
            self._look_at_call(node, around)

    def _look_at_call(self, call: ast.Call, around: Around) -> None:
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

    def _of_env(self, call: ast.Call, around: Around, name: str, env: Env, own: str | None = None) -> None:
        prefix = env.prefix + "".join(each for of, each in around.prefixes if of == name)
        if not call.args and own is not None:
            default = _keyword(call, "default")
            self._reads.add(own, call.lineno, default=default is not None, literal=literal_of(default))
            return
        self._given(call, around, default_at=1, prefix=prefix, defaults=env.defaults)

    def _given(
        self,
        call: ast.Call,
        around: Around,
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
        around: Around,
        *,
        default: bool,
        given: ast.expr | None = None,
        prefix: str = "",
        defaults: Mapping[str, Any] | None = None,
    ) -> None:
        names = names_in(key, self._names.constants, around.loops)
        if names is not None:
            literal = literal_of(given) if given is not None else around.instead
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

    def _called(self, call: ast.Call, around: Around, wrapper: Wrapper) -> None:
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
        literal = literal_of(given) if given is not None else wrapper.literal
        for name in names or ():
            self._reads.add(f"{wrapper.prefix}{name}", call.lineno, default=default, literal=literal)
        if names is None:
            self._reads.computed.append(call.lineno)


def _wrapper(parameter: str, given: ast.expr | None, around: Around, *, default: bool) -> Wrapper | None:
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
        default=default if not passed else own is not None and literal_of(own) is not None,
        literal=literal_of(own) if passed else literal_of(given),
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


def _names_of(around: Around) -> Iterator[str]:
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
