"""What one container of a Docker engine says of itself: from recorded answers to facts, without I/O.

Answers: ``GET /containers/{id}/json`` and ``GET /images/{id}/json`` of the Docker Engine API 1.24 and later.
Copied is what is listed here: no argument of a command, no label but those of OCI, no value of a variable.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from collectors._containers import (
    OF_CONTAINERS,
    ImageReference,
    commit,
    environment,
    first_process,
    image_reference,
    program,
    user,
)
from collectors._unseen import unseen_section
from collectors._web_servers import web_server
from detector.errors import UnseenError
from detector.model.addresses import repository_url
from detector.model.facts import Section, Value
from detector.model.fingerprints import Fingerprinter
from detector.model.items import is_config_key
from detector.model.shapes import reference_shape
from detector.model.words import SectionName

#: Sections of `sections_of`; the container's files add ``dependencies``.
SECTIONS: Final[tuple[SectionName, ...]] = ("config", "codebase", "release", *OF_CONTAINERS)
#: Sections of `sections_of_image`.
OF_IMAGES: Final[tuple[SectionName, ...]] = ("codebase", "release", "processes", "ports", "disposability")
_OCI: Final = "org.opencontainers.image."
#: Set by the engine in each container, whatever anybody configured.
_PLATFORM: Final = frozenset({"HOSTNAME", "HOME", "TERM"})
#: Where compose and swarm mount secrets.
_SECRETS: Final = "/run/secrets"
_INDEXES: Final = ("image.index.v1+json", "manifest.list.v2+json")
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{5,18}(?:Z|[+-][0-9]{2}:[0-9]{2})")
_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}")
_MOUNT: Final = re.compile(r"/[A-Za-z0-9._@+/-]{0,255}")
_PORT: Final = re.compile(r"[0-9]{1,5}/(?:tcp|udp|sctp)")
_SECOND: Final = 1_000_000_000


def sections_of(
    container: Mapping[str, Any],
    image: Mapping[str, Any] | UnseenError,
    fingerprinter: Fingerprinter,
    compare: Iterable[str] = (),
) -> tuple[dict[SectionName, Section], int]:
    """Return what a container says, and how many variables have a name that is none.

    ``image`` is an UnseenError where the image could not be read.
    """
    known = image if not isinstance(image, UnseenError) else {}
    config, refused = _config(container, image, fingerprinter, compare)
    sections = {
        "config": config,
        "release": _release(container, known),
        "processes": _processes(container, known),
        "ports": Section(basis="running", facts=_ports(container)),
        "concurrency": Section(basis="running", facts=_limits(container), covers=("replicas", "limit/*")),
        "disposability": _disposability(container),
        "logs": _logs(container),
    }
    if facts := _codebase(_labels(container)):
        sections["codebase"] = Section(basis="running", facts=facts, covers=())
    return {name: sections[name] for name in SECTIONS if name in sections}, refused


def sections_of_image(image: Mapping[str, Any], name: str) -> dict[SectionName, Section]:
    """Return what an image says of itself and of the containers that it is for.

    ``name`` is how the image was asked for. Its variables are not told: each may be overridden where it runs.
    """
    argv = [str(word) for key in ("Entrypoint", "Cmd") for word in _config_of(image).get(key) or ()]
    config = {**_config_of(image), "Image": name}
    container = {"Image": image.get("Id"), "Config": config, "Path": (*argv, "")[0], "Args": argv[1:]}
    processes: dict[str, Value] = {"user": user(str(config.get("User") or ""))}
    if known := program(argv):
        processes["command"] = known
    if server := web_server(argv):
        processes["server"] = server
    probe = _probe(config.get("Healthcheck") or {})
    start: dict[str, Value] = {"pid1": first_process(argv), "probe/health": probe}
    if _WORD.fullmatch(signal := str(config.get("StopSignal") or "SIGTERM")):
        start["stop_signal"] = signal
    sections: dict[SectionName, Section] = {
        "release": replace(_release(container, image), basis="built"),
        "processes": Section(basis="built", facts=processes, covers=("user",)),
        "ports": Section(basis="built", facts=_ports(container)),
        "disposability": Section(basis="built", facts=start, covers=("probe/*",)),
    }
    if facts := _codebase(_labels(image)):
        sections["codebase"] = Section(basis="built", facts=facts, covers=())
    return {section: sections[section] for section in OF_IMAGES if section in sections}


def reference_of(container: Mapping[str, Any], image: Mapping[str, Any]) -> ImageReference | None:
    """Return how the container's image is called; where it was started by id, by the image's first tag."""
    text = str(_config_of(container).get("Image") or "")
    identity = str(container.get("Image") or "")
    by_id = text == identity or identity.removeprefix("sha256:").startswith(text.removeprefix("sha256:"))
    if text and not by_id:
        return image_reference(text)
    tags = sorted(str(tag) for tag in image.get("RepoTags") or ())
    return next((found for tag in tags if (found := image_reference(tag))), None)


def _config_of(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    return answer.get("Config") or {}


def _host_config(container: Mapping[str, Any]) -> Mapping[str, Any]:
    return container.get("HostConfig") or {}


def _labels(answer: Mapping[str, Any]) -> Mapping[str, str]:
    return _config_of(answer).get("Labels") or {}


def _number(value: object) -> int:
    """Return a number, also where the API writes it as text; none is 0."""
    try:
        return int(value)  # type: ignore[call-overload, no-any-return]
    except (TypeError, ValueError):
        return 0


def variables(answer: Mapping[str, Any]) -> dict[str, str]:
    """Return the environment of a container or an image. An entry without ``=`` unsets: it is left out."""
    pairs = (str(entry).partition("=") for entry in _config_of(answer).get("Env") or ())
    return {name: value for name, separator, value in pairs if separator}


def _config(
    container: Mapping[str, Any],
    image: Mapping[str, Any] | UnseenError,
    fingerprinter: Fingerprinter,
    compare: Iterable[str],
) -> tuple[Section, int]:
    if isinstance(image, UnseenError):
        # Without it, variables of the image would pass for the container's own.
        return unseen_section("running", image), 0
    shapes, refused = environment(
        variables(container).items(),
        fingerprinter,
        compare=compare,
        defaults=variables(image),
        platform=_PLATFORM,
    )
    for mount in container.get("Mounts") or ():
        folder, _, name = str(mount.get("Destination") or "").rpartition("/")
        if folder == _SECRETS and is_config_key(name):
            shapes[f"secrets/{name}"] = reference_shape()
    return Section(basis="running", facts=shapes), refused


def _codebase(labels: Mapping[str, str]) -> dict[str, Value]:
    facts: dict[str, Value] = {}
    if url := repository_url(str(labels.get(f"{_OCI}source") or "")):
        facts["repo#url"] = url
    if found := commit(str(labels.get(f"{_OCI}revision") or "")):
        facts["repo#commit"] = found
    return facts


def _release(container: Mapping[str, Any], image: Mapping[str, Any]) -> Section:
    """Return the image; what it lacks (a tag, a digest of a registry) was not there to be seen."""
    facts: dict[str, Value] = {}
    if identity := str(container.get("Image") or ""):
        facts["image#id"] = identity
    reference = reference_of(container, image)
    if reference:
        facts["image#repository"] = reference.repository
        if reference.tag:
            facts["image#tag"] = reference.tag
    if digests := _digests(reference, image):
        media_type = str((image.get("Descriptor") or {}).get("mediaType") or "")
        item = "image#index" if media_type.endswith(_INDEXES) else "image#digest"
        facts[item] = digests[0] if len(digests) == 1 else list(digests)
    if platform := _platform(image):
        facts["image#platform"] = platform
    if base := image_reference(str(_labels(image).get(f"{_OCI}base.name") or "")):
        facts["image#base"] = f"{base.repository}:{base.tag}" if base.tag else base.repository
    if _TIME.fullmatch(created := str(image.get("Created") or "")):
        facts["release#built_at"] = created
    return Section(basis="running", facts=facts, covers=())


def _digests(reference: ImageReference | None, image: Mapping[str, Any]) -> list[str]:
    """Return the digests under which the image's own repository knows it."""
    found = [image_reference(str(text)) for text in image.get("RepoDigests") or ()]
    named = [one for one in found if one and one.digest]
    own = [one for one in named if reference and one.repository == reference.repository]
    digests = {one.digest for one in own or named if one.digest}
    if reference and reference.digest:
        digests = {reference.digest}
    return sorted(digests)


