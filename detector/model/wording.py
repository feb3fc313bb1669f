"""The wording of an observation: its text without its time.

A source that is asked again mostly says again what it said, word for word, at another time. Texts that are
equal but for what stands as ``observed_at`` say the same: where one was understood, the other need not be.
"""

from hashlib import sha256
from typing import Final, NamedTuple

_FIELD: Final = b'"observed_at"'
_SPACES: Final = b" \t\r\n"
#: Longer than any time in RFC 3339.
_LONGEST: Final = 40


class Wording(NamedTuple):
    """Digest of the text around the time, and the time as it is written."""

    digest: bytes
    observed_at: str


def wording_of(text: bytes, *, about: str) -> Wording | None:
    """Return the wording of a text that says something ``about`` one stream, by its address.

    None where the place of its time is not beyond doubt. A text without escapes spells the field once, and
    only as the name of it: each quotation mark in it begins or ends a text, so nothing inside of one can look
    like it, and a value that is this word would be there beside the name.
    """
    field = text.find(_FIELD)
    if field < 0 or text.find(_FIELD, field + 1) >= 0 or b"\\" in text:
        return None
    after = text[field + len(_FIELD) : field + len(_FIELD) + _LONGEST + 10]
    begin = after.lstrip(_SPACES)
    if not begin.startswith(b":"):
        return None
    begin = begin[1:].lstrip(_SPACES)
    time, quote, _ = begin[1:].partition(b'"')
    if not begin.startswith(b'"') or not quote or len(time) > _LONGEST or not time.isascii():
        return None
    start = field + len(_FIELD) + len(after) - len(begin) + 1
    digest = sha256(about.encode(errors="surrogatepass"))
    digest.update(b"\n")
    digest.update(memoryview(text)[:start])
    # Its two parts cannot be taken for others: a text of JSON holds no zero byte.
    digest.update(b"\0")
    digest.update(memoryview(text)[start + len(time) :])
    return Wording(digest.digest(), time.decode())
