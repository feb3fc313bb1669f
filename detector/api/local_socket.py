"""The socket of a running service, for commands on the same machine.

Its file mode is the authority: whoever may open it is the user who runs the service, or root. The kernel says
who that is.
"""

import os
import pwd
import socket
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from detector.config.records import Config
from detector.errors import StoreError, StoreInUseError
from detector.store.location import locate
from detector.store.sqlite import SqliteFile

#: Bytes of an address, with the zero at its end (unix(7)).
_LONGEST: Final = 107
_PATIENCE_SECONDS: Final = 2.0
_BACKLOG: Final = 64
#: pid, uid, gid (SO_PEERCRED in unix(7)).
_CREDENTIALS: Final = struct.Struct("3i")


def socket_path(config: Config) -> Path:
    """Return where the service of a configuration listens: in its data_dir, one for each database file."""
    location = locate(config.database_url)
    name = location.path.name if isinstance(location, SqliteFile) else "parity"
    return config.data_dir / f"{name}.sock"


@contextmanager
def address_of(path: Path) -> Iterator[str]:
    """Yield an address for a path, also of one that is longer than an address may be.

    Raises StoreError where that cannot be.
    """
    if len(os.fsencode(path)) <= _LONGEST:
        yield str(path)
        return
    if not Path("/proc/self/fd").is_dir():
        raise StoreError(f"{path} is too long for a socket: give data_dir a shorter path")
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def listening(path: Path) -> socket.socket:
    """Return a socket that listens at a path, for this user alone, in place of one that a kill left behind.

    Raises StoreError where something else is at the path, StoreInUseError where a service answers there.
    """
    if answers(path):
        raise StoreInUseError(f"another service listens on {path}: stop it first")
    draft = path.with_name(f".{os.getpid()}.sock")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        draft.unlink(missing_ok=True)
        with address_of(draft) as address:
            listener.bind(address)
        # Before the first connection can be made, and before it has its name.
        draft.chmod(0o600)
        listener.listen(_BACKLOG)
        draft.replace(path)
    except OSError as error:
        listener.close()
        why = error.strerror or type(error).__name__
        raise StoreError(f"{path} cannot be listened on ({why}): give data_dir another place") from None
    return listener


def answers(path: Path) -> bool:
    """Tell whether a service of this user listens at a path. Raises as `pid_at`."""
    return pid_at(path) is not None


def pid_at(path: Path) -> int | None:
    """Return the process of the service that listens at a path; None where none does, 0 where nobody tells.

    Raises StoreError where something else than a socket of ours is there, or one that is not for us.
    """
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"{path} cannot be looked at ({error.strerror})") from None
    if not stat.S_ISSOCK(found.st_mode):
        raise StoreError(f"{path} is no socket of Parity: move it away")
    if os.geteuid() not in (0, found.st_uid):
        raise StoreError(f"{path} is of another user: run this as {_name(found.st_uid)}, or give --server")
    with address_of(path) as address, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_PATIENCE_SECONDS)
        try:
            probe.connect(address)
        except (ConnectionRefusedError, FileNotFoundError):
            return None
        except OSError as error:
            why = error.strerror or "it does not answer"
            raise StoreError(f"{path} cannot be reached ({why}): is the service stopped?") from None
        return _credentials(probe)[0]


def peer_of(transport: Any) -> tuple[int, str] | None:
    """Return user id and ``USER@HOST`` of who asks through our socket; None for the network."""
    connection = transport.get_extra_info("socket") if transport is not None else None
    if connection is None or connection.family != socket.AF_UNIX:
        return None
    _, uid = _credentials(connection)
    return uid, f"{_name(uid)}@{socket.gethostname()}"


def _credentials(connection: Any) -> tuple[int, int]:
    """Return process and user at the other end, as the kernel knows them."""
    if not hasattr(socket, "SO_PEERCRED"):
        return 0, os.geteuid()  # the mode of the socket lets nobody else in
    found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, _ = _CREDENTIALS.unpack(found)
    return pid, uid


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
