"""Sees what compose files declare of their services."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from collectors._containers import OF_CONTAINERS
from collectors._files import PathOptions, read_file
from collectors.readers.compose import ComposeReader
from detector.collector import Collected, Context, Seen
from detector.errors import UnseenError, did_you_mean
from detector.model.facts import Section
from detector.model.words import MAIN, Basis, SectionName
from detector.reader import Part


class ComposeOptions(PathOptions):
    """Which compose files, and which of their services."""

    paths: tuple[Path, ...] = Field(
        (), description="Several in place of `path`, in the order of `docker compose -f`: later ones go over."
    )
    env_files: tuple[Path, ...] = Field(
        (), description="What fills in variables, in place of `.env` beside the first file; later ones win."
    )
    profiles: tuple[str, ...] = Field(
        (), description="Profiles whose services are read, in place of those of COMPOSE_PROFILES; `*` is all."
    )
    service: str | None = Field(
        None, description="Name of the service inside the file; by default that of the service in Parity."
    )
    component: str = Field(MAIN, description="Component of the service that it is.")
    alias: str = Field(
        MAIN,
        alias="as",
        description="Name of a backing service in items, such as cache: only what it is as a backing service"
        " is taken then, for it serves another service.",
    )
    compare: tuple[str, ...] = Field(
        (), description="Keys with a boolean or a short word as value that are to be compared all the same."
    )


class ComposeCollector:
    """Sees one service of a compose project; as a discovery, all of them."""

    API: ClassVar[int] = 1
    name: ClassVar[str] = "compose"
    Options: ClassVar[type[ComposeOptions]] = ComposeOptions
    basis: ClassVar[Basis] = "declared"
    sections: ClassVar[tuple[SectionName, ...]] = ("backing_services", "config", "release", *OF_CONTAINERS)
    cannot_see: ClassVar[tuple[str, ...]] = (
        "what really runs: a container keeps the file of the day it was started",
        "values that come from the shell of whoever runs compose",
    )

    async def collect(self, options: ComposeOptions, context: Context) -> Collected:
        return await context.in_thread(_collected, options, context)


def _collected(options: ComposeOptions, context: Context) -> Collected:
    first = options.files[0]
    wanted = options.service or context.service
    composed = ComposeReader().read_project(
        _named(context.folder, options.files),
        context.fingerprinter,
        lambda path: _below(context.folder, first.parent, path),
        env_files=_named(context.folder, options.env_files),
        profiles=options.profiles,
        wanted=wanted,
        compare=options.compare,
    )
    read = composed.read
    if wanted is None:
        seen = tuple(Seen(sections=part.sections, service=part.service) for part in read.parts)
        return Collected(seen=seen, warnings=read.warnings, complete=composed.complete)
    part = _part(read.parts, wanted, first)
    sections = part.sections
    if options.alias != MAIN:
        sections = _as_backing_service(sections, options.alias, wanted)
    return Collected(seen=(Seen(sections=sections, component=options.component),), warnings=read.warnings)


def _named(folder: Path, paths: tuple[Path, ...]) -> list[tuple[str, bytes]]:
    return [(str(path), read_file(folder, path)) for path in paths]


def _below(folder: Path, home: Path, path: str) -> bytes:
    """Return a file that another one names: it stands below the folder, or beside or below that one."""
    found = Path(os.path.normpath(folder / home / path))
    if not any(found.is_relative_to(os.path.normpath(root)) for root in (folder, folder / home)):
        raise UnseenError("denied", f"{path} leads out of the folder of the configuration")
    return read_file(folder, home / path)


def _part(parts: tuple[Part, ...], wanted: str, path: Path) -> Part:
    for part in parts:
        if part.service == wanted:
            return part
    names = [part.service for part in parts if part.service]
    hint = did_you_mean(wanted, names)
    raise UnseenError("not_in_view", f"{path} has no service {wanted}{hint}; name it as `service`")


def _as_backing_service(
    sections: Mapping[SectionName, Section], alias: str, wanted: str
) -> dict[SectionName, Section]:
    section = sections.get("backing_services")
    if section is None:
        raise UnseenError("unsupported", f"the image of {wanted} is no backing service that is known")
    facts = {f"{alias}#{item.partition('#')[2]}": value for item, value in section.facts.items()}
    covers = tuple(f"{alias}#{item.partition('#')[2]}" for item in section.covers)
    return {"backing_services": replace(section, facts=facts, covers=covers)}
