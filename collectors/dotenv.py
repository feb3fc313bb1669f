"""Sees the config keys of ``.env`` files."""

from typing import Any, ClassVar

from pydantic import Field

from collectors._files import FileOptions, read_file
from collectors._unseen import unseen_part
from collectors.readers._config import config_section
from collectors.readers.dotenv import shapes_of
from detector.collector import Collected, Context, Seen
from detector.errors import UnseenError
from detector.model.facts import Unseen
from detector.model.words import Basis, SectionName


class DotenvOptions(FileOptions):
    """Which files, and which keys to compare by value."""

    compare: tuple[str, ...] = Field(
        (), description="Keys with a boolean or a short word as value that are to be compared all the same."
    )


class DotenvCollector:
    """Sees the variables of one `.env` file, or of several of which a later one wins."""

    API: ClassVar[int] = 1
    name: ClassVar[str] = "dotenv"
    Options: ClassVar[type[DotenvOptions]] = DotenvOptions
    basis: ClassVar[Basis] = "declared"
    sections: ClassVar[tuple[SectionName, ...]] = ("config",)
    cannot_see: ClassVar[tuple[str, ...]] = (
        "what a process gets from elsewhere: the platform, the image, a secret store",
        "whether anything reads a key",
    )

    async def collect(self, options: DotenvOptions, context: Context) -> Collected:
        return await context.in_thread(_collected, options, context)


def _collected(options: DotenvOptions, context: Context) -> Collected:
    shapes: dict[str, dict[str, Any]] = {}
    unseen: list[Unseen] = []
    warnings: list[str] = []
    errors: list[UnseenError] = []
    for path in options.files:
        try:
            data = read_file(context.folder, path)
            more, gaps, told = shapes_of(data, str(path), context.fingerprinter, compare=options.compare)
        except UnseenError as error:
            errors.append(error)
            unseen.append(unseen_part("*", error))
        else:
            shapes |= more
            unseen += gaps
            warnings += [f"{path}: {line}" for line in told]
    if len(errors) == len(options.files):
        raise errors[0]
    section = config_section(shapes, unseen)
    return Collected(
        seen=(Seen(sections={"config": section}, component=options.component),), warnings=tuple(warnings)
    )
