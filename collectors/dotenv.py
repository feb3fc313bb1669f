"""Sees the config keys of ``.env`` files."""

from typing import ClassVar

from pydantic import Field

from collectors._files import FileOptions, read_file
from collectors._key_options import KeyOptions
from collectors._unseen import unseen_part
from collectors.readers.dotenv import Dialect, fill
from detector.collector import Collected, Context, Seen
from detector.errors import UnseenError
from detector.model.words import Basis, SectionName


class DotenvOptions(FileOptions, KeyOptions):
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
    errors: list[UnseenError] = []
    for path in options.files:
        try:
            warnings = fill(keys, read_file(context.folder, path), str(path), options.dialect)
        except UnseenError as error:
            errors.append(error)
            keys.unseen.append(unseen_part("*", error))
        else:
            keys.warnings += [f"{path}: {line}" for line in warnings]
    if len(errors) == len(options.files):
        raise errors[0]
    seen = Seen(sections={"config": keys.section()}, component=options.component)
    return Collected(seen=(seen,), warnings=tuple(keys.warnings))
