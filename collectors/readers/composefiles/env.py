"""Variables that compose takes from files: ``.env`` of the project, and ``env_file`` of its services."""

from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass

from collectors.readers._config import is_variable, lines_in_words
from collectors.readers._env_lines import Unparsed, line_breaks
from collectors.readers.composefiles.variables import filled, is_open
from collectors.readers.dotenv import entries, text_of
from detector.model.facts import Unseen


@dataclass(frozen=True, slots=True, kw_only=True)
class FileVariables:
    """What one file sets; None where a name alone takes the value of whoever runs compose."""

    values: dict[str, str | None]
    unseen: tuple[Unseen, ...] = ()
    warnings: tuple[str, ...] = ()


def variables_of(
    data: bytes, name: str, known: Mapping[str, str], before: Mapping[str, str], *, raw: bool = False
) -> FileVariables:
    """Return the variables of a file.

    A reference takes what is known, else what the file itself set above, else what files ``before`` it did.

    Raises UnseenError where the file as a whole is not understood.
    """
    values: dict[str, str | None] = {}
    refused: list[int] = []
    warnings: list[str] = []
    own: dict[str, str] = {}
    lookup = ChainMap(dict(known), own, dict(before))
    text = text_of(data, name)
    unfinished = 0 if text.endswith(("\n", "\r")) else line_breaks(text) + 1
    for entry in entries(text, name, "docker" if raw else "compose"):
        if isinstance(entry, Unparsed) or not is_variable(entry.name):
            refused.append(entry.line)
            continue
        if entry.value is None and entry.line == unfinished:
            # A file that was cut in the middle of a name looks so.
            refused.append(entry.line)
            continue
        if entry.spilled:
            warnings.append(
                f"{name}: lines {entry.line} to {entry.last_line} are one value over several lines;"
                " put it in double quotes, or loaders read its first line alone"
            )
        value = entry.value
        if value is None:
            value = lookup.get(entry.name)
        elif entry.expands:
            value = filled(value, lookup)
        values[entry.name] = value
        if value is not None and not is_open(value):
            own[entry.name] = value
    unseen: tuple[Unseen, ...] = ()
    if refused:
        place = lines_in_words(refused)
        unseen = (Unseen(item="*", reason="malformed", detail=f"{name}: {place}: not NAME=value"),)
    return FileVariables(values=values, unseen=unseen, warnings=tuple(warnings))
