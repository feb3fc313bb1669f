"""`parity init`: looks around, read-only, and writes a first `parity.yml`."""

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import click

from detector import plugins
from detector.cli.init_content import by_content
from detector.cli.init_file import written
from detector.cli.init_machine import machine
from detector.cli.init_proposal import File, propose
from detector.cli.init_report import report
from detector.cli.init_walk import Walk, walk
from detector.cli.output import finish
from detector.config.load import load
from detector.errors import PluginError, UnseenError, UsageError
from detector.model.fingerprints import KEY_BYTES, Fingerprinter
from detector.model.words import ServiceKind
from detector.reader import MAX_BYTES, Reader

FILE: Final = "parity.yml"
#: Bytes that are read of all files together, to know what they hold.
_MOST_READ: Final = 64 * 1024 * 1024
_NEXT_DOCUMENT: Final = b"\n---\n"


@click.command()
@click.option("--yes", is_flag=True, help=f"Ask nothing; write {FILE} also over one that is there.")
@click.option("--print", "to_stdout", is_flag=True, help="Print it on stdout, and write nothing.")
def init(yes: bool, to_stdout: bool) -> None:
    """Look around in this folder and on this machine, and write a first parity.yml.

    It only reads: files that are known by their names (compose files, .env files, lockfiles, …), whether this
    is a git repository, which containers a local Docker engine runs, the names of AWS profiles and Kubernetes
    contexts. It says what it did not look at.
    """
    if not (yes or to_stdout) and os.path.lexists(FILE) and not sys.stdin.isatty():
        raise UsageError(f"{FILE} is there already: --yes writes over it, --print shows what it would be")
    readers = _readers()
    looked = walk(".", readers)
    files, unread = _understood(looked, readers)
    around = machine(".", os.environ)
    proposal = propose(
        files,
        project=Path.cwd().name,
        several=[name for name in readers if "paths" in _options(name)],
        code=looked.code,
        git=_in_git(),
    )
    text = written(proposal, around, docker=find_spec("docker") is not None)
    for line in report(looked, files, unread, proposal, around):
        click.echo(line, err=to_stdout)
    if to_stdout:
        click.echo(text, nl=False)
        finish(0, f"init: nothing was written; without --print this becomes {FILE}")
    if not yes and os.path.lexists(FILE):
        click.confirm(f"{FILE} is there already. Write over it?", abort=True, err=True)
    _write(text)
    # What was written is what everything else will read: a file that is refused is told here and now.
    load(Path(FILE), os.environ)
    finish(0, f"init: wrote {FILE}; next: parity check && parity once")


def _readers() -> dict[str, Reader]:
    """Return the readers whose files a collector of the same name takes as a source."""
    found: dict[str, Reader] = {}
    for name in plugins.names("parity.readers"):
        try:
            if {"path", "paths"} & set(_options(name)):
                found[name] = plugins.load("parity.readers", name)()
        except PluginError as error:
            click.echo(f"warning: {error}", err=True)
    return found


def _options(name: str) -> Mapping[str, Any]:
    """Return the options of the collector of this name; none where there is no such collector."""
    if name not in plugins.names("parity.collectors"):
        return {}
    model: Any = plugins.load("parity.collectors", name).Options
    fields: Mapping[str, Any] = model.model_fields
    return fields


def _understood(looked: Walk, readers: Mapping[str, Reader]) -> tuple[list[File], list[tuple[str, str]]]:
    """Read the files that were found: what they hold, and why some of them cannot be a source."""
    fingerprinter = Fingerprinter(os.urandom(KEY_BYTES))
    recognized, unread = by_content(looked.unnamed, readers)
    found, budget = [], _MOST_READ
    wanted = {**{path: (name, (path,)) for path, name in looked.files.items()}, **recognized}
    for path, (name, parts) in sorted(wanted.items()):
        try:
            data = b""
            for part in parts:
                data += (_NEXT_DOCUMENT if data else b"") + _bytes(part, min(MAX_BYTES, budget))
                budget -= len(data)
            read = readers[name].read(data, path, fingerprinter)
        except UnseenError as error:
            unread.append((path, error.detail.removeprefix(f"{path}: ")))
        except Exception as error:  # noqa: BLE001 - readers are strangers' code, and what they raise may hold a value
            unread.append((path, f"the reader {name} raised {type(error).__name__}"))
        else:
            found.append(
                File(
                    path=path,
                    type=name,
                    sections=frozenset(section for part in read.parts for section in part.sections),
                    services=dict(_named(read.parts)),
                    facts=sum(
                        len(section.facts) for part in read.parts for section in part.sections.values()
                    ),
                )
            )
    return found, unread


def _named(parts: Any) -> Iterator[tuple[str, ServiceKind]]:
    """Yield the services that a file names, and whether others attach them."""
    for part in parts:
        if part.service:
            backing = part.sections.get("backing_services")
            yield part.service, "backing_service" if backing and backing.facts else "app"


def _bytes(path: str, most: int) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            data = file.read(most + 1)
    except OSError:
        raise UnseenError("denied", "this user cannot read it") from None
    if len(data) > most:
        raise UnseenError("too_large", f"larger than the {most // 1024 // 1024} MB that are still read")
    return data


def _in_git() -> bool:
    """Tell whether this folder is in a git repository that has a commit, and that can be asked."""
    here = Path.cwd()
    if shutil.which("git") is None:
        return False
    for at in ((folder / ".git") for folder in (here, *here.parents)):
        if at.exists():
            return at.is_file() or (at / "packed-refs").exists() or any((at / "refs" / "heads").rglob("*"))
    return False


def _write(text: str) -> None:
    """Put the file there as a whole, or not at all."""
    draft = f".{FILE}.{os.getpid()}"
    try:
        with open(draft, "x", encoding="utf-8") as file:
            file.write(text)
        os.replace(draft, FILE)
    except OSError as error:
        with suppress(OSError):
            os.unlink(draft)
        why = (error.strerror or "the system refused").lower()
        raise UsageError(f"{FILE} cannot be written ({why}): take --print and another folder") from None
