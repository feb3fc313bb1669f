"""What answers on this machine and is not watched yet: offered in the log, never contacted."""

from pathlib import Path
from typing import Final

DOCKER_SOCKET: Final = Path("/var/run/docker.sock")
_PORTS: Final = {5432: ("PostgreSQL", "postgres"), 6379: ("Redis", "redis")}
_LISTEN: Final = "0A"


def offers(configured: set[str]) -> list[str]:
    """Return one sentence for each thing that could be a source. ``configured`` are collectors in use."""
    found = []
    if DOCKER_SOCKET.is_socket() and "docker" not in configured:
        found.append("a Docker Engine is here: add a source of type docker to watch its containers")
    ports = listening(_lines("/proc/net/tcp") + _lines("/proc/net/tcp6"))
    found += [
        f"something listens where {product} does (port {port}): add a source of type {collector} to watch it"
        for port, (product, collector) in _PORTS.items()
        if port in ports and collector not in configured
    ]
    return found


def listening(table: list[str]) -> set[int]:
    """Return the TCP ports that something listens on, from lines of /proc/net/tcp (proc(5))."""
    ports = set()
    for line in table:
        columns = line.split()
        if len(columns) > 3 and columns[3] == _LISTEN:
            ports.add(int(columns[1].rpartition(":")[2], 16))
    return ports


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return []
