"""Ranges of versions in their ecosystem's own order: ``< 4.2.27``, ``>=4.2,<5``, ``~=4.2.1``, ``==1.4.*``."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from detector.errors import UsageError
from detector.model.versions.distance import LONGEST, Step

#: Gives the step from one version to another, as `detector.model.versions.step` does.
Stepping = Callable[[str, str], Step | None]

_CLAUSE: Final = re.compile(r"\s*(==|!=|<=|>=|~=|=|<|>|)\s*([^\s,<>=!]+)\s*")
_MOST_CLAUSES: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class _Clause:
    operator: str
    version: str

    def holds(self, version: str, step: Stepping) -> bool | None:
        if self.version.endswith(".*"):
            return _begins(version, self.version[:-2]) == (self.operator == "==")
        if self.operator == "~=":
            least = _Clause(operator=">=", version=self.version).holds(version, step)
            return least and _begins(version, self.version.rpartition(".")[0])
        found = _step(version, self.version, step)
        if found is None:
            return self.operator in ("==", "<=", ">=")
        if self.operator in ("==", "!="):
            return self.operator == "!="
        if found.direction == "unordered":
            # Builds of one version are neither before nor after each other.
            return None if found.distance is None else self.operator in ("<=", ">=")
        return (found.direction == "left_ahead") == self.operator.startswith(">")


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Versions that fulfil every clause."""

    text: str
    clauses: tuple[_Clause, ...]

    def holds(self, version: str, step: Stepping) -> bool | None:
        """Tell whether a version is in the range; None where its place in the order is not known."""
        found = [clause.holds(version, step) for clause in self.clauses]
        return False if False in found else None if None in found else True


def range_of(text: str) -> Range:
    """Read a range: clauses with commas or blanks between them; a version alone is ``==``.

    Raises UsageError that names what is wrong.
    """
    clauses: list[_Clause] = []
    at = 0
    while at < len(text):
        found = _CLAUSE.match(text, at)
        if found is None or len(found[2]) > LONGEST or len(clauses) == _MOST_CLAUSES:
            raise UsageError('not a range of versions: write "<4.2.27", ">=4.2,<5", "~=4.2.1" or "==1.4.*"')
        operator = "==" if found[1] in ("", "=") else found[1]
        version = found[2]
        if version.endswith(".*") and operator not in ("==", "!="):
            raise UsageError(f"{operator}{version}: .* goes with == and != alone")
        if operator == "~=" and "." not in version:
            raise UsageError(
                f"~={version} needs two numbers or more: ~={version}.0 is >={version}.0,=={version}.*"
            )
        clauses.append(_Clause(operator=operator, version=version))
        at = found.end()
        if at < len(text) and text[at] == ",":
            at += 1
    if not clauses:
        raise UsageError('no range of versions: write "<4.2.27", ">=4.2,<5", "~=4.2.1" or "==1.4.*"')
    return Range(text=text.strip(), clauses=tuple(clauses))


def _step(version: str, bound: str, step: Stepping) -> Step | None:
    """Return the step to a bound as it is written, else as its ecosystem would write it: 5 as 5.0.0."""
    found = step(version, bound)
    if found is None or found.distance is not None or found.direction != "unordered":
        return found
    numbers = bound.split(".")
    if all(number.isascii() and number.isdigit() for number in numbers):
        whole = ".".join([*numbers, "0", "0"][: max(len(numbers), 3)])
        for written in (whole, f"v{whole}"):
            other = step(version, written)
            if other is None or other.distance is not None or other.direction != "unordered":
                return other
    return found


def _begins(version: str, beginning: str) -> bool:
    """Tell whether the numbers of a version begin with these ones: 1.4 and 1.4.2 with 1.4, 1.40 does not."""
    rest = version.removeprefix(beginning)
    return version.startswith(beginning) and not rest[:1].isdigit()
