"""Sees an image without running it: what is installed in it, and what it says of itself."""

from contextlib import closing
from pathlib import Path
from typing import ClassVar, Self

from pydantic import Field, field_validator, model_validator

from collectors._containers import image_reference
from collectors._docker_engine import answer, connect, in_time, inspected, seconds_left
from collectors._docker_facts import OF_IMAGES, sections_of_image
from collectors._docker_trees import tree_of_image
from collectors._files import opened_file
from collectors._image import Image, is_platform
from collectors._image_answer import answer_of, facts_of
from collectors._image_packages import KNOWN, packages_of
from collectors._image_parts import ArchiveParts, FolderParts, found_in, tree_in
from collectors._unseen import unseen_section
from detector.collector import Collected, CollectorOptions, Context, Seen
from detector.errors import NotThereError, UnseenError
from detector.model.facts import Section
from detector.model.words import MAIN, Basis, SectionName


class ImageOptions(CollectorOptions):
    """Which image, and where it is."""

    image: str | None = Field(
        None, description="Name of the image: acme/api:1.4.2. Beside `path` it selects one of several."
    )
    host: str = Field(
        "unix:///var/run/docker.sock",
        description="The engine that has the image: unix:///path, or tcp://host:port of a read-only proxy.",
        pattern=r"^(unix://.|tcp://[^@/]+$|https?://[^@/]+$)",
    )
    path: Path | None = Field(
        None,
        description="In place of an engine: a `docker save` archive, or an OCI layout (folder or archive); "
        "relative paths start at the folder of the configuration.",
    )
    platform: str | None = Field(
        None, description="Which of an image for several platforms, as linux/arm64; without it linux/amd64."
    )
    component: str = Field(MAIN, description="Component of the service that runs the image.")

    @field_validator("platform")
    @classmethod
    def _platform(cls, text: str | None) -> str | None:
        if text is not None and not is_platform(text):
            raise ValueError("not a platform such as linux/arm64")
        return text

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if self.image is None and self.path is None:
            raise ValueError("give `image`, or `path` of an archive or a layout")
        if self.image is not None and image_reference(self.image) is None and not self.path:
            raise ValueError("`image` is no name of an image such as acme/api:1.4.2")
        return self


class ImageCollector:
    """Sees an image of a Docker engine, of an archive or of an OCI layout. Of an engine it only sends GET."""

    API: ClassVar[int] = 1
    name: ClassVar[str] = "image"
    Options: ClassVar[type[ImageOptions]] = ImageOptions
    basis: ClassVar[Basis] = "built"
    sections: ClassVar[tuple[SectionName, ...]] = ("dependencies", *OF_IMAGES)
    cannot_see: ClassVar[tuple[str, ...]] = (
        "what a container of it installs when it starts",
        "what overrides its command, user and variables where it runs",
        "classes that were shaded into a jar",
    )

    async def collect(self, options: ImageOptions, context: Context) -> Collected:
        if options.path is None:
            sections = await _of_engine(options.image or "", options.host, context)
        else:
            sections = await context.in_thread(_of_file, context.folder, options.path, options)
        return Collected(seen=(Seen(sections=sections, component=options.component),))


async def _of_engine(name: str, host: str, context: Context) -> dict[SectionName, Section]:
    with closing(await context.in_thread(connect, host, seconds_left(context))) as client:
        image = await context.in_thread(answer, host, inspected, client.inspect_image, name)
        if image is None:
            raise NotThereError(f"no image {name} at {host}")
        sections = sections_of_image(image, name)
        key = ("built", host, str(image.get("Id")))
        section = KNOWN.get(key)
        if section is None:
            check = in_time(context)
            try:
                tree = await context.in_thread(answer, host, tree_of_image, client, key[2], check)
                section = await context.in_thread(packages_of, tree, image, "built")
            except UnseenError as error:
                section = unseen_section("built", error)
            else:
                KNOWN.keep(key, section)
    return {"dependencies": section, **sections}


def _of_file(folder: Path, path: Path, options: ImageOptions) -> dict[SectionName, Section]:
    place = path.as_posix()
    if (folder / path).is_dir():
        parts: FolderParts | ArchiveParts = FolderParts(folder / path, place)
    else:
        with opened_file(folder, path) as file:
            parts = ArchiveParts(file, place)
    image = found_in(parts, options.image, options.platform)
    return {"dependencies": _installed_in(parts, image), **facts_of(image, options.image or "")}


def _installed_in(parts: FolderParts | ArchiveParts, image: Image) -> Section:
    try:
        return packages_of(tree_in(parts, image), answer_of(image), "built")
    except UnseenError as error:
        return unseen_section("built", error)
