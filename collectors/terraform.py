"""Sees the versions that a Terraform state or plan holds."""

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from collectors._files import read_file
from collectors.readers.terraform import TerraformReader
from detector.collector import Collected, CollectorOptions, Context, Seen
from detector.errors import UnseenError, did_you_mean
from detector.model.facts import Section
from detector.model.words import MAIN, Basis, SectionName


class TerraformOptions(CollectorOptions):
    """Which state, and which of its resources."""

    path: Path = Field(
        description="A state, or what `terraform show -json` prints; relative to the configuration's folder."
    )
    resource: str | None = Field(
        None,
        description="Address of one resource, such as `aws_db_instance.shop`; by default the service's name.",
    )
    component: str = Field(MAIN, description="Component of the service that it is.")
    alias: str = Field(MAIN, alias="as", description="Name of a backing service in items, such as cache.")


class TerraformCollector:
    """Sees one resource of a Terraform state as its service; as a discovery, all that state a version."""

    API: ClassVar[int] = 1
    name: ClassVar[str] = "terraform"
    Options: ClassVar[type[TerraformOptions]] = TerraformOptions
    basis: ClassVar[Basis] = "declared"
    sections: ClassVar[tuple[SectionName, ...]] = ("dependencies", "backing_services", "release")
    cannot_see: ClassVar[tuple[str, ...]] = (
        "what was changed since the last apply",
        "resources of providers that are not in the table",
    )

    async def collect(self, options: TerraformOptions, context: Context) -> Collected:
        return await context.in_thread(_collected, options, context)


def _collected(options: TerraformOptions, context: Context) -> Collected:
    data = read_file(context.folder, options.path)
    read = TerraformReader().read(data, str(options.path), context.fingerprinter)
    if options.resource is None and context.service is None:
        seen = [
            Seen(sections=part.sections, service=part.service, component=part.component)
            for part in read.parts
        ]
        return Collected(seen=tuple(seen), warnings=read.warnings)
    wanted = options.resource or context.service
    found = [part for part in read.parts if part.service == wanted]
    if not found:
        names = [part.service for part in read.parts if part.service]
        hint = did_you_mean(wanted or "", names)
        raise UnseenError(
            "not_in_view", f"{options.path} has no resource {wanted}{hint}; name it as `resource`"
        )
    return Collected(
        seen=tuple(
            Seen(
                sections={name: _called(section, options.alias) for name, section in part.sections.items()},
                component=options.component if len(found) == 1 else part.component,
            )
            for part in found
        ),
        warnings=read.warnings,
    )


def _called(section: Section, alias: str) -> Section:
    """Return a section with its backing service under another name."""
    if alias == MAIN:
        return section

    def named(item: str) -> str:
        return f"{alias}#{item.removeprefix('main#')}" if item.startswith("main#") else item

    return replace(
        section,
        facts={named(item): value for item, value in section.facts.items()},
        hints={named(item): hints for item, hints in section.hints.items()},
        covers=tuple(named(item) for item in section.covers),
    )
