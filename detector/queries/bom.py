"""The inventory of one environment as a bill of materials: CycloneDX 1.6 in JSON."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from detector.config.policy import Policy
from detector.engine.promotion import versions_in
from detector.engine.view import View
from detector.model.clock import print_time
from detector.queries.overview import version_place
from detector.queries.views import Views

_SPECIFICATION: Final = "1.6"


class Inventories:
    """Answers what an environment is made of."""

    def __init__(self, views: Views, policy: Callable[[], Policy]) -> None:
        self._views = views
        self._policy = policy

    async def cyclonedx(self, environment: str, *, now: datetime) -> dict[str, Any]:
        """Return CycloneDX 1.6: each service with its packages, servers and runtimes. No config.

        Raises NotFoundError for an environment that nobody knows.
        """
        self._policy().environment(environment)
        views = await self._views.of(environment, now=now)
        document: dict[str, Any] = {
            "bomFormat": "CycloneDX",
            "specVersion": _SPECIFICATION,
            "version": 1,
            "metadata": {
                "component": {"type": "platform", "bom-ref": environment, "name": environment},
                "tools": {"components": [{"type": "application", "name": "parity"}]},
            },
            "components": [_service(view) for view in views.values()],
        }
        # The same inventory has the same number: only the time of the question differs.
        document["serialNumber"] = f"urn:uuid:{uuid5(NAMESPACE_URL, repr(document))}"
        document["metadata"]["timestamp"] = print_time(now)
        return document


def _service(view: View) -> dict[str, Any]:
    place = version_place(view)
    found = {"type": "application", "bom-ref": view.service, "name": view.service}
    if place is not None:
        found["version"] = str(view.sides[place].value)
    parts = {part["bom-ref"]: part for part in _parts(view)}
    return {**found, "components": [parts[ref] for ref in sorted(parts)]}


def _parts(view: View) -> Iterable[dict[str, Any]]:
    servers: dict[str, dict[str, str]] = {}
    for place, side in view.sides.items():
        if not side.present:
            continue
        for version in versions_in(side.value):
            if place.section == "dependencies":
                if part := _package(view.service, place.item, version):
                    yield part
            elif place.section == "backing_services":
                name, _, fact = place.item.partition("#")
                if fact in ("product", "version"):
                    servers.setdefault(name, {})[fact] = version
    for name, facts in servers.items():
        if "product" in facts:
            yield {"type": "application", "bom-ref": f"{view.service}/{name}", **_named(facts)}


def _named(facts: Mapping[str, str]) -> dict[str, str]:
    named = {"name": facts["product"]}
    return named | ({"version": facts["version"]} if "version" in facts else {})


def _package(service: str, item: str, version: str) -> dict[str, str] | None:
    """Return a package, a runtime or an operating system; None for what is none, such as a lockfile."""
    reference = f"{service}/{item}@{version}"
    if item.startswith("pkg:"):
        name, _, subpath = item.partition("#")
        purl = f"{name}@{quote(version, safe='-._~:+')}" + (f"#{subpath}" if subpath else "")
        return {
            "type": "library",
            "bom-ref": reference,
            "name": name.partition("/")[2],
            "version": version,
            "purl": purl,
        }
    kind, _, name = item.partition("#")
    if kind == "runtime":
        return {"type": "platform", "bom-ref": reference, "name": name, "version": version}
    if item == "os#release":
        return {"type": "operating-system", "bom-ref": reference, "name": version}
    return None
