"""Sees the containers of a Docker engine: what is configured, what runs, what is installed in it."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Final

from pydantic import Field, field_validator

from collectors._containers import image_reference
from collectors._docker_engine import answer, connect, in_time, inspected, seconds_left
from collectors._docker_facts import SECTIONS, reference_of, sections_of
from collectors._docker_trees import differs_from_image, tree_of_container
from collectors._image_packages import KNOWN, packages_of
from collectors._replicas import merged
from collectors._unseen import unseen_section
from detector.collector import Collected, CollectorOptions, Context, Seen
from detector.errors import NotThereError, UnseenError
from detector.model.facts import Section
from detector.model.items import matches
from detector.model.words import MAIN, Basis, ComponentKind, SectionName, Traffic

if TYPE_CHECKING:
    from docker import APIClient

COMPOSE_SERVICE: Final = "com.docker.compose.service"
_COMPOSE_PROJECT: Final = "com.docker.compose.project"
#: Says `idle` or `canary` of a container that takes no production traffic.
TRAFFIC: Final = "parity.traffic"
#: Name the service, in a discovery, and the component of a container, before all other labels.
SERVICE: Final = "parity.service"
COMPONENT: Final = "parity.component"
_COMPOSE_ONE_OFF: Final = "com.docker.compose.oneoff"
_ALIVE: Final = frozenset({"running", "paused", "restarting"})
#: Containers that one run inspects at most.
_MOST_CONTAINERS: Final = 1000
_IMAGE_GONE: Final = UnseenError(
    "not_in_view", "the image was removed: its variables cannot be told from the container's own"
)


class DockerOptions(CollectorOptions):
    """Which engine, and which of its containers."""

    host: str = Field(
        "unix:///var/run/docker.sock",
        description="The engine: unix:///path, or tcp://host:port of a read-only socket proxy.",
        pattern=r"^(unix://.|tcp://[^@/]+$|https?://[^@/]+$)",
    )
    label: str | None = Field(
        None, description="Only containers with this label: KEY=VALUE, or KEY for any value.", min_length=1
    )
    container: str | None = Field(
        None, description="Only the container of this name.", pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]+$"
    )
    service_label: str = Field(
        COMPOSE_SERVICE, description="Label that names the service, where a discovery sees many."
    )
    component_label: str | None = Field(
        None,
        description="Label that names the component (web, worker). Where `label` selects a compose project, "
        "the compose service; else all containers of a service are its `main` component.",
    )
    main: str | None = Field(
        None,
        description="Image repository of the service's own containers, such as acme/checkout; containers of "
        "other images are its sidecars.",
    )
    ephemeral: tuple[str, ...] = Field(
        (),
        description="Compose projects that are previews, as globs: services of their own, PROJECT.SERVICE, "
        "in a discovery; else left out.",
    )
    compare: tuple[str, ...] = Field(
        (), description="Variables that carry a fingerprint although they are booleans or short words."
    )

    @field_validator("main")
    @classmethod
    def _repository(cls, text: str | None) -> str | None:
        reference = image_reference(text) if text else None
        if text and reference is None:
            raise ValueError("not an image repository such as acme/checkout")
        return reference.repository if reference else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What an engine said: containers, and by image id the image or why it could not be read."""

    containers: Sequence[Mapping[str, Any]]
    images: Mapping[str, Mapping[str, Any] | UnseenError]
    #: What is installed, by image id.
    dependencies: Mapping[str, Section] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    complete: bool = True


