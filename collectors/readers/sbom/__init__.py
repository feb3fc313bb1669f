"""Bills of materials: CycloneDX and SPDX, each format in a module of its own."""

import re
from fnmatch import fnmatchcase
from importlib import import_module
from typing import ClassVar, Final, NamedTuple

from detector.errors import Reason, UnseenError
from detector.model.fingerprints import Fingerprinter
from detector.model.wire_json import Fault, WireError
from detector.reader import API, Read


class Format(NamedTuple):
    """One format of bills."""

    #: What it is sent as over HTTP.
    media_types: tuple[str, ...]
    #: Module below ``collectors.readers.sbom`` and its function; imported when a bill needs it.
    reads: str
    #: What a file of it has in it, as a pattern of bytes that is looked for from its start.
    content: bytes


#: A file has the first format whose content fits, whatever its name is.
FORMATS: Final = (
    Format(("application/vnd.cyclonedx+json",), "cyclonedx:read_json", rb'"bomFormat"\s*:'),
    Format(
        ("application/spdx+json",),
        "spdx:read_json",
        rb'"spdxVersion"\s*:|"@context"\s*:\s*"https?://spdx\.org/',
    ),
)
ACCEPTED: Final = "CycloneDX 1.2 to 1.7 and SPDX 2.2 and 2.3, in JSON"
_NAMES: Final = (
    "bom.json", "bom.xml", "*.bom.json", "*.bom.xml", "sbom.json", "sbom.xml", "*[._-]sbom.json",
    "sbom[._-]*.json", "*.cdx.json", "*.cdx.xml", "*.cyclonedx.json", "*.cyclonedx.xml", "*.spdx.json",
    "*.spdx", "*.intoto.json",
)  # fmt: skip
_MOST_FAULTS: Final = 5
_REASONS: Final[dict[str, Reason]] = {
    "too-deep": "too_large",
    "too-many-items": "too_large",
    "sbom-version": "unsupported",
    "unsupported-format": "unsupported",
}


class SbomReader:
    """Reads bills of materials; ``FORMATS`` lists which."""

    API: ClassVar[int] = API
    name: ClassVar[str] = "sbom"
    #: What a body is sent as that `read_sent` reads.
    MEDIA_TYPES: ClassVar[tuple[str, ...]] = tuple(name for form in FORMATS for name in form.media_types)

    def matches(self, name: str) -> bool:
        own = name.rpartition("/")[2].lower()
        return any(fnmatchcase(own, glob) for glob in _NAMES)

    def read(self, data: bytes, name: str, fingerprinter: Fingerprinter) -> Read:
        try:
            return _read_with(_format_of(data), data, name)
        except WireError as error:
            reason = _REASONS.get(error.faults[0].code, "malformed")
            told = [
                f"{name}{each.pointer}: {each.message} [{each.code}]" for each in error.faults[:_MOST_FAULTS]
            ]
            raise UnseenError(reason, "; ".join(told)) from None

    def read_sent(self, data: bytes, media_type: str) -> Read:
        """Return what the body of a request says. Raises WireError with places in it."""
        return _read_with(next(form for form in FORMATS if media_type in form.media_types), data, "")


def _read_with(form: Format, data: bytes, name: str) -> Read:
    module, _, function = form.reads.partition(":")
    read: Read = getattr(import_module(f"{__name__}.{module}"), function)(data, name)
    return read


def _format_of(data: bytes) -> Format:
    for form in FORMATS:
        if re.search(form.content, data):
            return form
    raise WireError(
        [Fault(pointer="", code="unsupported-format", message=f"no bill that is read: {ACCEPTED}")]
    )
