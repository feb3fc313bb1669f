"""What the collectors of key-value stores share."""

import base64
import binascii
from typing import Final

from pydantic import Field

from collectors._key_options import KeyOptions
from detector.errors import UnseenError
from detector.model.words import MAIN, SourceClass

#: A store holds what somebody put there, and knows nothing of images, platforms and secret references.
SEEN_IN_A_STORE: Final[tuple[SourceClass, ...]] = ("literal",)


class StoreOptions(KeyOptions):
    """Where the store is, and which of its keys are of this service."""

    url: str = Field(
        description="Address of the store, without user and password.", pattern=r"^https?://[^@\s?#]+$"
    )
    path: str = Field(
        "",
        description="What the names of the service's keys begin with; it is cut off.",
        pattern=r"^[A-Za-z0-9._/-]{0,256}$",
    )
    component: str = Field(MAIN, description="Component of the service whose keys they are.")

    def asked(self, *parts: str) -> str:
        """Return the address of something in the store."""
        return "/".join((self.url.rstrip("/"), *parts))


def text_of(encoded: object) -> str:
    """Return the text of a value in base64; what is no UTF-8 stays what its bytes are. Raises UnseenError."""
    try:
        return base64.b64decode(str(encoded or "")).decode("utf-8", "surrogateescape")
    except binascii.Error:
        raise UnseenError("malformed", "a value of the store is no base64") from None
