"""Sees the machine that Parity runs on: its system, the tools on it, its units, and what listens."""

import asyncio
import os
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final

from pydantic import Field, field_validator

from collectors._host_sockets import Listening, ephemeral_ports, listening, owners, read_tables
from collectors._host_tools import ASKED, versions_of
from collectors._programs import said_by
from collectors._unseen import unseen_part, unseen_section
from collectors.readers.installed.os_release import distribution
from detector.collector import Collected, CollectorOptions, Context, Seen
from detector.errors import UnseenError
from detector.model.facts import Section, Unseen, Value
from detector.model.items import matches
from detector.model.words import MAIN, Basis, SectionName

_ETC: Final = Path("/etc")
_PROC: Final = Path("/proc")
#: There where systemd runs the machine (sd_booted(3)).
_SYSTEMD: Final = Path("/run/systemd/system")
_ZONES: Final = "zoneinfo/"
#: Other names of one zone.
_UTC: Final = frozenset({"Etc/UTC", "Etc/UCT", "Etc/Universal", "Etc/Zulu", "UCT", "Universal", "Zulu"})
_SYSTEM: Final = ("os#release", "os#kernel", "os#arch", "os#timezone", "os#locale")
#: What the kernel calls an architecture -> what images do.
_ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}
_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+~:@-]{0,127}")
_UNIT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@\\:-]{0,200}\.(?:service|timer|socket)")
_UNITS: Final = ("list-units", "--type=service,timer", "--all", "--plain", "--no-legend", "--no-pager")
#: Units of whoever is signed in, and of one start alone.
_OF_SESSIONS: Final = ("user@*", "user-runtime-dir@*", "run-*", "session-*")


