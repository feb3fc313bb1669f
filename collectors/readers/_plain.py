"""What readers of text files share: UTF-8, TOML, and the words for what is wrong where."""

import re
import tomllib
from typing import Any, Final

from detector.errors import UnseenError

_TOML_PLACE: Final = re.compile(r"\(at line ([0-9]{1,9}), column ([0-9]{1,9})\)\Z")


def utf8_of(data: bytes, name: str) -> str:
    """Return the text of a file. Raises UnseenError with the line of what is no UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise UnseenError("malformed", f"{name}:{line}: not UTF-8") from None


def toml_of(text: str, name: str) -> dict[str, Any]:
    """Return what TOML says. Raises UnseenError with line and column, or with both lines of one key."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _TOML_PLACE.search(str(error))
        if place is None:
            raise UnseenError("malformed", f"{name}: no TOML; is it cut off?") from None
        where = f"{name}:{place[1]}:{place[2]}"
        if "overwrite" in str(error) or "twice" in str(error):
            raise UnseenError("malformed", f"{where}: {_toml_repeat(text, int(place[1]))}") from None
        raise UnseenError("malformed", f"{where}: no TOML here or just before; is it cut off?") from None
    except RecursionError:
        raise UnseenError("too_large", f"{name}: nested beyond all use") from None


def both_lines(first: int | None, second: int) -> str:
    """Return the words for a key that is set twice."""
    if first is None:
        return f"line {second}: a key that was set before"
    return f"lines {first} and {second} set the same key"


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
