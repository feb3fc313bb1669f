"""Sees the packages that are installed in an environment of Python on this machine."""

from pathlib import Path
from typing import ClassVar

from pydantic import Field

from collectors.readers.python import PythonReader
from detector.collector import Collected, CollectorOptions, Context, Seen
from detector.model.words import MAIN, Basis, SectionName


class PythonOptions(CollectorOptions):
    """Which environment of Python."""

    prefix: Path = Field(
        description="Folder of the environment (.venv, /usr/local); relative to the configuration."
    )
    component: str = Field(MAIN, description="Component of the service that runs in it.")


class PythonCollector:
    """Sees the distributions of one prefix and the version of its Python."""

    API: ClassVar[int] = 1
    name: ClassVar[str] = "python"
    Options: ClassVar[type[PythonOptions]] = PythonOptions
    basis: ClassVar[Basis] = "running"
    sections: ClassVar[tuple[SectionName, ...]] = ("dependencies",)
    cannot_see: ClassVar[tuple[str, ...]] = (
        "native libraries inside wheels: OpenSSL in cryptography, libpq in psycopg2-binary",
        "modules that are on the path without a distribution of their own",
    )

    async def collect(self, options: PythonOptions, context: Context) -> Collected:
        read = await context.in_thread(PythonReader().installed, context.folder / options.prefix)
        return Collected(
            seen=tuple(Seen(sections=part.sections, component=options.component) for part in read.parts),
            warnings=read.warnings,
        )
