"""Calendar versions: dates as people write them, read as year, month and day."""

import re
from typing import Final

_MONTHS: Final = 12
_DAYS: Final = 31
_FIRST_YEAR: Final = 1990
_LAST_YEAR: Final = 2099

#: `2024-05-10`, `2024-05-10T01-41-38Z`, and what MinIO puts before it.
_HYPHENED: Final = re.compile(
    r"(?:RELEASE\.)?([0-9]{4})-([0-9]{2})-([0-9]{2})(?:T([0-9]{2})[-:]([0-9]{2})[-:]([0-9]{2})Z|(?![0-9A-Za-z]))"
)


def dotted(text: str) -> str:
    """Return a text that begins with a date with dots in it, ``2024.05.10``; any other one as it is."""
    match = _HYPHENED.match(text)
    if match is None:
        return text
    return ".".join(part for part in match.groups() if part) + text[match.end() :]


def date_in(number: object) -> tuple[int, int, int] | None:
    """Return year, month and day of a number such as 20240510; None for a number that is no date."""
    if not isinstance(number, int) or not _FIRST_YEAR * 10_000 < number < (_LAST_YEAR + 1) * 10_000:
        return None
    year, month, day = number // 10_000, number // 100 % 100, number % 100
    return (year, month, day) if 1 <= month <= _MONTHS and 1 <= day <= _DAYS else None
