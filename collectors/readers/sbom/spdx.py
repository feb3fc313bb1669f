"""SPDX 2.2 and 2.3: packages, and the relationships that tell what production does without.

Specification: ISO/IEC 5962 (2.2.1) and SPDX 2.3. Read are names, versions, package URLs, purposes and
relationships; files, snippets, licences, checksums, comments and every other reference are skipped.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

import msgspec

from collectors.readers.sbom.decoding import Text, decoded, fault
from collectors.readers.sbom.inventory import MOST_COMPONENTS, Inventory, Use
from detector.reader import Part, Read

SPEC_VERSIONS: Final = ("SPDX-2.2", "SPDX-2.3")
_DOCUMENT: Final = "SPDXRef-DOCUMENT"
#: Purpose of a package -> type of component; whatever else it is for, it is a package.
_KINDS: Final = {
    "OPERATING-SYSTEM": "operating-system",
    "OPERATING_SYSTEM": "operating-system",
    "FILE": "file",
    "DEVICE": "device",
    "FIRMWARE": "firmware",
    "APPLICATION": "application",
}
#: Type of relationship -> (whether the first element needs the second, the scope that this gives).
_NEEDS: Final[Mapping[str, tuple[bool, str]]] = {
    "DEPENDS_ON": (True, ""),
    "CONTAINS": (True, ""),
    "HAS_PREREQUISITE": (True, ""),
    "DYNAMIC_LINK": (True, ""),
    "STATIC_LINK": (True, ""),
    "DEPENDENCY_OF": (False, ""),
    "CONTAINED_BY": (False, ""),
    "PREREQUISITE_FOR": (False, ""),
    "RUNTIME_DEPENDENCY_OF": (False, ""),
    "PROVIDED_DEPENDENCY_OF": (False, ""),
    "DEV_DEPENDENCY_OF": (False, "dev"),
    "TEST_DEPENDENCY_OF": (False, "dev"),
    "BUILD_DEPENDENCY_OF": (False, "dev"),
    "DEV_TOOL_OF": (False, "dev"),
    "TEST_TOOL_OF": (False, "dev"),
    "BUILD_TOOL_OF": (False, "dev"),
    "OPTIONAL_DEPENDENCY_OF": (False, "optional"),
    "OPTIONAL_COMPONENT_OF": (False, "optional"),
}
#: Relationships that only say that something is somewhere, not who asked for it.
_CONTAINED: Final = frozenset({"CONTAINS", "CONTAINED_BY"})


class Reference(msgspec.Struct, gc=False):
    """Where else a package is known."""

    kind: str = msgspec.field(name="referenceType", default="")
    locator: Text | None = msgspec.field(name="referenceLocator", default=None)


class Package(msgspec.Struct, gc=False):
    """A package, as far as it is read."""

    id: str = msgspec.field(name="SPDXID")
    name: Text
    version: Text | None = msgspec.field(name="versionInfo", default=None)
    purpose: str | None = msgspec.field(name="primaryPackagePurpose", default=None)
    references: tuple[Reference, ...] | None = msgspec.field(name="externalRefs", default=None)


class _Element(msgspec.Struct, gc=False):
    id: str = msgspec.field(name="SPDXID", default="")


class Relationship(msgspec.Struct, gc=False):
    """What one element is to another."""

    one: str = msgspec.field(name="spdxElementId")
    kind: str = msgspec.field(name="relationshipType")
    other: str = msgspec.field(name="relatedSpdxElement")


class Document(msgspec.Struct, gc=False):
    """A document, as far as it is read."""

    spec_version: Any = msgspec.field(name="spdxVersion", default=None)
    #: Only SPDX 3 has one.
    context: Any = msgspec.field(name="@context", default=None)
    packages: list[Package] | None = None
    relationships: list[Relationship] | None = None
    #: Only looked at for what relationships may name.
    files: list[_Element] | None = None
    snippets: list[_Element] | None = None
    describes: list[str] | None = msgspec.field(name="documentDescribes", default=None)


def read_json(data: bytes, name: str) -> Read:
    """Return what a document in JSON says. Raises WireError."""
    return read_document(decoded(data, Document), name)


def read_document(document: Document, name: str, *, cut_off: bool = False) -> Read:
    """Return what a document says. Raises WireError."""
    if document.spec_version is None and document.context is not None:
        message = f"SPDX 3 is not read; let the tool write {' or '.join(SPEC_VERSIONS)}, or CycloneDX"
        raise fault("/@context", "unsupported-format", message)
    if document.spec_version not in SPEC_VERSIONS:
        read = ", ".join(SPEC_VERSIONS)
        code = "sbom-invalid" if document.spec_version is None else "sbom-version"
        raise fault("/spdxVersion", code, f"read are {read}")
    packages = document.packages or []
    if len(packages) > MOST_COMPONENTS:
        raise fault("/packages", "too-many-items", f"more than {MOST_COMPONENTS} packages")
    ids = {package.id for package in packages}
    if len(ids) < len(packages):
        raise fault("/packages", "sbom-invalid", "two packages have the same SPDXID")
    inventory = Inventory(name=name)
    relationships = document.relationships or []
    root = _root(document, ids)
    graph = _Graph(relationships, root)
    for number, package in enumerate(packages):
        if package.id == root:
            if package.purpose == "CONTAINER":
                inventory.add_image(package.name, package.version or "")
            continue
        inventory.add(
            _KINDS.get(package.purpose or "", "library"),
            package.name,
            _stated(package.version),
            _purl_of(package),
            f"/packages/{number}",
            use=Use(graph.scope_of(package.id), graph.is_direct(package.id)),
        )
    inventory.warnings += _odd_ends(document, ids)
    if cut_off:
        inventory.incomplete("the last line has no end; is the file cut off?")
    return Read(parts=(Part(sections=inventory.sections()),), warnings=inventory.all_warnings())


def _odd_ends(document: Document, ids: Collection[str]) -> list[str]:
    others = {each.id for each in (*(document.files or ()), *(document.snippets or ()))}
    known = {*ids, *others, _DOCUMENT, "NONE", "NOASSERTION"}
    ends = {end for each in document.relationships or () for end in (each.one, each.other)}
    # What another document holds cannot be looked up here.
    if dangling := sum(not end.startswith("DocumentRef-") for end in ends - known):
        return [f"dangling-ref: ends of relationships that name no element: {dangling}"]
    return []


def _purl_of(package: Package) -> str:
    for reference in package.references or ():
        if reference.kind == "purl" and reference.locator:
            return reference.locator
    return ""


def _stated(version: str | None) -> str:
    return "" if version in (None, "NOASSERTION", "NONE") else version


def _root(document: Document, ids: Collection[str]) -> str | None:
    """Return the package that the document describes, where that is one: own code, or the image itself."""
    described = {end for end in document.describes or () if end in ids}
    for each in document.relationships or ():
        if each.kind == "DESCRIBES" and each.one == _DOCUMENT and each.other in ids:
            described.add(each.other)
        elif each.kind == "DESCRIBED_BY" and each.other == _DOCUMENT and each.one in ids:
            described.add(each.one)
    return described.pop() if len(described) == 1 else None


def _need(relationship: Relationship) -> tuple[str, str, str]:
    """Return who needs whom, and the scope that this gives."""
    forward, scope = _NEEDS[relationship.kind]
    one, other = relationship.one, relationship.other
    return (one, other, scope) if forward else (other, one, scope)


class _Graph:
    """Who needs whom: what only development or options reach is of no other use."""

    def __init__(self, relationships: Iterable[Relationship], root: str | None) -> None:
        told = [each for each in relationships if each.kind in _NEEDS]
        asked = (each for each in told if root in {each.one, each.other} and each.kind not in _CONTAINED)
        self._direct = {other for one, other, _ in map(_need, asked) if one == root}
        self._reached: dict[str, str] = {}
        if root is not None and any(_NEEDS[each.kind][1] for each in told):
            needs: dict[str, list[tuple[str, str]]] = {}
            for one, other, scope in map(_need, told):
                needs.setdefault(one, []).append((other, scope))
            for scope in ("", "optional", "dev"):
                self._reach(root, needs, scope)

    def _reach(self, root: str, needs: Mapping[str, list[tuple[str, str]]], scope: str) -> None:
        """Mark what is reached with this scope and no firmer one."""
        begin = [end for one in (root, *self._reached) for end, own in needs.get(one, ()) if own == scope]
        while begin:
            end = begin.pop()
            if end not in self._reached:
                self._reached[end] = scope
                begin += [further for further, own in needs.get(end, ()) if own in {"", scope}]

    def scope_of(self, package: str) -> tuple[str, ...]:
        scope = self._reached.get(package, "")
        return (scope,) if scope else ()

    def is_direct(self, package: str) -> bool | None:
        """Tell whether the project itself asks for it; None where the document does not say."""
        return package in self._direct if self._direct else None
