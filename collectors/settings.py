"""Sees the config keys of files of settings: YAML, JSON, TOML, INI, Java's properties."""

from functools import partial
from typing import ClassVar

from pydantic import Field

from collectors._key_options import KeyFileOptions, layered
from collectors.readers.settings import Format, Separator, fill, is_setting
from detector.collector import Collected, Context
from detector.model.words import Basis, SectionName


class SettingsOptions(KeyFileOptions):
    """Which files, how they are flattened, and what their names become."""

    format: Format | None = Field(
        None, description="The format of the files, where their names do not tell it."
    )
    separator: Separator = Field(".", description="What stands between the parts of a key.")
    profiles: tuple[str, ...] = Field(
        (), description="Spring profiles whose documents count, in files of several documents."
    )


class SettingsCollector:
    """Sees the keys of one file of settings, or of several of which a later one wins key by key."""

    API: ClassVar[int] = 1
    name: ClassVar[str] = "settings"
    Options: ClassVar[type[SettingsOptions]] = SettingsOptions
    basis: ClassVar[Basis] = "declared"
    sections: ClassVar[tuple[SectionName, ...]] = ("config",)
    cannot_see: ClassVar[tuple[str, ...]] = (
        "what the environment or the command line puts in place of a setting",
        "whether the application reads a setting, or under which other name",
    )

    async def collect(self, options: SettingsOptions, context: Context) -> Collected:
        return await context.in_thread(_collected, options, context)


def _collected(options: SettingsOptions, context: Context) -> Collected:
    keys = options.new_keys(context.fingerprinter, valid=is_setting)
    return layered(
        options,
        context,
        keys,
        partial(fill, format=options.format, separator=options.separator, profiles=options.profiles),
    )
