"""CycloneDX 1.2 to 1.7: components, however deeply nested, and the services that are called.

Specification: ECMA-424. Read are names, versions, package URLs, scopes and who depends on whom. Properties,
external references, hashes, licences and evidence are skipped, but for the properties by which tools mark
what only development needs.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain
from typing import Any, Final, Literal
from urllib.parse import unquote

import msgspec

from collectors.readers.sbom.decoding import Text, decoded, fault
from collectors.readers.sbom.inventory import MOST_COMPONENTS, Inventory, Use
from detector.reader import Part, Read

SPEC_VERSIONS: Final = ("1.2", "1.3", "1.4", "1.5", "1.6", "1.7")
#: Property -> its value at what production does without (CycloneDX property taxonomy).
_DEVELOPMENT: Final = {"cdx:npm:package:development": "true", "cdx:pipenv:category": "develop"}
#: The property by which Parity knows its own inventories: of all services of this environment.
_OWN: Final = "parity:environment"
_SCOPES: Final[dict[str | None, tuple[str, ...]]] = {"optional": ("optional",), "excluded": ("dev",)}

Kind = Literal[
    "application", "framework", "library", "container", "platform", "operating-system", "device",
    "device-driver", "firmware", "file", "machine-learning-model", "data", "cryptographic-asset",
]  # fmt: skip


class _Property(msgspec.Struct, gc=False):
    name: str = ""
    value: str | None = None


class Component(msgspec.Struct, gc=False):
    """A component, as far as it is read."""

    type: Kind
    name: Text
    group: Text | None = None
    version: Text | None = None
    purl: Text | None = None
    scope: Literal["required", "optional", "excluded"] | None = None
    ref: str | None = msgspec.field(name="bom-ref", default=None)
    components: list["Component"] | None = None


class _Marked(Component, gc=False):
    """A component with its properties, decoded only where one of them matters."""

    components: list["_Marked"] | None = None  # type: ignore[assignment]
    properties: list[_Property] | None = None


class _Service(msgspec.Struct, gc=False):
    name: Text
    version: Text | None = None
    ref: str | None = msgspec.field(name="bom-ref", default=None)
    services: list["_Service"] | None = None


class _Dependency(msgspec.Struct, gc=False):
    ref: str
    needs: tuple[str, ...] | None = msgspec.field(name="dependsOn", default=None)


class _Composition(msgspec.Struct, gc=False):
    aggregate: str = ""
    assemblies: list[str] | None = None


class _Metadata(msgspec.Struct, gc=False):
    component: Component | None = None
    properties: list[_Property] | None = None


class Bom(msgspec.Struct, gc=False):
    """A bill, as far as it is read."""

    form: Any = msgspec.field(name="bomFormat", default=None)
    version: Any = msgspec.field(name="specVersion", default=None)
    metadata: _Metadata | None = None
    components: list[Component] | None = None
    services: list[_Service] | None = None
    dependencies: list[_Dependency] | None = None
    compositions: list[_Composition] | None = None


class MarkedBom(Bom, gc=False):
    """A bill whose components are marked by properties."""

    components: list[_Marked] | None = None  # type: ignore[assignment]


#: One and the same record for all that are used alike.
_use: Final = cache(Use)
#: Lists of components, each with its place.
_Levels = list[tuple[str, Sequence[Component]]]


def read_json(data: bytes, name: str) -> Read:
    """Return what a bill in JSON says. Raises WireError."""
    marked = any(word.encode() in data for word in _DEVELOPMENT)
    bom = decoded(data, MarkedBom if marked else Bom)
    if bom.form != "CycloneDX":
        raise fault("/bomFormat", "sbom-format", 'bomFormat is "CycloneDX" in every bill of that format')
    return read_bom(bom, name)


def read_bom(bom: Bom, name: str) -> Read:
    """Return what a bill says. Raises WireError."""
    if bom.version not in SPEC_VERSIONS:
        raise fault("/specVersion", "sbom-version", f"read are {', '.join(SPEC_VERSIONS)}, as a text")
    metadata = bom.metadata or _Metadata()
    if any(each.name == _OWN for each in metadata.properties or ()):
        return _services_of_an_environment(bom, name)
    inventory = Inventory(name=name)
    levels: _Levels = [("/components", bom.components or [])]
    if (root := metadata.component) is not None:
        levels.append(("/metadata/component/components", root.components or []))
        if root.type == "container":
            inventory.add_image(root.name, root.version or "")
    graph = _Graph(bom, root)
    _add(inventory, levels, graph.direct())
    for service in _with_nested(bom.services or []):
        inventory.add_service(service.name, service.version or "")
    inventory.warnings += graph.warnings()
    if any(each.aggregate.startswith("incomplete") and each.assemblies for each in bom.compositions or ()):
        inventory.incomplete("the bill itself says that it is incomplete (compositions)")
    return Read(parts=(Part(sections=inventory.sections()),), warnings=inventory.all_warnings())


def _services_of_an_environment(bom: Bom, name: str) -> Read:
    """Return what an inventory of Parity's own says: each service with what belongs to it."""
    parts = []
    blind = {ref for each in bom.compositions or () for ref in each.assemblies or ()}
    for number, service in enumerate(bom.components or []):
        inventory = Inventory(name=name)
        inside = service.components or []
        packages = [component for component in inside if component.type != "container"]
        _add(inventory, [(f"/components/{number}/components", packages)], None)
        for component in inside:
            if component.type == "container":
                digest = (component.purl or "").partition("@")[2].partition("?")[0]
                inventory.add_image(component.name, component.version or "", unquote(digest))
        for server in bom.services or []:
            owner, slash, instance = (server.ref or "").rpartition("/backing/")
            if slash and owner == service.ref:
                inventory.add_server(instance.partition("@")[0], server.name, server.version or "")
        if service.ref in blind:
            inventory.incomplete("not all of this service was seen when the bill was written")
        parts.append(Part(service=service.name, sections=inventory.sections()))
    return Read(parts=tuple(parts))


