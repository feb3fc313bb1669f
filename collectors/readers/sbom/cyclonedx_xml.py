"""CycloneDX in XML, 1.2 to 1.7, read as the same bill that JSON would be.

A document type definition is refused whatever is in it. Elements are taken as they come, without a tree.
"""

from collections.abc import Mapping
from typing import Any, Final

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, XMLParser

from collectors.readers.sbom.cyclonedx import MarkedBom, read_bom
from collectors.readers.sbom.decoding import converted, fault, too_deep
from detector.model.wire_json import DEEPEST
from detector.reader import Read

_NAMESPACE: Final = "http://cyclonedx.org/schema/bom/"
#: A nested component is two elements deep.
_DEEPEST: Final = 2 * DEEPEST + 8
_LONGEST: Final = 65_536
_PIECE: Final = 1 << 16
#: Element -> the elements in it that are read, and what they become. All others are skipped with what is in
#: them.
_READ: Final[Mapping[str, Mapping[str, type]]] = {
    "": {"bom": dict},
    "bom": {
        "metadata": dict, "components": list, "services": list, "dependencies": list, "compositions": list,
    },
    "metadata": {"component": dict, "properties": list},
    "components": {"component": dict},
    "component": {
        "group": str, "name": str, "version": str, "scope": str, "purl": str, "components": list,
        "properties": list,
    },
    "services": {"service": dict},
    "service": {"name": str, "version": str, "services": list},
    "properties": {"property": str},
    "dependencies": {"dependency": dict},
    "dependency": {"dependency": dict},
    "compositions": {"composition": dict},
    "composition": {"aggregate": str, "assemblies": list},
    "assemblies": {"assembly": str},
}  # fmt: skip
_ATTRIBUTES: Final = ("type", "bom-ref", "ref", "name")


def read_xml(data: bytes, name: str) -> Read:
    """Return what a bill in XML says. Raises WireError."""
    if data.lstrip()[:1] in {b"{", b"["}:
        raise fault("", "unsupported-media-type", "this is JSON and no XML")
    target = _Target()
    parser = XMLParser(target=target, forbid_dtd=True)
    try:
        for start in range(0, len(data), _PIECE):
            parser.feed(data[start : start + _PIECE])
        parser.close()
    except DefusedXmlException:
        raise fault(
            "", "xml-dtd-refused", "a document type definition or entities; send it without"
        ) from None
    except ParseError as error:
        line = error.position[0]
        raise fault("", "malformed-xml", f"no XML at line {line}, or just before; is it cut off?") from None
    except (LookupError, ValueError):
        raise fault("", "malformed-xml", "an encoding that is not read; send UTF-8") from None
    return read_bom(converted(target.bill(), MarkedBom), name)


class _Target:
    """Takes elements as a parser meets them, and keeps what is read of them."""

    def __init__(self) -> None:
        self._namespace = ""
        #: Open elements that are read: name, what they become, and the pieces of their text.
        self._open: list[tuple[str, Any, list[str]]] = [("", {}, [])]
        self._skipped = 0

    def bill(self) -> dict[str, Any]:
        """Return the bill as JSON would say it."""
        found: dict[str, Any] | None = self._open[0][1].get("bom")
        if found is None or not self._namespace.startswith(_NAMESPACE):
            raise fault("/bom", "sbom-format", f"no element bom of the namespace {_NAMESPACE}VERSION")
        return found | {"bomFormat": "CycloneDX", "specVersion": self._namespace.removeprefix(_NAMESPACE)}

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Open an element."""
        namespace, _, local = tag.removeprefix("{").rpartition("}")
        if len(self._open) == 1:
            self._namespace = namespace
        kind = _READ.get(self._open[-1][0], {}).get(local)
        if self._skipped or kind is None or namespace != self._namespace:
            self._skipped += 1
            return
        if len(self._open) > _DEEPEST:
            raise too_deep()
        given = {key: attributes[key] for key in _ATTRIBUTES if key in attributes}
        self._open.append((local, given if kind is not list else [], []))

    def data(self, text: str) -> None:
        """Keep text, where the element it stands in is one."""
        if not self._skipped:
            self._open[-1][2].append(text)

    def end(self, tag: str) -> None:
        """Close an element."""
        if self._skipped:
            self._skipped -= 1
            return
        name, found, pieces = self._open.pop()
        around, into, _ = self._open[-1]
        if _READ[around][name] is str:
            found = _said(name, found, "".join(pieces).strip())
        if isinstance(into, list):
            into.append(found)
        elif around == "dependency":
            into.setdefault("dependsOn", []).append(found.get("ref", ""))
        elif name in into and around:
            raise fault("", "duplicate-key", f"an element {around} holds {name} twice")
        else:
            into[name] = found

    def close(self) -> None:
        """Need nothing at the end."""


def _said(name: str, attributes: Mapping[str, str], text: str) -> Any:
    if name == "property":
        return {"name": attributes.get("name", ""), "value": text}
    return attributes.get("ref", "") if name == "assembly" else text
