"""The syntax of Yarn 1: keys that end in a colon, words in pairs, two spaces for each level."""

import re
from dataclasses import dataclass, field
from typing import Final

from collectors.readers.lockfiles.lock import Lock
from detector.errors import UnseenError

#: A quoted word that is not closed goes to the end of its line.
_WORD: Final = re.compile(r'"((?:[^"\\]|\\.)*+)(?:"|\\?\Z)|([^\s",]+)')


@dataclass(slots=True)
class Entry:
    """One package of a ``yarn.lock``."""

    #: Names and ranges that lead to it, such as ``semver@^7.0.0``; the first stands for all of them.
    keys: list[str]
    fields: dict[str, str] = field(default_factory=dict)
    #: Names and ranges of what it depends on, and of what it takes where it can.
    needs: list[tuple[str, str]] = field(default_factory=list)
    wants: list[tuple[str, str]] = field(default_factory=list)

    @property
    def is_own(self) -> bool:
        """Whether it is the project itself or a member of its workspace: own code, no dependency."""
        kind = self.fields.get("resolution", "").partition("@workspace:")[1]
        return bool(kind) or any("@link:" in key or "@portal:" in key for key in self.keys)

    @property
    def is_root(self) -> bool:
        """Whether it is the project itself."""
        return self.fields.get("resolution", "").endswith("@workspace:.")


def entries_of(lock: Lock) -> list[Entry]:
    """Return the packages of a file of Yarn 1. Raises UnseenError with the line of what is none."""
    entries: list[Entry] = []
    block: list[tuple[str, str]] = []
    for number, line in enumerate(lock.text().split("\n"), start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        depth = (len(line) - len(line.lstrip(" "))) // 2
        words = [quoted or bare for quoted, bare in _WORD.findall(text.removesuffix(":"))]
        opens = text.endswith(":")
        if depth == 0 and opens and words and all("@" in key[1:] for key in words):
            entries.append(Entry(keys=words))
        elif depth == 1 and opens and len(words) == 1 and entries:
            blocks = {"dependencies": entries[-1].needs, "optionalDependencies": entries[-1].wants}
            block = blocks.get(words[0], [])
        elif depth == 1 and len(words) == 2 and entries:
            entries[-1].fields[words[0]] = words[1]
        elif depth == 2 and len(words) == 2 and entries:
            block.append((words[0], words[1]))
        else:
            raise UnseenError("malformed", f"{lock.name}:{number}: not the syntax of Yarn 1; is it cut off?")
    return entries
