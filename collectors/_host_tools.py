"""Asks programs on the search path for their versions, shortly and without the environment of Parity."""

import asyncio
import os
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from collectors._programs import said_by
from detector.errors import UnseenError

#: What code shells out to -> how each is asked, where it is not by ``--version``.
ASKED: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(
        (
            "bash", "chromium", "convert", "curl", "docker", "gcc", "git", "gs", "jq", "make", "mysqldump",
            "node", "pandoc", "pg_dump", "php", "psql", "python3", "rsync", "ruby", "tar", "tesseract",
            "wkhtmltopdf",
        ),
        ("--version",),
    ),
    **dict.fromkeys(("ffmpeg", "java"), ("-version",)),
    **dict.fromkeys(("go", "openssl"), ("version",)),
    "pdftotext": ("-v",),
    "ssh": ("-V",),
}  # fmt: skip
_SECONDS: Final = 3.0
_MOST: Final = 4096
#: Programs that are asked at one time.
_AT_ONCE: Final = 4
_ASIDE: Final = re.compile(r"\([^()]{0,200}\)")
_VERSION: Final = re.compile(r"[0-9]{1,10}(?:\.[0-9]{1,10})+(?:[a-z]{1,5}[0-9]{0,5})?")


def version_in(text: str) -> str | None:
    """Return the version in the first line that a program says of itself that holds one."""
    for line in text.splitlines()[:4]:
        # Whose build it is stands in brackets, with another version.
        found = _VERSION.search(_ASIDE.sub(" ", line[:300])) or _VERSION.search(line[:300])
        if found:
            return found[0]
    return None


async def versions_of(
    names: Iterable[str], which: Callable[[str], str | None] = shutil.which
) -> dict[str, str | UnseenError]:
    """Return the version of each program that is there, or why it could not be told."""
    gate = asyncio.Semaphore(_AT_ONCE)
    there = {name: path for name in dict.fromkeys(names) if (path := which(name)) is not None}

    async def asked(name: str, path: str) -> str | UnseenError:
        try:
            async with gate:
                said = await said_by(
                    path,
                    *ASKED.get(name, ("--version",)),
                    environment={"HOME": os.devnull},
                    seconds=_SECONDS,
                    most=_MOST,
                    errors=True,
                )
        except UnseenError as error:
            return UnseenError(error.reason, f"{name} did not tell its version")
        version = version_in(said.text) if said.code in (0, None) else None
        return version or UnseenError("unsupported", f"{name} did not tell its version")

    found = await asyncio.gather(*(asked(name, path) for name, path in there.items()))
    return dict(zip(there, found, strict=True))
