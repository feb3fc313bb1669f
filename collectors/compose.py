"""Sees what a compose file declares of its services."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from collectors._containers import OF_CONTAINERS
from collectors._files import read_file
from collectors.readers.compose import ComposeReader
from detector.collector import Collected, CollectorOptions, Context, Seen
from detector.errors import UnseenError, did_you_mean
from detector.model.facts import Section
from detector.model.words import MAIN, Basis, SectionName
from detector.reader import Part


class ComposeOptions(CollectorOptions):
    """Which compose file, and which of its services."""

    path: Path = Field(description="The compose file; relative to the folder of the configuration.")
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


class ComposeCollector:
    """Sees one service of a compose file; as a discovery, all of them."""

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
    home = (context.folder / options.path).parent

    def beside(path: str) -> bytes:
        if Path(path).is_absolute() or ".." in Path(path).parts:
            raise UnseenError("not_in_view", "only files beside the compose file are read")
        return read_file(home, Path(path))

    data = read_file(context.folder, options.path)
    read = ComposeReader().read_beside(data, str(options.path), context.fingerprinter, beside)
    wanted = options.service or context.service
    if wanted is None:
        complete = all(
            entry.item != "include"
            for part in read.parts
            for section in part.sections.values()
            for entry in section.unseen
        )
        seen = tuple(Seen(sections=part.sections, service=part.service) for part in read.parts)
        return Collected(seen=seen, warnings=read.warnings, complete=complete)
    part = _part(read.parts, wanted, options.path)
    sections = part.sections
    if options.alias != MAIN:
        sections = _as_backing_service(sections, options.alias, wanted)
    return Collected(seen=(Seen(sections=sections, component=options.component),), warnings=read.warnings)


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
