"""strace on a process that runs: what it asks of the kernel, and a kill at exactly one of these calls."""

import re
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.servers.process import ServerFailed, required

#: What makes a change last: of every thread. A store on a file has one that writes.
TO_THE_DISK: Final = ("pwrite64", "fsync", "fdatasync", "ftruncate", "unlink")
#: What others hear: of the thread that runs the loop.
TO_OTHERS: Final = ("sendto", "sendmsg", "writev")
_ATTACH_SECONDS: Final = 20
_CALL = re.compile(r"(\d+) +(\w+)\(")
_END = re.compile(r"\d+ +(?:<\.\.\. )?(\w+)(?: resumed>|\().*= (-?\d+)")


@dataclass(frozen=True, slots=True, order=True)
class Point:
    """Just before the ``number``-th of these calls."""

    call: str
    number: int

    def __str__(self) -> str:
        return f"{self.call} {self.number}"


def strace() -> str:
    """The program; ServerMissing where it is not installed."""
    return required("strace", "strace", "apt-get install strace")


@contextmanager
def killed_at(pid: int, point: Point) -> Iterator[None]:
    """Have the kernel kill a process at this point, counted from here on."""
    calls = f"{point.call}:signal=SIGKILL:when={point.number}"
    options = ["-f"] if point.call in TO_THE_DISK else []
    with _attached(pid, [*options, "-e", f"inject={calls}", "-e", f"trace={point.call}", "-o", "/dev/null"]):
        yield


@contextmanager
def failing(pid: int, call: str, error: str) -> Iterator[None]:
    """Have a call fail each time, in all threads of a process."""
    with _attached(
        pid, ["-f", "-e", f"inject={call}:error={error}", "-e", f"trace={call}", "-o", "/dev/null"]
    ):
        yield


@contextmanager
def recorded(pid: int, calls: Sequence[str], to: Path) -> Iterator[None]:
    """Write down the calls of all threads, in order, with what a descriptor stands for."""
    with _attached(pid, ["-f", "-y", "-s", "24", "-e", f"trace={','.join(calls)}", "-o", str(to)]):
        yield


@contextmanager
def _attached(pid: int, options: Sequence[str]) -> Iterator[None]:
    command = [strace(), *options, "-p", str(pid)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as tracing:
        assert tracing.stderr is not None
        try:
            said = tracing.stderr.readline()
            if "attached" not in said:
                raise ServerFailed(f"strace: {said}")
            yield
        finally:
            tracing.send_signal(signal.SIGTERM)  # it lets go of what it traces
            try:
                tracing.communicate(timeout=_ATTACH_SECONDS)
            except subprocess.TimeoutExpired:
                tracing.kill()


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a recorded run: its thread, how often that had called this before, and the whole line."""

    thread: int
    point: Point
    line: str


def calls_of(trace: Path) -> list[Call]:
    """Return the calls of a recorded run, in the order in which they began."""
    counts: Counter[tuple[str, str]] = Counter()
    found = []
    for line in trace.read_text(errors="replace").splitlines():
        match = _CALL.match(line)
        if match is not None:
            counts[match[1], match[2]] += 1
            found.append(Call(int(match[1]), Point(match[2], counts[match[1], match[2]]), line))
    return found


def steps_of(trace: Path, begins: Mapping[str, str], ends: Mapping[str, str]) -> str:
    """Return a recorded run as a word: a letter for each call that began with such a text, or ended well."""
    word = ""
    for line in trace.read_text(errors="replace").splitlines():
        word += "".join(letter for text, letter in begins.items() if text in line)
        end = _END.match(line)
        if end is not None and int(end[2]) >= 0:
            word += ends.get(end[1], "")
    return word


def points_of(calls: Sequence[Call], pid: int) -> list[Point]:
    """Return each point of a recorded run at which `killed_at` can kill."""
    return sorted(
        {
            call.point
            for call in calls
            if call.point.call in TO_THE_DISK or (call.point.call in TO_OTHERS and call.thread == pid)
        }
    )


def sends_of(calls: Sequence[Call], pid: int, begin: str) -> list[Point]:
    """Return each send of a recorded run whose bytes begin so."""
    return [
        call.point
        for call in calls
        if call.thread == pid and call.point.call in TO_OTHERS and f'"{begin}' in call.line
    ]
