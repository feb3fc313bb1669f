"""Collects everything that is wrong with parity.yml, each with its place, never with a value."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath
from typing import Annotated, Any, Final, TypeVar, get_args, get_origin

from pydantic import BaseModel, SecretStr, ValidationError

from detector.config.yaml import Node, Path, plain, print_path
from detector.errors import ConfigError, Problem, did_you_mean

M = TypeVar("M", bound=BaseModel)

#: What pydantic calls a fault, and how we say it. ``{…}`` are limits that the model states.
_WORDS: Final = {
    "missing": "is required",
    "string_type": "must be text; put it in quotes",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "dict_type": "must be a mapping (key: value)",
    "model_type": "must be a mapping (key: value)",
    "model_attributes_type": "must be a mapping (key: value)",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "path_type": "must be a path",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "too_short": "must have at least {min_length}",
    "too_long": "must have at most {max_length}",
    "string_pattern_mismatch": "must have the form {pattern}",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
}
_RANGES: Final = frozenset(
    {
        "greater_than",
        "greater_than_equal",
        "less_than",
        "less_than_equal",
        "too_short",
        "too_long",
        "string_too_short",
        "string_too_long",
    }
)


class Problems:
    """The problems and warnings of one file."""

    def __init__(self, file: FilePath, root: Node) -> None:
        self.file = file
        self.root = root
        self.warnings: list[str] = []
        self._found: dict[tuple[str, str], Problem] = {}

    def add(self, path: Path, code: str, message: str, *, at_key: bool = False) -> None:
        """Note a problem at a path. Of several at one path the first is told."""
        problem = self._placed(path, code, message, at_key=at_key)
        self._found.setdefault((problem.file, problem.path), problem)

    def extend(self, problems: list[Problem]) -> None:
        """Note problems that know their place already."""
        for problem in problems:
            self._found.setdefault((problem.file, problem.path), problem)

    def take_over(self, other: "Problems") -> None:
        """Note what was found in another file that belongs to this one."""
        self.extend(other.found)
        self.warnings += other.warnings

    def warn(self, path: Path, message: str) -> None:
        """Note something that is allowed and that whoever starts Parity shall know."""
        self.warnings.append(str(self._placed(path, "", message, at_key=False)))

    @property
    def found(self) -> list[Problem]:
        """Everything that is wrong."""
        return list(self._found.values())

    def raise_if_any(self) -> None:
        """Raise ConfigError with all that was found."""
        if self._found:
            raise ConfigError(self.found)

    def check(self, model: type[M], node: Node, path: Path, others: tuple[str, ...] = ()) -> M | None:
        """Return the model that a node says, or None after noting what is wrong with it.

        ``others`` are keys that may stand beside those of the model, for suggestions.
        """
        try:
            return model.model_validate(plain(node))
        except ValidationError as error:
            values = [text for text in _texts(plain(node)) if len(text) >= 3]
            for fault in error.errors(include_url=False, include_input=False):
                self._fault(model, path, fault, values, others)
        return None

    def _fault(
        self,
        model: type[BaseModel],
        path: Path,
        fault: Mapping[str, Any],
        values: list[str],
        others: tuple[str, ...],
    ) -> None:
        location, kind, context = fault["loc"], fault["type"], fault.get("ctx", {})
        where = (*path, *location)
        if kind == "extra_forbidden":
            known = [*known_keys(model, location[:-1]), *(others if len(location) == 1 else ())]
            hint = did_you_mean(str(location[-1]), known)
            self.add(where, "config-unknown-key", f"unknown key{hint}", at_key=True)
            return
        if kind.startswith("config-"):
            code, message = kind, fault["msg"]
        elif kind == "union_tag_invalid":
            # The tags of `detector.config.fields.BY_FORM`.
            forms = " or ".join(re.findall("[a-z]+", context["expected_tags"]))
            code, message = "config-type", f"must be a {forms}"
        elif kind in _WORDS:
            code = "config-range" if kind in _RANGES else "config-type"
            code = "config-semantics" if kind == "missing" else code
            message = _WORDS[kind].format(**context)
            if kind == "string_pattern_mismatch":
                # The description says in words what the pattern says in signs.
                message = _description(model, location) or message
        else:
            # The words of a plugin's own check, unless they repeat what the file says.
            code, message = "config-type", fault["msg"].removeprefix("Value error, ")
            if any(value in message for value in values):
                message = "is not accepted here; see the documentation of this option"
        self.add(where, code, message)

    def _placed(self, path: Path, code: str, message: str, *, at_key: bool) -> Problem:
        """Walk as far as the document goes: steps that are not in it are left out of the path."""
        node, shown = self.root, list[str | int]()
        line, column = node.line, node.column
        for n, step in enumerate(path):
            value = node.value
            if isinstance(value, Mapping) and step not in value and f"{step}_file" in value:
                step = f"{step}_file"  # noqa: PLW2901 - a secret that was read from its file
            if isinstance(value, Mapping) and step in value:
                entry = value[str(step)]
                node = entry.node
                line, column = (entry.line, entry.column) if at_key else (node.line, node.column)
            elif isinstance(value, tuple) and isinstance(step, int) and step < len(value):
                node = value[step]
                line, column = node.line, node.column
            elif n < len(path) - 1 or isinstance(step, int) or step.startswith(("<", "[")):
                continue
            shown.append(step)
        place = print_path(tuple(shown))
        return Problem(file=str(self.file), line=line, column=column, path=place, message=message, code=code)


def known_keys(model: type[BaseModel], location: Path) -> list[str]:
    """Return the keys that stand at a location inside a model, for suggestions."""
    return [key for each in _models_at(model, location) for key in keys_of(each)]


def _description(model: type[BaseModel], location: Path) -> str | None:
    for each in _models_at(model, location[:-1]):
        for name, field in each.model_fields.items():
            if location[-1] in (field.alias, name):
                return field.description
    return None


def _models_at(model: type[BaseModel], location: Path) -> list[type[BaseModel]]:
    models = [model]
    for step in location:
        inner = [
            each
            for outer in models
            for name, field in outer.model_fields.items()
            if step in (field.alias, name)
            for each in models_in(field.annotation)
        ]
        models = inner or models
    return models


def keys_of(model: type[BaseModel]) -> list[str]:
    """Return the keys of a mapping that a model describes, ``_file`` forms of secrets included."""
    keys: list[str] = []
    for name, field in model.model_fields.items():
        key = field.alias or name
        keys.append(key)
        if is_secret(field.annotation):
            keys.append(f"{key}_file")
    return keys


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """Return the models that an annotation names, through lists, mappings, unions and Annotated."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in _arguments(annotation) for model in models_in(inner)]


def is_secret(annotation: Any) -> bool:
    """Tell whether a field is one secret text, perhaps an optional one."""
    if get_origin(annotation) in (list, tuple, dict, set, frozenset):
        return False
    return annotation is SecretStr or any(is_secret(inner) for inner in _arguments(annotation))


def _arguments(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) is Annotated:
        return get_args(annotation)[:1]
    return get_args(annotation)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
