"""The config of one service of a compose project: its variables, and the secrets that are mounted for it."""

from collections.abc import Callable, Mapping
from typing import Any

from collectors.readers._config import config_section, is_variable
from collectors.readers._yaml import is_map
from collectors.readers.composefiles.env import FileVariables, variables_of
from collectors.readers.composefiles.facts import mounted_secrets
from collectors.readers.composefiles.merge import EnvFile
from collectors.readers.composefiles.variables import Variables, is_open, open_names
from detector.errors import UnseenError
from detector.model.facts import Section, Unseen
from detector.model.shapes import reference_shape
from detector.model.words import SourceClass

#: Opens a file by its path, with its name as written for messages. Raises UnseenError.
Opens = Callable[[str, str], bytes]
_Values = dict[str, tuple[str | None, SourceClass]]


def config_of(
    service: dict[str, Any],
    place: str,
    opens: Opens,
    variables: Variables,
    shaped: Callable[[str, str, SourceClass], dict[str, Any]],
) -> tuple[Section, list[str]]:
    """Return the keys of ``env_file`` with those of ``environment`` over them, of secrets, and warnings.

    ``place`` is the service in its file, for messages; ``variables`` fill in what the files leave open.
    """
    values: _Values = {}
    known = variables or {}
    unseen, warnings = _from_files(service, opens, known, values)
    own = service.get("environment")
    own = own if is_map(own) else {}
    valid = {key: value for key, value in own.items() if is_variable(key) and _is_value(value)}
    if refused := len(own) - len(valid):
        detail = f"{place}: {refused} of `environment` without a valid name"
        unseen.append(Unseen(item="*", reason="malformed", detail=detail))
    for key, value in valid.items():
        values[key] = (known.get(key), "env_file") if value is None else (value, "literal")
    shapes: dict[str, dict[str, Any]] = {}
    for key, (value, source_class) in values.items():
        if value is None:
            detail = "its value, if it has one, comes from where compose is run"
            unseen.append(Unseen(item=key, reason="not_in_view", detail=detail))
        elif is_open(value):
            # It has no fingerprint: that two files refer to one name does not make their values equal.
            shapes[key] = {"type": "template", "source_class": source_class, "opaque": True}
        else:
            shapes[key] = shaped(key, value, source_class)
    keys = (f"secrets/{target}" for _, target in mounted_secrets(service) if is_variable(target))
    shapes |= {key: reference_shape() for key in keys}
    if waiting := [value for value, _ in values.values() if is_open(value)]:
        warnings.append(f"{place}: {open_names(waiting)} is set nowhere that was read")
    return config_section(shapes, unseen), warnings


def _from_files(
    service: dict[str, Any], opens: Opens, variables: Mapping[str, str], values: _Values
) -> tuple[list[Unseen], list[str]]:
    """Add what the env files of a service set; return what could not be read, and warnings."""
    unseen: list[Unseen] = []
    warnings: list[str] = []
    own = service.get("environment")
    # What is known of the project goes over what the service sets itself, as in compose.
    known = (_closed(own) if is_map(own) else {}) | dict(variables)
    before: dict[str, str] = {}
    for file in service.get("env_file") or ():
        try:
            read = _read(file, opens, known, before)
        except UnseenError as error:
            if file.required or error.reason != "unreachable":
                said = error.detail.removeprefix(f"{file.named}: ")
                detail = f"env_file {file.named}: {said}"
                unseen.append(Unseen(item="*", reason="not_in_view", detail=detail))
        else:
            values |= {key: (value, "env_file") for key, value in read.values.items()}
            before |= _closed(read.values)
            unseen += read.unseen
            warnings += read.warnings
    return unseen, warnings


def _read(file: EnvFile, opens: Opens, known: Mapping[str, str], before: Mapping[str, str]) -> FileVariables:
    if file.path is None:
        raise UnseenError("not_in_view", f"its path waits for {open_names([file.waits])}")
    return variables_of(opens(file.path, file.named), file.named, known, before, raw=file.raw)


def _closed(values: Mapping[str, Any]) -> dict[str, str]:
    return {key: value for key, value in values.items() if isinstance(value, str) and not is_open(value)}


def _is_value(value: object) -> bool:
    return value is None or isinstance(value, str)
