"""An image's own configuration as a Docker engine would tell it, so that one code makes facts of both.

Format: OCI image-spec 1.1, image configuration, with ``Healthcheck`` and ``StopSignal`` of Docker. It was
written by whoever built the image: what has not the right type is left out.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from collectors._docker_facts import sections_of_image
from collectors._image import Image
from detector.model.facts import Section
from detector.model.words import SectionName


def answer_of(image: Image) -> dict[str, Any]:
    """Return what ``GET /images/{id}/json`` of an engine would say of an image."""
    config = image.config
    told = config.get("config")
    texts = {key: config.get(key) for key in ("architecture", "os", "variant", "created")}
    return {
        "Id": image.id,
        "Config": _config(told if isinstance(told, dict) else {}),
        **{key.capitalize(): text for key, text in texts.items() if isinstance(text, str)},
    }


def facts_of(image: Image, name: str) -> dict[SectionName, Section]:
    """Return the sections that an image's documents tell, apart from what is installed in it."""
    sections = sections_of_image(answer_of(image), image.name or name)
    release = sections["release"]
    digests = {"image#digest": image.digest, "image#index": image.index}
    known = {item: digest for item, digest in digests.items() if digest}
    sections["release"] = replace(release, facts={**release.facts, **known})
    return sections


def _config(found: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {key: _words(found.get(key)) for key in ("Env", "Entrypoint", "Cmd")}
    for key in ("User", "StopSignal"):
        if isinstance(text := found.get(key), str):
            told[key] = text
    for key in ("Labels", "ExposedPorts", "Healthcheck"):
        if isinstance(table := found.get(key), dict):
            told[key] = table
    if "Healthcheck" in told:
        told["Healthcheck"] = {**told["Healthcheck"], "Test": _words(told["Healthcheck"].get("Test"))}
    return told


def _words(found: object) -> list[str]:
    return [word for word in found if isinstance(word, str)] if isinstance(found, list) else []
