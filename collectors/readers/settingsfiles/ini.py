"""Settings in INI files, as Python's configparser reads them: `[section]`, `key = value`, lines that go on.

What stands in `[DEFAULT]` counts in every section. Names keep their case, `%(…)s` is text, a key may have no
value. Configparser itself takes time with the square of a line of blanks, and names one line of two.
"""

import re
from typing import Any, Final

from collectors.readers._plain import both_lines
from collectors.readers.settingsfiles.text import decoded, with_key_blocks_joined
from detector.errors import UnseenError

_DEFAULT: Final = "DEFAULT"
#: Sections times what each inherits.
_MOST: Final = 200_000
_DELIMITER: Final = re.compile("[=:]")

Sections = dict[str, dict[str, list[str] | None]]


def tree(data: bytes, name: str) -> dict[str, Any]:
    """Return section -> key -> value. Raises UnseenError with the line of what is not understood."""
    sections = _sections(with_key_blocks_joined(decoded(data, name), name, "\n "), name)
    values = {
        section: {key: None if lines is None else "\n".join(lines).rstrip() for key, lines in options.items()}
        for section, options in sections.items()
    }
    defaults = values.pop(_DEFAULT, {})
    if len(defaults) * len(values) > _MOST:
        raise UnseenError("too_large", f"{name}: more than {_MOST} keys")
    found = {_DEFAULT: defaults} if defaults else {}
    return found | {section: defaults | options for section, options in values.items()}


def _sections(text: str, name: str) -> Sections:
    sections: Sections = {}
    set_at: dict[tuple[str, str], int] = {}
    section = option = ""
    indent = 0
    for number, line in enumerate(text.split("\n"), start=1):
        said = line.strip()
        before = sections[section].get(option) if option else None
        if not said or said[0] in "#;":
            if not said and before is not None:
                before.append("")
            continue
        inset = len(line) - len(line.lstrip())
        if option and inset > indent:
            if before is None:
                raise UnseenError("malformed", f"{name}:{number}: goes on below a key without a value")
            before.append(said)
            continue
        indent = inset
        if said[0] == "[" and (end := said.rfind("]")) > 1:
            section, option = said[1:end], ""
            first = set_at.setdefault((section, ""), number)
            if first != number and section != _DEFAULT:
                raise UnseenError("malformed", f"{name}: {both_lines(first, number)}")
            sections.setdefault(section, {})
            continue
        if not sections:
            what = "a key before the first [section]; a file of keys alone is properties or dotenv"
            raise UnseenError("malformed", f"{name}:{number}: {what}")
        option, *value = (part.strip() for part in _DELIMITER.split(said, maxsplit=1))
        if not option:
            raise UnseenError("malformed", f"{name}:{number}: neither [section] nor key = value")
        first = set_at.setdefault((section, option), number)
        if first != number:
            raise UnseenError("malformed", f"{name}: {both_lines(first, number)}")
        sections[section][option] = value or None
    return sections
