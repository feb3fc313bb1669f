"""What this machine tells of other places: containers of its engine, names of AWS profiles and clusters.

Names alone: no key, no address, no value. Nothing but the engine's own list is asked for.
"""

import http.client
import json
import os
import re
import socket
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

DOCKER_SOCKET: Final = "/var/run/docker.sock"
#: Seconds for an engine that may be asleep.
_PATIENCE: Final = 2.0
_MOST_BYTES: Final = 4 * 1024 * 1024
_MOST_NAMES: Final = 20
_PROJECT: Final = "com.docker.compose.project"
_FOLDER: Final = "com.docker.compose.project.working_dir"
#: A section of ``~/.aws/config``; its keys are never looked at.
_PROFILE: Final = re.compile(r"\[(?:profile )?([A-Za-z0-9][A-Za-z0-9 ._@+-]{0,63})\]")
_NOT_PROFILES: Final = ("sso-session ", "services ")
_CONTEXT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._:/@+-]{0,127}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What is there, and why what was not looked at was not."""

    containers: int = 0
    #: Compose projects of this folder that run.
    projects: tuple[str, ...] = ()
    docker_because: str = ""
    profiles: tuple[str, ...] = ()
    contexts: tuple[str, ...] = ()


def machine(folder: str, environ: Mapping[str, str]) -> Machine:
    """Return what this machine tells."""
    containers: list[Any] = []
    because = ""
    try:
        containers = _containers(environ)
    except _NotAskedError as error:
        because = str(error)
    here = os.path.realpath(folder)
    projects = {
        str(labels.get(_PROJECT))
        for one in containers
        if isinstance(labels := one.get("Labels") or {}, dict)
        and os.path.realpath(str(labels.get(_FOLDER) or "/")) == here
        and re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", str(labels.get(_PROJECT)))
    }
    return Machine(
        containers=len(containers),
        projects=tuple(sorted(projects)),
        docker_because=because,
        profiles=_profiles(environ),
        contexts=_contexts(environ),
    )


class _NotAskedError(Exception):
    """The engine was not asked, and why."""


class _Engine(http.client.HTTPConnection):
    """The engine's own socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_PATIENCE)
        self._path = path

    def connect(self) -> None:
        """Connect within the patience of this look."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(_PATIENCE)
        self.sock.connect(self._path)


def _containers(environ: Mapping[str, str]) -> list[Any]:
    """Return the engine's list of running containers."""
    host = environ.get("DOCKER_HOST") or f"unix://{DOCKER_SOCKET}"
    path = host.removeprefix("unix://")
    if not host.startswith("unix://"):
        raise _NotAskedError("DOCKER_HOST is not on this machine")
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            raise _NotAskedError("no engine here")
        engine = _Engine(path)
        engine.request("GET", "/containers/json")
        answer = engine.getresponse()
        body = answer.read(_MOST_BYTES + 1)
        engine.close()
        found = json.loads(body) if answer.status == http.client.OK else None
    except FileNotFoundError:
        raise _NotAskedError("no engine here") from None
    except PermissionError:
        raise _NotAskedError("this user may not open its socket") from None
    except (OSError, ValueError, http.client.HTTPException, RecursionError):
        raise _NotAskedError("its answer was not understood, or came too late") from None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _profiles(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of AWS profiles: the headings of the file, never a line below one."""
    text = _text(environ.get("AWS_CONFIG_FILE") or _at_home(environ, ".aws/config"))
    headings = [line.strip() for line in text.splitlines() if line.startswith("[")]
    found = [match[1] for line in headings if (match := _PROFILE.fullmatch(line))]
    return tuple(name for name in found if not name.startswith(_NOT_PROFILES))[:_MOST_NAMES]


def _contexts(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of the contexts of a kubeconfig, and nothing else of it."""
    import yaml

    first = (environ.get("KUBECONFIG") or "").split(os.pathsep)[0]
    try:
        tree = yaml.safe_load(_text(first or _at_home(environ, ".kube/config")))
    except (yaml.YAMLError, RecursionError, ValueError):
        return ()
    listed = tree.get("contexts") if isinstance(tree, dict) else None
    names = (
        [one.get("name") for one in listed or () if isinstance(one, dict)] if isinstance(listed, list) else []
    )
    return tuple(name for name in names if isinstance(name, str) and _CONTEXT.fullmatch(name))[:_MOST_NAMES]


def _at_home(environ: Mapping[str, str], path: str) -> str:
    home = environ.get("HOME")
    return os.path.join(home, path) if home else ""


def _text(path: str) -> str:
    """Return a small text file; nothing where there is none that can be read."""
    try:
        with open(path, "rb", opener=_opened) as file:
            return (
                file.read(_MOST_BYTES).decode("utf-8", "replace") if os.fstat(file.fileno()).st_size else ""
            )
    except (OSError, ValueError):
        return ""


def _opened(path: str, flags: int) -> int:
    # Not blocking: a named pipe would wait for its writer for ever.
    return os.open(path, flags | os.O_NONBLOCK)