class HostOptions(CollectorOptions):
    """What of this machine."""

    tools: tuple[str, ...] = Field(
        tuple(ASKED),
        description="Programs to ask for their versions; by default those that code often shells out to.",
        max_length=100,
    )
    units: tuple[str, ...] = Field(
        ("*",), description="Globs of the systemd units that count, such as `shop-*`; none by `[]`."
    )
    component: str = Field(MAIN, description="Component of the service that this machine runs.")

    @field_validator("tools")
    @classmethod
    def _names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if not all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}", name) for name in names):
            raise ValueError("a tool is named by its file name alone, such as ffmpeg")
        return names


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What a machine said."""

    #: Item -> value, or why it could not be told.
    system: Mapping[str, str | UnseenError | None]
    tools: Mapping[str, str | UnseenError]
    asked: Sequence[str] = ()
    #: What ``systemctl`` listed; None where there are no units or none are asked for.
    units: str | UnseenError | None = None
    listening: Listening
    #: Inode of a socket -> name of its process.
    owners: Mapping[str, str] = field(default_factory=dict)


class HostCollector:
    """Sees the machine that Parity itself runs on: programs are asked for their versions."""

    API: ClassVar[int] = 1
    name: ClassVar[str] = "host"
    Options: ClassVar[type[HostOptions]] = HostOptions
    basis: ClassVar[Basis] = "running"
    sections: ClassVar[tuple[SectionName, ...]] = ("dependencies", "processes", "ports")
    cannot_see: ClassVar[tuple[str, ...]] = (
        "the machine below, where Parity runs in a container",
        "names of processes of other users, without the right to look at them",
        "programs that are not on the search path of Parity",
    )

    async def collect(self, options: HostOptions, context: Context) -> Collected:
        system, tables, ephemeral = await context.in_thread(_looked)
        found = listening(tables, ephemeral)
        wanted = frozenset(inode for inodes in found.sockets.values() for inode in inodes)
        units, tools, names = await asyncio.gather(
            _units(options),
            versions_of(options.tools),
            context.in_thread(owners, _PROC, wanted),
        )
        answers = Answers(
            system=system, tools=tools, asked=options.tools, units=units, listening=found, owners=names
        )
        sections = facts_from_answers(answers, options.units)
        return Collected(seen=(Seen(sections=sections, component=options.component),))


def facts_from_answers(answers: Answers, units: Sequence[str] = ("*",)) -> dict[SectionName, Section]:
    """Return what a machine says."""
    sections: dict[SectionName, Section] = {
        "dependencies": _dependencies(answers),
        "ports": _ports(answers.listening, answers.owners),
    }
    if answers.units is not None:
        sections["processes"] = _processes(answers.units, units)
    return sections


def _dependencies(answers: Answers) -> Section:
    items = {**answers.system, **{f"tool#{name}": told for name, told in answers.tools.items()}}
    facts = {item: told for item, told in items.items() if isinstance(told, str)}
    unseen = tuple(unseen_part(item, told) for item, told in items.items() if isinstance(told, UnseenError))
    # A tool that was asked for and is not there is missing; that of one never asked for says nothing.
    covers = ("os#release", *(f"tool#{name}" for name in answers.asked))
    return Section(
        basis="running",
        status="partial" if unseen else "complete",
        facts=dict(facts),
        covers=covers,
        unseen=unseen,
    )


def _processes(listed: str | UnseenError, units: Sequence[str]) -> Section:
    if isinstance(listed, UnseenError):
        return unseen_section("running", listed)
    facts: dict[str, Value] = {}
    for line in listed.splitlines():
        name, _, active, state = (line.split(maxsplit=4) + [""] * 4)[:4]
        # What never ran, or ended as it should, is a file like many others.
        if active not in ("active", "failed") or not _UNIT.fullmatch(name):
            continue
        ours = any(matches(glob, name) for glob in units)
        if ours and not any(matches(glob, name) for glob in _OF_SESSIONS):
            facts[f"unit/{name}"] = state
    return Section(basis="running", facts=facts, covers=tuple(f"unit/{glob}" for glob in units))


def _ports(found: Listening, owners: Mapping[str, str]) -> Section:
    facts: dict[str, Value] = {}
    for port, inodes in found.sockets.items():
        names = sorted({owners[inode] for inode in inodes if inode in owners})
        facts[port] = names[0] if len(names) == 1 else list(names) or None
    unseen = tuple(
        Unseen(item=f"*/{name[:3]}", reason="denied", detail=f"/proc/net/{name} cannot be read")
        for name in found.unread
    )
    return Section(basis="running", status="partial" if unseen else "complete", facts=facts, unseen=unseen)


async def _units(options: HostOptions) -> str | UnseenError | None:
    if not options.units or shutil.which("systemctl") is None or not _SYSTEMD.exists():
        return None
    try:
        said = await said_by("systemctl", *_UNITS, environment={}, seconds=5.0)
    except UnseenError as error:
        return error
    return said.text if said.code == 0 else UnseenError("denied", "systemd does not answer this user")


def _looked() -> tuple[dict[str, str | UnseenError | None], dict[str, list[str]], range]:
    kernel = os.uname()
    system: dict[str, str | UnseenError | None] = {
        "os#release": _told(_release),
        "os#kernel": _word(kernel.release),
        "os#arch": _word(_ARCHITECTURES.get(kernel.machine, kernel.machine)),
        "os#timezone": _told(_time_zone),
        "os#locale": _told(_locale),
    }
    return system, read_tables(_PROC), ephemeral_ports(_PROC)


def _told(ask: Callable[[], str | None]) -> str | UnseenError | None:
    try:
        return ask()
    except UnseenError as error:
        return error
    except OSError:
        return UnseenError("denied", "this user cannot read the file that says it")


def _release() -> str | None:
    try:
        id_, release = distribution((_ETC / "os-release").read_bytes()[:65_536])
    except FileNotFoundError:
        return None
    return f"{id_} {release}".strip()


def _time_zone() -> str | None:
    """Return the time zone of the machine, as ``Europe/Berlin`` (localtime(5))."""
    try:
        zone = str((_ETC / "localtime").readlink()).rpartition(_ZONES)[2]
    except FileNotFoundError:
        return "UTC"  # as localtime(5) says
    except OSError:  # a copy in place of a link
        zone = (_ETC / "timezone").read_text(encoding="utf-8").strip()
    return "UTC" if zone in _UTC else _word(zone)


def _locale() -> str | None:
    """Return the language of the machine, as ``de_DE.UTF-8`` (locale.conf(5))."""
    for path in (_ETC / "locale.conf", _ETC / "default/locale"):
        try:
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            continue
        for line in lines:
            key, _, value = line.strip().partition("=")
            if key == "LANG":
                return _word(value.strip("\"'"))
    return None


def _word(text: str) -> str | None:
    return text if _WORD.fullmatch(text) else None
