"""Files of environment variables: ``.env`` and its kin, in the dialect of the loader that reads them.

Nothing is run and nothing is filled in: ``$(…)``, backticks and ``${…}`` are text. A value is turned into its
shape as soon as it is read; what does not parse is named by its line, never by its text, for it may be the
second line of a key. A name that no shell takes for one is no key, whatever a loader does with it.
"""

import re
from collections.abc import Collection, Iterator
from typing import Any, ClassVar, Final, Literal

from collectors.readers import _env_compose, _env_python, _env_systemd
from collectors.readers._config import config_section, lines_in_words
from collectors.readers._env_lines import Binding, Entry, Statement, Unparsed, line_breaks, walk
from collectors.readers._keys import Keys
from detector.errors import UnseenError
from detector.model.facts import Unseen
from detector.model.fingerprints import Fingerprinter
from detector.model.words import SourceClass
from detector.reader import API, Part, Read

#: Whose rules a file is read by: python-dotenv (and most libraries), ``env_file`` of compose, ``--env-file``
#: of docker (also ``format: raw`` of compose), ``EnvironmentFile=`` of systemd.
Dialect = Literal["dotenv", "compose", "docker", "systemd"]
_STATEMENTS: Final[dict[Dialect, Statement]] = {
    "dotenv": _env_python.statement,
    "compose": _env_compose.statement,
    "docker": _env_compose.plain_statement,
    "systemd": _env_systemd.statement,
}
#: Dialects in which a name alone takes its value from the environment of the caller.
_HANDING_THROUGH: Final = frozenset({"compose", "docker"})
_REFERENCE: Final = re.compile(r"\$[{A-Za-z_]")
_LARGEST_FILE: Final = 2 * 1024 * 1024
_MOST_LINES: Final = 50_000


class DotenvReader:
    """Reads ``.env`` files: every variable is a config key of class literal."""

    API: ClassVar[int] = API
    name: ClassVar[str] = "dotenv"

    def matches(self, name: str) -> bool:
        own = name.rpartition("/")[2]
        return own in (".env", ".envrc") or own.startswith(".env.") or own.endswith(".env")

    def read(self, data: bytes, name: str, fingerprinter: Fingerprinter) -> Read:
        return self.read_comparing(data, name, fingerprinter, ())

    def read_comparing(
        self, data: bytes, name: str, fingerprinter: Fingerprinter, compare: Collection[str]
    ) -> Read:
        """Return the keys; those in ``compare`` carry a fingerprint even for a short word."""
        shapes, unseen, warnings = shapes_of(data, name, fingerprinter, compare=compare)
        return Read(parts=(Part(sections={"config": config_section(shapes, unseen)}),), warnings=warnings)


def shapes_of(
    data: bytes,
    name: str,
    fingerprinter: Fingerprinter,
    *,
    compare: Collection[str] = (),
    source_class: SourceClass = "literal",
    dialect: Dialect = "dotenv",
) -> tuple[dict[str, dict[str, Any]], tuple[Unseen, ...], tuple[str, ...]]:
    """Return the shape of each key, what could not be read, and warnings.

    Raises UnseenError where the file as a whole is not understood.
    """
    keys = Keys(fingerprinter=fingerprinter, compare=compare, source_class=source_class)
    warnings = fill(keys, data, name, dialect)
    return keys.shapes, keys.gaps, warnings


def fill(keys: Keys, data: bytes, name: str, dialect: Dialect = "dotenv") -> tuple[str, ...]:
    """Set the keys of a file and return warnings. Raises UnseenError where all of it is unread."""
    refused: list[int] = []
    alone: list[int] = []
    repeated: list[int] = []
    warnings: list[str] = []
    before: set[str] = set()
    text = text_of(data, name)
    unfinished = 0 if text.endswith(("\n", "\r")) else line_breaks(text) + 1
    for entry in entries(text, name, dialect):
        if isinstance(entry, Unparsed) or not keys.allows(entry.name):
            refused.append(entry.line)
        elif entry.value is None and entry.line == unfinished:
            # A file that was cut in the middle of a name looks so.
            refused.append(entry.line)
        elif entry.value is None and dialect not in _HANDING_THROUGH:
            alone.append(entry.line)
        else:
            _set(keys, entry)
            if entry.name in before:
                repeated.append(entry.line)
            before.add(entry.name)
            if entry.spilled:
                warnings.append(
                    f"lines {entry.line} to {entry.last_line} are one value over several lines;"
                    " put it in double quotes, or loaders read its first line alone"
                )
    if alone:
        warnings.append(f"{lines_in_words(alone)}: a name without = sets nothing")
    if repeated:
        warnings.append(f"{lines_in_words(repeated)}: the key was set before; the last one wins")
    if refused:
        place = lines_in_words(refused)
        keys.unseen.append(Unseen(item="*", reason="malformed", detail=f"{name}: {place}: not NAME=value"))
        warnings.append(f"{place}: not NAME=value, so keys may be missing here")
    return tuple(warnings)


def entries(text: str, name: str, dialect: Dialect = "dotenv") -> Iterator[Entry]:
    """Yield what each line says, in order.

    Raises UnseenError with the line of a quote or a PEM block that is never closed: everything after it would
    be taken for what it is not.
    """
    return walk(text, name, _STATEMENTS[dialect])


def _set(keys: Keys, binding: Binding) -> None:
    if binding.value is None:
        keys.hide(binding.name, "its value, if it has one, comes from where it is started")
    elif not binding.expands:
        keys.set(binding.name, binding.value)
    elif _REFERENCE.search(binding.value.replace("$$", "")):
        # That two files refer to one name does not make their values equal: no fingerprint.
        keys.shaped(binding.name, {"type": "template", "source_class": keys.source_class, "opaque": True})
    else:
        keys.set(binding.name, binding.value.replace("$$", "$"))


def text_of(data: bytes, name: str) -> str:
    """Return the text of a file of variables. Raises UnseenError for what is too large or no UTF-8."""
    if len(data) > _LARGEST_FILE:
        raise UnseenError("too_large", f"{name}: more than {_LARGEST_FILE // 1024 // 1024} MB of variables")
    if data.count(b"\n") + data.count(b"\r") > 2 * _MOST_LINES:
        raise UnseenError("too_large", f"{name}: more than {_MOST_LINES} lines")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnseenError("malformed", f"{name}: written in UTF-16; save it as UTF-8")
    if b"\0" in data:
        line = data[: data.index(b"\0")].count(b"\n") + 1
        raise UnseenError("malformed", f"{name}:{line}: a NUL byte; this is no text in UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise UnseenError("malformed", f"{name}:{line}: not UTF-8; save the file as UTF-8") from None
