"""Migrations: which of two heads of a schema is the later one, where their names tell it.

Django, Rails, Flyway and most others begin a name with a number that grows; Alembic's are hashes, of which
only equal ones can be told.
"""

import re
from collections.abc import Iterable
from typing import Final

from detector.engine.values import Gap
from detector.model.canonical import same_value
from detector.model.facts import Value

PREFIX: Final = "migration/"
#: `0042_add_index`, `20261122093000`, `V1.2__init`, `1.2.1`. A hash may begin with digits too: of one with
#: letters among them nothing is guessed.
_NUMBERED: Final = re.compile(r"[Vv]?([0-9]+(?:[._][0-9]+)*)(?:_+[A-Za-z].*)?")


def head_gap(left: Value, right: Value) -> Gap | None:
    """Compare the heads of two databases; None where they are equal."""
    if same_value(left, right):
        return None
    ours, theirs = _newest(left), _newest(right)
    if ours is None or theirs is None or ours == theirs:
        return Gap()
    return Gap(direction="left_ahead" if ours > theirs else "right_ahead")


def lag(applied: Value, expected: str) -> str | None:
    """Tell how a database stands to the head that its code expects.

    `behind`, `unordered` where names do not tell, None where it is there or beyond: a schema goes first.
    """
    if expected in _heads(applied):
        return None
    here, wanted = _newest(applied), _number(expected)
    if here is None or wanted is None:
        return "unordered"
    return "behind" if here < wanted else None


def _heads(value: Value) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _newest(value: Value) -> tuple[int, ...] | None:
    numbers: Iterable[tuple[int, ...] | None] = [_number(head) for head in _heads(value)]
    known = [number for number in numbers if number is not None]
    return max(known) if known and len(known) == len(_heads(value)) else None


def _number(head: str) -> tuple[int, ...] | None:
    found = _NUMBERED.fullmatch(head)
    if found is None or len(found[1]) > 64:
        return None
    return tuple(int(part) for part in re.split(r"[._]", found[1]))
