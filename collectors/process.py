"""Sees what a process of this machine was started with: environment, program, user, limits."""

from pathlib import Path
from typing import ClassVar, Final, Self

from pydantic import Field, model_validator

from collectors._containers import program
from collectors._files import read_file
from collectors._key_options import KeyOptions
from collectors._machine_variables import OF_THE_MACHINE, is_of_no_service
from collectors._proc import Machine, Process, process, running
from collectors._replicas import merged
from collectors._web_servers import web_server
from collectors.readers._keys import Keys
from detector.collector import Collected, Context, Seen
from detector.errors import UnseenError
from detector.model.facts import Section, Unseen, Value, failed_section
from detector.model.words import MAIN, Basis, SectionName

#: A file of a process id that is older than the process by so much tells of another that had its number.
_SLACK_SECONDS: Final = 5.0


class ProcessOptions(KeyOptions):
    """Which process."""

    unit: str | None = Field(
        None,
        description="A systemd unit, whose main process it is.",
        pattern=r"^[A-Za-z0-9@][A-Za-z0-9:_.@\\-]{0,254}$",
    )
    program: str | None = Field(
        None,
        description="The name of a program; of several that it started itself the first one counts.",
        min_length=1,
        max_length=255,
    )
    pid_file: Path | None = Field(
        None, description="A file with the process id; relative to the folder of the configuration."
    )
    pid: int | None = Field(None, description="The process id.", ge=1)
    component: str = Field(MAIN, description="Component of the service that the process is.")

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if sum(way is not None for way in (self.unit, self.program, self.pid_file, self.pid)) != 1:
            raise ValueError("give one of `unit`, `program`, `pid_file` and `pid`")
        return self


class ProcessCollector:
    """Reads `/proc` of the machine that Parity runs on."""

    API: ClassVar[int] = 1
    name: ClassVar[str] = "process"
    Options: ClassVar[type[ProcessOptions]] = ProcessOptions
    basis: ClassVar[Basis] = "running"
    sections: ClassVar[tuple[SectionName, ...]] = ("config", "processes", "concurrency")
    cannot_see: ClassVar[tuple[str, ...]] = (
        "variables that a process set or changed after its start",
        "what a process reads from files",
    )
    #: Where the kernel tells of itself.
    machine: ClassVar[Machine] = Machine()

    async def collect(self, options: ProcessOptions, context: Context) -> Collected:
        return await context.in_thread(self._collected, options, context)

    def _collected(self, options: ProcessOptions, context: Context) -> Collected:
        found = [process(self.machine, pid) for pid in self._pids(options, context)]
        if options.pid_file is not None:
            _check_age(context.folder / options.pid_file, found[0])
        replicas = [facts_from_process(one, options.new_keys(context.fingerprinter)) for one in found]
        several = f"{len(found)} processes fit; where they differ, values are not compared"
        seen = Seen(sections=merged(replicas), component=options.component)
        return Collected(seen=(seen,), warnings=(several,) if len(found) > 1 else ())

    def _pids(self, options: ProcessOptions, context: Context) -> list[int]:
        if options.pid is not None:
            return [options.pid]
        if options.pid_file is not None:
            return [_pid_in(read_file(context.folder, options.pid_file), options.pid_file)]
        if options.program is not None:
            return running(self.machine, name=options.program)
        unit = options.unit or ""
        return running(self.machine, unit=unit if "." in unit else f"{unit}.service")[:1]


def facts_from_process(one: Process, keys: Keys) -> dict[SectionName, Section]:
    """Return what a process was started with."""
    facts: dict[str, Value] = {"command": program(one.argv), "server": web_server(one.argv), "user": one.user}
    sections: dict[SectionName, Section] = {
        "config": _config(one, keys),
        "processes": Section(
            basis="running",
            facts={item: value for item, value in facts.items() if value is not None},
            covers=tuple(facts),
        ),
    }
    if one.limits is not None:
        sections["concurrency"] = Section(basis="running", facts=dict(one.limits), covers=("limit/*",))
    return sections


def _config(one: Process, keys: Keys) -> Section:
    if one.environ is None:
        remedy = f"run Parity as {one.user} or root, or give it CAP_SYS_PTRACE"
        return failed_section("running", "denied", f"the environment of process {one.pid}: {remedy}")
    refused = 0
    for entry in one.environ:
        name, equals, value = entry.partition("=")
        if is_of_no_service(name):
            continue
        if not equals or not keys.allows(name):
            refused += 1
            continue
        keys.set(name, value, "image_default" if name in OF_THE_MACHINE else "literal")
    if refused:
        detail = f"process {one.pid}: {refused} entries of its environment without a valid name"
        keys.unseen.append(Unseen(item="*", reason="malformed", detail=detail))
    if not one.environ:
        # A program that sets the title that `ps` shows may write it over its environment.
        detail = f"the environment of process {one.pid} is empty, or was written over"
        keys.unseen.append(Unseen(item="*", reason="not_in_view", detail=detail))
    return keys.section("running")


def _pid_in(data: bytes, path: Path) -> int:
    word = data.split()[:1]
    if not word or not word[0].isdigit() or len(word[0]) > 10:
        raise UnseenError("malformed", f"{path} holds no process id")
    return int(word[0])


def _check_age(path: Path, one: Process) -> None:
    """Refuse a file that was written before the process that has its number now was started."""
    try:
        written = path.stat().st_mtime
    except OSError:
        raise UnseenError("unreachable", f"{path.name} is gone") from None
    if one.started > written + _SLACK_SECONDS:
        detail = f"{path.name} is older than process {one.pid}: the process that it named has ended"
        raise UnseenError("unreachable", detail)
