"""Settings in INI files, as Python's configparser reads them: `[section]`, `key = value`, lines that go on.

What stands in `[DEFAULT]` counts in every section. Names keep their case, and `%(…)s` is text.
"""

import configparser
import re
from typing import Any, Final

from collectors.readers.settingsfiles.documents import both_lines
from collectors.readers.settingsfiles.text import decoded, with_key_blocks_joined
from detector.errors import UnseenError

#: Sections times what each inherits.
_MOST: Final = 200_000
_DELIMITER: Final = re.compile("[=:]")


def tree(data: bytes, name: str) -> dict[str, Any]:
    """Return section -> key -> value. Raises UnseenError with the line of what is not understood."""
    text = with_key_blocks_joined(decoded(data, name), name, "\n ")
    parser = configparser.RawConfigParser(allow_no_value=True, strict=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign] # as its documentation says to do
    try:
        parser.read_string(text)
    except configparser.MissingSectionHeaderError as error:
        what = "a key before the first [section]; a file of keys alone is properties or dotenv"
        raise UnseenError("malformed", f"{name}:{error.lineno}: {what}") from None
    except configparser.DuplicateSectionError as error:
        raise _repeated(text, name, error.lineno or 0, f"[{error.section}]") from None
    except configparser.DuplicateOptionError as error:
        raise _repeated(text, name, error.lineno or 0, error.option) from None
    except configparser.ParsingError as error:
        line = error.errors[0][0] if error.errors else 0
        raise UnseenError("malformed", f"{name}:{line}: neither [section] nor key = value") from None
    except AttributeError:
        # What configparser raises until Python 3.13 where a line goes on from nothing.
        raise UnseenError("malformed", f"{name}: an indented line below a key without a value") from None
    defaults = parser.defaults()
    sections = parser.sections()
    if len(defaults) * len(sections) > _MOST:
        raise UnseenError("too_large", f"{name}: more than {_MOST} keys")
    found: dict[str, Any] = {parser.default_section: dict(defaults)} if defaults else {}
    return found | {section: dict(parser.items(section)) for section in sections}


def _repeated(text: str, name: str, second: int, wanted: str) -> UnseenError:
    """Return the error of a section, or of a key in its section, that stands twice."""
    lines = text.split("\n")
    for number in range(second - 1, 0, -1):
        line = lines[number - 1]
        header = line.startswith("[")
        if wanted == (
            line.partition("]")[0] + "]" if header else _DELIMITER.split(line, maxsplit=1)[0].strip()
        ):
            return UnseenError("malformed", f"{name}: {both_lines(number, second)}")
        if header and not wanted.startswith("["):
            break
    return UnseenError("malformed", f"{name}: {both_lines(None, second)}")
