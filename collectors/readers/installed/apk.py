"""Reads the database of apk: the packages installed on Alpine and what descends from it.

Format: `lib/apk/db/installed` of apk-tools, paragraphs of one-letter fields.
"""

import re
from collections.abc import Iterator
from typing import Final

from collectors.readers.installed.inventory import PROGRAM_FOLDERS
from detector.errors import UnseenError
from detector.model.facts import Section, Unseen, Value
from detector.model.items import package
from detector.model.words import Basis

_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,127}")
_VERSION: Final = re.compile(r"[0-9A-Za-z.+_~-]{1,256}")

_FOLDERS_OF_PROJECTS: Final = (b"-packages/", b"node_modules/")
_FILES_OF_PROJECTS: Final = (b".egg-info", b".gemspec", b".jar")


def installed(data: bytes, *, basis: Basis, namespace: str, name: str = "installed") -> Section:
    """Return the installed packages, ``namespace`` being the ID of os-release.

    Raises UnseenError (`malformed`) when no paragraph is one of apk; single bad ones are unseen with their
    line.
    """
    facts: dict[str, Value] = {}
    unseen: list[Unseen] = []
    line = 1
    # Of a last line without its end only a part may be there.
    whole = data[: data.rfind(b"\n") + 1]
    for paragraph in whole.decode("utf-8", "replace").split("\n\n"):
        lines = paragraph.split("\n")
        fields = {text[0]: text[2:].strip() for text in lines if text[1:2] == ":"}
        title, version = fields.get("P", ""), fields.get("V", "")
        # A virtual package (`apk add --virtual .build`) has a time as its version: nothing to compare.
        if paragraph.strip() and not title.startswith("."):
            if _NAME.fullmatch(title) and _VERSION.fullmatch(version):
                facts[package("apk", title, namespace)] = version
            else:
                detail = f"{name}:{line}: a paragraph without a P: and V: that apk could have written"
                unseen.append(Unseen(item=f"pkg:apk/{namespace}/*", reason="malformed", detail=detail))
        line += len(lines) + 1
    if len(whole) < len(data):
        detail = f"{name}: cut off in its last line"
        unseen.insert(0, Unseen(item=f"pkg:apk/{namespace}/*", reason="malformed", detail=detail))
    if unseen and not facts:
        raise UnseenError("malformed", f"{name}: not a database of apk")
    return Section(
        basis=basis,
        status="partial" if unseen else "complete",
        facts=facts,
        covers=("pkg:apk/*",),
        unseen=tuple(unseen[:1]),
    )


def owned(data: bytes) -> Iterator[str]:
    """Yield programs that packages brought, and folders and files that name projects of languages."""
    folder, of_programs = b"", False
    for line in data.split(b"\n"):
        if line.startswith(b"F:"):
            folder = line[2:]
            of_programs = folder.rpartition(b"/")[2].decode("utf-8", "replace") in PROGRAM_FOLDERS
            if any(mark in folder for mark in _FOLDERS_OF_PROJECTS):
                yield f"/{folder.decode('utf-8', 'replace')}"
        elif line.startswith(b"R:") and (of_programs or line.endswith(_FILES_OF_PROJECTS)):
            yield f"/{folder.decode('utf-8', 'replace')}/{line[2:].decode('utf-8', 'replace')}"
