"""Services and their sources: names checked, defaults filled in, options read by the plugins' own models."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypedDict

from pydantic import BaseModel

from detector.config.draft import Draft, Piece
from detector.config.fields import Validity
from detector.config.folders import folders_of, placed
from detector.config.models import Defaults, Environment
from detector.config.records import Source
from detector.config.sources import Discover, OwnerFrom, Service, SourceEntry
from detector.config.targets import groups_of

_SOURCE_KEYS: Final = frozenset(SourceEntry.model_fields)
_DISCOVER_KEYS: Final = frozenset(Discover.model_fields)
#: Collectors that can name services themselves.
_DISCOVERS: Final = frozenset({"docker", "ecs"})
#: Discoveries that only look at files: they are read with the configuration.
_OF_FILES: Final = frozenset({"file_sd", "folders"})
#: What a discovery says for every collector -> the option of a collector that acts on it.
_LENT: Final = {("service_from", "label"): "service_label", ("service_from", "tag"): "service_tag"}
_EVERY: Final = timedelta(minutes=15)


class _Timing(TypedDict):
    every: timedelta | None
    cron: str | None
    timezone: str
    timeout: timedelta
    valid: Validity | None


class ServicesReader:
    """Reads ``services`` of one file."""

    def __init__(self, draft: Draft, environments: Sequence[Environment], defaults: Defaults) -> None:
        self._draft = draft
        self._problems = draft.problems
        self._defaults = defaults
        self._environments = draft.names("environments")
        self._tiers = {environment.name: environment.tier for environment in environments}
        self._pieces = list(draft.root.at("services").each())
        self._first: dict[tuple[str, str | None, str], tuple[Path, Piece]] = {}
        #: Whether services may exist that the file does not name.
        self.discovers = any(_is_discovery(piece) for piece in self._pieces)
        #: What is looked for anew when it changes: files of targets, folders.
        self.globs: list[str] = []
        self.services: list[Service] = []
        self.sources: list[Source] = []

    def read(self) -> None:
        """Fill ``services`` and ``sources``; notes what is wrong."""
        for piece in self._pieces:
            if not _is_discovery(piece):
                self._service(piece)
            elif piece.at("discover", "type").text not in _OF_FILES:
                self._discovery(piece.at("discover"))
        # What lies in other files may be of a service that stands further below.
        for piece in self._pieces:
            type_ = piece.at("discover", "type").text
            if type_ == "file_sd":
                self._target_files(piece.at("discover"))
            elif type_ == "folders":
                self._folders(piece.at("discover"))
        self._check_names()
        self.sources = [self._among_others(source) for source in self.sources]

    def _among_others(self, source: Source) -> Source:
        """Return a discovery with what it must know of the services that the file names."""
        if source.service is not None:
            return source
        claimed = {
            one.service
            for one in self.sources
            if one.service is not None and (one.environment, one.name) == (source.environment, source.name)
        }
        names = {name: service.name for service in self.services for name in (*service.was, *service.aliases)}
        return replace(source, claimed=frozenset(claimed), names=names)

    def _target_files(self, piece: Piece) -> None:
        """Take the sources of all files that a discovery names."""
        self.globs += [each.text for each in piece.at("paths").each()]
        for draft, group in groups_of(self._draft, piece):
            labels = group.at("labels")
            environment, component = labels.at("environment"), labels.at("component").text
            if not draft.require(environment, environment.text, self._environments, "environment"):
                continue
            service = self._named(self._own_name(labels.at("service").text))
            with self._inside(draft):
                for rank, target in enumerate(group.at("targets").each()):
                    read = self._read_source(environment.text, target)
                    if read is not None:
                        source, options = read
                        options = self._of_component(component, options, target)
                        self._add(service, environment.text, target, (source, options), rank=rank)

    def _of_component(self, component: str, options: BaseModel, target: Piece) -> BaseModel:
        """Return options of a target with the component of its group, where it does not say one itself."""
        if not component or "component" in _keys(target):
            return options
        if "component" not in type(options).model_fields:
            message = "its collector takes no component: put it into a group without that label"
            self._problems.add(target.path, "config-semantics", message)
            return options
        return options.model_copy(update={"component": component})

    @contextmanager
    def _inside(self, draft: Draft) -> Iterator[None]:
        """Read in another file for a while: what is wrong there stands there."""
        before = self._draft, self._problems
        self._draft, self._problems = draft, draft.problems
        try:
            yield
        finally:
            self._draft, self._problems = before

    def _folders(self, piece: Piece) -> None:
        """Take each source of a discovery for each folder in which its file is there."""
        self.globs.append(piece.at("path").text)
        claimed = {(one.environment, one.service, one.name) for one in self.sources}
        folders = [(self._own_name(name), folder) for name, folder in folders_of(self._draft, piece)]
        for environment, entries in self._by_environment(piece.at("sources")):
            for rank, entry in enumerate(entries):
                read = self._read_source(environment, entry)
                if read is None:
                    continue
                source, options = read
                for name, folder in folders:
                    moved = placed(options, folder, self._draft.folder)
                    if moved is not None and (environment, name, source.name or source.type) not in claimed:
                        self._add(self._named(name), environment, entry, (source, moved), rank=rank)

    def _own_name(self, found: str) -> str:
        """Return the name in Parity of a service that is found under a former or another name."""
        also = {name: one.name for one in self.services for name in (*one.was, *one.aliases)}
        return also.get(found, found)

    def _named(self, name: str) -> Service:
        """Return the service of a name; one that the file does not name is made."""
        for service in self.services:
            if service.name == name:
                return service
        self.services.append(Service(name=name))
        return self.services[-1]

    def _service(self, piece: Piece) -> None:
        service = self._problems.check(Service, piece.without("sources").node, piece.path)
        if service is not None:
            self.services.append(service)
            if isinstance(service.owner, OwnerFrom):
                message = "owners are not read from catalogues yet: the service counts as without one"
                self._problems.warn(piece.at("owner").path, message)
        for only in piece.at("only_in").each():
            self._draft.require(only, only.text, self._environments, "environment")
        for environment, entries in self._by_environment(piece.at("sources")):
            for rank, entry in enumerate(entries):
                self._source(service, environment, entry, rank)

    def _by_environment(self, sources: Piece) -> Iterator[tuple[str, list[Piece]]]:
        """Yield what stands under each environment; notes names that nothing defines."""
        for environment in sources.node.value if isinstance(sources.node.value, Mapping) else ():
            if environment.startswith("x-"):
                continue
            here = sources.at(environment)
            if environment in self._environments:
                yield environment, list(here.each())
            else:
                self._draft.require(here, environment, self._environments, "environment", at_key=True)

    def _source(self, service: Service | None, environment: str, piece: Piece, rank: int) -> None:
        read = self._read_source(environment, piece)
        if service is not None and read is not None:
            self._add(service, environment, piece, read, rank=rank)

    def _read_source(self, environment: str, piece: Piece) -> tuple[SourceEntry, BaseModel] | None:
        """Return what a source says to the host and to its collector; None after noting what is wrong."""
        own = {key for key in _keys(piece) if key not in _SOURCE_KEYS}
        entry = self._problems.check(SourceEntry, piece.without(*own).node, piece.path)
        options = self._options(piece.at("type").text, piece, environment, _SOURCE_KEYS)
        return None if entry is None or options is None else (entry, options)

    def _add(
        self,
        service: Service,
        environment: str,
        piece: Piece,
        read: tuple[SourceEntry, BaseModel],
        *,
        rank: int,
    ) -> None:
        entry, options = read
        name = entry.name or entry.type
        self._refuse_double((environment, service.name, name), piece)
        self.sources.append(
            Source(
                environment=environment,
                service=service.name,
                kind=service.kind,
                owner=service.owner if isinstance(service.owner, str) else None,
                name=name,
                type=entry.type,
                options=options,
                rank=rank,
                **self._timing(entry, piece),
            )
        )

    def _discovery(self, piece: Piece) -> None:
        own = {key for key in _keys(piece) if key not in _DISCOVER_KEYS}
        type_, name = piece.at("type").text, piece.at("name").text or piece.at("type").text
        described = own if type_ in _DISCOVERS else set[str]()
        entry = self._problems.check(Discover, piece.without(*described).node, piece.path)
        if type_ not in _DISCOVERS:
            if entry is not None:
                self._problems.warn(
                    piece.path, "discovery of this type is not supported yet: it finds nothing"
                )
            return
        environment = piece.at("environment")
        if environment.node.value is None:
            self._problems.add(piece.path, "config-semantics", "a discovery needs its environment")
        else:
            self._draft.require(environment, environment.text, self._environments, "environment")
        options = self._options(type_, piece, environment.text, _DISCOVER_KEYS)
        if entry is None or entry.environment is None or options is None:
            return
        options = self._lent(options, entry, piece)
        self._refuse_double((entry.environment, None, name), piece)
        self.sources.append(
            Source(
                environment=entry.environment,
                service=None,
                name=name,
                type=entry.type,
                options=options,
                discover=entry,
                **self._timing(entry, piece),
            )
        )

    def _lent(self, options: BaseModel, entry: Discover, piece: Piece) -> BaseModel:
        """Hand what names services, and which are previews, to a collector that acts on it itself."""
        taken = type(options).model_fields
        lent: dict[str, Any] = {"ephemeral": entry.ephemeral} if "ephemeral" in taken else {}
        for (key, word), option in _LENT.items():
            said = piece.at(key).at(word)
            if not said.text:
                continue
            if option not in taken:
                message = f"the collector {entry.type} does not name services by {word}"
                self._problems.add(said.path, "config-semantics", message)
            lent[option] = said.text
        return options.model_copy(update=lent)

    def _options(
        self, type_: str, piece: Piece, environment: str, beside: frozenset[str]
    ) -> BaseModel | None:
        if not type_:
            return None
        options = self._draft.options.read(
            "parity.collectors", type_, piece.node, piece.path, at=(*piece.path, "type"), beside=beside
        )
        if options is not None and getattr(options, "verify_tls", True) is False:
            self._insecure(piece, environment)
        return options

    def _insecure(self, piece: Piece, environment: str) -> None:
        at = piece.at("verify_tls").path
        harmless = self._tiers.get(environment) in ("development", "staging")
        if harmless or piece.at("allow_insecure").node.value in (True, "true"):
            self._problems.warn(at, "certificates are not verified: whoever stands between can feed lies")
        else:
            message = "certificates must be verified in production; allow_insecure: true accepts the risk"
            self._problems.add(at, "config-insecure", message)

    def _timing(self, entry: SourceEntry | Discover, piece: Piece) -> _Timing:
        defaults = self._defaults
        every, cron, valid = entry.every, entry.cron, entry.valid
        pushed = entry.type == "push"
        if pushed and cron is not None:
            self._problems.add(piece.at("cron").path, "config-schedule", "a push has every, or nothing")
        if not pushed and every is None and cron is None:
            every, cron = defaults.every, defaults.cron
            every = _EVERY if every is None and cron is None else every
        if valid is None and (every is not None or cron is not None):
            valid = defaults.valid
        if valid is not None and valid.runs is not None and every is None and cron is None:
            message = "runs of a push are counted only with every; give a duration or until_replaced"
            self._problems.add(piece.at("valid").path, "config-semantics", message)
        return {
            "every": every,
            "cron": cron,
            "timezone": entry.timezone or defaults.timezone,
            "timeout": entry.timeout or defaults.timeout,
            "valid": valid,
        }

    def _refuse_double(self, key: tuple[str, str | None, str], piece: Piece) -> None:
        file, before = self._first.setdefault(key, (self._problems.file, piece))
        if before is not piece:
            place = "" if file == self._problems.file else f" of {file}"
            where = f"the other is in line {before.node.line}{place}"
            message = f"two sources of one name: {where}; give one a name"
            self._problems.add(piece.path, "config-semantics", message)

    def _check_names(self) -> None:
        names = self._draft.names("services")
        claims = [
            claim
            for piece in self._pieces
            for claim in (piece.at("name"), *piece.at("was").each(), *piece.at("aliases").each())
        ]
        self._draft.refuse_doubles(claims, "services of one name")
        if not self.discovers:
            for piece in self._pieces:
                for user in piece.at("used_by").each():
                    self._draft.require(user, user.text, names, "service")


def _is_discovery(piece: Piece) -> bool:
    return isinstance(piece.node.value, Mapping) and "discover" in piece.node.value


def _keys(piece: Piece) -> tuple[str, ...]:
    value = piece.node.value
    return tuple(key for key in value if not key.startswith("x-")) if isinstance(value, Mapping) else ()
