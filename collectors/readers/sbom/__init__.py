"""Bills of materials: CycloneDX and SPDX, each format in a module of its own."""

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
    #: What files of it have in them, whatever they are called.
    marks: tuple[bytes, ...]


#: A file has the first format of which it has a mark: what may hold others stands first.
FORMATS: Final = (
    Format(
        ("application/vnd.in-toto+json", "application/vnd.dsse.envelope.v1+json"),
        "envelope:read_attestation",
        (b'"payloadType"', b'"predicateType"'),
    ),
    Format(("application/vnd.cyclonedx+json",), "cyclonedx:read_json", (b'"bomFormat"',)),
    Format(("application/spdx+json",), "spdx:read_json", (b'"spdxVersion"', b'"@context"')),
    Format(("application/vnd.cyclonedx+xml",), "cyclonedx_xml:read_xml", (b"<bom", b"<!DOCTYPE")),
    Format(("text/spdx",), "spdx_tags:read_tags", (b"SPDXVersion:",)),
)
ACCEPTED: Final = "CycloneDX 1.2 to 1.7 in JSON or XML, SPDX 2.2 and 2.3 in JSON or as tags"
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
        if any(mark in data for mark in form.marks):
            return form
    message = f"no bill of materials that is read: {ACCEPTED}"
    raise WireError([Fault(pointer="", code="unsupported-format", message=message)])
