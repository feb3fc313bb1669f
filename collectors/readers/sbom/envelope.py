"""Bills inside attestations: in-toto statements, alone or in a DSSE envelope.

Specifications: in-toto Statement v0.1 and v1, DSSE v1. The signature is not checked: whoever needs that does
it before, with the key.
"""

import base64
import binascii
from typing import Final

import msgspec

from collectors.readers.sbom import cyclonedx, spdx
from collectors.readers.sbom.decoding import decoded, fault
from detector.reader import Read

_STATEMENT: Final = "application/vnd.in-toto+json"
#: Beginning of the type of a predicate, or of a payload that is no statement -> what reads it.
_READS: Final = {
    "https://cyclonedx.org/bom": cyclonedx.read_json,
    "application/vnd.cyclonedx+json": cyclonedx.read_json,
    "https://spdx.dev/Document": spdx.read_json,
    "application/spdx+json": spdx.read_json,
}
_NOT_CHECKED: Final = "not-verified: the signature of the attestation was not checked"


class _Attestation(msgspec.Struct):
    """An envelope or a statement: each has its own half of the fields."""

    payload_type: str | None = msgspec.field(name="payloadType", default=None)
    payload: str | None = None
    predicate_type: str | None = msgspec.field(name="predicateType", default=None)
    predicate: msgspec.Raw = msgspec.Raw()


def read_attestation(data: bytes, name: str) -> Read:
    """Return what the bill inside says. Raises WireError."""
    attestation = decoded(data, _Attestation)
    kind, inner = attestation.payload_type, b""
    if attestation.payload is not None:
        inner = _payload(attestation.payload)
        if kind == _STATEMENT:
            attestation = decoded(inner, _Attestation)
    if attestation.predicate_type is not None:
        kind, inner = attestation.predicate_type, bytes(attestation.predicate)
    for beginning, read in _READS.items():
        if kind is not None and kind.startswith(beginning):
            found = read(inner, name)
            return Read(parts=found.parts, warnings=(_NOT_CHECKED, *found.warnings))
    raise fault(
        "/predicateType", "unsupported-format", "no attestation of a bill: read are CycloneDX and SPDX"
    )


def _payload(text: str) -> bytes:
    try:
        return base64.b64decode(text.translate({ord("-"): "+", ord("_"): "/"}), validate=True)
    except (binascii.Error, ValueError):
        raise fault("/payload", "sbom-invalid", "no base64") from None