def _add(inventory: Inventory, levels: _Levels, direct: frozenset[str] | None) -> None:
    """Take down components and whatever is nested in them, which is as optional as they are."""
    count = 0
    scopes: dict[str, tuple[str, ...]] = {}
    while levels:
        prefix, components = levels.pop()
        around = scopes.get(prefix, ())
        count += len(components)
        if count > MOST_COMPONENTS:
            raise fault("/components", "too-many-items", f"more than {MOST_COMPONENTS} components")
        for number, component in enumerate(components):
            place = f"{prefix}/{number}"
            scope = _SCOPES.get(component.scope, around)
            if isinstance(component, _Marked) and _is_marked(component):
                scope = ("dev",)
            inventory.add(
                component.type,
                component.name,
                component.version or "",
                component.purl or "",
                place,
                group=component.group or "",
                use=_use(scope, None if direct is None else component.ref in direct),
            )
            if component.components:
                levels.append((f"{place}/components", component.components))
                scopes[f"{place}/components"] = scope


def _is_marked(component: _Marked) -> bool:
    return any(_DEVELOPMENT.get(mark.name) == mark.value for mark in component.properties or () if mark.value)


def _with_nested(services: Sequence[_Service]) -> Iterator[_Service]:
    for service in services:
        yield service
        yield from _with_nested(service.services or ())


class _Graph:
    """Who depends on whom, as the bill says it."""

    def __init__(self, bom: Bom, root: Component | None) -> None:
        self._root = root.ref if root is not None else None
        self._needs = {each.ref: each.needs or () for each in bom.dependencies or ()}
        self._refs: list[str] = [self._root] if self._root else []
        #: Own code and lockfiles between the project and its packages.
        self._unnamed: set[str] = set()
        self._look([*(bom.components or ()), *((root.components or ()) if root else ())])
        self._refs += [service.ref for service in _with_nested(bom.services or ()) if service.ref]

    def _look(self, level: Sequence[Component]) -> None:
        while level:
            self._refs += [component.ref for component in level if component.ref is not None]
            self._unnamed.update(c.ref for c in level if c.purl is None and c.ref is not None)
            level = [nested for component in level if component.components for nested in component.components]

    def direct(self) -> frozenset[str] | None:
        """Return what the project itself asks for; None where the bill does not say."""
        if self._root is None or not self._needs.get(self._root):
            return None
        found: set[str] = set()
        waiting = list(self._needs[self._root])
        while waiting:
            ref = waiting.pop()
            if ref not in found:
                found.add(ref)
                if ref in self._unnamed:
                    waiting += self._needs.get(ref, ())
        return frozenset(found)

    def warnings(self) -> list[str]:
        """Return what is odd in it; no fact depends on that."""
        told, known = [], frozenset(self._refs)
        if doubled := len(self._refs) - len(known):
            told.append(f"doubled-ref: components with the bom-ref of another: {doubled}")
        needed = self._needs.keys() | set(chain.from_iterable(self._needs.values()))
        if dangling := len(needed - known):
            told.append(f"dangling-ref: dependencies that name no component: {dangling}")
        return told
