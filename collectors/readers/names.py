"""Config as other tools print it: a flat JSON object, ``NAME=value`` or ``NAME value`` lines.

This is how standard input is read (``heroku config --json | parity diff .env -``). A JSON document of
observations is known by its shape and read as one.
"""

import re
from typing import Any, ClassVar, Final

from collectors.readers import dotenv, snapshot
from collectors.readers._config import config_section, is_variable, lines_in_words
from collectors.readers.settingsfiles import exports
from detector.errors import UnseenError
from detector.model.facts import Unseen
from detector.model.fingerprints import Fingerprinter
from detector.model.shapes import reference_shape, shape_of
from detector.model.wire_json import WireError, json_document
from detector.reader import API, Part, Read

_ASSIGNMENT: Final = re.compile(r"(?:export\s+)?'?[A-Za-z_][A-Za-z0-9_.-]*'?\s*=")
#: ``NAME value`` or ``NAME: value``, as `heroku config` and its kin align them.
_PAIR: Final = re.compile(r"(?P<name>[^\s:]+):?\s+(?P<value>\S.*)")
_LARGEST: Final = 2 * 1024 * 1024


class NamesReader:
    """Reads what other tools print of an app's config, and whatever comes over standard input."""

    API: ClassVar[int] = API
    name: ClassVar[str] = "names"

    def matches(self, name: str) -> bool:
        return name == "-"

    def read(self, data: bytes, name: str, fingerprinter: Fingerprinter) -> Read:
        if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
            return _json(data, name, fingerprinter)
        if len(data) > _LARGEST:
            raise UnseenError("too_large", f"{name}: more than {_LARGEST // 1024 // 1024} MB of variables")
        try:
            lines = data.decode("utf-8-sig").splitlines()
        except UnicodeDecodeError:
            raise UnseenError("malformed", f"{name}: not UTF-8") from None
        numbered = [
            (number, line.strip())
            for number, line in enumerate(lines, start=1)
            # `heroku config` begins with a title between rules of `=`.
            if line.strip() and not line.lstrip().startswith(("#", "==="))
        ]
        if not numbered or _ASSIGNMENT.match(numbered[0][1]):
            return dotenv.DotenvReader().read(data, name, fingerprinter)
        return _pairs(numbered, name, fingerprinter)


def _json(data: bytes, name: str, fingerprinter: Fingerprinter) -> Read:
    try:
        document = json_document(data)
    except WireError as error:
        fault = error.faults[0]
        raise UnseenError("malformed", f"{name}{fault.pointer}: {fault.message}") from None
    if (exported := exports.flat(document)) is not None:
        document = exported
    elif isinstance(document, list) or "schema" in document or "sections" in document:
        return snapshot.read_document(document, name)
    shapes: dict[str, dict[str, Any]] = {}
    nested = unnamed = 0
    for key, value in document.items():
        if isinstance(value, (dict, list)):
            nested += 1
        elif not is_variable(key):
            unnamed += 1
        elif value is exports.HIDDEN:
            shapes[key] = reference_shape("literal")
        else:
            shapes[key] = shape_of(key, _text(value), fingerprinter)
    unseen = []
    if nested:
        detail = f"{name}: {nested} entries are objects or lists; a flat object of texts is read"
        unseen.append(Unseen(item="*", reason="unsupported", detail=detail))
    if unnamed:
        detail = f"{name}: {unnamed} keys are no names of variables"
        unseen.append(Unseen(item="*", reason="malformed", detail=detail))
    return Read(parts=(Part(sections={"config": config_section(shapes, unseen)}),))


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _pairs(lines: list[tuple[int, str]], name: str, fingerprinter: Fingerprinter) -> Read:
    shapes: dict[str, dict[str, Any]] = {}
    refused = []
    for number, line in lines:
        match = _PAIR.fullmatch(line)
        if match is None or not is_variable(match["name"]):
            refused.append(number)
        else:
            shapes[match["name"]] = shape_of(match["name"], match["value"], fingerprinter)
    if not shapes:
        message = "neither JSON, NAME=value nor NAME value lines; what does this hold?"
        raise UnseenError("malformed", f"{name}: {message}")
    unseen = []
    if refused:
        detail = f"{name}: {lines_in_words(refused)}: not NAME value"
        unseen.append(Unseen(item="*", reason="malformed", detail=detail))
    return Read(parts=(Part(sections={"config": config_section(shapes, unseen)}),))
