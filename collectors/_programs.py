"""Runs programs of this machine for collectors: no shell, a clean environment, bounded in time and output."""

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from detector.errors import UnseenError

MOST_OUTPUT: Final = 256 * 1024
_CHUNK: Final = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a program said, and its exit code; None where it was ended for the length of that."""

    code: int | None
    text: str

    @property
    def line(self) -> str:
        """Its first line, where it ended well; else nothing."""
        return self.text.partition("\n")[0].strip() if self.code == 0 else ""


async def said_by(
    *words: str, environment: Mapping[str, str], seconds: float, most: int = MOST_OUTPUT, errors: bool = False
) -> Said:
    """Run a program and return what it said, at most ``most`` bytes of it; ``errors`` also what went wrong.

    It gets no input, ``environment`` and the search path alone, and ends with all that it started. Raises
    UnseenError: `unsupported` where it is not installed, `denied`, and `timeout`.
    """
    process = await _started(words, environment, errors=errors)
    try:
        async with asyncio.timeout(seconds):
            data = await _read(process, most)
            code = await process.wait() if len(data) <= most else None
    except TimeoutError:
        raise UnseenError("timeout", f"{words[0]} gave no answer within {seconds:g} s") from None
    finally:
        await _end(process)
    return Said(code=code, text=data[:most].decode("utf-8", "replace"))


async def _started(
    words: Sequence[str], environment: Mapping[str, str], *, errors: bool
) -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT if errors else asyncio.subprocess.DEVNULL,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", **environment},
            start_new_session=True,
        )
    except FileNotFoundError:
        raise UnseenError("unsupported", f"the program {words[0]} is not installed") from None
    except OSError:
        raise UnseenError("denied", f"the program {words[0]} cannot be run") from None


async def _read(process: asyncio.subprocess.Process, most: int) -> bytes:
    data = b""
    while process.stdout is not None and len(data) <= most:
        more = await process.stdout.read(_CHUNK)
        if not more:
            break
        data += more
    return data


async def _end(process: asyncio.subprocess.Process) -> None:
    """End a program with everything that it started and that is still in its session."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
