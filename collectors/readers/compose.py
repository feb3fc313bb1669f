"""Compose files: what each service declares, and the backing services among them (Compose specification)."""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, ClassVar, Final

from collectors._containers import ImageReference, image_reference
from collectors.readers import dotenv
from collectors.readers._backing_images import backing_facts, product_of
from collectors.readers._compose_facts import listed, sections_of, word_at
from collectors.readers._config import config_section, is_variable
from collectors.readers._yaml import document, is_map
from detector.errors import UnseenError
from detector.model.facts import Section, Unseen
from detector.model.fingerprints import Fingerprinter
from detector.model.shapes import shape_of
from detector.model.words import SectionName
from detector.reader import API, Part, Read

_REFERENCE: Final = re.compile(r"\$[{A-Za-z_]")
_PATH: Final = re.compile(r"[A-Za-z0-9_./-]{1,255}")
#: Hands out a file beside the compose file, by its path as written there. Raises UnseenError.
Beside = Callable[[str], bytes]


class ComposeReader:
    """Reads ``compose.yaml`` and its older names: one part for each service of the file.

    One file at a time: `extends`, `include` and override files are named as unseen, never guessed.
    """

    API: ClassVar[int] = API
    name: ClassVar[str] = "compose"

    def matches(self, name: str) -> bool:
        own = name.rpartition("/")[2]
        return own.endswith((".yml", ".yaml")) and own.startswith(("compose.", "docker-compose."))

    def read(self, data: bytes, name: str, fingerprinter: Fingerprinter) -> Read:
        return self.read_beside(data, name, fingerprinter, _nothing_beside)

    def read_beside(self, data: bytes, name: str, fingerprinter: Fingerprinter, beside: Beside) -> Read:
        """Return what the file says, with the keys of the ``env_file`` that ``beside`` can open."""
        tree = document(data, name)
        if not is_map(tree):
            raise UnseenError("malformed", f"{name}: no map of services; is this a compose file?")
        services = tree.get("services")
        warnings: list[str] = []
        if "include" in tree:
            warnings.append("`include` is not followed; services of the files it names are not seen")
        if not is_map(services):
            if "include" in tree:
                raise UnseenError("unsupported", f"{name}: only `include`, which is not followed")
            raise UnseenError("malformed", f"{name}: no `services`; is this a compose file?")
        parts = []
        for service_name, service in services.items():
            if not _is_service_name(service_name) or not is_map(service):
                warnings.append("an entry of `services` that is no service was left out")
                continue
            sections = self._sections(service, name, fingerprinter, beside, warnings)
            if "include" in tree:
                sections["processes"] = _with_unseen(
                    sections.get("processes"), "include", f"{name}: `include`"
                )
            parts.append(Part(service=service_name, sections=sections))
        return Read(parts=tuple(parts), warnings=tuple(warnings))

    def _sections(
        self,
        service: dict[str, Any],
        name: str,
        fingerprinter: Fingerprinter,
        beside: Beside,
        warnings: list[str],
    ) -> dict[SectionName, Section]:
        sections = sections_of(service)
        sections["config"] = _config(service, name, fingerprinter, beside, warnings)
        image = image_reference(word_at(service, "image") or "")
        if image is not None and product_of(image) is not None:
            sections["backing_services"] = _backing_service(image)
        if "extends" in service:
            detail = f"{name}: `extends` is not followed"
            for section in (*sections, "release", "processes"):
                sections[section] = _with_unseen(sections.get(section), "*", detail)
        return sections


def _backing_service(image: ImageReference) -> Section:
    facts = backing_facts(image)
    # A tag without a variant says that there is none; without a version it says nothing.
    covers = dict.fromkeys((*facts, "main#variant")) if "main#version" in facts else facts
    return Section(basis="declared", facts=facts, covers=tuple(covers))


def _nothing_beside(_path: str) -> bytes:
    raise UnseenError("not_in_view", "only the compose file itself was read")


def _with_unseen(section: Section | None, item: str, detail: str) -> Section:
    section = section or Section(basis="declared")
    entry = Unseen(item=item, reason="unsupported", detail=detail)
    return replace(section, status="partial", unseen=(*section.unseen, entry))


def _config(
    service: dict[str, Any], name: str, fingerprinter: Fingerprinter, beside: Beside, warnings: list[str]
) -> Section:
    """Return the keys of ``env_file`` and, over them, those of ``environment``, as compose merges them."""
    shapes: dict[str, dict[str, Any]] = {}
    unseen: list[Unseen] = []
    for path in _env_files(service):
        if path is None:
            unseen.append(_no_keys_of("an env_file whose path is no plain one"))
            continue
        try:
            more, gaps, told = dotenv.shapes_of(beside(path), path, fingerprinter, source_class="env_file")
        except UnseenError as error:
            unseen.append(_no_keys_of(f"env_file {path}: {error.detail}"))
        else:
            shapes |= more
            unseen += gaps
            warnings += [f"{path}: {line}" for line in told]
    refused = 0
    for key, value in _environment(service.get("environment")):
        if key is None or not is_variable(key):
            refused += 1
        elif value is None:
            detail = "its value, if it has one, comes from where compose is run"
            unseen.append(Unseen(item=key, reason="not_in_view", detail=detail))
            shapes.pop(key, None)
        else:
            shapes[key] = _shape(key, value, fingerprinter)
    if refused:
        detail = f"{name}: {refused} of `environment` without a valid name"
        unseen.append(Unseen(item="*", reason="malformed", detail=detail))
    return config_section(shapes, unseen)


def _no_keys_of(detail: str) -> Unseen:
    return Unseen(item="*", reason="not_in_view", detail=detail)


def _env_files(service: dict[str, Any]) -> Iterable[str | None]:
    for entry in listed(service.get("env_file")):
        path = entry.get("path") if is_map(entry) else entry
        yield path if isinstance(path, str) and _PATH.fullmatch(path) else None


def _environment(tree: Any) -> Iterable[tuple[str | None, str | None]]:
    """Yield (key, text); no text where the value is handed through from the caller's own environment."""
    if is_map(tree):
        for key, value in tree.items():
            yield (key if value is None or isinstance(value, str) else None), value
    else:
        for entry in listed(tree):
            key, equals, value = entry.partition("=") if isinstance(entry, str) else ("", "", "")
            yield key or None, value if equals else None


def _shape(key: str, value: str, fingerprinter: Fingerprinter) -> dict[str, Any]:
    """Return the shape of a value, ``$$`` being a written dollar and ``$NAME`` a reference to be filled in.

    A reference has no fingerprint: that two files refer to one name does not make their values equal.
    """
    if _REFERENCE.search(value.replace("$$", "")):
        return {"type": "template", "source_class": "literal", "opaque": True}
    return shape_of(key, value.replace("$$", "$"), fingerprinter)


def _is_service_name(name: str) -> bool:
    return (
        name[:1].isalnum()
        and name.isascii()
        and name.replace("-", "").replace("_", "").replace(".", "").isalnum()
    )
