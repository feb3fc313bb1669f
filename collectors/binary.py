"""Sees what a program of Go was built of, from the program itself."""

from pathlib import Path
from typing import ClassVar

from pydantic import Field

from collectors._files import opened_file
from collectors.readers.binary import BinaryReader
from detector.collector import Collected, CollectorOptions, Context, Seen
from detector.model.words import MAIN, Basis, SectionName
from detector.reader import Read


class BinaryOptions(CollectorOptions):
    """Which program."""

    path: Path = Field(description="The program; relative paths start at the folder of the configuration.")
    component: str = Field(MAIN, description="Component of the service that it is.")


class BinaryCollector:
    """Sees the modules, the Go and the commit that one program was built of, without running it."""

    API: ClassVar[int] = 1
    name: ClassVar[str] = "binary"
    Options: ClassVar[type[BinaryOptions]] = BinaryOptions
    basis: ClassVar[Basis] = "built"
    sections: ClassVar[tuple[SectionName, ...]] = ("dependencies", "codebase")
    cannot_see: ClassVar[tuple[str, ...]] = (
        "programs that were not built by Go",
        "libraries of C that a program is linked with",
    )

    async def collect(self, options: BinaryOptions, context: Context) -> Collected:
        read = await context.in_thread(_read, context.folder, options.path)
        return Collected(
            seen=tuple(Seen(sections=part.sections, component=options.component) for part in read.parts)
        )


def _read(folder: Path, path: Path) -> Read:
    with opened_file(folder, path) as file:
        return BinaryReader().read_file(file, path.as_posix())
