"""Terraform state and plans: engine versions, runtimes and images, and nothing else that stands in them.

A state holds every secret of what it made in clear text. Format: state version 4, and the JSON that
``terraform show -json`` prints of states and plans.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

from collectors.readers._terraform_resources import KNOWN, components_of
from detector.errors import UnseenError
from detector.model.fingerprints import Fingerprinter
from detector.model.wire_json import WireError, json_document
from detector.model.words import MAIN
from detector.reader import API, Part, Read

_DEEPEST: Final = 32
_STATE_VERSION: Final = 4
_SERVICE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
#: Of an address what no name of a service may hold.
_MARKS: Final = re.compile(r"[^A-Za-z0-9_.-]+")
_Resource = tuple[str, str, Mapping[str, Any]]


class TerraformReader:
    """Reads ``*.tfstate`` and ``terraform show -json``: each resource is a service, called by its address."""

    API: ClassVar[int] = API
    name: ClassVar[str] = "terraform"

    def matches(self, name: str) -> bool:
        return name.endswith((".tfstate", ".tfstate.json", ".tfplan.json"))

    def read(self, data: bytes, name: str, fingerprinter: Fingerprinter) -> Read:
        """Return what a state or a plan says. Raises UnseenError."""
        if data.startswith(b"PK"):
            raise UnseenError(
                "unsupported", f"{name}: a plan as it is kept; give `terraform show -json` of it"
            )
        try:
            document = json_document(data)
        except WireError as error:
            fault = error.faults[0]
            too_deep = fault.code == "too-deep"
            raise UnseenError(
                "too_large" if too_deep else "malformed", f"{name}: {fault.message}; is it cut off?"
            ) from None
        parts: dict[tuple[str, str], Part] = {}
        nameless = 0
        for address, kind, values in _resources(document, name):
            service = _MARKS.sub("-", address).strip("-.")[:128]
            for container, sections in components_of(kind, values):
                component = container if container and _NAME.fullmatch(container) else MAIN
                if not _SERVICE.fullmatch(service) or ".." in service or (service, component) in parts:
                    nameless += 1
                elif sections:
                    parts[service, component] = Part(service=service, component=component, sections=sections)
        if not parts:
            raise UnseenError("unsupported", f"{name}: no resource that states a version or an image")
        warnings = (f"{nameless} resources with an address that is no name, or twice",) if nameless else ()
        return Read(parts=tuple(parts.values()), warnings=warnings)


def _resources(document: Any, name: str) -> Iterator[_Resource]:
    """Yield address, type and attributes of each managed resource that the table knows."""
    if not isinstance(document, dict):
        raise UnseenError("malformed", f"{name}: no object; is this a state or a plan?")
    if isinstance(document.get("resources"), list) and "version" in document:
        if document["version"] != _STATE_VERSION:
            raise UnseenError("unsupported", f"{name}: only state version {_STATE_VERSION} is read")
        yield from _of_state(document["resources"])
        return
    shown = document.get("planned_values") or document.get("values")
    if not isinstance(shown, dict) or "format_version" not in document:
        raise UnseenError("malformed", f"{name}: neither a state nor what `terraform show -json` prints")
    yield from _of_module(shown.get("root_module"), name, 0)


def _of_state(resources: list[Any]) -> Iterator[_Resource]:
    for one in _maps(resources):
        kind = one.get("type")
        if one.get("mode") != "managed" or kind not in KNOWN:
            continue
        base = ".".join(str(part) for part in (one.get("module"), kind, one.get("name")) if part)
        for instance in _maps(one.get("instances")):
            values, index = instance.get("attributes"), instance.get("index_key")
            # A deposed one is about to be destroyed.
            if isinstance(values, dict) and "deposed" not in instance:
                yield (base if index is None else f"{base}-{index}"), kind, values


def _of_module(module: Any, name: str, depth: int) -> Iterator[_Resource]:
    if depth > _DEEPEST:
        raise UnseenError("too_large", f"{name}: modules more than {_DEEPEST} deep")
    if not isinstance(module, dict):
        return
    for one in _maps(module.get("resources")):
        kind, values = one.get("type"), one.get("values")
        if one.get("mode") == "managed" and kind in KNOWN and isinstance(values, dict):
            yield str(one.get("address") or ""), kind, values
    for inner in _maps(module.get("child_modules")):
        yield from _of_module(inner, name, depth + 1)


def _maps(found: Any) -> list[dict[str, Any]]:
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
