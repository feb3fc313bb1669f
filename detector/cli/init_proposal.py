"""Makes a proposal of what was found: environments, services and their sources. Pure."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from detector.cli.init_names import Place, place_of, service_name, service_named, tier_of
from detector.model.words import TIERS, SectionName, ServiceKind

DEV: Final = "dev"
#: Formats of much else than what differs between environments: they count where one has a file of its own.
_FOR_MUCH: Final = frozenset({"settings"})
#: Formats of what runs elsewhere than where the code is written.
_ELSEWHERE: Final = frozenset({"manifests"})


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file that a reader understood, and what it holds."""

    path: str
    #: Name of the reader, and of the collector.
    type: str
    sections: frozenset[SectionName]
    #: Services that it names itself -> what they are; empty where it names none.
    services: Mapping[str, ServiceKind] = field(default_factory=dict)
    facts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One source: the collector and its files, or a folder."""

    type: str
    paths: tuple[str, ...]
    #: Whether the option is called ``paths``.
    many: bool = False


@dataclass(slots=True, kw_only=True)
class Service:
    """One service with its sources by environment."""

    kind: ServiceKind = "app"
    sources: dict[str, list[Source]] = field(default_factory=dict)

    def add(self, environment: str, source: Source) -> None:
        """Add a source, once."""
        here = self.sources.setdefault(environment, [])
        if source not in here:
            here.append(source)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What `parity.yml` would say."""

    environments: tuple[str, ...]
    services: Mapping[str, Service]
    #: (path, why it is in no source)
    left_out: tuple[tuple[str, str], ...]
    #: Path of a file -> what it was taken for.
    taken: Mapping[str, tuple[str, str]]


def propose(
    files: Sequence[File], *, project: str, several: Collection[str], code: Collection[str], git: bool
) -> Proposal:
    """Return what the files of a project make.

    ``several`` are collectors that take several files at once, ``code`` folders with code that can be read,
    ``git`` says whether the folder is in a repository.
    """
    made = _Making(project=project, several=frozenset(several))
    for file in files:
        if file.services:
            made.naming(file)
        else:
            made.holding(file)
    made.layer()
    made.call()
    made.layer_settings()
    made.source_the_rest()
    made.with_code(code, git=git)
    names = {environment for service in made.services.values() for environment in service.sources} or {DEV}
    return Proposal(
        environments=tuple(sorted(names, key=_in_order)),
        services=dict(sorted(made.services.items())),
        left_out=tuple(made.left_out),
        taken={
            path: (", ".join(sorted(where, key=_in_order)), whose)
            for path, (where, whose) in made.taken.items()
        },
    )


_Kind = tuple[str, tuple[str, ...], tuple[str, ...]]


