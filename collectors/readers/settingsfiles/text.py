"""The text of a file of settings that has one key to a line."""

import re
from typing import Final

from detector.errors import UnseenError

_BLOCK: Final = re.compile(r"-----BEGIN [A-Z0-9 ]{1,64}-----[^\r\n]*")
_END: Final = re.compile(r"-----END [A-Z0-9 ]{1,64}-----")
#: A backslash before it joins the lines already.
_BREAK: Final = re.compile(r"(?<!\\)(?:\r\n|\r|\n)")


def decoded(data: bytes, name: str) -> str:
    """Return a text in UTF-8, or else in ISO-8859-1, as Java takes its properties. Raises UnseenError."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnseenError("malformed", f"{name}: written in UTF-16; save it as UTF-8")
    if b"\0" in data:
        line = data[: data.index(b"\0")].count(b"\n") + 1
        raise UnseenError("malformed", f"{name}:{line}: a NUL byte; this is no text")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def with_key_blocks_joined(text: str, name: str, joint: str) -> str:
    """Return the text with the lines of each PEM block joined so that none of them can pass for a key.

    ``joint`` is a line break that goes on in the format. Raises UnseenError for a block that never ends.
    """
    if "-----BEGIN " not in text:
        return text
    parts: list[str] = []
    position = 0
    while (begin := _BLOCK.search(text, position)) is not None:
        if _END.search(begin[0]):
            end = begin.end()
        elif (closing := _END.search(text, begin.end())) is not None:
            end = closing.end()
        else:
            line = text.count("\n", 0, begin.start()) + 1
            raise UnseenError("malformed", f"{name}:{line}: a PEM block that is never closed")
        parts += [text[position : begin.start()], _BREAK.sub(lambda _: joint, text[begin.start() : end])]
        position = end
    return "".join((*parts, text[position:]))
