"""Sees the config keys of ``.env`` files."""

from functools import partial
from typing import ClassVar

from pydantic import Field

from collectors._key_options import KeyFileOptions, layered
from collectors.readers.dotenv import Dialect, fill
from detector.collector import Collected, Context
from detector.model.words import Basis, SectionName


class DotenvOptions(KeyFileOptions):
    """Which files, by whose rules, and what their names become."""

    dialect: Dialect = Field(
        "dotenv",
        description="Whose rules the files are read by: dotenv as python-dotenv and most libraries, compose"
        " as its env_file, docker as --env-file, systemd as EnvironmentFile.",
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
    keys = options.new_keys(context.fingerprinter)
    return layered(options, context, keys, partial(fill, dialect=options.dialect))