def _platform(image: Mapping[str, Any]) -> str | None:
    system, architecture = str(image.get("Os") or ""), architecture_of(image)
    return f"{system}/{architecture}" if _WORD.fullmatch(system) and architecture else None


def architecture_of(image: Mapping[str, Any]) -> str | None:
    """Return the architecture as OCI names it, with its variant where that matters (``arm/v7``)."""
    name, variant = str(image.get("Architecture") or ""), str(image.get("Variant") or "")
    if not _WORD.fullmatch(name):
        return None
    return f"{name}/{variant}" if name == "arm" and _WORD.fullmatch(variant) else name


def _processes(container: Mapping[str, Any], image: Mapping[str, Any]) -> Section:
    facts: dict[str, Value] = {
        "user": user(str(_config_of(container).get("User") or "")),
        "read_only": bool(_host_config(container).get("ReadonlyRootfs")),
    }
    if known := program(_argv(container)):
        facts["command"] = known
    if server := web_server(_argv(container)):
        facts["server"] = server
    # Of a volume that only the image declares, no other runtime knows.
    anonymous = set(_config_of(image).get("Volumes") or ())
    own = {str(bind).split(":")[1] for bind in _host_config(container).get("Binds") or () if ":" in str(bind)}
    own |= {str(mount.get("Target")) for mount in _host_config(container).get("Mounts") or ()}
    for mount in container.get("Mounts") or ():
        path = str(mount.get("Destination") or "")
        if _MOUNT.fullmatch(path) and not (path in anonymous and path not in own):
            writable = mount.get("RW", True)
            facts[f"mount{path}"] = {"kind": str(mount.get("Type") or "bind"), "read_only": not writable}
    for path in _host_config(container).get("Tmpfs") or ():
        if _MOUNT.fullmatch(str(path)):
            facts[f"mount{path}"] = {"kind": "tmpfs", "read_only": False}
    return Section(basis="running", facts=facts, covers=("user", "read_only", "mount/*"))


