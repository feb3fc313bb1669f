"""The file that a lockfile stands in: its text, and TOML or JSON of it, with the place of each mistake."""

import re
from dataclasses import dataclass
from typing import Any, Final

from collectors.readers._plain import toml_of, utf8_of
from detector.errors import Reason, UnseenError
from detector.model.facts import Unseen
from detector.model.wire_json import WireError, json_document
from detector.reader import Beside, nothing_beside

_CONFLICT: Final = re.compile(r"^(?:<{7} |={7}$|>{7} )", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Lock:
    """A lockfile as it was found."""

    data: bytes
    #: Its path as the user wrote it, for messages.
    name: str
    #: Hands out a file beside it, by its path from this one's folder. Raises UnseenError.
    beside: Beside = nothing_beside

    def text(self) -> str:
        """Return its text. Raises UnseenError with the line of what is no UTF-8 or unmerged."""
        text = utf8_of(self.data, self.name)
        if (conflict := _CONFLICT.search(text)) is not None:
            line = text.count("\n", 0, conflict.start()) + 1
            raise UnseenError(
                "malformed", f"{self.name}:{line}: marks of a merge conflict; resolve it and lock again"
            )
        return text

    def toml(self) -> dict[str, Any]:
        """Return what it says as TOML. Raises UnseenError with line and column."""
        return toml_of(self.text(), self.name)

    def json(self) -> Any:
        """Return what it says as JSON. Raises UnseenError."""
        self.text()
        try:
            return json_document(self.data)
        except WireError as error:
            fault = error.faults[0]
            reason: Reason = "too_large" if fault.code == "too-deep" else "malformed"
            raise UnseenError(reason, f"{self.name}: {fault.message}; is it cut off?") from None

    def cut_off(self, ecosystem: str) -> list[Unseen]:
        """Return an unseen entry where a file that a tool wrote does not end as tools end files."""
        if not self.data or self.data.endswith(b"\n"):
            return []
        detail = f"{self.name}: the last line has no end; the file may be cut off"
        return [Unseen(item=f"pkg:{ecosystem}/*", reason="malformed", detail=detail)]


def tables(document: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """Return a list of tables; whatever else stands there is left out."""
    found = document.get(key)
    return [table for table in found if isinstance(table, dict)] if isinstance(found, list) else []


def table(document: object, key: str) -> dict[str, Any]:
    """Return a table inside a table, empty where there is none."""
    found = document.get(key) if isinstance(document, dict) else None
    return found if isinstance(found, dict) else {}


def text_at(document: object, key: str) -> str:
    """Return a text inside a table, empty where there is none."""
    found = document.get(key) if isinstance(document, dict) else None
    return found if isinstance(found, str) else ""
