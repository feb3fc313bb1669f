"""The shape of ``services``: services with their sources, and discoveries of many.

The host's keys of a source are described here; all others are options of its plugin, which describes them.
"""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import ConfigDict, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from detector.config.fields import (
    BY_FORM,
    FREE_KEYS,
    LISTED,
    MAPPING,
    WORD,
    Cron,
    EnvironmentName,
    Every,
    Glob,
    Name,
    RepositoryAddress,
    Strict,
    Timeout,
    Timezone,
    Valid,
)
from detector.model.words import ServiceKind

_OPEN: Final = ConfigDict(extra="allow")


class Timing(Strict):
    """When a source runs, and how long what it saw counts."""

    every: Every | None = None
    cron: Cron | None = None
    timezone: Timezone | None = None
    timeout: Timeout | None = None
    valid: Valid | None = None
    allow_insecure: bool = Field(default=False, description="Accept verify_tls: false in production")

    @model_validator(mode="after")
    def _one_schedule(self) -> Self:
        if self.every is not None and self.cron is not None:
            raise PydanticCustomError("config-schedule", "give every or cron, not both")
        return self


class SourceEntry(Timing):
    """One collector for one service in one environment, and the collector's own options."""

    model_config = _OPEN

    type: Name = Field(description="Name of the collector, or push")
    name: Name | None = Field(default=None, description="Default: its type")


class ServiceFrom(Strict):
    """How a discovered thing gets the name of its service."""

    tag: str | None = None
    label: str | None = None
    strip: tuple[str, ...] = ()


class Discover(Timing):
    """One collector that names the services of an environment itself."""

    model_config = _OPEN

    type: Name
    name: Name | None = Field(default=None, description="Default: its type")
    environment: EnvironmentName | None = Field(
        default=None, description="A must, except for file_sd and folders"
    )
    service_from: ServiceFrom | None = None
    ephemeral: tuple[Glob, ...] = ()


class Discovery(Strict):
    """An entry of ``services`` that stands for many."""

    discover: Discover


class OwnerFrom(Strict):
    """An owner that a catalogue file of the repository names."""

    source: Literal["backstage", "codeowners"] = Field(alias="from")
    file: str


class Service(Strict):
    """What is compared under one name in every environment."""

    name: Name
    kind: ServiceKind = "app"
    owner: Annotated[Annotated[str, Tag(WORD)] | Annotated[OwnerFrom, Tag(MAPPING)], BY_FORM] | None = None
    was: tuple[Name, ...] = Field(default=(), description="Former names: history and drifts travel along")
    aliases: tuple[Name, ...] = Field(default=(), description="Other names that pair with it")
    repositories: tuple[RepositoryAddress, ...] = Field(
        default=(), description="Addresses of its one repository: mirrors, and where it was before"
    )
    used_by: tuple[Name, ...] = ()
    only_in: tuple[EnvironmentName, ...] = ()
    sources: Annotated[
        dict[
            EnvironmentName,
            Annotated[
                Annotated[SourceEntry, Tag(MAPPING)] | Annotated[tuple[SourceEntry, ...], Tag(LISTED)],
                BY_FORM,
            ],
        ],
        FREE_KEYS,
    ] = Field(default={})


def _entry(value: Any) -> str:
    return (
        "<discovery>"
        if isinstance(value, Discovery) or (isinstance(value, dict) and "discover" in value)
        else "<service>"
    )


ServiceEntry = Annotated[
    Annotated[Service, Tag("<service>")] | Annotated[Discovery, Tag("<discovery>")], Discriminator(_entry)
]
