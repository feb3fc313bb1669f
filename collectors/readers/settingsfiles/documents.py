"""Settings in JSON, TOML and YAML. A key that stands twice refuses the file, with both of its lines."""

import re
import tomllib
from typing import Any, Final

from collectors.readers import _yaml
from detector.errors import Reason, UnseenError
from detector.model.wire_json import WireError, json_document

_TOML_PLACE: Final = re.compile(r"\(at line ([0-9]{1,9}), column ([0-9]{1,9})\)\Z")
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
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise UnseenError("malformed", f"{name}:{line}: not UTF-8") from None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _TOML_PLACE.search(str(error))
        if place is None:
            raise UnseenError("malformed", f"{name}: no TOML; is it cut off?") from None
        if "overwrite" in str(error) or "twice" in str(error):
            raise UnseenError("malformed", f"{name}: {_toml_repeat(text, int(place[1]))}") from None
        where = f"{name}:{place[1]}:{place[2]}"
        raise UnseenError("malformed", f"{where}: no TOML here or just before; is it cut off?") from None
    except RecursionError:
        raise UnseenError("too_large", f"{name}: nested beyond all use") from None


def yaml_trees(data: bytes, name: str) -> list[tuple[int, Any]]:
    """Return what each document of a YAML file says, with its first line. Raises UnseenError."""
    return list(_yaml.documents(data, name))


def both_lines(first: int | None, second: int) -> str:
    """Return the words for a key that is set twice."""
    if first is None:
        return f"line {second}: a key that was set before"
    return f"lines {first} and {second} set the same key"


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


def _toml_repeat(text: str, second: int) -> str:
    """Return in words which lines set one key; the second is known, the first stands in the same table."""
    lines = text.split("\n")
    key = _toml_key(lines[second - 1])
    for number in range(second - 1, 0, -1):
        line = lines[number - 1]
        if key and _toml_key(line) == key:
            return both_lines(number, second)
        if line.lstrip().startswith("[") and not key.startswith("["):
            break
    return both_lines(None, second)


def _toml_key(line: str) -> str:
    line = line.strip()
    return line.partition("#")[0].rstrip() if line.startswith("[") else line.partition("=")[0].rstrip()
