"""The configuration as the rest of Parity sees it: names resolved, defaults filled in, options checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel

from detector.config.alerting import AlertingEntry
from detector.config.fields import Validity
from detector.config.models import Environment, Group, Server
from detector.config.sources import Discover, Service
from detector.engine.acceptance import Acceptance
from detector.engine.rules import Rule
from detector.errors import NotFoundError, did_you_mean
from detector.model.items import matches
from detector.model.words import ServiceKind

_SQLITE: Final = "sqlite"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two environments that are compared; left is the earlier in promotion order."""

    left: str
    right: str
    #: Both belong to one group: compared symmetrically, without promotion.
    peer: bool = False
    gate: bool = False
    alert: Literal["now", "digest"] = "now"

    @property
    def name(self) -> str:
        """``left..right``, as everywhere."""
        return f"{self.left}..{self.right}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One configured collector for one service in one environment, or a discovery of many services."""

    environment: str
    #: None for a discovery, which names services itself.
    service: str | None
    kind: ServiceKind = "app"
    owner: str | None = None
    #: Unique within service and environment.
    name: str
    #: The collector, or ``push``.
    type: str
    #: Of the plugin's own ``Options``.
    options: BaseModel
    #: At most one of ``every`` and ``cron``; a push without ``every`` has neither.
    every: timedelta | None
    cron: str | None
    timezone: str
    timeout: timedelta
    #: None: of a push, as its basis says (7 days of running, until replaced of built and declared).
    valid: Validity | None
    #: Its place among the sources of its service and environment: the first wins a contradiction.
    rank: int = 0
    discover: Discover | None = None
    #: Of a discovery: services that have a source of this name themselves, and former or other names.
    claimed: frozenset[str] = frozenset()
    names: Mapping[str, str] = field(default_factory=dict)

    def name_of(self, found: str) -> str:
        """Return the name that a discovered service has in Parity: without what ``strip`` names, no alias."""
        if self.is_ephemeral(found):
            return found
        strip = self.discover.service_from if self.discover is not None else None
        name = found
        for token in strip.strip if strip is not None else ():
            name = name.removeprefix(token).removesuffix(token) or name
        return self.names.get(name) or self.names.get(found) or name

    def is_ephemeral(self, service: str) -> bool:
        """Tell whether a service that this discovery finds is a preview."""
        globs = self.discover.ephemeral if self.discover is not None else ()
        return any(matches(glob, service) for glob in globs)

    @property
    def scheduled(self) -> bool:
        """Whether observations are expected at set times."""
        return self.every is not None or self.cron is not None

    @property
    def polled(self) -> bool:
        """Whether Parity itself runs it."""
        return self.type != "push"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Who hears, by which notifier, with the notifier's own options."""

    name: str
    notifier: str
    options: BaseModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """parity.yml, whole and checked."""

    path: Path
    server: Server
    groups: Mapping[str, Group]
    #: In promotion order.
    environments: tuple[Environment, ...]
    comparisons: tuple[Comparison, ...]
    services: tuple[Service, ...]
    #: Of all services, discoveries included, in file order.
    sources: tuple[Source, ...]
    #: Of the file alone: the shipped pack comes before them. Named by line, as in ``parity.yml:41``.
    rules: tuple[Rule, ...]
    alerting: AlertingEntry
    receivers: tuple[Receiver, ...]
    #: Globs of acceptance files, relative to ``folder``.
    accepted_drift: tuple[str, ...]
    #: Globs of files with targets and of folders that are services, relative to ``folder``.
    discovered: tuple[str, ...] = ()
    #: What stands in the files of ``accepted_drift``, in their order.
    accepted: tuple[Acceptance, ...] = ()
    #: Sentences for the log of every start, each with its place.
    warnings: tuple[str, ...] = field(default=())

    @property
    def folder(self) -> Path:
        """Where relative paths of the file begin."""
        return self.path.parent

    @property
    def database_url(self) -> str:
        """The address of the database, with the file of SQLite made absolute. A secret."""
        url = self.server.database_url.get_secret_value()
        file = self._database_file
        if file is None:
            return url
        _, mark, query = url.partition("?")
        return f"{url.partition('://')[0]}:///{file}{mark}{query}"

    @property
    def data_dir(self) -> Path:
        """The folder of fingerprint key, lock, socket and spool."""
        if self.server.data_dir is not None:
            return self.folder / self.server.data_dir
        file = self._database_file
        return file.parent if file is not None else self.folder

    @property
    def _database_file(self) -> Path | None:
        scheme, _, rest = self.server.database_url.get_secret_value().partition("://")
        name = rest.removeprefix("/").partition("?")[0]
        if scheme.partition("+")[0] != _SQLITE or name in ("", ":memory:"):
            return None
        return self.folder / name

    def environment(self, name: str) -> Environment:
        """Return an environment by its name. Raises NotFoundError that lists what there is."""
        for each in self.environments:
            if each.name == name:
                return each
        known = [each.name for each in self.environments]
        raise NotFoundError(f"no environment {name}{did_you_mean(name, known)}")

    def comparison(self, name: str) -> Comparison:
        """Return a comparison by ``left..right``. Raises NotFoundError that lists what there is."""
        for each in self.comparisons:
            if each.name == name:
                return each
        known = [each.name for each in self.comparisons]
        raise NotFoundError(f"no comparison {name}{did_you_mean(name, known)}")
