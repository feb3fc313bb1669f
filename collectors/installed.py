"""Sees what is installed below a folder of this machine: packages of the system and of languages."""

from pathlib import Path
from typing import ClassVar

from pydantic import Field, field_validator

from collectors.readers.installed.reader import InstalledReader
from detector.collector import Collected, CollectorOptions, Context, Seen
from detector.model.words import MAIN, Basis, SectionName


class InstalledOptions(CollectorOptions):
    """Which folder, and what in it is somebody else's."""

    # A text, not a path: paths of a configuration may not name the whole machine, and this one may.
    root: str = Field(
        description="The folder: of an application, or `/` for the whole machine; relative to the "
        "configuration.",
        min_length=1,
    )
    exclude: tuple[str, ...] = Field(
        (), description="Folders below it that are left out, as globs of paths that begin at it: `/opt/*`."
    )
    component: str = Field(MAIN, description="Component of the service that it belongs to.")

    @field_validator("root")
    @classmethod
    def _a_folder_of_files(cls, text: str) -> str:
        if "\0" in text or Path(text).parts[:2] in (("/", "proc"), ("/", "sys"), ("/", "dev")):
            raise ValueError("must be a folder of files, outside /proc, /sys and /dev")
        return text


class InstalledCollector:
    """Sees the packages below one folder, the release of its system and its runtimes."""

    API: ClassVar[int] = 1
    name: ClassVar[str] = "installed"
    Options: ClassVar[type[InstalledOptions]] = InstalledOptions
    basis: ClassVar[Basis] = "running"
    sections: ClassVar[tuple[SectionName, ...]] = ("dependencies",)
    cannot_see: ClassVar[tuple[str, ...]] = (
        "what was copied into the code or linked into a program without a record of its own",
        "classes that were shaded into a jar without their Maven properties",
        "native libraries inside wheels: OpenSSL in cryptography, libpq in psycopg2-binary",
        "which of several installed versions a process has loaded",
    )

    async def collect(self, options: InstalledOptions, context: Context) -> Collected:
        root = context.folder / options.root
        read = await context.in_thread(InstalledReader().installed, root, options.exclude)
        return Collected(
            seen=tuple(Seen(sections=part.sections, component=options.component) for part in read.parts),
            warnings=read.warnings,
        )
