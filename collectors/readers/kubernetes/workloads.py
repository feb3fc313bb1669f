"""Which services and components the workloads of manifests are, and what stands beside their containers."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from collectors.readers._yaml import is_map
from collectors.readers.kubernetes.config import Shaped, config_of
from collectors.readers.kubernetes.containers import count, port_items, sections_of
from collectors.readers.kubernetes.objects import NAME, Object, Objects, at, maps_at, text_at
from detector.errors import UnseenError
from detector.model.facts import Section, Unseen, Value
from detector.model.words import MAIN, ComponentKind, SectionName
from detector.reader import Part

#: Kind of a workload -> where it describes its pods.
PODS: Final[Mapping[str, tuple[str, ...]]] = {
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "ReplicationController": ("spec", "template"),
    "DeploymentConfig": ("spec", "template"),
    "Rollout": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "Pod": (),
}
#: Kinds that are read beside the workloads.
BESIDE: Final = (
    "ConfigMap",
    "Secret",
    "SealedSecret",
    "ExternalSecret",
    "Service",
    "HorizontalPodAutoscaler",
)
_JOBS: Final = frozenset({"Job", "CronJob"})
_COUNTED: Final = frozenset(
    {"Deployment", "StatefulSet", "ReplicaSet", "ReplicationController", "DeploymentConfig", "Rollout"}
)
_HOOK: Final = "helm.sh/hook"
_MAIN_CONTAINER: Final = "kubectl.kubernetes.io/default-container"
_CRON: Final = re.compile(r"[0-9A-Za-z*/,?#@ -]{1,128}")
_ZONE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_+/-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """Labels that name services and components; without one a workload's own name does."""

    service: str = "app.kubernetes.io/name"
    component: str = "app.kubernetes.io/component"


BY_LABELS: Final = Naming()


@dataclass(slots=True, kw_only=True)
class Workload:
    """One workload, the service that it belongs to, and what it is in it."""

    object: Object
    service: str
    labelled: str | None
    component: str = field(default=MAIN)

    @property
    def is_job(self) -> bool:
        """Whether it ends by itself."""
        return self.object.kind in _JOBS

    @property
    def pod(self) -> Mapping[str, Any]:
        """The pods that it makes, or which it is."""
        found = at(self.object.tree, *PODS[self.object.kind])
        return found if is_map(found) else {}


def workloads_of(objects: Objects, naming: Naming) -> list[Workload]:
    """Return the workloads, each with its service and component; two are never one component."""
    found = []
    for one in objects.of(*PODS):
        if maps_at(one.tree, "metadata", "ownerReferences"):
            # Made by another one: of `kubectl get all`.
            continue
        if text_at(one.tree, "metadata", "annotations", _HOOK).startswith("test"):
            # What `helm test` would run, never a part of the release.
            continue
        workload = Workload(object=one, service=one.name, labelled=None)
        labels = [at(part, "metadata", "labels") for part in (one.tree, workload.pod)]
        workload.service = _label(labels, naming.service) or one.name
        workload.labelled = _label(labels, naming.component)
        found.append(workload)
    services: dict[str, list[Workload]] = {}
    for workload in found:
        services.setdefault(workload.service, []).append(workload)
    for together in services.values():
        _name_components(together)
    return found


def _label(parts: list[Any], name: str) -> str | None:
    found = next((text for part in parts if (text := text_at(part, name))), "")
    return found if NAME.fullmatch(found) and ".." not in found else None


def _name_components(workloads: list[Workload]) -> None:
    """Give each workload of a service its component: its label, else what its name adds to the service's."""
    processes = [one for one in workloads if not one.is_job]
    taken: set[str] = set()
    names: set[str] = set()
    for one in workloads:
        own = one.object.name
        if one.labelled is not None:
            one.component = one.labelled
        elif own == one.service or (not one.is_job and len(processes) == 1):
            one.component = MAIN
        else:
            one.component = own.removeprefix(f"{one.service}-")
        if one.component in taken:
            one.component = own
        if one.component in taken or own in names:
            spaces = sorted({other.object.namespace for other in workloads if other.object.namespace})
            hint = f" ({' and '.join(spaces[:5])}): name one as `namespace`" if len(spaces) > 1 else ""
            raise UnseenError("not_comparable", f"{one.object.place}: {own} is there more than once{hint}")
        taken.add(one.component)
        names.add(own)


