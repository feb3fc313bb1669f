"""What a task definition of ECS says: from recorded answers to facts, without I/O.

Answers: ``DescribeTaskDefinition`` and ``DescribeTasks`` of the ECS API. Copied is what is listed here: no
argument of a command, no label but those of OCI, no value of a variable, no address of a secret.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from collectors._containers import (
    commit,
    environment,
    first_process,
    image_reference,
    program,
    user,
)
from collectors._web_servers import web_server
from detector.model.addresses import repository_url
from detector.model.facts import Section, Unseen, Value
from detector.model.fingerprints import Fingerprinter
from detector.model.items import is_config_key
from detector.model.shapes import reference_shape
from detector.model.words import ComponentKind, SectionName, SourceClass

#: As OCI names architectures.
_ARCHITECTURES: Final = {"X86_64": "amd64", "x86_64": "amd64", "ARM64": "arm64", "arm64": "arm64"}
_PORT_PROTOCOLS: Final = frozenset({"tcp", "udp"})
_MIB: Final = 2**20
_CPU_UNITS: Final = 1024
_OCI: Final = "org.opencontainers.image."


def main_container(definition: Mapping[str, Any], service: str, named: str | None = None) -> str:
    """Return the name of the container that is the service itself.

    The one that is named, else the essential one of the service's name, else the first essential one.
    """
    containers = definition.get("containerDefinitions") or ()
    essential = [str(one.get("name")) for one in containers if one.get("essential", True)]
    wanted = named or service
    return wanted if wanted in essential else next(iter(essential), "")


def kind_of(definition: Mapping[str, Any], container: Mapping[str, Any], main: str) -> ComponentKind:
    """Return what a container is beside the main one: a job that ends before it, or a sidecar."""
    if container.get("name") == main:
        return "process"
    awaited = {
        str(dependency.get("containerName"))
        for one in definition.get("containerDefinitions") or ()
        for dependency in one.get("dependsOn") or ()
        if dependency.get("condition") in {"COMPLETE", "SUCCESS"}
    }
    return "job" if container.get("name") in awaited else "sidecar"


def sections_of(
    definition: Mapping[str, Any],
    container: Mapping[str, Any],
    tasks: Sequence[Mapping[str, Any]],
    fingerprinter: Fingerprinter,
    compare: Iterable[str] = (),
) -> dict[SectionName, Section]:
    """Return what one container of a task definition says; ``tasks`` are those that run it."""
    architecture = architecture_of(definition, tasks)
    sections: dict[SectionName, Section] = {
        "config": _config(container, fingerprinter, compare),
        "release": _release(definition, container, tasks, architecture),
        "processes": _processes(definition, container),
        "ports": Section(basis="running", facts=dict(_ports(container))),
        "concurrency": Section(
            basis="running", facts=_limits(definition, container), covers=("replicas", "limit/*")
        ),
        "disposability": _disposability(container),
        "logs": _logs(container),
    }
    labels = container.get("dockerLabels") or {}
    codebase: dict[str, Value] = {}
    if url := repository_url(str(labels.get(f"{_OCI}source") or "")):
        codebase["repo#url"] = url
    if found := commit(str(labels.get(f"{_OCI}revision") or "")):
        codebase["repo#commit"] = found
    if codebase:
        sections["codebase"] = Section(basis="running", facts=codebase, covers=())
    if architecture:
        facts: dict[str, Value] = {"os#arch": architecture}
        sections["dependencies"] = Section(basis="running", facts=facts, covers=())
    return sections


def architecture_of(definition: Mapping[str, Any], tasks: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the architecture that the definition or, where it leaves it open, a running task names."""
    named = str((definition.get("runtimePlatform") or {}).get("cpuArchitecture") or "")
    attributes = [entry for task in tasks for entry in task.get("attributes") or ()]
    named = named or next(
        (str(one.get("value")) for one in attributes if one.get("name") == "ecs.cpu-architecture"), ""
    )
    return _ARCHITECTURES.get(named)


def _config(container: Mapping[str, Any], fingerprinter: Fingerprinter, compare: Iterable[str]) -> Section:
    pairs = ((str(one.get("name")), str(one.get("value"))) for one in container.get("environment") or ())
    facts, _ = environment(pairs, fingerprinter, compare=compare, defaults={})
    for secret in container.get("secrets") or ():
        if is_config_key(name := str(secret.get("name"))):
            facts[name] = reference_shape()
    sees: tuple[SourceClass, ...] = ("literal", "secret_ref")
    if not container.get("environmentFiles"):
        return Section(basis="running", facts=facts, sees=(*sees, "env_file"))
    unseen = Unseen(item="*", reason="not_in_view", detail="environmentFiles add keys from files in S3")
    return Section(basis="running", status="partial", facts=facts, sees=sees, unseen=(unseen,))


