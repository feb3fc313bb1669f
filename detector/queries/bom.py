"""The inventory of one environment as a bill of materials: CycloneDX 1.6 in JSON.

Specification: ECMA-424. Each service is a component with its packages, runtimes and image; the servers that
it is attached to are services of the bill. The reader of bills takes such an inventory apart again.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from importlib.metadata import version
from typing import Any, Final
from urllib.parse import quote, unquote
from uuid import NAMESPACE_URL, uuid5

from detector.config.policy import Policy
from detector.engine.promotion import versions_in
from detector.engine.view import View
from detector.model.clock import print_time
from detector.model.expressions import EnvironmentState
from detector.model.records import Side
from detector.queries.comparison import Comparisons
from detector.queries.overview import version_place

MEDIA_TYPE: Final = "application/vnd.cyclonedx+json"
_SPECIFICATION: Final = "1.6"
#: Hint -> scope of a component. What production does without is excluded from what runs.
_SCOPES: Final = {"dev": "excluded", "optional": "optional"}


class Inventories:
    """Answers what an environment is made of, now or as a snapshot has it."""

    def __init__(self, comparisons: Comparisons, policy: Callable[[], Policy]) -> None:
        self._comparisons = comparisons
        self._policy = policy

    async def cyclonedx(self, expression: EnvironmentState, *, now: datetime) -> dict[str, Any]:
        """Return CycloneDX 1.6 of one state of an environment. No config is in it.

        Raises NotFoundError for an environment or a snapshot that nobody knows.
        """
        self._policy().environment(expression.environment)
        state, views = await self._comparisons.views_of(expression, now=now)
        return bill_of(expression.environment, views, at=state.taken_at or now, snapshot=state.snapshot)


def bill_of(
    environment: str, views: Mapping[str, View], *, at: datetime, snapshot: int | None = None
) -> dict[str, Any]:
    """Return the bill of an environment. The same inventory has the same serial number, whenever asked."""
    told = {"parity:environment": environment}
    if snapshot is not None:
        told["parity:snapshot"] = str(snapshot)
    components, servers, depends = [], [], []
    for name, view in sorted(views.items()):
        reference = f"{environment}/{name}"
        component, attached = _service(view, reference)
        components.append(component)
        servers += attached
        depends.append({"ref": reference, "dependsOn": [server["bom-ref"] for server in attached]})
    names = [component["bom-ref"] for component in components]
    bill: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": _SPECIFICATION,
        "version": 1,
        "metadata": {
            "component": {"type": "platform", "bom-ref": environment, "name": environment},
            "tools": {
                "components": [
                    {"type": "application", "name": "parity", "version": version("parity-detector")}
                ]
            },
            "properties": [{"name": key, "value": value} for key, value in told.items()],
        },
        "components": components,
        "services": servers,
        "dependencies": [{"ref": environment, "dependsOn": names}, *depends],
    }
    blind = [f"{environment}/{name}" for name, view in sorted(views.items()) if _is_partly_seen(view)]
    if blind:
        bill["compositions"] = [{"aggregate": "incomplete", "assemblies": blind}]
    bill["serialNumber"] = f"urn:uuid:{uuid5(NAMESPACE_URL, repr(bill))}"
    bill["metadata"]["timestamp"] = print_time(at)
    return bill


def _is_partly_seen(view: View) -> bool:
    """Tell whether packages may be there that the bill does not list."""
    looks = [look for (_, section), here in view.looks.items() if section == "dependencies" for look in here]
    return not looks or any(
        not look.fresh or look.section.status != "complete" or look.section.unseen for look in looks
    )


def _service(view: View, reference: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return a service as a component, and the servers that it is attached to."""
    parts: dict[str, dict[str, Any]] = {}
    servers: dict[str, dict[str, tuple[str, ...]]] = {}
    image: dict[str, tuple[str, ...]] = {}
    for place, side in view.sides.items():
        if not side.present:
            continue
        subject, _, fact = place.item.partition("#")
        if place.section == "dependencies":
            for part in _packages(place.item, side, reference):
                parts[part["bom-ref"]] = part
        elif place.section == "backing_services" and fact in {"product", "version"}:
            servers.setdefault(subject, {})[fact] = versions_in(side.value)
        elif place.section == "release" and subject == "image":
            image[fact] = versions_in(side.value)
    for part in _images(image, reference):
        parts[part["bom-ref"]] = part
    found: dict[str, Any] = {"type": "application", "bom-ref": reference, "name": view.service}
    if (place_of_version := version_place(view)) is not None:
        found["version"] = str(view.sides[place_of_version].value)
    found["components"] = [parts[ref] for ref in sorted(parts)]
    return found, [
        server for name, facts in sorted(servers.items()) for server in _server(name, facts, reference)
    ]


def _packages(item: str, side: Side, reference: str) -> Iterable[dict[str, Any]]:
    """Return a package, a runtime or an operating system in each version; nothing of what is none."""
    for written in versions_in(side.value):
        found = _package(item, written, side.hints) or _platform(item, written)
        if found is not None:
            yield {**found, "bom-ref": f"{reference}/{item}@{written}"}


def _package(item: str, written: str, hints: Mapping[str, Any]) -> dict[str, Any] | None:
    if not item.startswith("pkg:"):
        return None
    path, _, subpath = item.partition("#")
    if path.startswith("pkg:npm/") and "platform" in hints:
        # One of many names that are one item: the one that is there.
        path = path.removesuffix("platform") + quote(hints["platform"])
    _, _, names = path.partition("/")
    group, _, name = names.rpartition("/")
    found = {"type": "library", "name": unquote(name), "version": written}
    if group:
        found["group"] = unquote(group)
    found["purl"] = f"{path}@{quote(written, safe='-._~:+')}" + (f"#{subpath}" if subpath else "")
    scopes = [_SCOPES[word] for word in hints.get("scope", ()) if word in _SCOPES]
    if scopes:
        found["scope"] = scopes[0] if len(set(scopes)) == 1 else "optional"
    return found


def _platform(item: str, written: str) -> dict[str, Any] | None:
    kind, _, name = item.partition("#")
    if kind == "runtime":
        return {"type": "platform", "name": name, "version": written}
    if item == "os#release":
        system, _, release = written.partition(" ")
        return {"type": "operating-system", "name": system} | ({"version": release} if release else {})
    return None


def _images(facts: Mapping[str, tuple[str, ...]], reference: str) -> Iterable[dict[str, Any]]:
    """Return the image of a service where one alone is known."""
    if len(facts.get("repository", ())) != 1:
        return
    (repository,) = facts["repository"]
    found: dict[str, Any] = {"type": "container", "bom-ref": f"{reference}/image", "name": repository}
    if len(tags := facts.get("tag", ())) == 1:
        found["version"] = tags[0]
    if len(digests := facts.get("digest", ())) == 1:
        algorithm, _, content = digests[0].partition(":")
        name = quote(repository.rpartition("/")[2])
        found["purl"] = (
            f"pkg:oci/{name}@{quote(digests[0], safe='')}?repository_url={quote(repository, safe='')}"
        )
        if algorithm == "sha256":
            found["hashes"] = [{"alg": "SHA-256", "content": content}]
    yield found


def _server(name: str, facts: Mapping[str, tuple[str, ...]], reference: str) -> Iterable[dict[str, Any]]:
    for product in facts.get("product", ()):
        for written in facts.get("version", ("",)):
            server = {"bom-ref": f"{reference}/backing/{name}@{written or product}", "name": product}
            yield server | ({"version": written} if written else {})
