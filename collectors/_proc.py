"""Processes of this machine as the kernel tells them (proc(5)): which there are, and what is known of one.

A process is opened once and read through that: should it end and its number go to another, the reads fail and
never tell of the other.
"""

import errno
import os
import pwd
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from detector.errors import UnseenError

#: Environments that a kernel lets a process have are smaller.
_LARGEST: Final = 8 * 1024 * 1024
_CHUNK: Final = 64 * 1024
_GONE: Final = frozenset({errno.ENOENT, errno.ESRCH})


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Where a kernel tells of itself."""

    proc: Path = Path("/proc")
    cgroups: Path = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """What one process is."""

    pid: int
    parent: int
    #: Seconds of the Unix clock at which it was started.
    started: float
    user: str
    argv: tuple[str, ...] = field(repr=False)
    #: What it was started with, entry by entry; None where it may not be read.
    environ: tuple[str, ...] | None = field(repr=False)
    #: Limits of its control groups, the narrowest of each; None where they are not told.
    limits: Mapping[str, int | float | None] | None


def running(machine: Machine, *, name: str | None = None, unit: str | None = None) -> list[int]:
    """Return the processes of a program's name or of a systemd unit, oldest first.

    What one of them started itself does not count. Raises UnseenError where there is none.
    """
    known: dict[int, tuple[int, int]] = {}
    for pid in _pids(machine):
        try:
            with _opened(machine, pid) as folder:
                if _is_called(folder, name) if name else _belongs(folder, unit or ""):
                    known[pid] = _parent_and_start(folder)
        except UnseenError:
            continue  # it ended meanwhile
    found = [pid for pid, (parent, _) in known.items() if parent not in known]
    if not found:
        looked_for = f"no process is called {name}" if name else f"no process belongs to the unit {unit}"
        raise UnseenError("unreachable", f"{looked_for}, or it may not be listed by this user")
    return sorted(found, key=lambda pid: known[pid][1])


def process(machine: Machine, pid: int) -> Process:
    """Return what is known of a process. Raises UnseenError where there is none."""
    with _opened(machine, pid) as folder:
        parent, ticks = _parent_and_start(folder)
        argv = _texts(_content(folder, "cmdline"))
        try:
            environ = _texts(_content(folder, "environ"))
        except PermissionError:
            environ = None
        if not argv:
            raise UnseenError("unsupported", f"{pid} is a thread of the kernel, or has ended")
        return Process(
            pid=pid,
            parent=parent,
            started=_booted(machine) + ticks / os.sysconf("SC_CLK_TCK"),
            user=_user(folder),
            argv=argv,
            environ=environ,
            limits=_limits(machine, _groups(folder)),
        )


@contextmanager
def _opened(machine: Machine, pid: int) -> Iterator[int]:
    try:
        folder = os.open(machine.proc / str(pid), os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        raise UnseenError("unreachable", f"there is no process {pid}, or it may not be seen") from None
    try:
        yield folder
    except PermissionError:
        raise UnseenError("denied", f"process {pid} may not be read by this user") from None
    except OSError as error:
        if error.errno in _GONE:
            raise UnseenError("unreachable", f"process {pid} ended while it was read") from None
        raise UnseenError("unreachable", f"process {pid} cannot be read") from None
    finally:
        os.close(folder)


def _pids(machine: Machine) -> Iterable[int]:
    try:
        return [int(folder.name) for folder in machine.proc.iterdir() if folder.name.isdecimal()]
    except OSError:
        raise UnseenError("unsupported", f"{machine.proc} is not there: this is no Linux") from None


def _content(folder: int, name: str) -> bytes:
    found = bytearray()
    file = os.open(name, os.O_RDONLY, dir_fd=folder)
    try:
        while part := os.read(file, _CHUNK):
            found += part
            if len(found) > _LARGEST:
                raise UnseenError("too_large", f"{name} of the process has more than {_LARGEST // 2**20} MB")
    finally:
        os.close(file)
    return bytes(found)


def _texts(data: bytes) -> tuple[str, ...]:
    return tuple(part.decode("utf-8", "surrogateescape") for part in data.split(b"\0") if part)


def _parent_and_start(folder: int) -> tuple[int, int]:
    """Return the parent and the start in ticks since boot. A name may hold blanks and brackets."""
    fields = _content(folder, "stat").rpartition(b")")[2].split()
    if len(fields) < 20 or fields[0] in (b"Z", b"X"):
        raise UnseenError("unreachable", "the process has ended")
    return int(fields[1]), int(fields[19])


def _is_called(folder: int, name: str) -> bool:
    # The kernel keeps 15 bytes of a name.
    return _content(folder, "comm").rstrip(b"\n") == name.encode()[:15]


def _belongs(folder: int, unit: str) -> bool:
    return any(unit in group.split("/") for group in _groups(folder).values())


def _groups(folder: int) -> dict[str, str]:
    """Return controllers -> path of the control group; the unified hierarchy has none (cgroups(7))."""
    lines = _content(folder, "cgroup").decode("utf-8", "replace").splitlines()
    parts = (line.split(":", 2) for line in lines)
    return {part[1]: part[2] for part in parts if len(part) == 3}


def _user(folder: int) -> str:
    for line in _content(folder, "status").decode("utf-8", "replace").splitlines():
        if line.startswith("Uid:"):
            uid = int(line.split()[2])
            try:
                return pwd.getpwuid(uid).pw_name
            except KeyError:
                return str(uid)
    return "unknown"


def _booted(machine: Machine) -> float:
    for line in (machine.proc / "stat").read_text().splitlines():
        if line.startswith("btime "):
            return float(line.split()[1])
    return 0.0


def _limits(machine: Machine, groups: Mapping[str, str]) -> dict[str, int | float | None] | None:
    """Return the narrowest limits on the way from a group to the root, where it is the unified hierarchy."""
    path = groups.get("")
    if path is None or not (machine.cgroups / "cgroup.controllers").exists():
        return None
    parts = [part for part in path.split("/") if part not in ("", "..")]
    memory: list[int] = []
    cpu: list[float] = []
    for depth in range(len(parts) + 1):
        group = machine.cgroups.joinpath(*parts[:depth])
        most = _words(group / "memory.max")
        if most and most[0].isdecimal():
            memory.append(int(most[0]))
        quota = _words(group / "cpu.max")
        if len(quota) == 2 and all(word.isdecimal() for word in quota):
            cpu.append(int(quota[0]) / int(quota[1]))
    return {"limit/memory": min(memory, default=None), "limit/cpu": min(cpu, default=None)}


def _words(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError:
        return []
