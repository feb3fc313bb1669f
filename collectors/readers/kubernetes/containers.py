"""What one container of a pod declares, section by section (Kubernetes API reference, ``v1.Container``).

Copied by allow-list: of a command the program's name alone; of labels and annotations those of OCI. Where a
manifest is silent the API server fills in a default, which then is what is declared.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from collectors._containers import commit, first_process, image_reference, program, user
from collectors._web_servers import web_server
from collectors.readers._backing_images import backing_facts, product_of
from collectors.readers._yaml import is_map
from collectors.readers.kubernetes.objects import at, maps_at, text_at
from detector.model.addresses import repository_url
from detector.model.facts import Section, Unseen, Value
from detector.model.words import Completeness, SectionName

_OCI: Final = "org.opencontainers.image."
_TRUE: Final = ("true", "True", "TRUE")
_MOUNT: Final = re.compile(r"/[A-Za-z0-9._@+/-]{1,255}")
_QUANTITY: Final = re.compile(
    r"([0-9]{1,15}(?:\.[0-9]{1,9})?)(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi|[eE][+]?[0-9]{1,2})?"
)
_FACTORS: Final = {
    "m": 1e-3, "": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15,
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50,
}  # fmt: skip
_PROTOCOLS: Final = {"TCP": "tcp", "UDP": "udp", "SCTP": "sctp"}
#: Field of a volume -> its kind, in the words that other collectors have for the same.
_VOLUMES: Final = {
    "hostPath": "bind",
    "persistentVolumeClaim": "volume",
    "ephemeral": "volume",
    "emptyDir": "tmpfs",
    "configMap": "config",
    "secret": "secret",
    "projected": "projected",
    "downwardAPI": "downward_api",
    "csi": "csi",
    "nfs": "nfs",
    "image": "image",
}
_READ_ONLY: Final = frozenset({"config", "secret", "projected", "downward_api", "image"})
_RESTARTS: Final = {"Always": "always", "OnFailure": "on-failure", "Never": "no"}
_PROBES: Final = ("liveness", "readiness", "startup")
#: Field of a probe -> name, and what the API server takes where it is not stated.
_TIMES: Final = (
    ("periodSeconds", "interval", 10),
    ("timeoutSeconds", "timeout", 1),
    ("failureThreshold", "retries", 3),
    ("initialDelaySeconds", "start_period", 0),
)
_KINDS_OF_PROBE: Final = {"httpGet": "http", "tcpSocket": "tcp", "grpc": "grpc"}


def sections_of(
    spec: Mapping[str, Any],
    container: Mapping[str, Any],
    *,
    claims: Iterable[str] = (),
    metadata: Iterable[Mapping[str, Any]] = (),
) -> dict[SectionName, Section]:
    """Return every section but config of which a container of a pod says something.

    ``claims`` are volumes that each pod gets for itself; ``metadata`` that of the pod and what makes it.
    """
    release, unseen = _release(container)
    status: Completeness = "partial" if unseen else "complete"
    sections: dict[SectionName, Section] = {
        "release": Section(basis="declared", status=status, facts=release, unseen=unseen)
    }
    found: dict[SectionName, dict[str, Value]] = {
        "codebase": _codebase(metadata),
        "processes": _processes(spec, container, frozenset(claims)),
        "ports": dict.fromkeys(port_items(container), None),
        "concurrency": _limits(container),
        "disposability": _disposability(spec, container),
    }
    sections |= {
        name: Section(basis="declared", facts=facts, covers=() if name == "codebase" else ("*",))
        for name, facts in found.items()
        if facts
    }
    image = image_reference(text_at(container, "image"))
    if image is not None and product_of(image) is not None:
        facts = backing_facts(image)
        covers = dict.fromkeys((*facts, "main#variant")) if "main#version" in facts else facts
        sections["backing_services"] = Section(basis="declared", facts=facts, covers=tuple(covers))
    return sections


def port_items(container: Mapping[str, Any]) -> list[str]:
    """Return the ports on which a container says that it listens."""
    items = []
    for port in maps_at(container, "ports"):
        protocol = _PROTOCOLS.get(text_at(port, "protocol") or "TCP")
        if protocol and (number := count(port.get("containerPort"))) is not None:
            items.append(f"{number}/{protocol}")
    return items


def count(text: object) -> int | None:
    """Return a number of a manifest, None for what is none."""
    plain = isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) < 10
    return int(str(text)) if plain else None


def _release(container: Mapping[str, Any]) -> tuple[dict[str, Value], tuple[Unseen, ...]]:
    image = image_reference(text_at(container, "image"))
    if image is None:
        return {}, (Unseen(item="image#*", reason="not_in_view", detail="the image is not stated"),)
    facts: dict[str, Value] = {"image#repository": image.repository}
    if image.tag:
        facts["image#tag"] = image.tag
    if image.digest:
        # What people and bots pin is what the registry shows for a tag: the index of all platforms.
        facts["image#index"] = image.digest
    return facts, ()


def _codebase(metadata: Iterable[Mapping[str, Any]]) -> dict[str, Value]:
    facts: dict[str, Value] = {}
    for one in metadata:
        for part in ("labels", "annotations"):
            if url := repository_url(text_at(one, part, f"{_OCI}source")):
                facts["repo#url"] = url
            if found := commit(text_at(one, part, f"{_OCI}revision")):
                facts["repo#commit"] = found
    return facts


def _processes(
    spec: Mapping[str, Any], container: Mapping[str, Any], claims: frozenset[str]
) -> dict[str, Value]:
    facts: dict[str, Value] = {
        "read_only": at(container, "securityContext", "readOnlyRootFilesystem") in _TRUE
    }
    # Without one, the image's own user: the manifest does not say it.
    if (runs_as := _runs_as(spec, container)) is not None:
        facts["user"] = runs_as
    argv = _argv(container)
    if known := program(argv):
        facts["command"] = known
    if server := web_server(argv):
        facts["server"] = server
    volumes = {text_at(one, "name"): _volume_kind(one) for one in maps_at(spec, "volumes")}
    volumes |= dict.fromkeys(claims, "volume")
    for mount in maps_at(container, "volumeMounts"):
        path = text_at(mount, "mountPath")
        kind = volumes.get(text_at(mount, "name"))
        if kind and _MOUNT.fullmatch(path):
            read_only = mount.get("readOnly") in _TRUE or kind in _READ_ONLY
            facts[f"mount/{path.strip('/')}"] = {"kind": kind, "read_only": read_only}
    return facts


def _runs_as(spec: Mapping[str, Any], container: Mapping[str, Any]) -> str | None:
    ids = []
    for key in ("runAsUser", "runAsGroup"):
        stated = at(container, "securityContext", key) or at(spec, "securityContext", key)
        ids.append(count(stated))
    if ids[0] is None:
        return None
    return user(str(ids[0]) if ids[1] is None else f"{ids[0]}:{ids[1]}")


def _argv(container: Mapping[str, Any]) -> list[str]:
    words = [at(container, key) for key in ("command", "args")]
    return [word for part in words if isinstance(part, list) for word in part if isinstance(word, str)]


def _volume_kind(volume: Mapping[str, Any]) -> str:
    return next((kind for key, kind in _VOLUMES.items() if key in volume), "volume")


def _limits(container: Mapping[str, Any]) -> dict[str, Value]:
    memory = _quantity(at(container, "resources", "limits", "memory"))
    cpu = _quantity(at(container, "resources", "limits", "cpu"))
    return {"limit/memory": None if memory is None else int(memory), "limit/cpu": cpu}


def _quantity(text: object) -> float | None:
    """Return a quantity such as ``512Mi`` or ``500m``."""
    match = _QUANTITY.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    unit = match[2] or ""
    factor = _FACTORS.get(unit)
    return float(match[1]) * (10.0 ** int(unit[1:].lstrip("+")) if factor is None else factor)


def _disposability(spec: Mapping[str, Any], container: Mapping[str, Any]) -> dict[str, Value]:
    grace = count(at(spec, "terminationGracePeriodSeconds"))
    facts: dict[str, Value] = {"grace": 30 if grace is None else grace}
    if restart := _RESTARTS.get(text_at(spec, "restartPolicy") or "Always"):
        facts["restart"] = restart
    if at(container, "command"):
        facts["pid1"] = first_process(_argv(container))
    if signal := text_at(container, "lifecycle", "stopSignal"):
        facts |= {"stop_signal": signal} if re.fullmatch(r"SIG[A-Z0-9+-]{1,16}", signal) else {}
    for name in _PROBES:
        probe = container.get(f"{name}Probe")
        if is_map(probe):
            facts[f"probe/{name}"] = _probe(probe)
    return facts


def _probe(probe: Mapping[str, Any]) -> Value:
    """Return when a probe runs; what it asks is an argument and stays out."""
    kind = next((word for key, word in _KINDS_OF_PROBE.items() if key in probe), "command")
    times: dict[str, int] = {}
    for key, name, default in _TIMES:
        stated = count(probe.get(key))
        times[name] = default if stated is None else stated
    return {"kind": kind, **times}
