"""What the tests of lockfiles share: reading one, and its packages alone."""

from pathlib import Path
from typing import Any

from collectors.readers.lockfile import LockfileReader
from detector.model.facts import Section
from detector.model.fingerprints import Fingerprinter
from detector.reader import Beside, Read, nothing_beside
from tests.collectors.readers.projects import Listed

FILES = Path(__file__).parent / "lockfiles"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
_FINGERPRINTER = Fingerprinter(b"k" * 32)


def read(data: bytes | str, name: str, beside: Beside = nothing_beside) -> Read:
    """What a lockfile says."""
    data = data.encode() if isinstance(data, str) else data
    return LockfileReader().read_beside(data, name, _FINGERPRINTER, beside)


def section(data: bytes | str, name: str, beside: Beside = nothing_beside) -> Section:
    """What a lockfile says of dependencies."""
    return read(data, name, beside).parts[0].sections["dependencies"]


def written(name: str) -> Section:
    """What a lockfile of a real tool says, by its path below ``lockfiles/``."""
    return section((FILES / name).read_bytes(), name)


def pins(found: Section) -> dict[str, Any]:
    """The packages with their versions."""
    return {item: value for item, value in found.facts.items() if item.startswith("pkg:")}


def grouped(listed: Listed) -> dict[str, Any]:
    """Items with their versions, several of one as a sorted list, as a section has them."""
    versions: dict[str, set[str]] = {}
    for item, version in listed:
        versions.setdefault(item, set()).add(version)
    return {item: min(own) if len(own) == 1 else sorted(own) for item, own in versions.items()}
