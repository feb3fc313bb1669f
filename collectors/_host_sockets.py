"""Sees what listens on a machine, from the tables of the kernel (proc(5), proc_net_tcp)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

_TABLES: Final = {"tcp": ("tcp", "tcp6"), "udp": ("udp", "udp6")}
#: TCP_LISTEN; of UDP, a socket that is connected to nobody.
_STATES: Final = {"tcp": "0A", "udp": "07"}
_MOST_LINES: Final = 100_000
_MOST_PROCESSES: Final = 20_000
_MOST_FILES: Final = 4_096
_SOCKET: Final = re.compile(r"socket:\[([0-9]+)\]")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@:+-]{0,30}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """What listens: port and protocol -> inodes of its sockets; tables that could not be read."""

    sockets: Mapping[str, frozenset[str]]
    unread: tuple[str, ...] = ()


def listening(tables: Mapping[str, Iterable[str]], ephemeral: range) -> Listening:
    """Return what listens, from the lines of tables by name (``tcp6``), without their headings.

    Ports of ``ephemeral`` are handed out by the kernel: such a number means nothing.
    """
    found: dict[str, set[str]] = {}
    for protocol, names in _TABLES.items():
        for line in (line for name in names for line in tables.get(name, ())):
            columns = line.split(maxsplit=10)
            if len(columns) < 10 or columns[3] != _STATES[protocol]:
                continue
            port = int(columns[1].rpartition(":")[2], 16)
            if port not in ephemeral:
                found.setdefault(f"{port}/{protocol}", set()).add(columns[9])
    unread = tuple(name for names in _TABLES.values() for name in names if name not in tables)
    return Listening(
        sockets={port: frozenset(inodes) for port, inodes in sorted(found.items())}, unread=unread
    )


def read_tables(proc: Path) -> dict[str, list[str]]:
    """Return the lines of the tables that can be read. A kernel without IPv6 has empty ones of it."""
    found: dict[str, list[str]] = {}
    for name in (name for names in _TABLES.values() for name in names):
        try:
            with (proc / "net" / name).open(encoding="ascii", errors="replace") as table:
                found[name] = list(islice(table, 1, _MOST_LINES))
        except FileNotFoundError:
            if name.endswith("6"):
                found[name] = []
        except OSError:
            continue
    return found


def ephemeral_ports(proc: Path) -> range:
    """Return the ports that the kernel hands out; none where it does not say."""
    try:
        first, last = (proc / "sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()
        return range(int(first), int(last) + 1)
    except (OSError, ValueError):
        return range(0)


def owners(proc: Path, wanted: frozenset[str]) -> dict[str, str]:
    """Return inode -> name of the process that has it open, of those that this user may look at."""
    found: dict[str, str] = {}
    processes = sorted((path for path in proc.iterdir() if path.name.isdigit()), key=_pid)
    for process in processes[:_MOST_PROCESSES]:
        if wanted <= found.keys():
            break
        for inode in _sockets_of(process / "fd") & wanted:
            if name := _name_of(process):
                found.setdefault(inode, name)
    return found


def _pid(process: Path) -> int:
    return int(process.name)


def _sockets_of(folder: Path) -> set[str]:
    inodes = set()
    try:
        for path in islice(folder.iterdir(), _MOST_FILES):
            if match := _SOCKET.fullmatch(str(path.readlink())):
                inodes.add(match[1])
    except OSError:
        return inodes  # another user's, or it ended while it was looked at
    return inodes


def _name_of(process: Path) -> str | None:
    try:
        name = (process / "comm").read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return None
    return name if _NAME.fullmatch(name) else None
