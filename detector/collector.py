"""The public contract of collectors.

A collector is one class in one file, found by the entry point group ``parity.collectors``. It fetches, then
hands raw answers to a pure ``facts_from_*``; the host owns deadline, retries, concurrency and recording.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from detector.model.facts import Section
from detector.model.fingerprints import Fingerprinter
from detector.model.words import MAIN, Basis, ComponentKind, SectionName, Traffic

if TYPE_CHECKING:
    import aiohttp
    from structlog.typing import FilteringBoundLogger

#: Raised when a collector's ``API`` differs: the refusal names the collector.
API: Final = 1

R = TypeVar("R")


class CollectorOptions(BaseModel):
    """Options of a source, as they stand in parity.yml beside ``type``.

    Every field is described; secrets are ``SecretStr`` and also taken as ``<field>_file``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Threads(Protocol):
    """Runs blocking calls of an SDK in the host's bounded pool."""

    async def __call__(self, function: Callable[..., R], /, *args: Any, **kwargs: Any) -> R: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What the host lends to one run: a collector makes no thread, session, retry loop or clock itself."""

    environment: str
    #: The service of the source; None for a discovery, which names services itself.
    service: str | None
    #: Loop time (`asyncio.AbstractEventLoop.time`) at which the host ends the run.
    deadline: float
    #: When the run began, for ages inside an answer.
    now: datetime
    #: Relative paths of the options start here: the folder of the config file.
    folder: Path
    fingerprinter: Fingerprinter
    session: "aiohttp.ClientSession"
    in_thread: Threads
    log: "FilteringBoundLogger"
    #: Commits of the service that its environments run or were given lately, in the words of whoever said so:
    #: for a collector with a repository at hand, which can tell how they follow each other.
    commits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a run saw of one component of one service."""

    sections: Mapping[SectionName, Section]
    #: None: the service of the source.
    service: str | None = None
    component: str = MAIN
    component_kind: ComponentKind = "process"
    traffic: Traffic = "live"


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """All that one run saw. ``warnings`` are sentences for the log and the sources page, without values."""

    seen: tuple[Seen, ...]
    warnings: tuple[str, ...] = ()
    #: Whether everything that is there was looked at: what is then not in ``seen`` is gone.
    complete: bool = True


class Collector(Protocol):
    """Sees facts of services in one environment. Raises UnseenError when it could see nothing.

    One that also has ``cannot_see``, a tuple of phrases, says with it what no run of it can ever see: reports
    print it.
    """

    API: ClassVar[int]
    name: ClassVar[str]
    Options: ClassVar[type[CollectorOptions]]
    basis: ClassVar[Basis]
    #: The sections it measures, so that a failed run is one unseen section each.
    sections: ClassVar[tuple[SectionName, ...]]

    async def collect(self, options: Any, context: Context) -> Collected:
        """Return what is seen now."""
        ...
