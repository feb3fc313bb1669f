"""One-time links for people: printed in the log, followed once."""

import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

#: How long a link of the log can be followed.
LINK_LASTS: Final = timedelta(minutes=15)


class Links:
    """One-time links. They live in this process alone: a restart prints another one."""

    def __init__(self) -> None:
        self._codes: dict[bytes, datetime] = {}

    def new(self, now: datetime) -> str:
        """Return a new code, good once within `LINK_LASTS`."""
        code = secrets.token_urlsafe(32)
        self._codes[_hash(code)] = now + LINK_LASTS
        return code

    def use(self, code: str, now: datetime) -> bool:
        """Tell whether a code is good, and spend it."""
        until = self._codes.pop(_hash(code), None)
        return until is not None and now < until


def _hash(code: str) -> bytes:
    # Looked up by its hash: how long that takes tells nothing about the code.
    return sha256(code.encode("utf-8", "surrogateescape")).digest()