class DockerCollector:
    """Sees the running containers of one service, or of every service of an engine. It only sends GET."""

    API: ClassVar[int] = 1
    name: ClassVar[str] = "docker"
    Options: ClassVar[type[CollectorOptions]] = DockerOptions
    basis: ClassVar[Basis] = "running"
    sections: ClassVar[tuple[SectionName, ...]] = ("dependencies", *SECTIONS)
    cannot_see: ClassVar[tuple[str, ...]] = (
        "libraries inside binaries other than those of Go: Rust crates, static links",
        "classes that were shaded into a jar",
        "native libraries inside wheels: OpenSSL in cryptography, libpq in psycopg2-binary",
        "config that a process reads from files or over the network at its start",
    )

    async def collect(self, options: DockerOptions, context: Context) -> Collected:
        client = await context.in_thread(connect, options.host, seconds_left(context))
        with closing(client):
            answers = await _fetch(client, options, context)
        collected = facts_from_answers(answers, options, context)
        if context.service is not None and not collected.seen:
            wanted = options.container or options.label or f"{options.service_label}={context.service}"
            detail = "; ".join([f"no running container of {wanted} at {options.host}", *collected.warnings])
            raise NotThereError(detail) if collected.complete else UnseenError("not_in_view", detail)
        return collected


def facts_from_answers(answers: Answers, options: DockerOptions, context: Context) -> Collected:
    """Return what the engine's answers say of each component of each service."""
    groups: dict[tuple[str, str, ComponentKind, Traffic], list[dict[SectionName, Section]]] = defaultdict(
        list
    )
    nameless = refused = 0
    for container in sorted(answers.containers, key=lambda one: str(one.get("Id"))):
        image = answers.images.get(
            str(container.get("Image")),
            UnseenError("not_in_view", "the image of a running container is gone"),
        )
        place = _place(container, image, options, context.service)
        if place is None:
            nameless += 1
            continue
        sections, names = sections_of(container, image, context.fingerprinter, options.compare)
        refused += names
        if (installed := answers.dependencies.get(str(container.get("Image")))) is not None:
            sections["dependencies"] = installed
        groups[*place, _traffic(container)].append(sections)
    warnings = list(answers.warnings)
    if nameless:
        warnings.append(f"{nameless} containers carry no label {options.service_label}: of no service")
    if refused:
        warnings.append(f"{refused} variables were left out: their names are no names of variables")
    seen = tuple(
        Seen(
            service=service if context.service is None else None,
            component=component,
            component_kind=kind,
            traffic=traffic,
            sections=_counted(merged(replicas), len(replicas)),
        )
        for (service, component, kind, traffic), replicas in sorted(
            groups.items(), key=lambda group: group[0]
        )
    )
    return Collected(seen=seen, warnings=tuple(warnings), complete=answers.complete)


def _counted(sections: dict[SectionName, Section], replicas: int) -> dict[SectionName, Section]:
    section = sections["concurrency"]
    counted = replace(section, facts={**section.facts, "replicas": replicas})
    return {**sections, "concurrency": counted}


def _is_preview(labels: Mapping[str, Any], options: DockerOptions) -> bool:
    project = str(labels.get(_COMPOSE_PROJECT) or "")
    return bool(project) and any(matches(glob, project) for glob in options.ephemeral)


def _traffic(container: Mapping[str, Any]) -> Traffic:
    said = ((container.get("Config") or {}).get("Labels") or {}).get(TRAFFIC)
    return "idle" if said == "idle" else "canary" if said == "canary" else "live"


def _place(
    container: Mapping[str, Any],
    image: Mapping[str, Any] | UnseenError,
    options: DockerOptions,
    service: str | None,
) -> tuple[str, str, ComponentKind] | None:
    """Return service, component and its kind, or None for a container of no service."""
    labels = (container.get("Config") or {}).get("Labels") or {}
    if service is None:
        service = labels.get(SERVICE) or labels.get(options.service_label) or (options.container or "")
        if service and _is_preview(labels, options):
            service = f"{labels[_COMPOSE_PROJECT]}.{service}"
    elif _is_preview(labels, options):
        return None
    if not service:
        return None
    reference = reference_of(container, {} if isinstance(image, UnseenError) else image)
    own = options.main is None or reference is None or reference.repository == options.main
    label = options.component_label
    if label is None and (options.label or "").partition("=")[0] == _COMPOSE_PROJECT:
        label = COMPOSE_SERVICE
    component = labels.get(COMPONENT) or labels.get(label or "") or MAIN
    if not own and reference is not None and component == MAIN:
        component = labels.get(COMPOSE_SERVICE) or reference.repository.rpartition("/")[2]
    if own and component == service:
        component = MAIN
    return service, component, "process" if own else "sidecar"