def _argv(container: Mapping[str, Any]) -> Sequence[str]:
    return [str(container.get("Path") or ""), *(str(word) for word in container.get("Args") or ())]


def _ports(container: Mapping[str, Any]) -> dict[str, Value]:
    exposed = set(_config_of(container).get("ExposedPorts") or ())
    published = set((container.get("NetworkSettings") or {}).get("Ports") or ())
    return {str(port): None for port in exposed | published if _PORT.fullmatch(str(port))}


def _limits(container: Mapping[str, Any]) -> dict[str, Value]:
    host = _host_config(container)
    cpu: float | None = _number(host.get("NanoCpus")) / _SECOND or None
    period = _number(host.get("CpuPeriod")) or 100_000
    quota = _number(host.get("CpuQuota"))
    if cpu is None and quota > 0:
        cpu = quota / period
    return {"limit/memory": _number(host.get("Memory")) or None, "limit/cpu": cpu}


def _disposability(container: Mapping[str, Any]) -> Section:
    config, host = _config_of(container), _host_config(container)
    facts: dict[str, Value] = {
        "pid1": first_process(_argv(container), init=bool(host.get("Init"))),
        "probe/health": _probe(config.get("Healthcheck") or {}),
        "grace": _number(config.get("StopTimeout")) or None,
    }
    restart = str((host.get("RestartPolicy") or {}).get("Name") or "no")
    signal = str(config.get("StopSignal") or "SIGTERM")
    facts |= {
        item: word for item, word in (("restart", restart), ("stop_signal", signal)) if _WORD.fullmatch(word)
    }
    return Section(basis="running", facts=facts, covers=("probe/*", "grace"))


def _probe(check: Mapping[str, Any]) -> Value:
    """Return when a health check runs; what it runs is an argument and stays out."""
    test = check.get("Test") or ()
    if not test or test[0] == "NONE":
        return None
    return {
        "kind": "shell" if test[0] == "CMD-SHELL" else "command",
        "interval": _seconds(check.get("Interval"), 30),
        "timeout": _seconds(check.get("Timeout"), 30),
        "retries": _number(check.get("Retries")) or 3,
        "start_period": _seconds(check.get("StartPeriod"), 0),
    }


def _seconds(nanoseconds: object, default: int) -> float:
    return _number(nanoseconds) / _SECOND or default


def _logs(container: Mapping[str, Any]) -> Section:
    log = _host_config(container).get("LogConfig") or {}
    facts: dict[str, Value] = {}
    if _WORD.fullmatch(driver := str(log.get("Type") or "")):
        facts["driver"] = driver
    facts["options"] = sorted(name for name in map(str, log.get("Config") or ()) if _WORD.fullmatch(name))
    return Section(basis="running", facts=facts, covers=("driver", "options"))
