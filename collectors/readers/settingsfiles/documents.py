"""Settings in JSON, TOML and YAML. A key that stands twice refuses the file, with both of its lines."""

import re
from typing import Any, Final

from collectors.readers import _yaml
from collectors.readers._plain import both_lines, toml_of, utf8_of
from detector.errors import Reason, UnseenError
from detector.model.wire_json import WireError, json_document

#: A text, or a mark that opens, closes or follows a key.
_JSON_MARK: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,\n]')


def json_tree(data: bytes, name: str) -> Any:
    """Return what a JSON file says. Raises UnseenError."""
    try:
        return json_document(data)
    except WireError as error:
        fault = error.faults[0]
        if fault.code == "duplicate-key":
            raise UnseenError("malformed", f"{name}: {_json_repeat(data.decode())}") from None
        reason: Reason = "too_large" if fault.code == "too-deep" else "malformed"
        raise UnseenError(reason, f"{name}{fault.pointer}: {fault.message}") from None


def toml_tree(data: bytes, name: str) -> Any:
    """Return what a TOML file says. Raises UnseenError with line and column."""
    return toml_of(utf8_of(data, name), name)


def yaml_trees(data: bytes, name: str) -> list[tuple[int, Any]]:
    """Return what each document of a YAML file says, with its first line. Raises UnseenError."""
    return list(_yaml.documents(data, name))


def _json_repeat(text: str) -> str:
    """Return in words which lines set one key: the text is JSON, and somewhere an object has a key twice."""
    line = 1
    objects: list[dict[str, int] | None] = []
    last = ""
    for match in _JSON_MARK.finditer(text):
        mark = match[0]
        if mark == "\n":
            line += 1
        elif mark in "{[":
            objects.append({} if mark == "{" else None)
        elif mark in "}]":
            objects.pop()
        elif mark == ":" and (known := objects[-1]) is not None:
            if last in known:
                return both_lines(known[last], line)
            known[last] = line
        else:
            last = mark
    return "an object holds the same key twice"
