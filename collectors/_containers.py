"""What every container runtime says the same way: image references, first processes, environment."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from collectors.readers._config import is_variable
from detector.model.fingerprints import Fingerprinter
from detector.model.shapes import shape_of
from detector.model.words import SectionName, SourceClass

#: Sections that say how a runtime is told to run a container.
OF_CONTAINERS: Final[tuple[SectionName, ...]] = (
    "processes", "ports", "concurrency", "disposability", "logs",
)  # fmt: skip
_REPOSITORY: Final = re.compile(r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*")
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_COMMIT: Final = re.compile(r"[0-9a-fA-F]{7,64}")
_HOST: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]{1,5})?")
#: Programs whose name alone tells how a service is served. A command line may hold anything, so that only
#: these words are ever copied of it.
# fmt: off
_PROGRAMS: Final = frozenset({
    "gunicorn", "uvicorn", "hypercorn", "daphne", "uwsgi", "granian", "waitress-serve", "python",
    "python3", "flask", "celery", "dramatiq", "rq", "node", "npm", "yarn", "pnpm", "bun", "deno", "next",
    "puma", "unicorn", "rails", "bundle", "sidekiq", "ruby", "php", "php-fpm", "apache2",
    "apache2-foreground", "httpd", "nginx", "caddy", "haproxy", "envoy", "traefik", "java", "dotnet",
    "beam.smp", "postgres", "mysqld", "mariadbd", "redis-server", "valkey-server", "mongod", "memcached",
    "rabbitmq-server",
})
# fmt: on
#: Words that follow a program and make another process of it: (program, word) -> what is kept.
_FORMS: Final = {
    ("flask", "run"): "flask run",
    ("celery", "worker"): "celery worker",
    ("celery", "beat"): "celery beat",
    ("rails", "server"): "rails server",
    ("npm", "start"): "npm start",
}
_SHELLS: Final = frozenset({"sh", "bash", "dash", "ash", "busybox", "zsh"})
_INITS: Final = frozenset({"tini", "dumb-init", "docker-init", "catatonit", "s6-svscan", "init", "systemd"})
#: What starts other programs.
SHELLS_AND_INITS: Final = _SHELLS | _INITS


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageReference:
    """An image as somebody named it; the repository without the host of its registry."""

    repository: str
    tag: str | None = None
    digest: str | None = None


def image_reference(text: str) -> ImageReference | None:
    """Return the parts of ``host:port/repository:tag@digest``, or None where it names no repository.

    Grammar: distribution/reference. Docker Hub's own prefix ``library/`` is left out; without tag and digest
    the tag is ``latest``, as every engine takes it.
    """
    name, _, digest = text.partition("@")
    head, slash, rest = name.partition("/")
    if slash and ("." in head or ":" in head or head == "localhost") and _HOST.fullmatch(head):
        name = rest
    repository, colon, tag = name.rpartition(":")
    if not colon:
        repository, tag = name, "" if digest else "latest"
    repository = repository.removeprefix("library/")
    if not _REPOSITORY.fullmatch(repository) or _DIGEST.fullmatch(text):
        return None
    return ImageReference(
        repository=repository,
        tag=tag if _TAG.fullmatch(tag) else None,
        digest=digest if _DIGEST.fullmatch(digest) else None,
    )


def commit(text: str) -> str | None:
    """Return the commit id, or None where the text is none."""
    return text.lower() if _COMMIT.fullmatch(text) else None


def program(argv: Sequence[str]) -> str | None:
    """Return the known program that a command line starts, behind shells, wrappers and inits, or None."""
    words = [word for word in unwrapped(argv) if word]
    for position, word in enumerate(words[:8]):
        name = word.rpartition("/")[2]
        if name in _PROGRAMS:
            following = (other.rpartition("/")[2] for other in words[position + 1 :])
            return next((form for other in following if (form := _FORMS.get((name, other)))), name)
        if not (name in _INITS or name in {"--", "-c", "env", "exec"} or name.endswith(".sh")):
            return None
    return None


def first_process(argv: Sequence[str], *, init: bool = False) -> str:
    """Return the kind of process 1: ``init``, ``shell`` or ``program``."""
    name = argv[0].rpartition("/")[2] if argv else ""
    if init or name in _INITS:
        return "init"
    if name in _SHELLS and len(argv) > 1 and argv[1] == "-c" and not argv[-1].lstrip().startswith("exec "):
        return "shell"
    return "program"


def unwrapped(argv: Sequence[str]) -> Sequence[str]:
    """Return the words of a command line, of one that a shell is given those of that one."""
    if len(argv) > 2 and argv[0].rpartition("/")[2] in _SHELLS and argv[1] == "-c":
        return argv[2].split()
    return argv


def user(text: str) -> str:
    """Return the user of a process; none and 0 are root."""
    name, colon, group = text.partition(":")
    name = "root" if name in {"", "0"} else name
    return f"{name}:{group}" if colon and group not in {"", "0", "root"} else name


def environment(
    pairs: Iterable[tuple[str, str]],
    fingerprinter: Fingerprinter,
    *,
    compare: Iterable[str],
    defaults: Mapping[str, str],
    platform: frozenset[str] = frozenset(),
) -> tuple[dict[str, dict[str, Any]], int]:
    """Return the shapes of variables and the number of entries whose name is none.

    What equals ``defaults``, the image's own environment, is ``image_default``. A text that stands as a name
    and is none may be a value: it is only counted.
    """
    shapes: dict[str, dict[str, Any]] = {}
    listed = frozenset(compare)
    refused = 0
    for name, value in pairs:
        if not is_variable(name):
            refused += 1
            continue
        source_class: SourceClass = "literal"
        if name in platform:
            source_class = "platform"
        elif defaults.get(name) == value:
            source_class = "image_default"
        shapes[name] = shape_of(name, value, fingerprinter, source_class=source_class, compare=name in listed)
    return shapes, refused
