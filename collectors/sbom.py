"""Sees what a bill of materials lists."""

from pathlib import Path
from typing import ClassVar

from pydantic import Field

from collectors._files import read_file
from collectors.readers.sbom import SbomReader
from detector.collector import Collected, CollectorOptions, Context, Seen
from detector.errors import UnseenError
from detector.model.words import MAIN, Basis, SectionName


class SbomOptions(CollectorOptions):
    """Which bill, and whose it is."""

    path: Path = Field(description="The bill of materials; relative to the folder of the configuration.")
    component: str = Field(MAIN, description="Component of the service that it describes.")


class SbomCollector:
    """Sees the packages, servers and image that one bill lists."""

    API: ClassVar[int] = 1
    name: ClassVar[str] = "sbom"
    Options: ClassVar[type[SbomOptions]] = SbomOptions
    basis: ClassVar[Basis] = "built"
    sections: ClassVar[tuple[SectionName, ...]] = ("dependencies", "backing_services", "release")
    cannot_see: ClassVar[tuple[str, ...]] = (
        "what its tool did not look for",
        "whether what was built is what runs",
    )

    async def collect(self, options: SbomOptions, context: Context) -> Collected:
        return await context.in_thread(_collected, options, context)


def _collected(options: SbomOptions, context: Context) -> Collected:
    data = read_file(context.folder, options.path)
    read = SbomReader().read(data, options.path.as_posix(), context.fingerprinter)
    parts = [part for part in read.parts if part.service in {None, context.service}]
    if not parts:
        raise UnseenError("not_in_view", f"{options.path} names other services, and not {context.service}")
    seen = tuple(Seen(sections=part.sections, component=options.component) for part in parts)
    return Collected(seen=seen, warnings=read.warnings)
