"""Sees which config keys the code reads, and where: never what they are set to."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Final

from pydantic import Field

from collectors.readers.reads import ReadsReader
from detector.collector import Collected, CollectorOptions, Context, Seen
from detector.errors import UnseenError
from detector.model.facts import Section, Unseen
from detector.model.words import MAIN, Basis, SectionName

#: Seconds before the host's deadline at which reading stops, so that what was read until then is told.
_SPARE: Final = 2.0


class ReadsOptions(CollectorOptions):
    """Which code."""

    path: Path = Field(
        description="Folder of the code; relative paths start at the folder of the configuration."
    )
    exclude: tuple[str, ...] = Field(
        (), description="Globs of paths inside the folder that are left out, such as `scripts/*`."
    )
    component: str = Field(MAIN, description="Component of the service that runs the code.")


class ReadsCollector:
    """Sees the keys that Python, JavaScript and TypeScript read, from their source alone."""

    API: ClassVar[int] = 1
    name: ClassVar[str] = "reads"
    Options: ClassVar[type[ReadsOptions]] = ReadsOptions
    basis: ClassVar[Basis] = "declared"
    sections: ClassVar[tuple[SectionName, ...]] = ("config",)
    cannot_see: ClassVar[tuple[str, ...]] = (
        "what libraries read for themselves",
        "keys whose name is computed while the code runs",
        "code in other languages than Python, JavaScript and TypeScript",
    )

    async def collect(self, options: ReadsOptions, context: Context) -> Collected:
        loop = asyncio.get_running_loop()
        section = await context.in_thread(
            _section, options, context, lambda: loop.time() > context.deadline - _SPARE
        )
        return Collected(seen=(Seen(sections={"config": section}, component=options.component),))


def _section(options: ReadsOptions, context: Context, late: Callable[[], bool]) -> Section:
    try:
        read = ReadsReader().below(context.folder / options.path, options.exclude, late=late)
    except UnseenError as error:
        # A folder that cannot be read says nothing of reads, and takes nothing from what others say of keys.
        unseen = (Unseen(item="reads#*", reason=error.reason, detail=error.detail),)
        return Section(basis="declared", status="failed", covers=(), sees=(), unseen=unseen)
    return read.parts[0].sections["config"]
