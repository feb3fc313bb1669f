"""Keyed fingerprints of config values: enough to see "same" and "different", too little to guess a value.

HMAC-SHA-256 (RFC 2104) over a domain, the key's name and the value, cut to 128 bits. The name makes equal
values under two names unlinkable. The id of the fingerprint key stands in front: fingerprints made with
different keys are never compared.
"""

import hmac
from dataclasses import dataclass, field
from typing import Final

#: Bytes of a fingerprint key.
KEY_BYTES: Final = 32
_TAG_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Fingerprinter:
    """Makes fingerprints with one key. The key itself is never shown."""

    key: bytes = field(repr=False)
    key_id: str = field(init=False)

    def __post_init__(self) -> None:
        if len(self.key) < KEY_BYTES:
            raise ValueError(f"a fingerprint key has at least {KEY_BYTES} bytes")
        object.__setattr__(self, "key_id", "k" + self._tag(b"key-id")[:8])

    def of(self, name: str, value: str) -> str:
        """Return the fingerprint of a value under the name of its key."""
        return f"{self.key_id}:{self._tag(b'value', name, value)}"

    def of_endpoint(self, endpoint: str) -> str:
        """Return the fingerprint of a host, port and path, whatever the name of the key that points there."""
        return f"{self.key_id}:{self._tag(b'endpoint', endpoint)}"

    def _tag(self, domain: bytes, *parts: str) -> str:
        message = [domain]
        for part in parts:
            data = part.encode("utf-8", "surrogateescape")
            message += (len(data).to_bytes(8, "big"), data)
        return hmac.digest(self.key, b"".join(message), "sha256")[:_TAG_BYTES].hex()


def key_id_of(fingerprint: str) -> str:
    """Return the id of the key that made a fingerprint."""
    return fingerprint.partition(":")[0]