def parts_of(workload: Workload, objects: Objects, shaped: Shaped) -> Iterator[Part]:
    """Yield a part for each container of a workload: the service, its sidecars, what runs before it."""
    pod = workload.pod
    spec = at(pod, "spec")
    containers = maps_at(spec, "containers")
    if not is_map(spec) or not containers:
        raise UnseenError("malformed", f"{workload.object.place}: {workload.object.name} has no containers")
    metadata = [part for part in (at(workload.object.tree, "metadata"), at(pod, "metadata")) if is_map(part)]
    claims = [
        text_at(claim, "metadata", "name")
        for claim in maps_at(workload.object.tree, "spec", "volumeClaimTemplates")
    ]
    main = _main_container(workload, containers, metadata)
    for container, before in (
        *((one, False) for one in containers),
        *((one, True) for one in maps_at(spec, "initContainers")),
    ):
        own = metadata if container is main else ()
        sections = sections_of(spec, container, claims=claims, metadata=own)
        sections["config"] = config_of(workload.object, container, objects, shaped)
        component, kind = _component(workload, container, main=container is main, before=before)
        if container is main:
            others = {item for one in containers if one is not main for item in port_items(one)}
            sections = _with_workload(sections, workload, objects, others)
        if cut := next((one for one in objects.cut if one is workload.object or one.kind in BESIDE), None):
            sections = {name: _cut(section, cut.place) for name, section in sections.items()}
        yield Part(service=workload.service, component=component, component_kind=kind, sections=sections)


def _main_container(
    workload: Workload, containers: list[dict[str, Any]], metadata: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the container that is the service: the named one, else the one of its name, else the first."""
    named = [text_at(one, "annotations", _MAIN_CONTAINER) for one in metadata]
    wanted = [name for name in (*named, workload.object.name, workload.service, workload.component) if name]
    by_name = {text_at(one, "name"): one for one in reversed(containers)}
    return next((by_name[name] for name in wanted if name in by_name), containers[0])


def _component(
    workload: Workload, container: Mapping[str, Any], *, main: bool, before: bool
) -> tuple[str, ComponentKind]:
    if main:
        return workload.component, "job" if workload.is_job else "process"
    name = text_at(container, "name")
    if not NAME.fullmatch(name) or ".." in name:
        raise UnseenError("malformed", f"{workload.object.place}: a container without a name that can be one")
    if workload.component != MAIN:
        name = f"{workload.component}.{name}"
    # One that starts before the others and stays is a sidecar too.
    return name, "job" if before and container.get("restartPolicy") != "Always" else "sidecar"


def _with_workload(
    sections: dict[SectionName, Section], workload: Workload, objects: Objects, others: Collection[str]
) -> dict[SectionName, Section]:
    """Return the sections of the main container with what stands beside it: counts, services, schedule.

    ``others`` are the ports of the other containers.
    """
    tree = workload.object.tree
    facts: dict[SectionName, dict[str, Value]] = {
        "ports": {},
        "processes": {},
        "concurrency": {},
        "admin": {},
    }
    if workload.object.kind in _COUNTED:
        facts["concurrency"]["replicas"] = _replicas(workload, objects)
    for service in objects.services_of(workload.object, at(workload.pod, "metadata", "labels")):
        facts["processes"]["affinity"] = (
            "client_ip" if text_at(service.tree, "spec", "sessionAffinity") == "ClientIP" else "none"
        )
        for port in maps_at(service.tree, "spec", "ports"):
            number = count(port.get("targetPort", port.get("port")))
            protocol = (text_at(port, "protocol") or "TCP").lower()
            known = number is not None and protocol in ("tcp", "udp", "sctp")
            if known and f"{number}/{protocol}" not in others:
                facts["ports"][f"{number}/{protocol}"] = None
    if workload.object.kind == "CronJob":
        facts["admin"]["schedule"] = _schedule(tree)
    return sections | {
        name: replace(
            sections.get(name) or Section(basis="declared"),
            facts={**(sections[name].facts if name in sections else {}), **more},
        )
        for name, more in facts.items()
        if more
    }


def _replicas(workload: Workload, objects: Objects) -> Value:
    """Return how many there are; where an autoscaler counts them, its bounds."""
    if (scaler := objects.scaler_of(workload.object)) is not None:
        least = count(at(scaler.tree, "spec", "minReplicas"))
        return {"min": 1 if least is None else least, "max": count(at(scaler.tree, "spec", "maxReplicas"))}
    stated = count(at(workload.object.tree, "spec", "replicas"))
    return 1 if stated is None else stated


def _schedule(tree: Mapping[str, Any]) -> Value:
    cron, zone = text_at(tree, "spec", "schedule"), text_at(tree, "spec", "timeZone")
    return {
        "cron": cron if _CRON.fullmatch(cron) else None,
        "time_zone": zone if _ZONE.fullmatch(zone) else None,
        "suspended": at(tree, "spec", "suspend") in ("true", "True", "TRUE"),
    }


def _cut(section: Section, place: str) -> Section:
    detail = f"{place}: the file ends without a line break; is it cut off?"
    unseen = (*section.unseen, Unseen(item="*", reason="malformed", detail=detail))
    return replace(section, status="partial", unseen=unseen)
