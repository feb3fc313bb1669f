"""The objects of manifests: files of many documents, and lists (Kubernetes API reference)."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from collectors.readers._yaml import Limits, documents, is_map
from detector.errors import UnseenError

_LIMITS: Final = Limits(bytes=32 * 1024 * 1024, nodes=2_000_000)
_KIND: Final = re.compile(r"[A-Za-z][A-Za-z0-9]{0,62}")
_GROUP: Final = re.compile(r"(?:[a-z0-9.-]{1,253}/)?v[a-z0-9]{1,62}")
#: Names of services and components, too.
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
#: Kinds that say nothing of a container: left out without a word.
# fmt: off
_ASIDE: Final = frozenset({
    "APIService", "CSIDriver", "Certificate", "CertificateSigningRequest", "ClusterIssuer", "ClusterRole",
    "ClusterRoleBinding", "ClusterSecretStore", "CustomResourceDefinition", "EndpointSlice", "Endpoints",
    "Event", "GRPCRoute", "Gateway", "HTTPRoute", "Ingress", "IngressClass", "Issuer", "Lease",
    "LimitRange", "MutatingWebhookConfiguration", "Namespace", "NetworkPolicy", "Node", "PersistentVolume",
    "PersistentVolumeClaim", "PodDisruptionBudget", "PodMonitor", "PriorityClass", "PrometheusRule",
    "ResourceQuota", "Role", "RoleBinding", "RuntimeClass", "SecretStore", "ServiceAccount",
    "ServiceMonitor", "StorageClass", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration", "VerticalPodAutoscaler",
})
# fmt: on
#: Kinds that are written for a tool, which makes the objects of them.
_SOURCES: Final = {"Kustomization": "kustomize build", "Component": "kustomize build"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Object:
    """One object: its kind, its names, and all that stands in it."""

    kind: str
    name: str
    #: Empty where the manifest leaves it to whoever applies it.
    namespace: str
    tree: Mapping[str, Any] = field(repr=False)
    #: File and line.
    place: str
    #: Whether it stands at the end of a file that does not end with a line break.
    last: bool = False


def objects_of(data: bytes, name: str) -> list[Object]:
    """Return the objects of one file.

    Raises UnseenError: `unsupported` for the input of kustomize or helm in place of its output, `malformed`
    for a document that is no object, `too_large`.
    """
    try:
        found = documents(data, name, limits=_LIMITS)
    except UnseenError as error:
        if error.reason == "malformed" and b"{{" in data:
            raise UnseenError(
                "unsupported", f"{name}: a template; give what `helm template` prints of it"
            ) from None
        raise
    # What is JSON as a whole has its own end.
    cut = bool(found) and not data.endswith((b"\n", b"\r")) and not data.startswith(b"{")
    last = found[-1][0] if cut else None
    objects: list[Object] = []
    for line, tree in found:
        if tree is not None:
            objects += _objects(tree, f"{name}:{line}", last=line == last)
    return objects


def _objects(tree: Any, place: str, *, last: bool) -> Iterator[Object]:
    """Yield the object of a document, or those of a list."""
    version, kind = (tree.get(key) for key in ("apiVersion", "kind")) if is_map(tree) else (None, None)
    if not isinstance(version, str) or not _GROUP.fullmatch(version):
        raise UnseenError("malformed", f"{place}: no `apiVersion`; is this an object of Kubernetes?")
    if not isinstance(kind, str) or not _KIND.fullmatch(kind):
        raise UnseenError("malformed", f"{place}: no `kind`; is this an object of Kubernetes?")
    if kind in _SOURCES and version.startswith("kustomize.config.k8s.io/"):
        raise UnseenError("unsupported", f"{place}: give what `{_SOURCES[kind]}` prints of it")
    items = tree.get("items")
    if kind.endswith("List") and isinstance(items, list):
        for position, item in enumerate(items):
            if is_map(item) and not str(item.get("kind", "")).endswith("List"):
                # The items of a PodList need not repeat what they are.
                of_list = {"apiVersion": version, "kind": kind.removesuffix("List")}
                yield from _objects({**of_list, **item}, f"{place}: item {position + 1}", last=last)
            else:
                raise UnseenError("malformed", f"{place}: item {position + 1} is no object")
        return
    metadata = tree.get("metadata")
    metadata = metadata if is_map(metadata) else {}
    name = metadata.get("name") or str(metadata.get("generateName") or "").rstrip("-")
    namespace = metadata.get("namespace") or ""
    if not isinstance(name, str) or not NAME.fullmatch(name) or ".." in name:
        if kind in _ASIDE:
            return
        raise UnseenError("malformed", f"{place}: a {kind} without a name that can be one")
    if namespace and not (isinstance(namespace, str) and NAME.fullmatch(namespace)):
        raise UnseenError("malformed", f"{place}: a {kind} in a namespace that can be none")
    yield Object(kind=kind, name=name, namespace=namespace, tree=tree, place=place, last=last)


class Objects:
    """All objects that were given, by kind. Of one that is given twice the last counts, as when applied."""

    def __init__(self, objects: Iterable[Object], *, namespace: str | None = None) -> None:
        self._kinds: dict[str, dict[tuple[str, str], Object]] = {}
        self.repeated: list[Object] = []
        #: What may go on behind the end of its file.
        self.cut: list[Object] = []
        for one in objects:
            if namespace is not None and one.namespace not in ("", namespace):
                continue
            if one.last:
                self.cut.append(one)
            named = self._kinds.setdefault(one.kind, {})
            if (one.namespace, one.name) in named:
                self.repeated.append(one)
            named[one.namespace, one.name] = one

    def of(self, *kinds: str) -> list[Object]:
        """Return the objects of some kinds, in the order of the files."""
        return [one for kind in kinds for one in self._kinds.get(kind, {}).values()]

    def named(self, kind: str, beside: Object, name: object) -> Object | None:
        """Return what an object refers to by name: in its own namespace, or where one of both states none."""
        known = self._kinds.get(kind, {})
        if not isinstance(name, str):
            return None
        if (found := known.get((beside.namespace, name)) or known.get(("", name))) is not None:
            return found
        if beside.namespace:
            return None
        same = [one for (_, other), one in known.items() if other == name]
        return same[0] if len(same) == 1 else None

    def scaler_of(self, one: Object) -> Object | None:
        """Return the autoscaler that counts the pods of an object."""
        return next(
            (found for key in _homes(one, one.kind, one.name) if (found := self._scalers.get(key))), None
        )

    def services_of(self, one: Object, labels: object) -> Iterator[Object]:
        """Yield the Services that lead to pods with these labels."""
        known = labels if is_map(labels) else {}
        for label, value in known.items():
            for key in _homes(one, label, value) if isinstance(value, str) else ():
                for service in self._services.get(key, ()):
                    if all(
                        known.get(name) == wanted for name, wanted in service.tree["spec"]["selector"].items()
                    ):
                        yield service

    @cached_property
    def _scalers(self) -> dict[tuple[str, str, str], Object]:
        targets = (
            (one, at(one.tree, "spec", "scaleTargetRef")) for one in self.of("HorizontalPodAutoscaler")
        )
        return {(one.namespace, text_at(to, "kind"), text_at(to, "name")): one for one, to in targets}

    @cached_property
    def _services(self) -> dict[tuple[str, str, str], list[Object]]:
        """Services by namespace and the label that fewest others ask for."""
        asked = {
            (one.namespace, one.name): [
                (one.namespace, label, str(value)) for label, value in selector.items()
            ]
            for one in self.of("Service")
            if is_map(selector := at(one.tree, "spec", "selector")) and selector
        }
        often = Counter(key for keys in asked.values() for key in keys)
        found: dict[tuple[str, str, str], list[Object]] = {}
        for named, keys in asked.items():
            found.setdefault(min(keys, key=often.__getitem__), []).append(self._kinds["Service"][named])
        return found

    def other_kinds(self, known: Iterable[str]) -> list[str]:
        """Return kinds that may stand for containers and are not understood."""
        return sorted(self._kinds.keys() - _ASIDE - {*known})


def _homes(one: Object, first: str, second: str) -> Iterator[tuple[str, str, str]]:
    """Yield under which namespaces something stands that belongs to an object."""
    for namespace in dict.fromkeys((one.namespace, "")):
        yield namespace, first, second


def at(tree: Any, *path: str) -> Any:
    """Return what stands at a path of keys, or None."""
    for key in path:
        tree = tree.get(key) if is_map(tree) else None
    return tree


def maps_at(tree: Any, *path: str) -> list[dict[str, Any]]:
    """Return the maps of a list at a path of keys."""
    found = at(tree, *path)
    return [entry for entry in found if is_map(entry)] if isinstance(found, list) else []


def text_at(tree: Any, *path: str) -> str:
    """Return the text at a path of keys, empty where there is none."""
    found = at(tree, *path)
    return found if isinstance(found, str) else ""