async def _fetch(client: "APIClient", options: DockerOptions, context: Context) -> Answers:
    """Ask for each container and once for each image. What ends between two answers is only counted."""

    async def ask(call: Callable[..., Any], *words: object) -> Any:
        return await context.in_thread(answer, options.host, call, *words)

    identities, warnings = _chosen(await ask(_listed, client, options, context.service))
    complete = len(identities) <= _MOST_CONTAINERS
    if not complete:
        warnings.append(f"only {_MOST_CONTAINERS} of {len(identities)} containers were read: narrow `label`")
    containers: list[Mapping[str, Any]] = []
    for identity in identities[:_MOST_CONTAINERS]:
        container = await ask(inspected, client.inspect_container, identity)
        if container is not None:
            containers.append(container)
    if gone := len(identities[:_MOST_CONTAINERS]) - len(containers):
        warnings.append(f"{gone} containers ended while they were read")
    images: dict[str, Mapping[str, Any] | UnseenError] = {}
    dependencies: dict[str, Section] = {}
    for image_id in dict.fromkeys(str(container.get("Image")) for container in containers):
        try:
            image = await ask(inspected, client.inspect_image, image_id)
        except UnseenError as error:
            images[image_id] = error
        else:
            images[image_id] = image or _IMAGE_GONE
    for image_id, known in images.items():
        image = {} if isinstance(known, UnseenError) else known
        # One container stands for all of its image: their file systems begin alike.
        container = next(one for one in containers if str(one.get("Image")) == image_id)
        try:
            dependencies[image_id] = await _dependencies(client, container, image, options.host, context)
        except UnseenError as error:
            dependencies[image_id] = unseen_section("running", error)
    return Answers(
        containers=containers,
        images=images,
        dependencies=dependencies,
        warnings=tuple(warnings),
        complete=complete,
    )


async def _dependencies(
    client: "APIClient",
    container: Mapping[str, Any],
    image: Mapping[str, Any],
    host: str,
    context: Context,
) -> Section:
    """Return what is installed in a container: of one that changed nothing, read once in its life."""
    check = in_time(context)
    check()
    identity = str(container.get("Id"))
    key = ("running", host, identity)
    if (known := KNOWN.get(key)) is not None:
        try:
            if not await context.in_thread(answer, host, differs_from_image, client, identity):
                return known
        except UnseenError:
            pass  # nobody can tell, as behind a proxy that does not pass the question
    tree = await context.in_thread(answer, host, tree_of_container, client, container, check)
    section = await context.in_thread(packages_of, tree, image, "running")
    KNOWN.keep(key, section)
    return section


def _listed(client: "APIClient", options: DockerOptions, service: str | None) -> list[Mapping[str, Any]]:
    if options.container is not None:
        filters: dict[str, list[str]] = {"name": [options.container]}
    elif options.label is not None:
        filters = {"label": [options.label]}
    else:
        label = options.service_label
        filters = {"label": [label if service is None else f"{label}={service}"]}
    listed: list[Mapping[str, Any]] = client.containers(all=True, filters=filters)
    if options.container is not None:  # the filter takes a pattern, in which a dot is any character
        return [one for one in listed if f"/{options.container}" in (one.get("Names") or ())]
    return listed


def _chosen(listed: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[str]]:
    """Return the ids of the containers that run, newest first, and warnings about the others."""
    alive, idle, one_off = [], 0, 0
    for summary in sorted(listed, key=lambda one: str(one.get("Created")), reverse=True):
        state = summary.get("State") or ("running" if str(summary.get("Status")).startswith("Up") else "")
        if state not in _ALIVE:
            idle += 1
        elif (summary.get("Labels") or {}).get(_COMPOSE_ONE_OFF) == "True":
            one_off += 1
        else:
            alive.append(str(summary.get("Id")))
    warnings = [f"{idle} containers are not running: not read"] if idle else []
    if one_off:
        warnings.append(f"{one_off} one-off containers of `docker compose run`: not read")
    return alive, warnings
