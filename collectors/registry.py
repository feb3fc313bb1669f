"""Sees an image of a registry without an engine: what is installed in it, and what it says of itself."""

import hashlib
from typing import ClassVar, Final, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from collectors._docker_engine import in_time
from collectors._docker_facts import OF_IMAGES
from collectors._image import (
    Descriptor,
    Image,
    document,
    for_platform,
    is_digest,
    is_index,
    is_platform,
    listed,
    manifest_of,
)
from collectors._image_answer import answer_of, facts_of
from collectors._image_packages import KNOWN, Known, packages_of
from collectors._image_parts import blob_layer
from collectors._layers import Budget, laid_over
from collectors._registry import Address, Credentials, Fetched, Registry, address_of
from collectors._unseen import unseen_section
from detector.collector import Collected, CollectorOptions, Context, Seen
from detector.errors import UnseenError
from detector.model.facts import Section
from detector.model.words import MAIN, Basis, SectionName

#: An image and its layers.
_Found = tuple[Image, tuple[Descriptor, ...]]

_IMAGES: Final[Known[_Found]] = Known()


class RegistryOptions(CollectorOptions):
    """Which image of which registry, and who asks."""

    image: str = Field(description="The image with its registry: registry.example/acme/api:1.4.2.")
    username: SecretStr | None = Field(None, description="User of the registry, where it asks for one.")
    password: SecretStr | None = Field(None, description="Password or access token of the user.")
    platform: str | None = Field(
        None, description="Which of an image for several platforms, as linux/arm64; without it linux/amd64."
    )
    packages: bool = Field(
        True, description="Whether the layers are read; without them it is what the image says of itself."
    )
    plain_http: bool = Field(
        False, description="Ask over HTTP without encryption; a password is sent so on this machine alone."
    )
    component: str = Field(MAIN, description="Component of the service that runs the image.")

    @field_validator("image")
    @classmethod
    def _named(cls, text: str) -> str:
        _address(text)
        return text

    @field_validator("platform")
    @classmethod
    def _platform(cls, text: str | None) -> str | None:
        if text is not None and not is_platform(text):
            raise ValueError("not a platform such as linux/arm64")
        return text

    @model_validator(mode="after")
    def _both(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("give both `username` and `password`, or none")
        if self.password is not None and self.plain_http and not _address(self.image).is_loopback:
            raise ValueError("a password is not sent over plain HTTP to another machine")
        return self

    @property
    def credentials(self) -> Credentials | None:
        """Who asks, if somebody in particular."""
        if self.username is None or self.password is None:
            return None
        return Credentials(
            username=self.username.get_secret_value(), password=self.password.get_secret_value()
        )


def _address(text: str) -> Address:
    if (found := address_of(text)) is None:
        raise ValueError("not an image with its registry such as registry.example/acme/api:1.4.2")
    return found


class RegistryCollector:
    """Sees an image as its registry hands it out. It only sends GET and HEAD."""

    API: ClassVar[int] = 1
    name: ClassVar[str] = "registry"
    Options: ClassVar[type[RegistryOptions]] = RegistryOptions
    basis: ClassVar[Basis] = "built"
    sections: ClassVar[tuple[SectionName, ...]] = ("dependencies", *OF_IMAGES)
    cannot_see: ClassVar[tuple[str, ...]] = (
        "which image really runs",
        "what a container of it installs when it starts",
        "what overrides its command, user and variables where it runs",
    )

    async def collect(self, options: RegistryOptions, context: Context) -> Collected:
        address = _address(options.image)
        registry = Registry(context.session, address, options.credentials, plain_http=options.plain_http)
        image, layers = await _found(registry, address, options.platform)
        sections = facts_of(image, options.image)
        if options.packages:
            try:
                sections = {"dependencies": await _packages(registry, image, layers, context), **sections}
            except UnseenError as error:
                sections = {"dependencies": unseen_section("built", error), **sections}
        return Collected(seen=(Seen(sections=sections, component=options.component),))


async def _found(registry: Registry, address: Address, platform: str | None) -> _Found:
    """Return the image. Of one that did not change since the last run only its digest is asked for."""
    now = await registry.current(address.reference)
    key = (registry.place, now or "", platform or "")
    if now and (known := _IMAGES.get(key)) is not None:
        return known
    data = await registry.manifest(address.reference)
    top = f"sha256:{hashlib.sha256(data).hexdigest()}"
    if is_digest(address.reference) and top != address.reference:
        raise UnseenError(
            "malformed", f"{registry.place}: another content than the digest that was asked for"
        )
    found, digest, index = document(data, registry.place), top, ""
    if is_index(found):
        entry = for_platform(listed(found, registry.place), platform, registry.place)
        digest, index = entry.digest, top
        found = document(await registry.manifest(digest), registry.place, digest)
    manifest = manifest_of(found, registry.place)
    config = document(await registry.document(manifest.config), registry.place, manifest.config.digest)
    found_now = Image(config=config, id=manifest.config.digest, digest=digest, index=index), manifest.layers
    if now == top:
        _IMAGES.keep(key, found_now)
    return found_now


async def _packages(
    registry: Registry, image: Image, descriptors: tuple[Descriptor, ...], context: Context
) -> Section:
    """Return what is installed. The same content is read once in the life of this process."""
    key = ("built", "registry", image.digest)
    if (known := KNOWN.get(key)) is not None:
        return known
    budget, check = Budget(), in_time(context)
    layers = []
    for number, descriptor in enumerate(descriptors, start=1):
        async with registry.blob(descriptor) as content:
            stream = Fetched(content, descriptor.size, registry.place, check)
            layer = await context.in_thread(blob_layer, stream, budget)
        if layer.digest != descriptor.digest:
            detail = f"layer {number} has another content than its digest says"
            raise UnseenError("malformed", f"{registry.place}: {detail}")
        layers.append(layer)
    tree = await context.in_thread(laid_over, layers)
    section = await context.in_thread(packages_of, tree, answer_of(image), "built")
    KNOWN.keep(key, section)
    return section
