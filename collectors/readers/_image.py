"""References to images, as compose files, engines and task definitions write them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageReference:
    """The parts of ``host/repository:tag@digest`` (distribution specification), the registry's host apart."""

    #: Without the registry's host, and without the ``library/`` that the Docker Hub puts before its own.
    repository: str
    tag: str | None = None
    digest: str | None = None


def image_reference(text: str) -> ImageReference:
    """Return the parts of a reference. A tag that is not stated is None, not ``latest``."""
    rest, _, digest = text.partition("@")
    head, _, last = rest.rpartition("/")
    name, _, tag = last.partition(":")
    path = [*head.split("/"), name] if head else [name]
    if len(path) > 1 and ("." in path[0] or ":" in path[0] or path[0] == "localhost"):
        path = path[1:]
    if len(path) > 1 and path[0] == "library":
        path = path[1:]
    return ImageReference(repository="/".join(path), tag=tag or None, digest=digest or None)