def _release(
    definition: Mapping[str, Any],
    container: Mapping[str, Any],
    tasks: Sequence[Mapping[str, Any]],
    architecture: str | None,
) -> Section:
    facts: dict[str, Value] = {}
    if arn := str(definition.get("taskDefinitionArn") or ""):
        facts["release#id"] = arn.rpartition("/")[2]
    digests = {
        str(running["imageDigest"])
        for task in tasks
        for running in task.get("containers") or ()
        if running.get("name") == container.get("name") and running.get("imageDigest")
    }
    if reference := image_reference(str(container.get("image") or "")):
        facts["image#repository"] = reference.repository
        if reference.tag:
            facts["image#tag"] = reference.tag
        digests = digests or ({reference.digest} if reference.digest else set())
    if digests:
        facts["image#digest"] = digests.pop() if len(digests) == 1 else sorted(digests)
    family = str((definition.get("runtimePlatform") or {}).get("operatingSystemFamily") or "LINUX")
    if architecture:
        facts["image#platform"] = f"{'windows' if family.startswith('WINDOWS') else 'linux'}/{architecture}"
    return Section(basis="running", facts=facts, covers=())


def _processes(definition: Mapping[str, Any], container: Mapping[str, Any]) -> Section:
    facts: dict[str, Value] = {"read_only": bool(container.get("readonlyRootFilesystem"))}
    # Without one, the image's own user: the definition does not say it.
    if container.get("user"):
        facts["user"] = user(str(container["user"]))
    argv = [str(word) for word in (*(container.get("entryPoint") or ()), *(container.get("command") or ()))]
    if known := program(argv):
        facts["command"] = known
    if server := web_server(argv):
        facts["server"] = server
    volumes = {str(one.get("name")): _volume_kind(one) for one in definition.get("volumes") or ()}
    for mount in container.get("mountPoints") or ():
        path = str(mount.get("containerPath") or "")
        if path.startswith("/") and len(path) <= 256:
            kind = volumes.get(str(mount.get("sourceVolume")), "volume")
            facts[f"mount{path}"] = {"kind": kind, "read_only": bool(mount.get("readOnly"))}
    for mount in (container.get("linuxParameters") or {}).get("tmpfs") or ():
        path = str(mount.get("containerPath") or "")
        if path.startswith("/") and len(path) <= 256:
            facts[f"mount{path}"] = {"kind": "tmpfs", "read_only": False}
    return Section(basis="running", facts=facts, covers=("read_only", "mount/*"))


def _volume_kind(volume: Mapping[str, Any]) -> str:
    if (volume.get("host") or {}).get("sourcePath"):
        return "bind"
    if volume.get("efsVolumeConfiguration"):
        return "efs"
    return "ebs" if volume.get("configuredAtLaunch") else "volume"


def _ports(container: Mapping[str, Any]) -> Iterator[tuple[str, None]]:
    for mapping in container.get("portMappings") or ():
        port, protocol = mapping.get("containerPort"), str(mapping.get("protocol") or "tcp")
        if port is not None and protocol in _PORT_PROTOCOLS:
            yield f"{int(port)}/{protocol}", None


def _limits(definition: Mapping[str, Any], container: Mapping[str, Any]) -> dict[str, Value]:
    """Return the hard limits; where a container has none, those of its task hold it."""
    memory = _number(container.get("memory")) or _number(definition.get("memory"))
    cpu = _number(container.get("cpu")) or _number(definition.get("cpu"))
    return {
        "limit/memory": memory * _MIB if memory else None,
        "limit/cpu": cpu / _CPU_UNITS if cpu else None,
    }


def _number(value: object) -> int:
    text = str(value or "")
    return int(text) if text.isdecimal() and len(text) < 16 else 0


def _disposability(container: Mapping[str, Any]) -> Section:
    check = container.get("healthCheck") or {}
    test = check.get("command") or ()
    facts: dict[str, Value] = {"grace": container.get("stopTimeout"), "probe/health": None}
    if test and test[0] != "NONE":
        facts["probe/health"] = {
            "kind": "shell" if test[0] == "CMD-SHELL" else "command",
            "interval": check.get("interval") or 30,
            "timeout": check.get("timeout") or 5,
            "retries": check.get("retries") or 3,
            "start_period": check.get("startPeriod") or 0,
        }
    init = bool((container.get("linuxParameters") or {}).get("initProcessEnabled"))
    entry = [str(word) for word in container.get("entryPoint") or ()]
    if init or entry:
        facts["pid1"] = first_process([*entry, *(container.get("command") or ())], init=init)
    return Section(basis="running", facts=facts, covers=("probe/*", "grace"))


def _logs(container: Mapping[str, Any]) -> Section:
    log = container.get("logConfiguration") or {}
    options = sorted(str(name) for name in log.get("options") or ())
    facts: dict[str, Value] = {"driver": log.get("logDriver"), "options": list(options)}
    return Section(basis="running", facts=facts, covers=("driver", "options"))