@dataclass(slots=True, kw_only=True)
class _Making:
    project: str
    several: frozenset[str]
    services: dict[str, Service] = field(default_factory=dict)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    #: Path of a file -> environments and services that it was taken for.
    taken: dict[str, tuple[set[str], str]] = field(default_factory=dict)
    #: (type, folder) -> environment -> files that name services; None is of no environment.
    _layers: dict[tuple[str, str], dict[str | None, list[File]]] = field(default_factory=dict)
    #: Files that name none.
    _held: list[tuple[File, Place]] = field(default_factory=list)
    #: (type, folders, what its name says beside the environment) -> files of a format of much else.
    _alike: dict[_Kind, list[tuple[File, Place]]] = field(default_factory=dict)
    #: Service -> folders that its files lie in.
    _homes: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    #: Services that files name themselves.
    _declared: set[str] = field(default_factory=set)
    #: Folders, without those that say of which environment or kind a file is -> the service.
    _called: dict[tuple[str, ...], str] = field(default_factory=dict)

    def naming(self, file: File) -> None:
        """Take a file that names services: with others beside it, it may be a layer."""
        place = place_of(file.path, of_settings=True)
        if place.none_because:
            self.left_out.append((file.path, place.none_because))
            return
        environment = place.environment
        if environment is None and "override" in place.words:
            environment = DEV
        if environment is None and file.type in _ELSEWHERE:
            because = "no name says of which environment: give it to the one that runs it"
            self.left_out.append((file.path, because))
            return
        folder = file.path.rpartition("/")[0]
        self._layers.setdefault((file.type, folder), {}).setdefault(environment, []).append(file)

    def layer(self) -> None:
        """Give each service that files name its sources: what is of no environment lies below the others."""
        for (type_, _), layers in self._layers.items():
            below = layers.get(None, [])
            named = {name: files for name, files in layers.items() if name is not None}
            if below:
                named.setdefault(DEV, [])
            for environment, files in named.items():
                stack = [*below, *files] if type_ in self.several or not files else files
                self._give(environment, type_, stack)

    def _give(self, environment: str, type_: str, stack: Sequence[File]) -> None:
        paths = tuple(file.path for file in stack)
        for file in stack:
            for name, kind in file.services.items():
                service = self.services.setdefault(service_name(name), Service())
                if kind == "backing_service":
                    service.kind = kind
                each = [paths] if type_ in self.several else [(path,) for path in paths]
                for some in each:
                    if any(name in one.services for one in stack if one.path in some):
                        service.add(environment, Source(type=type_, paths=some, many=len(some) > 1))
            self._take(file.path, environment, ", ".join(file.services))

    def _take(self, path: str, environment: str, whose: str) -> None:
        self.taken.setdefault(path, (set(), whose))[0].add(environment)

    def holding(self, file: File) -> None:
        """Take a file that names no service: it is of the one whose folder it lies in."""
        place = place_of(file.path, of_settings="config" in file.sections)
        if place.none_because:
            self.left_out.append((file.path, place.none_because))
        elif file.type in _FOR_MUCH:
            self._alike.setdefault((file.type, place.folders, place.kind), []).append((file, place))
        else:
            self._held.append((file, place))

    def call(self) -> None:
        """Name a service after each folder of such files; of two alike the deeper one takes all above too."""
        self._declared = set(self.services)
        every = [*self._held, *(one for some in self._alike.values() for one in some)]
        for folders in sorted({place.folders for _, place in every if place.folders}, key=_depth):
            own = service_name(folders[-1])
            taken = own in self._called.values() and own not in self._declared
            self._called[folders] = service_name("-".join(folders)) if taken else own

    def _owner(self, place: Place) -> str:
        if place.folders:
            return self._called[place.folders]
        attached = {name for name, one in self.services.items() if one.kind == "backing_service"}
        apps = {*self._declared, *self._called.values()} - attached
        named = service_named(place.words, apps)
        if named is not None:
            return named
        return min(apps) if len(apps) == 1 else service_name(self.project)

    def source_the_rest(self) -> None:
        """Make a source of all files of one kind that one service has in one environment."""
        together: dict[tuple[str, str, str], list[str]] = {}
        for file, place in self._held:
            name, environment = self._owner(place), place.environment or DEV
            together.setdefault((name, environment, file.type), []).append(file.path)
            self._take(file.path, environment, name)
            self._homes[name].add(file.path.rpartition("/")[0])
        for (name, environment, type_), paths in together.items():
            service = self.services.setdefault(name, Service())
            for some in [tuple(paths)] if type_ in self.several else [(path,) for path in paths]:
                service.add(environment, Source(type=type_, paths=some, many=len(some) > 1))

    def layer_settings(self) -> None:
        """Take files of which an environment has one of its own, upon those of the same name for all."""
        for (type_, _, _), files in self._alike.items():
            own = {place.environment for _, place in files} - {None}
            if not own:
                because = "no environment has such a file of its own"
                self.left_out += [(file.path, because) for file, _ in files]
                continue
            for environment in {*own, DEV} if any(place.environment is None for _, place in files) else own:
                some = [(file, place) for file, place in files if place.environment in (None, environment)]
                some.sort(key=lambda one: one[1].environment is not None)
                name = self._owner(some[0][1])
                paths = tuple(file.path for file, _ in some)
                service = self.services.setdefault(name, Service())
                service.add(environment or DEV, Source(type=type_, paths=paths, many=len(paths) > 1))
                for path in paths:
                    self._take(path, environment or DEV, name)

    def with_code(self, code: Collection[str], *, git: bool) -> None:
        """Add what the working copy says of each app: the keys that its code reads, and its commit."""
        apps = {name: one for name, one in self.services.items() if one.kind == "app"}
        for name, service in apps.items():
            folder = _code_of(name, self._homes[name], code, alone=len(apps) == 1)
            for environment in sorted(service.sources, key=_in_order):
                # What production runs is older than what lies here.
                if folder is not None and tier_of(environment) != "production":
                    service.add(environment, Source(type="reads", paths=(folder or ".",)))
            # What only a compose file names may be another project's image.
            if git and DEV in service.sources and (self._homes[name] or len(apps) == 1):
                service.add(DEV, Source(type="git", paths=(".",)))


def _code_of(name: str, homes: Iterable[str], code: Collection[str], *, alone: bool) -> str | None:
    """Return the folder of a service's code: where its files lie, or that of its name."""
    holding = {folder for one in code for folder in _above(one)}
    own = sorted(home for home in homes if home and home in holding)
    if not own:
        own = sorted(one for one in holding if one.rpartition("/")[2] == name)
    if own:
        return own[0]
    if not alone:
        return None
    return "src" if "src" in holding else "" if code else None


def _in_order(environment: str) -> tuple[int, str]:
    return TIERS.index(tier_of(environment)), environment


def _depth(folders: tuple[str, ...]) -> tuple[int, tuple[str, ...]]:
    return len(folders), folders


def _above(folder: str) -> list[str]:
    parts = folder.split("/") if folder else []
    return ["/".join(parts[: number + 1]) for number in range(len(parts))]
