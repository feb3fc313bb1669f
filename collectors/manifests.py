"""Sees what Kubernetes manifests declare of their workloads."""

from functools import partial
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from collectors._files import PathOptions, read_file
from collectors.readers.kubernetes.folder import File, files_below
from collectors.readers.kubernetes.workloads import BY_LABELS, Naming
from collectors.readers.manifests import ManifestsReader
from detector.collector import Collected, Context, Seen
from detector.errors import UnseenError, did_you_mean
from detector.model.words import Basis, SectionName


class ManifestsOptions(PathOptions):
    """Which manifests, and which of their services."""

    path: Path | None = Field(
        None, description="A file of manifests, or a folder of them; relative to the configuration's folder."
    )
    paths: tuple[Path, ...] = Field((), description="Several in place of `path`; each adds its objects.")
    component: str | None = Field(
        None, description="Only this component of the service; by default all, each under its own name."
    )
    service: str | None = Field(
        None, description="Name of the service in the manifests; by default that of the service in Parity."
    )
    namespace: str | None = Field(
        None, description="Only objects of this namespace, and those that state none."
    )
    service_label: str = Field(
        BY_LABELS.service, description="Label that names the service; without it a workload's own name does."
    )
    component_label: str = Field(BY_LABELS.component, description="Label that names the component.")
    compare: tuple[str, ...] = Field(
        (), description="Keys with a boolean or a short word as value that are to be compared all the same."
    )


class ManifestsCollector:
    """Sees one service of Kubernetes manifests; as a discovery, all of them."""

    API: ClassVar[int] = 1
    name: ClassVar[str] = "manifests"
    Options: ClassVar[type[ManifestsOptions]] = ManifestsOptions
    basis: ClassVar[Basis] = "declared"
    sections: ClassVar[tuple[SectionName, ...]] = (
        "backing_services", "config", "codebase", "release", "processes", "ports", "concurrency",
        "disposability", "admin",
    )  # fmt: skip
    cannot_see: ClassVar[tuple[str, ...]] = (
        "what the cluster runs: what was applied by hand, what controllers and webhooks add",
        "keys of Secrets and ConfigMaps that are not among the files",
        "workloads that an operator makes of its own kinds",
    )

    async def collect(self, options: ManifestsOptions, context: Context) -> Collected:
        return await context.in_thread(_collected, options, context)


def _collected(options: ManifestsOptions, context: Context) -> Collected:
    files: list[File] = []
    for path in options.files:
        files += _files(context.folder, path)
    found = ManifestsReader().read_files(
        files,
        context.fingerprinter,
        naming=Naming(service=options.service_label, component=options.component_label),
        namespace=options.namespace,
        compare=options.compare,
    )
    wanted = options.service or context.service
    services = sorted({part.service for part in found.read.parts if part.service})
    if wanted is not None and wanted not in services:
        hint = did_you_mean(wanted, services)
        raise UnseenError("not_in_view", f"no workload of {wanted}{hint}; name it as `service`")
    seen = [
        Seen(
            sections=part.sections,
            service=part.service if wanted is None else None,
            component=part.component,
            component_kind=part.component_kind,
        )
        for part in found.read.parts
        if wanted in (None, part.service) and options.component in (None, part.component)
    ]
    if not seen:
        names = [part.component for part in found.read.parts if wanted in (None, part.service)]
        hint = did_you_mean(options.component or "", names)
        raise UnseenError("not_in_view", f"no component {options.component}{hint}")
    return Collected(seen=tuple(seen), warnings=found.read.warnings, complete=found.complete)


def _files(folder: Path, path: Path) -> list[File]:
    if (folder / path).is_dir():
        return [(str(path / name), opened) for name, opened in files_below(folder / path)]
    return [(str(path), partial(read_file, folder, path))]
