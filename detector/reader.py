"""The public contract of readers: each understands one file format.

Readers are pure and importable without pydantic: they serve file collectors, containers and images, pushes
and locators of the command line.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, Protocol

from detector.errors import UnseenError
from detector.model.facts import Section
from detector.model.fingerprints import Fingerprinter
from detector.model.words import MAIN, ComponentKind, SectionName

API: Final = 1
#: Bytes of a file that a reader is given at most; larger ones are unseen as ``too_large``.
MAX_BYTES: Final = 32 * 1024 * 1024
#: Hands out a file that another one names, by its path from that one's folder. Raises UnseenError for what
#: leads out of the root of both or cannot be read.
Beside = Callable[[str], bytes]


def nothing_beside(_path: str) -> bytes:
    """Hand out nothing: for a file that came alone. Raises UnseenError."""
    raise UnseenError("not_in_view", "only the file that names it was read")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a file says of one component of one service."""

    sections: Mapping[SectionName, Section]
    #: None where the file names no service: it is then the service of the source, or the only one opposite.
    service: str | None = None
    component: str = MAIN
    component_kind: ComponentKind = "process"
    #: Only files that hold whole observations say these.
    environment: str | None = None
    observed_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """All that one file says. ``warnings`` name lines and remedies, never text of the file."""

    parts: tuple[Part, ...]
    warnings: tuple[str, ...] = ()


class Reader(Protocol):
    """Understands one file format. Raises UnseenError (`malformed unsupported too_large`) with the place.

    One whose files no name tells may also have ``recognizes``, which is given the first bytes of a file and
    tells whether it could be one: `parity init` asks it of what is YAML or JSON.
    """

    API: ClassVar[int]
    name: ClassVar[str]

    def matches(self, name: str) -> bool:
        """Tell whether a file's own name says that this reader understands it."""
        ...

    def read(self, data: bytes, name: str, fingerprinter: Fingerprinter) -> Read:
        """Return what the file says. ``name`` is its path as the user wrote it, for messages."""
        ...
